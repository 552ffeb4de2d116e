#include <limits.h>
#include <string.h>

#include "ring/files_repair.h"

/*
 * By whose word does a peer serve that was away, or is new? Of those who were
 * there all the time; by nobody's, those who were alive when it ended and have
 * not come back may have served last, and hold what nobody else has: if they
 * were enough for a whole set by what it saw last.
 */

enum {
	SETTLED_US = 100000, /* from one ask to the next, */
	SETTLED_AGAIN_US = 400000, /* once all were asked */
	SETTLED_MAX = 8, /* that are asked at a time */
};

void
absent_init(struct peer *p)
{
	struct files *f = &p->files;

	for (unsigned id = 0; id < p->space; id++)
		if (id != p->config.id && p->view[id].state == MEMBER_NONE &&
		    p->watch[id].floor > 0)
			idset_add(&f->then, id);
	/* Who was leaving accepted nothing any more. */
	for (size_t i = 0; i < p->config.remembered_count; i++)
		if (p->config.remembered[i].state == MEMBER_LEAVING)
			idset_del(&f->then, p->config.remembered[i].id);
	f->absent = f->then;
}

/*
 * It was called dead while it was stopped: it is as one that was away, but that
 * it sees who dies until it serves again. Whom it missed already are enough.
 */
void
absent_fence(struct peer *p)
{
	struct files *f = &p->files;

	if (idset_next(&f->absent, 0) >= 0)
		return;
	f->then = f->members;
	for (unsigned id = 0; id < p->space; id++)
		if (member_is(p, id))
			idset_add(&f->then, id);
		else if (p->view[id].state != MEMBER_DEAD)
			idset_del(&f->then, id);
	idset_del(&f->then, p->config.id);
}

static bool
serves(const struct peer *p)
{
	return p->phase == PHASE_SERVING && !p->fenced;
}

void
absent_died(struct peer *p, unsigned id, bool alone)
{
	if (alone)
		idset_add(&p->files.sole, id);
	if (!serves(p) && idset_has(&p->files.then, id))
		idset_add(&p->files.absent, id);
}

/* Back without its disk, it is no more than those who are gone. */
static bool
still_bare(const struct peer *p, unsigned id)
{
	return peer_usable(p, id) && idset_has(&p->files.bare, id) &&
	       idset_has(&p->files.bereaved, id);
}

static void
not_missed(struct peer *p, unsigned id)
{
	idset_del(&p->files.sole, id);
	if (still_bare(p, id))
		return;
	idset_del(&p->files.absent, id);
	idset_del(&p->files.told, id);
}

/* It left nothing that others have not got. */
static void
absent_left(struct peer *p, unsigned id)
{
	idset_del(&p->files.then, id);
	not_missed(p, id);
}

bool
absent_has(const struct peer *p, unsigned id)
{
	return idset_has(&p->files.absent, id) ||
	       idset_has(&p->files.told, id) || idset_has(&p->files.sole, id);
}

/* Does one serve that has been there since before this peer ended? */
static bool
any_stayed(const struct peer *p)
{
	for (unsigned id = 0; id < p->space; id++)
		if (id != p->config.id && range_serves(p, id) &&
		    p->watch[id].floor == p->view[id].incarnation)
			return true;
	return false;
}

/* Those of the set that are not there, added to all, or NULL; how many. */
static unsigned
count_gone(const struct peer *p, const struct idset *set, struct idset *all,
    uint64_t *since_us)
{
	unsigned n = 0;

	for (int id = idset_next(set, 0); id >= 0;
	     id = idset_next(set, (unsigned)id + 1)) {
		uint64_t us = p->files.mended[id].unseen_us;

		if (peer_usable(p, (unsigned)id))
			continue;
		if (all != NULL)
			idset_add(all, (unsigned)id);
		if (since_us != NULL && us > *since_us)
			*since_us = us;
		n++;
	}
	return n;
}

/* It serves, and what it holds for others they have: by its own word. */
static bool
is_back(const struct peer *p, unsigned id)
{
	return range_serves(p, id) && !idset_has(&p->files.elders, id);
}

static unsigned
count_away(const struct peer *p, const struct idset *set)
{
	unsigned n = 0, bare = 0;

	for (int id = idset_next(set, 0); id >= 0;
	     id = idset_next(set, (unsigned)id + 1))
		if (!is_back(p, (unsigned)id))
			n++;
		else
			bare += still_bare(p, (unsigned)id);
	return n == 0 ? 0 : n + bare;
}

static unsigned
count_bare(const struct peer *p, const struct idset *set)
{
	unsigned n = 0;

	for (int id = idset_next(set, 0); id >= 0;
	     id = idset_next(set, (unsigned)id + 1))
		n += still_bare(p, (unsigned)id);
	return n;
}

/* So many of those that were there then may have been a whole set. */
static unsigned
least_then(const struct peer *p)
{
	unsigned then = idset_count(&p->files.then);

	return then < p->config.copies ? then : p->config.copies;
}

