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
/* This one, of others? */
void check_split(struct sim *, const struct node *);

/* The same, when this one answers. */
void check_answers(struct sim *, const struct node *);

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
void check_saw(struct sim *, struct node *, unsigned id); /* of its view */
/* It begins to serve, or not to: since when was somebody there? */
void check_served(struct sim *, struct node *);
/* Are enough of those back, or have they left, that it knew when it ended? */
void check_missed(struct sim *, struct node *);
/* It serves, or syncs if that is enough. */
bool check_acts(const struct node *, bool syncing);
/* The other was given to it as one to ask. */
bool check_contact(const struct node *, const struct node *);
/* The one has the other's present life as a member. */
bool check_knows(const struct node *, const struct node *);

#endif
