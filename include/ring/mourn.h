#ifndef RING_MOURN_H
#define RING_MOURN_H

#include "ring/core.h"

/* mourn.c: the dead that may hold what nobody has */
void mourn_begin(struct peer *); /* with the first step */
void mourn_view_changed(struct peer *);
/* This range's replicas agree: deaths there are made good. */
void mourn_over(struct peer *, unsigned after);
/* The last of these keys are this peer's, and need id no more. */
void mourn_made_good(struct peer *, unsigned id, unsigned keys);
bool range_serves(const struct peer *, unsigned id); /* a member */
/* It begins to serve: by the word of those who do, or by nobody's. */
void range_serve(struct peer *);
/* Is anybody else known who serves? */
bool range_served(const struct peer *);
/*
 * Is somebody leaving who may have been in key's set? It may alone hold what
 * others held who have died, until it has handed over: it must be asked.
 */
bool range_parted(const struct peer *, unsigned key);
/* Whom this peer misses in the range (after, upto], if they are too many. */
void mourn_tell(
    const struct peer *, unsigned after, unsigned upto, struct missed *);
/*
 * As others do, who were there; least: instead of theirs. The last of owed keys
 * is this peer's: whoever owned those before it misses them there.
 */
void mourn_with(
    struct peer *, const struct missed *, uint8_t least, unsigned owed);
/* The owner of the range (after, upto] says whom it misses. */
void mourn_told(
    struct peer *, unsigned after, unsigned upto, const struct missed *);

/* No version that was acknowledged until now has a later clock. */
uint64_t mourn_clock(const struct peer *);
/* Is id one of the set that key may still miss? */
bool mourn_misses(
    const struct peer *, const struct idset *, unsigned id, unsigned key);

/* bereft.c: whom key may still miss */
/* The dead that may hold key, if they are too many: how many. */
unsigned range_bereft(const struct peer *, unsigned key, struct ids *);
/* Likewise, of those alone who died before this peer served. */
unsigned range_bereft_unseen(const struct peer *, unsigned key, struct ids *);
/* Likewise, while it could not write. */
unsigned range_bereft_without(const struct peer *, unsigned key, struct ids *);
/* How many of the dead that may hold key would be in its set. */
unsigned range_dead(const struct peer *, unsigned key);
/* Did that one serve before this peer did? */
bool mourn_senior(const struct peer *, unsigned id);
/* Another member, but for those who came together with this one, all new. */
bool mourn_other(const struct peer *, unsigned id);

/* bare.c: who came back without its disk is missed with those still dead */
bool bare_is(const struct peer *, unsigned id);
void bare_there(struct peer *, unsigned id); /* one of the bereaved */
/*
 * Who serves has again what it should hold, if nobody else of them is missed
 * that may have more.
 */
void bare_over(struct peer *);

/* doubt.c: what may have been acknowledged without a peer */
/* A new one may be known: true if so, and not as the first one. */
bool doubt_life(struct peer *, unsigned id);
/*
 * The clock up to which id can't tell what was acknowledged for key, as others
 * were before it, and may be dead; 0: it can tell; UINT64_MAX: it never can.
 * asked: the set that this peer sees is asked, as well as id.
 */
uint64_t range_doubt(
    const struct peer *, unsigned id, unsigned key, bool asked);

/* absent.c: who may have served last, before this peer came back */
void absent_init(struct peer *);
void absent_fence(struct peer *); /* others may go on without it */
/* id may have served last: alone, or without this peer. */
void absent_died(struct peer *, unsigned id, bool alone);
void absent_view_changed(struct peer *);
/*
 * Those who have not come back, if they may have been a whole set: how many;
 * and how many of them are enough for that.
 */
unsigned absent_count(const struct peer *, struct ids *, uint8_t *least);
/*
 * Some are gone, and with those who are there, but have not handed over, they
 * may have been a whole set: soon it will be known. A clock since which none of
 * them has served.
 */
bool absent_soon(const struct peer *, uint64_t *since_us);
bool absent_has(const struct peer *, unsigned id);
/* Another one misses those, and least of them are enough; 0: it does not. */
void absent_told(struct peer *, const struct idset *, uint8_t least);
/* id, who came back, has handed over what it held: by this peer's view. */
void absent_settled(struct peer *, unsigned id);
uint64_t absent_tick(struct peer *); /* asks them; when to call it next */
/* The n peers with whom this one agrees say whom they miss. */
void absent_inherit(struct peer *, const uint16_t *ids, unsigned n);
/*
 * It begins to serve. By nobody's word, of those who died before it did it
 * knows no more than if it had been away.
 */
void absent_serve(struct peer *, const uint16_t *ids, unsigned n);

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