/* The sets of those that may have served last, and how many are enough. */
static void
absent_sets(
    const struct peer *p, const struct idset *sets[3], unsigned least[3])
{
	const struct files *f = &p->files;

	sets[0] = &f->sole;
	sets[1] = &f->absent;
	sets[2] = &f->told;
	least[0] = 1;
	least[1] = idset_next(&f->absent, 0) >= 0 ? least_then(p) : 0;
	least[2] = f->told_least;
}

unsigned
absent_count(const struct peer *p, struct ids *out, uint8_t *least)
{
	const struct idset *sets[3];
	struct idset all = {{0}};
	unsigned leasts[3], n = 0, fewest = UINT_MAX;

	absent_sets(p, sets, leasts);
	for (unsigned i = 0; i < 3; i++) {
		unsigned of = count_gone(p, sets[i], NULL, NULL);
		unsigned bare = of == 0 ? 0 : count_bare(p, sets[i]);
		/* To others they are enough by themselves. */
		unsigned few = bare < leasts[i] ? leasts[i] - bare : 1;

		if (leasts[i] == 0 || of == 0 || of + bare < leasts[i] ||
		    few > fewest)
			continue;
		if (few < fewest)
			memset(&all, 0, sizeof(all));
		fewest = few;
		(void)count_gone(p, sets[i], &all, NULL);
	}
	for (int id = idset_next(&all, 0); id >= 0;
	     id = idset_next(&all, (unsigned)id + 1), n++)
		if (out != NULL)
			out->at[n] = (uint16_t)id;
	if (out != NULL)
		out->count = (uint16_t)n;
	if (least != NULL)
		*least = n == 0 ? 0 : (uint8_t)fewest;
	return n;
}

bool
absent_soon(const struct peer *p, uint64_t *since_us)
{
	const struct idset *sets[3];
	unsigned leasts[3];
	bool soon = false;

	absent_sets(p, sets, leasts);
	for (unsigned i = 0; i < 3; i++)
		soon |= leasts[i] > 0 && count_away(p, sets[i]) >= leasts[i] &&
			count_gone(p, sets[i], NULL, since_us) > 0;
	return soon;
}

void
absent_told(struct peer *p, const struct idset *others, uint8_t least)
{
	struct files *f = &p->files;

	if (least == 0 || (p->phase == PHASE_SERVING && !f->unsworn) ||
	    (f->told_least > 0 && f->told_least < least))
		return;
	if (f->told_least != least)
		memset(&f->told, 0, sizeof(f->told));
	f->told_least = least;
	for (int id = idset_next(others, 0); id >= 0 && id < (int)p->space;
	     id = idset_next(others, (unsigned)id + 1))
		/* Whom it saw serve with it, and die, it misses itself. */
		if (!peer_usable(p, (unsigned)id) &&
		    (p->phase != PHASE_SERVING ||
			!idset_has(&f->known, (unsigned)id)))
			idset_add(&f->told, (unsigned)id);
}

void
absent_view_changed(struct peer *p)
{
	struct files *f = &p->files;

	/* By one view all are asked. */
	f->settled_us = p->now_us + SETTLED_US;
	/* It may hear only now who came meanwhile. */
	if (p->fenced)
		absent_fence(p);
	for (unsigned id = 0; id < p->space; id++) {
		if (p->view[id].state == MEMBER_LEFT)
			absent_left(p, id);
		/* Before it serves itself, it may be old news that one does. */
		if (p->phase == PHASE_SERVING && is_back(p, id))
			idset_add(&f->known, id);
		else if (p->phase != PHASE_SERVING || peer_usable(p, id))
			idset_del(&f->known, id);
		if (serves(p) && is_back(p, id))
			not_missed(p, id);
	}
	if (!serves(p))
		return;
	/* Enough are back: the others may stay away. */
	if (count_away(p, &f->absent) < least_then(p))
		memset(&f->absent, 0, sizeof(f->absent));
	if (count_away(p, &f->told) < f->told_least)
		f->told_least = 0;
	if (f->told_least == 0)
		memset(&f->told, 0, sizeof(f->told));
}

/*
 * Who was away, and may have served without this peer, is asked whether it has
 * handed over what it held: if it dies before, it is missed again.
 */
uint64_t
absent_tick(struct peer *p)
{
	struct files *f = &p->files;
	int id = idset_next(&f->reunited, f->next_asked);
	bool again = id < 0;

	if (again)
		id = idset_next(&f->reunited, 0);
	if (id < 0 || p->phase != PHASE_SERVING)
		return UINT64_MAX;
	if (f->settled_us > p->now_us)
		return f->settled_us;
	f->settled_us = p->now_us + (again ? SETTLED_AGAIN_US : SETTLED_US);
	for (unsigned i = 0; i < SETTLED_MAX && id >= 0; i++) {
		ping_send(p, (unsigned)id, p->view[id].addr, false);
		f->next_asked = (uint16_t)(id + 1);
		id = idset_next(&f->reunited, f->next_asked);
	}
	return f->settled_us;
}

void
absent_settled(struct peer *p, unsigned id)
{
	struct files *f = &p->files;
	bool leaving = p->view[id].state == MEMBER_LEAVING;

	idset_del(&f->reunited, id);
	if (!idset_has(&f->elders, id) && !(leaving && absent_has(p, id)))
		return;
	idset_del(&f->elders, id);
	/* As good as gone: it may stay until this peer answers. */
	if (leaving)
		absent_left(p, id);
	absent_view_changed(p);
}

