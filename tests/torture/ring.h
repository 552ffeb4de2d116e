#ifndef TORTURE_RING_H
#define TORTURE_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/client.h"
#include "torture.h"
#include "wire/codes.h"
#include "wire/message.h"

/* call.c */

/* A connection to the supervisor. Embedded in its owner. */
struct wire {
	struct client client;
	bool open, busy;
	uint64_t began_us;
	/* Each answer; the last is a result, or NULL: the ring is gone. */
	void (*told)(struct wire *, const struct message *);
	struct wire *next;
};

void wire_init(
    struct wire *, void (*told)(struct wire *, const struct message *));
/* False: no supervisor answers. */
bool wire_call(struct wire *, const struct msg_call *);
void wire_hang_up(struct wire *);
/* Waits so long for answers, or not, and hands them out. */
void wires_turn(unsigned ms);
/* Makes a call on a wire of its own and turns until it is answered. */
int wire_ask(const struct msg_call *, const char *what, char why[WHY_TEXT]);
/* Likewise; the last reply of a peer, if any. */
int wire_ask_reply(const struct msg_call *, struct msg_reply *);

/* ring.c */

struct seen {
	bool known, member; /* member: of the config */
	enum peer_state state;
	pid_t pid;
	uint64_t missing, files;
};

extern struct seen seen[PEERS_MAX]; /* by identifier, as status said last */
extern pid_t supervisor;

void ring_init(void);
/* A command, in words: its exit status. Standard output to out. */
int tool(const char *out, const char *words);
int ringctl(const char *out, const char *words);
void ring_up(void);
void ring_look(void); /* asks for the status, and waits for it */
unsigned ring_count(enum peer_state);
/* At random; -1: none is. */
int ring_pick(enum peer_state);
bool ring_owns(pid_t); /* it is a process of the ring's */
/* Every process of the ring is gone in time: else a violation. */
void ring_gone(unsigned seconds);
/* A path of ours, absolute; until the next call. */
const char *ring_path(const char *name);
void ring_folder(char out[PATH_TEXT], unsigned id, const char *sub);
/* Starts what is down, resumes what is paused, and waits until ready. */
bool ring_heal(bool all, char why[WHY_TEXT]);
int ring_act(enum verb, const struct idset *, const char *text,
    uint32_t timeout_ms, char why[WHY_TEXT]);

#endif
