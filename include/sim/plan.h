#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/command.h"
#include "sim/node.h"

/*
 * What happens to a ring: a list of steps, drawn from a seed or read from a
 * file, that is carried out on a virtual ring. The same plan is the same run.
 */
enum {
	STEPS_MAX = 640,
	GROUPS_MAX = 8, /* rings that never met */
};

/* How the network and the disks do; times in us, chances in millionths. */
struct quality {
	uint32_t delay_us, jitter_us, spike_us;
	uint32_t loss, duplicate, spike;
	uint32_t disk_us, sync_us; /* a disk's usual and rare times */
};

enum verb {
	VERB_KILL,
	VERB_START,
	VERB_PAUSE,
	VERB_RESUME,
	VERB_WIPE, /* of a peer that is down */
	VERB_POWER_OFF,
	VERB_CRASH, /* dies after so many of its actions */
	VERB_JOIN,
	VERB_QUIT,
	VERB_FREEZE,
	VERB_PARTITION,
	VERB_ONE_WAY,
	VERB_BREAK, /* connections between two peers */
	VERB_SLOW,
	VERB_DROP,
	VERB_FULL,
	VERB_BROKEN, /* a disk that neither reads nor writes */
	VERB_DAMAGE,
	VERB_STORE,
	VERB_REQUEST,
	VERB_REMOVE,
	VERB_OWNER,
	VERB_CANCEL,
	VERBS,
};

struct step {
	uint64_t at_us; /* since the start of the ring */
	uint64_t for_us; /* 0: until all is healed */
	uint64_t amount; /* bytes, actions, millionths, us, key: by verb */
	uint16_t id, other;
	uint8_t verb, name; /* name: position in names */
	uint8_t peers[SIM_SPACE_MAX / 8], others[SIM_SPACE_MAX / 8];
};

struct plan {
	uint64_t seed; /* of the network */
	uint64_t until_us; /* then all is healed */
	uint32_t bits, copies, route, ping_ms, sync;
	uint32_t byte_ps; /* time of one byte on a stream */
	uint32_t spread_us; /* the peers start within it */
	uint32_t skew_us; /* clocks differ by so much */
	uint32_t groups; /* peers of different ones are not told of others */
	uint32_t chain; /* each is told of one other */
	uint32_t changing; /* sources that change while read: of a million */
	struct quality quality;
	uint16_t ids[NODES_MAX];
	unsigned id_count;
	struct name names[NAMES_MAX];
	unsigned name_count;
	struct step steps[STEPS_MAX];
	unsigned step_count;
};

/* draw.c: the plan of that seed. with_files: commands on files too. */
void plan_draw(struct plan *, uint64_t seed, bool with_files);
void plan_draw_ring(struct plan *, struct random *); /* draw_ring.c */

/* script.c: as lines of text, and back. */
void plan_print(const struct plan *, FILE *);
/* 0, or -1 with what is wrong in why. */
int plan_read(struct plan *, FILE *, char *why, size_t size);

/* shrink.c: a smaller plan that fails in the same class; how many tries. */
unsigned plan_shrink(struct sim *, struct plan *, double seconds_max);

/* plan.c: carries it out: ring, steps, healing, rest, checks. */
void plan_run(struct sim *, const struct plan *);
bool plan_has(const uint8_t *set, unsigned id);
void plan_put(uint8_t *set, unsigned id);

/* fault.c: one step, and what ends one. */
void fault_step(struct sim *, struct item *);
void fault_over(struct sim *, struct item *);

/* rest.c: everything is healed; true when the ring came to rest in time. */
void rest_heal(struct sim *);
bool rest_wait(struct sim *, uint64_t deadline_us);
/* After it: owners, files, quiet. */
void rest_check(struct sim *);

#endif
