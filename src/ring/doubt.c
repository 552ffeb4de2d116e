#include "ring/files_repair.h"

/*
 * Up to which version can't a peer tell what was acknowledged? As many dead as
 * copies that are before it may have been a set that left it out.
 */

/* The last ones, the latest first. */
static void
keep_last(uint64_t last[COPIES_MAX], uint64_t us)
{
	for (unsigned i = 0; i < COPIES_MAX; i++) {
		uint64_t next = last[i];

		if (us <= next)
			continue;
		last[i] = us;
		us = next;
	}
}

/* When the set died of which these n may be more than all. */
static uint64_t
set_died(const struct peer *p, const struct idset *of, const struct ids *ids,
    unsigned n)
{
	uint64_t last[COPIES_MAX] = {0};

	for (unsigned i = 0; i < n; i++) {
		const struct mended *m = &p->files.mended[ids->at[i]];

		if (idset_has(of, ids->at[i]))
			keep_last(last, of == &p->files.unseen ? m->unseen_us
							       : m->since_us);
	}
	if (n > p->config.copies)
		n = p->config.copies;
	return n == 0 ? 0 : last[n - 1];
}

/*
 * They died before this peer served, or while it could not write: their last
 * set may have been without. With those that it saw die it was in a set.
 */
static uint64_t
doubt_away(const struct peer *p, unsigned key)
{
	const struct files *f = &p->files;
	uint64_t us = 0, set_us;
	struct ids ids;
	unsigned n;

	(void)absent_soon(p, &us);
	/* Asked with each request and store: mostly there is nothing. */
	if (idset_next(&f->unseen, 0) >= 0) {
		n = range_bereft_unseen(p, key, &ids);
		set_us = set_died(p, &f->unseen, &ids, n);
		us = set_us > us ? set_us : us;
	}
	n = range_bereft_without(p, key, &ids);
	set_us = set_died(p, &f->without, &ids, n);
	return set_us > us ? set_us : us;
}

/*
 * A life of this one is seen for the first time: what it stored in those before
 * it may have lost, unless it says that it has it. Who comes as a newcomer,
 * while this peer is there, had none; nor had this peer itself in its first.
 */
bool
doubt_life(struct peer *p, unsigned id)
{
	const struct member *now = &p->view[id];
	struct mended *m = &p->files.mended[id];
	bool kept = (now->flags & MEMBER_KEPT) != 0;
	bool there = id == p->config.id || range_serves(p, p->config.id);
	bool newcomer = m->life == 0 && p->watch[id].floor == 0 && there, again;

	/* Of whom it knows by a connection it has not heard that. */
	if (now->revision == 0 || now->incarnation <= m->life)
		return false;
	/* Nor did it lose anything if it kept all from its first one. */
	if (now->incarnation > m->life + (newcomer && kept ? 2 : 1) ||
	    !(newcomer || kept))
		m->lost_us = mourn_clock(p);
	again = m->life != 0;
	m->life = now->incarnation;
	return again;
}

/* Up to when may it have stored what it does not have now? */
static uint64_t
lost_until(const struct peer *p, unsigned id)
{
	const struct mended *m = &p->files.mended[id];

	return m->life == p->view[id].incarnation ? m->lost_us : UINT64_MAX;
}

/*
 * So many holders before it, at the time, leave it out of a set. If those of
 * the present set are asked, too, each of them tells what it stored, and stands
 * for nothing that it has not lost.
 */
static uint64_t
doubt_outside(const struct peer *p, unsigned id, unsigned key, bool asked)
{
	uint64_t last[COPIES_MAX] = {0};
	unsigned n = ring_distance(p, key, id), copies = p->config.copies;
	unsigned set = 0, holders = 0;

	for (unsigned i = 0; i < n && holders < copies; i++) {
		unsigned at = (key + i) & (p->space - 1);
		const struct mended *m = &p->files.mended[at];
		bool in_set = member_writable(p, at) && set++ < copies;

		if (range_serves(p, at) && member_writable(p, at)) {
			holders++;
			keep_last(last,
			    asked && in_set ? lost_until(p, at) : UINT64_MAX);
		} else if (mourn_misses(p, &p->files.bereaved, at, key) &&
			   /* Of whom it has not seen die, that one may. */
			   (id == p->config.id ||
			       !idset_has(&p->files.unseen, at))) {
			keep_last(last, m->since_us);
		} else if (!asked && member_writable(p, at) &&
			   p->view[at].incarnation > 1) {
			/* Back, and who asks may not know that. */
			keep_last(last, UINT64_MAX);
		}
	}
	return holders == copies ? UINT64_MAX : last[copies - 1];
}

uint64_t
range_doubt(const struct peer *p, unsigned id, unsigned key, bool asked)
{
	uint64_t outside = doubt_outside(p, id, key, asked), away;

	if (id != p->config.id)
		return outside;
	away = doubt_away(p, key);
	return away > outside ? away : outside;
}
