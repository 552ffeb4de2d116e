#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct sim;
struct item;
struct node;

/* What happens to a ring: drawn from the seed. */

/* Runs one seed: ring, faults, healing, rest, checks. */
void plan_run(struct sim *);

/* Ring of the seed, and its faults; rest.c brings it to rest. */
void plan_draw(struct sim *);
void plan_fault(struct sim *, struct item *);
void plan_period_over(struct sim *, struct item *);

/* A fault ends after us: healed, resumed, started again. */
enum period {
	PERIOD_PARTITION, /* content: bits of node indexes; tries: one way */
	PERIOD_PAUSE,
	PERIOD_ONE_WAY, /* from node to node content */
	PERIOD_START,
	PERIOD_QUALITY,
};

void plan_period(struct sim *, enum period, struct node *, uint64_t content,
    uint64_t after_us);

/* Everything is healed; true when the ring came to rest by the deadline. */
void rest_heal(struct sim *);
bool rest_wait(struct sim *, uint64_t deadline_us);
/* After it: owners, files, quiet. */
void rest_check(struct sim *);

#endif
