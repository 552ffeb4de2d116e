#include "ring/mourn.h"

/* Who of the dead may hold a key, and whether they are too many. */

/* Who owned key then said that it missed id: a wider ring it was. */
static bool
is_owed(const struct peer *p, unsigned id, unsigned key)
{
	unsigned n = p->files.mended[id].owed, first = p->config.id - n + 1;

	return ring_distance(p, key, p->config.id) < n &&
	       ring_distance(p, first, id) >= ring_distance(p, first, key);
}

/*
 * Those of the set that key misses, as far as arc more places; how many. Fewer
 * than copies before but are not counted: it was in a set with them.
 */
static unsigned
count_from(const struct peer *p, const struct idset *set, unsigned key,
    unsigned arc, unsigned but, struct ids *out)
{
	unsigned n = 0;
	bool gone = false; /* of those, one that may come back */

	for (unsigned i = 0; i < p->space; i++) {
		unsigned id = (key + i) & (p->space - 1);

		if (i <= arc && id == but && n < p->config.copies)
			n = 0;
		if (!mourn_misses(p, set, id, key) ||
		    (i > arc && !is_owed(p, id, key)))
			continue;
		if (out != NULL)
			out->at[n] = (uint16_t)id;
		gone |= !member_is(p, id);
		n++;
	}
	if (!gone)
		n = 0;
	if (out != NULL)
		out->count = (uint16_t)n;
	return n;
}

/* From key to the last of its set. */
static unsigned
arc_of(const struct peer *p, unsigned key)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, key, ids);

	return n == 0 ? p->space - 1 : ring_distance(p, key, ids[n - 1]);
}

bool
mourn_senior(const struct peer *p, unsigned id)
{
	if (range_serves(p, p->config.id))
		return idset_has(&p->files.seniors, id);
	return id != p->config.id && !idset_has(&p->files.later, id);
}

/*
 * From key to the last of those who serve, as many as copies; then: of those
 * only who did so before this peer.
 */
static unsigned
arc_served(const struct peer *p, unsigned key, bool then)
{
	unsigned n = 0, last = p->space - 1;

	for (unsigned i = 0; i < p->space && n < p->config.copies; i++) {
		unsigned id = (key + i) & (p->space - 1);

		if (range_serves(p, id) && member_writable(p, id) &&
		    (!then || mourn_senior(p, id))) {
			last = i;
			n++;
		}
	}
	return last;
}

/* From key to the last of its set, if this peer were not there. */
static unsigned
arc_without_self(const struct peer *p, unsigned key)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->space; i++) {
		unsigned id = (key + i) & (p->space - 1);

		n += id != p->config.id && member_is(p, id);
		if (n == p->config.copies)
			return i;
	}
	return p->space - 1;
}

bool
mourn_other(const struct peer *p, unsigned id)
{
	return id != p->config.id && member_is(p, id) &&
	       !idset_has(&p->files.newcomers, id);
}

/*
 * While this peer was away, those that it remembers may have been a whole
 * replica set without it; of fewer than copies, all of them. For who never
 * was away, that is all whom it saw die before it served: it was in their set
 * by its view only. Those who were there when it began to serve have told all
 * that they had: that their number was enough holds when they are gone, too.
 */
static unsigned
range_away(const struct peer *p, unsigned key, struct ids *out)
{
	bool first = p->phase < PHASE_SERVING && p->config.incarnation == 0;
	const struct idset *missed =
	    first ? &p->files.unseen : &p->files.inherited;
	unsigned n =
	    count_from(p, missed, key, arc_without_self(p, key), p->space, out);
	unsigned others = 0, least;

	if (n == 0)
		return 0;
	for (unsigned id = 0; id < p->space; id++)
		others += mourn_misses(p, missed, id, key) ||
			  mourn_other(p, id) || idset_has(&p->files.beside, id);
	least = p->config.copies < others ? p->config.copies : others;
	return n >= least ? n : 0;
}

/*
 * The dead of set with whom this peer was in no replica set; then: up to those
 * who served before it.
 */
static unsigned
count_apart(const struct peer *p, const struct idset *set, unsigned key,
    bool then, struct ids *out)
{
	if (idset_next(set, 0) < 0)
		return 0;
	return count_from(p, set, key, arc_served(p, key, then), p->space, out);
}

unsigned
range_bereft_unseen(const struct peer *p, unsigned key, struct ids *out)
{
	unsigned n = count_apart(p, &p->files.unseen, key, true, out);

	return n < p->config.copies ? range_away(p, key, out) : n;
}

unsigned
range_bereft_without(const struct peer *p, unsigned key, struct ids *out)
{
	unsigned n = count_apart(p, &p->files.without, key, false, out);

	return n < p->config.copies ? 0 : n;
}

unsigned
range_bereft(const struct peer *p, unsigned key, struct ids *out)
{
	const struct files *f = &p->files;
	bool there = range_serves(p, p->config.id) && p->readonly_us == 0;
	unsigned n = count_from(p, &f->bereaved, key, arc_served(p, key, false),
	    there ? p->config.id : p->space, out);

	if (n < p->config.copies)
		n = range_bereft_unseen(p, key, out);
	return n > 0 ? n : absent_count(p, out, NULL);
}

unsigned
range_dead(const struct peer *p, unsigned key)
{
	return count_from(
	    p, &p->files.bereaved, key, arc_of(p, key), p->space, NULL);
}
