#ifndef RING_VIEW_H
#define RING_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

struct members;
struct peer;

/* The view: questions, and the one function that changes it. */

unsigned ring_distance(const struct peer *, unsigned from, unsigned to);
bool member_is(const struct peer *, unsigned id); /* ALIVE or SUSPECT */
bool member_writable(const struct peer *, unsigned id);
/* The first member at or after key that can write; any, if none can. */
unsigned ring_owner(const struct peer *, unsigned key);
/* The owner before that one: its range is (this, that]. */
unsigned ring_owner_before(const struct peer *, unsigned id);
unsigned ring_successor_of(const struct peer *, unsigned id);
unsigned ring_predecessor_of(const struct peer *, unsigned id);

/*
 * The replica set of a key: its owner and the next copies-1 members that can
 * write. Returns how many, at most COPIES_MAX.
 */
unsigned ring_replicas(const struct peer *, unsigned key, uint16_t *out);

/* Hash of the ordered (id, incarnation) list of such a set. */
uint64_t ring_set_hash(const struct peer *, const uint16_t *ids, unsigned n);

/* How many successors are listed: max(copies, 2), or all others. */
unsigned ring_list_length(const struct peer *);

/* Is id among the successors that member lister lists? */
bool ring_lists(const struct peer *, unsigned lister, unsigned id);

/*
 * Merges what is said of one member; returns whether the view changed. Own
 * evidence and news alike go through here. Notes what changed; the caller
 * spreads it (gossip_*). What is said of this peer itself may be refuted.
 */
bool view_merge(struct peer *, const struct member *);

/* Of one entry; the view's hash is the XOR over all. */
uint64_t view_member_hash(const struct member *);

/* Merges members and relays what was new. */
void view_learn(struct peer *, const struct members *);

/* Successors and predecessor anew, if they were left for later. */
void view_derive(struct peer *);
/* Notes who they are. */
void view_note_neighbours(struct peer *);

/* Changes this peer's own entry: state, flags, incarnation; not spread. */
void view_set_self(struct peer *, enum member_state, uint8_t flags);
void member_readonly(struct peer *, bool readonly);

#endif
