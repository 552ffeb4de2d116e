#ifndef TORTURE_H
#define TORTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/random.h"
#include "cli/client.h"
#include "wire/codes.h"
#include "wire/command.h"
#include "wire/message.h"

/*
 * A ring of real processes under load and under faults, one seeded generator
 * behind both. One thread: a poll loop over connections to the supervisor,
 * each with one call at a time. Whatever can't be gone on with ends the
 * process by err(); a broken promise is a violation(): it is reported, kept
 * as evidence, and ends the run at the next rest.
 */
enum {
	PEERS_MAX = 256, /* identifiers of 8 bits */
	NAMES_MAX = 400,
	WORKERS_MAX = 64,
	COPIES = 3,
	WAIT_S = 90, /* that any one thing may take */
	CALL_MS = 5000, /* a worker's patience, without progress */
	RING_TEXT = 64,
	PATH_TEXT = 256,
	WHY_TEXT = 512,
};

struct settings {
	uint64_t seed;
	uint64_t began_us;
	unsigned seconds, peers, workers, names;
	unsigned rounds; /* rolling: passes over all peers; 0: torture */
	bool half; /* of 256 killed at once */
	bool selftest; /* no ring: examples of histories */
	bool sync;
	uint16_t port;
	const char *evidence; /* a folder for what a violation leaves */
};

/* All that is counted, for the summary. */
struct tally {
	uint64_t done[COMMAND_REQUEST + 2]; /* by enum command */
	uint64_t absent, hung_up;
	uint64_t refused[COMMAND_REQUEST + 2][32]; /* by enum wire_error */
	uint64_t bytes;
	unsigned rests, late;
	unsigned kills, pauses, quits, joins, starts, wipes, downs;
	unsigned supervisor_kills, wrong, lost, other;
};

extern struct settings settings;
extern struct tally tally;
extern struct random chance;

/* One in n. */
bool one_in(unsigned n);

/* main.c */

/* Reports; what: lost, wrong or other, counted. */
void violation(unsigned *count, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool violated(void);

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
uint64_t now_us(void);
void pause_ms(unsigned);

/* content.c: what is stored as (name, number), of a size that follows. */

uint64_t content_size(unsigned name, uint32_t number);
void content_write(const char *path, unsigned name, uint32_t number);
/* Compares a file's first bytes; tail more may follow. False, with why. */
bool content_check(const char *path, unsigned name, uint32_t number,
    unsigned tail, char why[WHY_TEXT]);

/* history.c */

enum outcome {
	OUTCOME_ACKED, /* store, remove */
	OUTCOME_UNKNOWN, /* store, remove: at any time from begin on, or never */
	OUTCOME_FOUND, /* request: number */
	OUTCOME_ABSENT, /* request */
};

struct op {
	uint64_t begin_us, end_us;
	uint32_t number; /* of content; 0: none */
	uint8_t command, outcome;
	bool carried; /* from before the last rest: end is that rest */
	uint16_t peer;
};

enum { NOBODY = 0xffff };

void history_init(unsigned name);
/* A number for the next store of a name. */
uint32_t history_number(unsigned name);
/* Whether it was given out. */
bool history_has(unsigned name, unsigned long number);
void history_add(unsigned name, const struct op *);
/*
 * At rest: is there an order in which all of it can have happened? Then
 * begins anew from what the last request found.
 */
void history_check(unsigned name, uint64_t now_us);
/* What a name holds since then; 0: nothing. */
uint32_t history_settled(unsigned name);
void history_print(unsigned name, FILE *);

/* ring.c */

struct seen {
	bool known, member; /* member: of the config */
	enum peer_state state;
	pid_t pid;
	uint64_t missing, files;
};

extern struct seen seen[PEERS_MAX]; /* by identifier, as status said last */
extern pid_t supervisor;
extern unsigned names[NAMES_MAX]; /* 0..9999 */

void ring_init(void);
/* ringctl with these words: its exit status. Standard output to out. */
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

/* load.c */

enum load {
	LOAD_NONE,
	LOAD_ANY, /* faults justify refusals */
	LOAD_CALM, /* there are none */
};

void load_init(void);
void load_set(enum load);
void load_turn(void); /* gives idle workers something to do */
void load_drain(void); /* until none has anything under way */
/* Requests each name, from each of so many peers at random. */
void load_verify(unsigned peers);
uint64_t load_ops(void);

/* fault.c */

void fault_turn(void);
/* No faults under way; undoes none. */
void fault_drain(void);
/* rolling.c, half.c */
void rolling_run(void);
void half_run(void);

/* rest.c */

/* Heals, checks all histories, samples. */
void rest(bool last);
void rest_quiet(void);
void torture_run(void);
void progress(void); /* a line now and then */

/* stored.c: after down, every file of every peer. */
void stored_check(void);

/* selftest.c: TAP; what main() returns. */
int selftest(void);

/* sample.c */
void sample_take(void);
void sample_print(FILE *);

#endif
