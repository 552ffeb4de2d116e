#include <string.h>

#include "ring/files_repair.h"

/*
 * Whose death may have taken the last copies of a file along: until their
 * range was found complete without them, what nobody has may be theirs.
 */
enum { REUNION_US = 100000 }; /* views of both sides are one by then */

/* What a newcomer only hears of, the others know whether it was made good. */
void
mourn_view_changed(struct peer *p)
{
	struct files *f = &p->files;

	for (unsigned id = 0; id < p->space; id++) {
		bool was = idset_has(&f->members, id);

		if (p->view[id].state == MEMBER_NONE)
			continue;
		if (p->view[id].state != MEMBER_DEAD) {
			if (idset_has(&f->dead, id) && member_is(p, id)) {
				f->reunion_us = p->now_us + REUNION_US;
				apart_end(p, id);
				idset_add(&f->reunited, id);
			}
			idset_del(&f->dead, id);
			idset_del(&f->bereaved, id);
			idset_del(&f->inherited, id);
		} else if (!idset_has(&f->dead, id)) {
			idset_add(&f->dead, id);
			if (was || p->phase == PHASE_SERVING)
				idset_add(&f->bereaved, id);
			if (was)
				apart_begin(p, id);
		}
		if (peer_usable(p, id))
			idset_add(&f->members, id);
		else
			idset_del(&f->members, id);
		if (!peer_usable(p, id))
			idset_del(&f->reunited, id);
	}
}

/* Those of the set from key on, as far as arc more places; how many. */
static unsigned
count_from(const struct peer *p, const struct idset *set, unsigned key,
    unsigned arc, struct ids *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i <= arc; i++) {
		unsigned id = (key + i) & (p->space - 1);

		if (!idset_has(set, id))
			continue;
		if (out != NULL)
			out->at[n] = (uint16_t)id;
		n++;
	}
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

/*
 * While this peer was away, those that it remembers may have been a whole
 * replica set without it; of fewer than copies, all of them.
 */
static unsigned
range_away(const struct peer *p, unsigned key, struct ids *out)
{
	const struct idset *missed = &p->files.inherited;
	unsigned self = member_is(p, p->config.id);
	unsigned others = p->member_count - self + idset_count(missed);
	unsigned least = p->config.copies < others ? p->config.copies : others;
	unsigned n = count_from(p, missed, key, arc_without_self(p, key), out);

	return n > 0 && n >= least ? n : 0;
}

unsigned
range_bereft(const struct peer *p, unsigned key, struct ids *out)
{
	unsigned dead =
	    count_from(p, &p->files.bereaved, key, arc_of(p, key), out);

	return dead >= p->config.copies ? dead : range_away(p, key, out);
}

void
mourn_tell(const struct peer *p, unsigned after, struct idset *out)
{
	struct ids ids;

	memset(out, 0, sizeof(*out));
	if (range_bereft(p, (after + 1) & (p->space - 1), &ids) > 0)
		for (unsigned i = 0; i < ids.count; i++)
			idset_add(out, ids.at[i]);
}

void
mourn_with(struct peer *p, const struct idset *others)
{
	struct files *f = &p->files;

	for (int id = idset_next(others, 0); id >= 0 && id < (int)p->space;
	     id = idset_next(others, (unsigned)id + 1)) {
		unsigned state = p->view[id].state;

		if (state == MEMBER_NONE)
			idset_add(&f->inherited, (unsigned)id);
		if (state == MEMBER_NONE || state == MEMBER_DEAD)
			idset_add(&f->bereaved, (unsigned)id);
	}
}

void
mourn_told(
    struct peer *p, unsigned after, unsigned upto, const struct idset *others)
{
	unsigned n = ring_distance(p, after, upto);

	if (idset_next(others, 0) >= 0) {
		mourn_with(p, others);
		return;
	}
	for (unsigned i = 1; i <= n; i++)
		idset_del(&p->files.bereaved, (after + i) & (p->space - 1));
}

void
mourn_over(struct peer *p, unsigned after)
{
	unsigned key = (after + 1) & (p->space - 1), arc = arc_of(p, key);

	/* So many at once may have been all holders of a file. */
	if (range_bereft(p, key, NULL) > 0)
		return;
	for (unsigned i = 0; i <= arc; i++) {
		idset_del(&p->files.bereaved, (key + i) & (p->space - 1));
		idset_del(&p->files.inherited, (key + i) & (p->space - 1));
	}
}
