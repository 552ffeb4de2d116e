#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct sim;
struct node;

/* The invariants of PROTOCOL.md. */

/* A process begins with an empty view. */
void check_born(struct sim *, struct node *);

/* I1 to I3 after a step of node. */
void check_step(struct sim *, struct node *);

/* Do some peers know nothing of others, or is one wrongly called dead? */
void check_apart(struct sim *);

/* Of rings that never met, as far as the last processes of both know? */
bool check_strangers(const struct node *, const struct node *);

/* I4, now and then. */
void check_known(struct sim *);

/* Q1, Q2, Q4: NULL if they hold, else what does not (static). */
const char *check_rest(struct sim *);

/* Is it a process that its neighbours must know: up or syncing? */
bool check_live(const struct node *);
/* It served and could write, or those did whose word it took; UINT64_MAX. */
uint64_t check_stood(const struct node *);

#endif
