#ifndef TORTURE_H
#define TORTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/random.h"
#include "wire/command.h"

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
	uint64_t unanswered; /* the supervisor was gone */
	uint64_t refused[COMMAND_REQUEST + 2][32]; /* by enum wire_error */
	uint64_t bytes;
	unsigned rests, late;
	unsigned kills, pauses, quits, joins, starts, wipes, downs;
	unsigned supervisor_kills, wrong, lost, other;
};

extern struct settings settings;
extern struct tally tally;
extern struct random chance;
extern unsigned names[NAMES_MAX]; /* by index, 0..9999 */

uint64_t now_us(void); /* CLOCK_MONOTONIC */
void pause_ms(unsigned);

/* One in n. */
bool one_in(unsigned n);

/* main.c */

/* Reports; what: lost, wrong or other, counted. */
void violation(unsigned *count, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool violated(void);

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
/* One of the first so many from that key on was paused since then. */
bool fault_paused(unsigned key, unsigned count, uint64_t since_us);
/* rolling.c, half.c */
void rolling_run(void);
void half_run(void);

/* rest.c */

/* Heals, checks all histories, samples. */
void rest(bool last);
void rest_quiet(void);
void torture_run(void);
void progress(void); /* a line now and then */

/* late.c: calls that took long */

/* One is over. What: in words; status: as ring_look() saw it last. */
void late_told(enum verb, int exit, uint64_t began_us, const char *what);
void late_print(FILE *);
/* Keeps cores of all peers if a call that began then is stuck. */
void late_stuck(uint64_t began_us);
void late_cores(void);

/* stored.c: after down, every file of every peer. */
void stored_check(void);

/* selftest.c: TAP; what main() returns. */
int selftest(void);

/* sample.c */
void sample_take(void);
void sample_print(FILE *);

#endif
