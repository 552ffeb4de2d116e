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

/* They died before this peer served: their last set may have been without. */
static uint64_t
doubt_away(const struct peer *p, unsigned key)
{
	uint64_t last[COPIES_MAX] = {0}, absent_us = 0, away_us;
	struct ids ids;
	unsigned n;

	if (absent_count(p, NULL, &absent_us, NULL) == 0)
		absent_us = 0;
	/* Asked with each request and store: mostly there is nothing. */
	if (idset_next(&p->files.unseen, 0) < 0)
		return absent_us;
	n = range_bereft(p, key, &ids);
	if (n == 0)
		return 0;
	for (unsigned i = 0; i < n; i++)
		if (idset_has(&p->files.unseen, ids.at[i]))
			keep_last(last, p->files.mended[ids.at[i]].since_us);
	away_us = last[(n < p->config.copies ? n : p->config.copies) - 1];
	return away_us > absent_us ? away_us : absent_us;
}

/* So many holders before it, at the time, leave it out of a set. */
static uint64_t
doubt_outside(const struct peer *p, unsigned id, unsigned key)
{
	uint64_t last[COPIES_MAX] = {0};
	unsigned n = ring_distance(p, key, id), least = p->config.copies;

	for (unsigned i = 0; i < n && least > 0; i++) {
		unsigned at = (key + i) & (p->space - 1);

		if (member_writable(p, at) &&
		    !(p->view[at].flags & MEMBER_SYNCING))
			least--;
		/* Those that this peer has not seen die, that one may have. */
		if (id != p->config.id && idset_has(&p->files.unseen, at))
			continue;
		if (mourn_misses(p, &p->files.bereaved, at, key))
			keep_last(last, p->files.mended[at].since_us);
	}
	return least == 0 ? UINT64_MAX : last[least - 1];
}

uint64_t
range_doubt(const struct peer *p, unsigned id, unsigned key)
{
	uint64_t outside = doubt_outside(p, id, key), away;

	if (id != p->config.id)
		return outside;
	away = doubt_away(p, key);
	return away > outside ? away : outside;
}