/*
 * Those who served know whom this peer misses of its own keys from before, or
 * need not; whoever owns others that it holds says so of those, and until then
 * it can't vouch. If it remembers any, likewise who lost its disk before it was
 * there.
 */
static void
forget(struct peer *p, unsigned keys)
{
	static const struct idset nobody;
	struct files *f = &p->files;
	const struct idset *bare =
	    p->config.incarnation > 0 ? &f->bare : &nobody;

	for (int id = idset_next(&f->inherited, 0); id >= 0;
	     id = idset_next(&f->inherited, (unsigned)id + 1))
		mourn_made_good(p, (unsigned)id, keys);
	for (unsigned i = 0; i < sizeof(f->bereaved.bits); i++) {
		f->bereaved.bits[i] &= (uint8_t)~bare->bits[i];
		f->bare.bits[i] &= f->bereaved.bits[i];
	}
	memset(&f->inherited, 0, sizeof(f->inherited));
}

/*
 * Who was away, or is new, goes by the word of those who were there all the
 * time: they have made the dead good, or say whom they miss.
 */
void
absent_inherit(struct peer *p, const uint16_t *ids, unsigned n)
{
	unsigned self = p->config.id;
	unsigned own = ring_distance(p, ring_owner_before(p, self), self);
	unsigned keys = own == 0 ? p->space : own; /* of this peer */
	bool served = false, fresh = false, stayed = false, known;
	struct idset named; /* they miss them, too */

	memset(&named, 0, sizeof(named));
	for (unsigned i = 0; i < n; i++) {
		const struct session *mine =
		    range_session(p, SESSION_MINE, ids[i]);
		uint32_t floor = p->watch[ids[i]].floor;

		if (mine == NULL)
			return;
		if (!range_serves(p, ids[i]))
			continue;
		served = true;
		fresh |= mine->served;
		stayed |= mine->served && mine->missed.least == 0 &&
			  mourn_senior(p, ids[i]) &&
			  (floor == 0 || floor == p->view[ids[i]].incarnation);
		for (unsigned j = 0; j < sizeof(named.bits); j++)
			named.bits[j] |= mine->missed.away.bits[j];
	}
	if (served && p->phase == PHASE_SYNCING)
		forget(p, keys);
	/* But who is back there, too, has yet to hand over. */
	for (unsigned j = 0; j < sizeof(named.bits); j++)
		if (stayed && p->phase == PHASE_SYNCING)
			p->files.elders.bits[j] &= named.bits[j];
	/* Of whom nobody has heard, those that were away too have no word. */
	known =
	    n > 0 && ((served && p->phase == PHASE_SYNCING) || any_stayed(p));
	for (unsigned id = 0; id < p->space; id++)
		if (stayed || (known && p->view[id].state == MEMBER_DEAD &&
				  !idset_has(&named, id)))
			not_missed(p, id);
	/*
	 * If nobody was there, what one doubts all doubt; and whom one misses,
	 * who has no memory can't deny. What one said before it served counts
	 * less than what another said since.
	 */
	for (unsigned i = 0; i < n; i++) {
		const struct session *mine =
		    range_session(p, SESSION_MINE, ids[i]);
		uint8_t least = mine->missed.least;

		if (p->phase == PHASE_SERVING
			? p->files.unsworn && least > 0
			: range_serves(p, ids[i]) ||
			      (!served && !range_serves(p, self) &&
				  (least > 0 || p->config.incarnation == 0)))
			mourn_with(p, &mine->missed,
			    mine->served || !fresh ? least : 0,
			    range_serves(p, ids[i]) ? keys : 0);
	}
}

void
absent_serve(struct peer *p, const uint16_t *ids, unsigned n)
{
	struct files *f = &p->files;
	uint16_t set[COPIES_MAX + 1];
	unsigned in_set = ring_replicas(p, p->config.id, set);

	absent_inherit(p, ids, n);
	/* If all are in each set, they have compared all that they hold. */
	for (unsigned i = 0; i < in_set && in_set == p->member_count; i++)
		idset_del(&f->elders, set[i]);
	memset(&f->beside, 0, sizeof(f->beside));
	for (unsigned id = 0; id < p->space; id++) {
		if (range_serves(p, id) && !idset_has(&f->later, id))
			idset_add(&f->seniors, id);
		if (mourn_other(p, id))
			idset_add(&f->beside, id);
	}
	if (range_served(p) && !idset_has(&f->later, range_former(p)))
		return;
	/* Those of whom only the disk tells may have gone on until now. */
	for (unsigned id = 0; id < p->space; id++)
		if (idset_has(&f->inherited, id))
			f->mended[id].since_us = f->mended[id].unseen_us =
			    mourn_clock(p);
	/* In a new ring nobody was away. */
	f->unsworn = p->config.incarnation > 0;
	for (unsigned i = 0; i < sizeof(f->inherited.bits); i++)
		f->inherited.bits[i] |= f->bereaved.bits[i];
}
