#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/why.h"
#include "wire/frame.h"
#include "wire/message.h"

/* A connection to one ring's supervisor. */
struct client {
	int fd; /* -1: closed */
	char ring[64];
	struct msg_welcome welcome;
	size_t start, end; /* of what was read and not yet taken */
	uint8_t in[2 * FRAME_LEN_MAX];
};

/* Set by SIGINT, SIGTERM and SIGHUP between the two calls below. */
extern volatile int client_signal;

/* From now on these signals end waits for messages instead of the process. */
void client_signals(void);
/* From now on the process again. */
void client_signals_end(void);

/*
 * Connects to the supervisor of a ring and reads its welcome. 0, or -1 with
 * why and errno: ENOENT or ECONNREFUSED when that ring isn't up, ETIMEDOUT
 * when it does not answer, EINTR after a signal.
 */
int client_open(
    struct client *, const char *ring, uint32_t timeout_ms, struct why *);
void client_close(struct client *);

/* Sends a call: 0, or -1 with errno. */
int client_call(struct client *, const struct msg_call *, uint32_t timeout_ms);

/*
 * The next message: 1. 0: the supervisor hung up. -1 with errno: ETIMEDOUT
 * after timeout_ms (0: never), EINTR after a signal, EPROTO for bytes that
 * are no message.
 */
int client_next(struct client *, struct message *, uint32_t timeout_ms);

#endif
