#ifndef RING_MOURN_H
#define RING_MOURN_H

#include "ring/core.h"

/* mourn.c: the dead that may hold what nobody has */
void mourn_begin(struct peer *); /* with the first step */
void mourn_view_changed(struct peer *);
/*
 * It begins to serve. By nobody's word, of those who died before it did it
 * knows no more than if it had been away.
 */
void mourn_alone(struct peer *);
/* This range's replicas agree: deaths there are made good. */
void mourn_over(struct peer *, unsigned after);
/*
 * The clock up to which id can't tell what was acknowledged for key, as others
 * were before it, and may be dead; 0: it can tell; UINT64_MAX: it never can.
 */
uint64_t range_doubt(const struct peer *, unsigned id, unsigned key);
/* Is anybody else known who serves? */
bool range_served(const struct peer *);
/* The dead that may hold key, if they are too many: how many. */
unsigned range_bereft(const struct peer *, unsigned key, struct ids *);
/* How many of the dead that may hold key would be in its set. */
unsigned range_dead(const struct peer *, unsigned key);
/* Whom this peer misses in the range after that, if they are too many. */
uint64_t mourn_tell(const struct peer *, unsigned after, struct idset *);
/* As others do, who were there. */
void mourn_with(struct peer *, const struct idset *others, uint64_t since_us);
/* The owner of the range (after, upto] says whom it misses. */
void mourn_told(struct peer *, unsigned after, unsigned upto,
    const struct idset *others, uint64_t since_us);

/* apart.c: what was stored on both sides of a partition */
void apart_begin(struct peer *, unsigned id); /* it is called dead */
void apart_end(struct peer *, unsigned id); /* it is a member again */
/* Called before that is stored: what is here now was known. */
void apart_replaces(struct peer *, const struct record *);
/* If the two did not know of each other, EVENT_superseded follows. */
void apart_won(struct peer *, unsigned from, const struct name *,
    const struct version *loser, const struct version *winner);
/* The same for an older one that a peer still holds. */
void apart_lost(struct peer *, unsigned from, const struct record *);
uint64_t apart_tick(struct peer *);

#endif
