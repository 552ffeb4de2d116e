#ifndef PEER_PIPE_H
#define PEER_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/loop.h"
#include "wire/message.h"

/*
 * The pipes from and to the supervisor. Nothing waits for it: what it does
 * not read in time is kept up to a bound, and then events and lines are lost.
 */
enum {
	COUNTERS_US = 1000000, /* between reports of counters alone */
	PIPE_QUEUE_SOFT = 1 << 20, /* bytes; events and lines up to here */
	PIPE_QUEUE_MAX = 8 << 20, /* replies and reports too */
	PIPE_READ_BYTES = 65536, /* in a turn */
	PIPE_WAIT_US = 5000, /* for company, of notes of files */
	PIPE_WAIT_BYTES = 4096, /* of them are company enough */
};

struct driver;

struct pipe {
	struct source in, out;
	int out_fd;
	bool closed; /* the supervisor is gone */
	bool hurry; /* what is queued does not wait for more */
	struct timer wait;
	uint8_t *unread; /* part of a frame */
	size_t unread_len;
	uint8_t *queue; /* queue[sent..len) waits */
	size_t sent, len, room;
	uint8_t report[256]; /* as last queued */
	size_t report_len;
	uint64_t reported_us, dropped; /* of the last one */
	uint64_t owned, owned_changes, owned_view; /* of these, counted */
};

/* Both descriptors are made non-blocking; -1: none. 0, or -1 with errno. */
int pipe_init(struct driver *, int in, int out);
void pipe_free(struct driver *);

/*
 * An encoded message, or one to encode; false: it is lost. The supervisor is
 * not woken for notes of files alone: they go with what comes next, if that
 * is soon.
 */
bool pipe_send_bytes(struct driver *, const uint8_t *, size_t len);
bool pipe_send(struct driver *, const struct message *);

/* The end of a turn: a report if it changed, then writes. */
void pipe_settle(struct driver *);
void pipe_flush(struct driver *);
bool pipe_busy(const struct driver *);

#endif
