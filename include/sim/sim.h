#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/random.h"
#include "ring/peer.h"
#include "sim/command.h"
#include "sim/node.h"
#include "sim/plan.h"
#include "sim/queue.h"

/* One virtual ring: clock, network, machines, and what is known of them. */
enum {
	LINEAGES_MAX = 4096, /* incarnations seen in one run */
	SIM_HOST = 0x7f000001,
	SIM_PORT = 12000,
};

enum check_class {
	CHECK_LIST, /* I1: successors are what the view derives */
	CHECK_ORDER, /* I2: entries never go down */
	CHECK_LINEAGE, /* I3: one process per (id, incarnation) */
	CHECK_KNOWN, /* I4: nobody is alone without reason */
	CHECK_FALSE_DEAD, /* no fault, and yet DEAD */
	CHECK_REST, /* Q1, Q2, Q4: the ring did not come to rest */
	CHECK_COMMAND, /* one final reply to each */
	CHECK_CONTRACT, /* between core and driver */
	CHECK_STORM, /* too many messages or steps */
	CHECK_FILES, /* what was acknowledged is there */
	CHECK_FENCE, /* I5: who is dead here gets no acknowledgement */
	CHECK_CLASSES,
};

/* Who had an incarnation first. */
struct lineage {
	uint16_t id;
	uint32_t incarnation, process;
	const struct node *node;
	unsigned wipes; /* of its disk then */
	uint64_t us; /* since then */
};

struct sim {
	uint64_t seed, now_us;
	bool trace;
	bool quiet; /* violations are not printed */
	bool failed; /* there was a violation */
	const char *check; /* which: the words that it prints */
	bool calm; /* no loss, partition, pause so far: no false DEAD */
	bool skewed; /* clocks differ */
	unsigned checks; /* bits: 1 << enum check_class */
	const char *scenario; /* its name, or NULL: from the seed */
	const char *played; /* a plan's file, or NULL */

	struct random net, plan;
	struct queue queue;
	struct quality quality, usual; /* now; but for faults */
	bool healed; /* no fault is to come */
	uint64_t healed_us; /* since then */
	bool with_files; /* commands on files are given too */
	uint32_t changing; /* sources that change while read: of a million */
	const struct plan *script; /* whose steps are carried out, or NULL */
	struct plan drawn; /* from the seed */
	uint64_t until_us; /* faults come before */
	uint64_t forgot_us; /* one last came with less than it knew; 0: never */
	uint64_t split_us; /* when some last knew nothing of others; 0: never */
	uint64_t unmet_us; /* likewise, of those that were still syncing, too */
	unsigned steps_left; /* of script */
	bool resting; /* the last requests, of a ring at rest */
	bool sync; /* what is acknowledged is on disk */
	unsigned bits, space, copies, route;
	uint32_t ping_ms;
	uint32_t byte_ps; /* time of one byte on a stream */

	struct node nodes[NODES_MAX];
	unsigned node_count;
	uint8_t blocked[NODES_MAX][NODES_MAX]; /* from, to: how often */
	struct circuit *circuits, *circuits_free;
	struct peer *peers[NODES_MAX]; /* memory, kept from run to run */

	uint32_t process; /* the last one */
	struct lineage lineages[LINEAGES_MAX];
	unsigned lineage_count;
	struct commands commands;
	uint64_t false_deads;
	unsigned notes[EVENT_KINDS]; /* events of all peers, by kind */

	struct actions *out;
	struct message message; /* the one that an event points to */
	uint64_t brought; /* the content that came with it */
	uint64_t steps, messages;
	unsigned file_faults, file_checks; /* found at rest; looked at */
};

/* The check of that name (as in --checks), or -1. */
int sim_check(const char *name);

/* Memory for runs; NULL never. */
struct sim *sim_new(void);
void sim_free(struct sim *);

/* Forgets the last run and begins one. */
void sim_reset(struct sim *, uint64_t seed);

/*
 * Lets the next thing happen, if that is by until_us; else the clock goes
 * there and false is returned.
 */
bool sim_turn(struct sim *, uint64_t until_us);

/* Turns until then, or until a violation. */
void sim_until(struct sim *, uint64_t until_us);

/* Prints what was violated, and how to see it again. */
void sim_fail(struct sim *, enum check_class, const struct node *,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Draws: true in chance of a million; [low, high]. */
bool sim_chance(struct random *, uint32_t chance);
uint64_t sim_between(struct random *, uint64_t low, uint64_t high);

/* trace.c: with --trace, what is handed to a peer and what it does. */
void trace_event(const struct sim *, const struct node *, const struct event *);
void trace_actions(const struct sim *, const struct node *);
void trace_say(const struct sim *, const struct node *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
