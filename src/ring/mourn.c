#include <string.h>

#include "ring/files_repair.h"

/*
 * Whose death may have taken the last copies of a file along: until a range
 * was found complete without them, what nobody has there may be theirs. Each
 * range is made good by itself: who died held copies in several.
 */
enum { REUNION_US = 100000 }; /* views of both sides are one by then */

/* No version that id knew has a clock after since_us, by the wall. */
static void
bereave(struct peer *p, unsigned id, uint64_t since_us)
{
	struct mended *m = &p->files.mended[id];

	if (!idset_has(&p->files.bereaved, id))
		m->owed = 0;
	if (!idset_has(&p->files.bereaved, id) || since_us < m->since_us)
		m->since_us = m->unseen_us = since_us;
	m->count = 0;
	idset_add(&p->files.bereaved, id);
}

uint64_t
mourn_clock(const struct peer *p)
{
	return p->wall_us > p->files.high_clock ? p->wall_us
						: p->files.high_clock;
}

/* Keys (after, after + count] need id no more. */
static void
mended(struct peer *p, unsigned id, unsigned after, unsigned count)
{
	struct mended *m = &p->files.mended[id];
	unsigned on = ring_distance(p, m->after, after);
	unsigned back = ring_distance(p, after, m->after);

	/* One stretch is remembered: those of neighbours grow together. */
	if (m->count > 0 && on <= m->count) {
		count = on + count > m->count ? on + count : m->count;
		after = m->after;
	} else if (m->count > 0 && back <= count) {
		count = back + m->count > count ? back + m->count : count;
	}
	m->after = (uint16_t)after;
	m->count = (uint16_t)(count < p->space ? count : p->space);
}

bool
mourn_misses(
    const struct peer *p, const struct idset *set, unsigned id, unsigned key)
{
	const struct mended *m = &p->files.mended[id];
	unsigned at = ring_distance(p, m->after, key);

	if (!idset_has(set, id))
		return false;
	return m->count < p->space && (at == 0 || at > m->count);
}

/* Who does not serve yet has seen none of the deaths that it knows of. */
static void
mourn_unseen(struct peer *p)
{
	const struct idset *dead = &p->files.bereaved;

	if (range_serves(p, p->config.id))
		return;
	p->files.unseen = *dead;
	for (int id = idset_next(dead, 0); id >= 0;
	     id = idset_next(dead, (unsigned)id + 1))
		p->files.mended[id].unseen_us = p->files.mended[id].since_us;
}

/* It is a member again, or was one before this peer was. */
static void
mourn_back(struct peer *p, unsigned id)
{
	struct files *f = &p->files;

	f->reunion_us = p->now_us + REUNION_US;
	idset_add(&f->reunited, id);
	if (idset_has(&f->inherited, id) || idset_has(&f->unseen, id) ||
	    p->phase != PHASE_SERVING)
		idset_add(&f->elders, id);
}

/* What it may have been given alone it hands over, and says when it has. */
static void
leaves(struct peer *p, unsigned id)
{
	struct files *f = &p->files;

	if (!idset_has(&f->leaving, id) && absent_has(p, id))
		idset_add(&f->reunited, id);
	idset_add(&f->leaving, id);
}

/*
 * It had an earlier life, of which this peer knows nothing: its disk may bring
 * what no set has. A newcomer, or one whose disk is gone, knows nobody's.
 */
static bool
is_stranger(const struct peer *p, unsigned id)
{
	const struct member *m = &p->view[id];

	if (id == p->config.id || !member_is(p, id) || m->incarnation == 1 ||
	    !(m->flags & MEMBER_SYNCING))
		return false;
	if (p->phase == PHASE_SERVING)
		return !idset_has(&p->files.members, id);
	/* Of whom it knows by a connection it can't tell: it may serve. */
	return m->revision > 0 && !idset_has(&p->files.later, id);
}

/* It came together with this peer, for the first time: it had nothing. */
static bool
is_newcomer(const struct peer *p, unsigned id)
{
	const struct member *m = &p->view[id];

	return id != p->config.id && p->phase < PHASE_SERVING &&
	       member_is(p, id) && m->incarnation == 1 && m->revision > 0 &&
	       (m->flags & MEMBER_SYNCING);
}

/*
 * Who died last was given things alone, if this peer could not write, or did
 * not have all yet: nor has who was called dead, before it says that it syncs.
 */
static bool
nobody_serves(const struct peer *p)
{
	if (!member_is(p, p->config.id))
		return false;
	for (unsigned id = 0; id < p->space; id++)
		if (range_serves(p, id) && member_writable(p, id) &&
		    !(id == p->config.id && p->fenced))
			return false;
	return true;
}

/*
 * While this peer can't write, the others are a set without it. Who had come
 * back was in sets with it, as with all whom it sees die: unseen is what that
 * one had before. Until its death it may have replaced what others hold; again:
 * so it may in a life that this peer did not see.
 */
static void
died(struct peer *p, unsigned id, bool was, bool again)
{
	unsigned self = p->config.id;
	struct mended *m = &p->files.mended[id];
	bool before = idset_has(&p->files.unseen, id) || absent_has(p, id);
	uint64_t unseen_us = m->unseen_us;

	if (again)
		idset_del(&p->files.bereaved, id);
	bereave(p, id, mourn_clock(p));
	if (!range_serves(p, self))
		return;
	if (!member_writable(p, self))
		idset_add(&p->files.without, id);
	else if (before && was && !again)
		m->unseen_us = unseen_us;
}

static unsigned
keys_of(const struct peer *p, unsigned after, unsigned upto)
{
	unsigned n = ring_distance(p, after, upto);

	return n == 0 ? p->space : n;
}

/* Their keys are this peer's now: newcomers between do not change that. */
static void
taken_over(struct peer *p)
{
	const struct idset *dead = &p->files.bereaved;
	unsigned self = p->config.id, before, keys;

	if (!range_serves(p, self))
		return;
	before = ring_owner_before(p, self);
	keys = keys_of(p, before, self);
	for (int id = idset_next(dead, 0); id >= 0;
	     id = idset_next(dead, (unsigned)id + 1))
		if (keys > p->files.mended[id].owed &&
		    keys_of(p, before, (unsigned)id) < keys)
			p->files.mended[id].owed = (uint16_t)keys;
}

/* What a newcomer only hears of, the others know whether it was made good. */
void
mourn_view_changed(struct peer *p)
{
	struct files *f = &p->files;
	bool there = p->phase == PHASE_SERVING || p->gather_us != 0;

	absent_view_changed(p);
	for (unsigned id = 0; id < p->space; id++) {
		bool was = idset_has(&f->members, id), again;

		if (p->view[id].state == MEMBER_NONE)
			continue;
		again = doubt_life(p, id);
		/* Back before its death was heard of, and without its disk. */
		if (again && bare_is(p, id))
			bereave(p, id, mourn_clock(p));
		if (p->view[id].state != MEMBER_DEAD) {
			if (idset_has(&f->dead, id) && member_is(p, id)) {
				apart_end(p, id);
				mourn_back(p, id);
			} else if (is_stranger(p, id)) {
				mourn_back(p, id);
			}
			if (is_newcomer(p, id))
				idset_add(&f->newcomers, id);
			idset_del(&f->dead, id);
			idset_del(&f->inherited, id);
			if (idset_has(&f->bereaved, id))
				bare_there(p, id);
			else
				idset_del(&f->unseen, id);
		} else if (!idset_has(&f->dead, id) || again) {
			idset_add(&f->dead, id);
			/* What was given to it since it came back counts. */
			if (idset_has(&f->bare, id))
				idset_del(&f->bereaved, id);
			/* Who came back but to die was given nothing then. */
			if ((was || there) && !idset_has(&f->left, id))
				died(p, id, was, again);
			if (was) {
				apart_begin(p, id);
				absent_died(p, id, nobody_serves(p));
			}
			if (absent_has(p, id))
				idset_add(&f->unseen, id);
		}
		if (p->view[id].state == MEMBER_LEFT)
			idset_add(&f->left, id);
		if (p->view[id].state == MEMBER_LEAVING && id != p->config.id)
			leaves(p, id);
		else
			idset_del(&f->leaving, id);
		if (peer_usable(p, id)) {
			idset_add(&f->members, id);
			idset_del(&f->left, id);
		} else {
			idset_del(&f->members, id);
		}
		if (!peer_usable(p, id)) {
			idset_del(&f->reunited, id);
			idset_del(&f->elders, id);
			idset_del(&f->newcomers, id);
		}
	}
	bare_over(p);
	taken_over(p);
	for (unsigned i = 0; i < sizeof(f->without.bits); i++)
		f->without.bits[i] &= f->bereaved.bits[i];
	mourn_unseen(p);
}

/*
 * For keys from one of these to the next the same are missed: a space may be
 * far larger than a ring.
 */
static void
edges_of(const struct peer *p, unsigned after, struct idset *out)
{
	memset(out, 0, sizeof(*out));
	idset_add(out, (after + 1) & (p->space - 1));
	for (unsigned id = 0; id < p->space; id++) {
		const struct mended *m = &p->files.mended[id];

		if (p->view[id].state != MEMBER_NONE)
			idset_add(out, (id + 1) & (p->space - 1));
		if (!idset_has(&p->files.bereaved, id))
			continue;
		idset_add(out, (id + 1) & (p->space - 1));
		idset_add(out, (m->after + 1u) & (p->space - 1));
		idset_add(out, (m->after + m->count + 1u) & (p->space - 1));
		idset_add(out, (p->config.id + 1u - m->owed) & (p->space - 1));
	}
}

/* Are too many missed for any key of (after, upto]? All of them. */
static bool
bereft_between(
    const struct peer *p, unsigned after, unsigned upto, struct idset *out)
{
	unsigned keys = keys_of(p, after, upto);
	struct idset edges;
	bool any = false;
	struct ids ids;

	edges_of(p, after, &edges);
	for (unsigned i = 1; i <= keys; i++) {
		unsigned key = (after + i) & (p->space - 1);

		if (!idset_has(&edges, key) || range_bereft(p, key, &ids) == 0)
			continue;
		any = true;
		for (unsigned j = 0; out != NULL && j < ids.count; j++)
			idset_add(out, ids.at[j]);
	}
	return any;
}

void
mourn_tell(
    const struct peer *p, unsigned after, unsigned upto, struct missed *out)
{
	uint64_t *at = out->since.at;
	unsigned n = 0;
	struct ids ids;

	memset(out, 0, sizeof(*out));
	if (absent_count(p, &ids, &out->least) == 0)
		out->away = p->files.reunited;
	for (unsigned i = 0; i < ids.count; i++)
		idset_add(&out->away, ids.at[i]);
	out->dead = out->away;
	(void)bereft_between(p, after, upto, &out->dead);
	for (int id = idset_next(&out->dead, 0); id >= 0;
	     id = idset_next(&out->dead, (unsigned)id + 1)) {
		uint64_t us = p->files.mended[id].since_us;

		if (n < CLOCKS_MAX)
			at[n++] = us;
		else if (us > at[n - 1])
			at[n - 1] = us;
	}
	out->since.count = (uint16_t)n;
}

/* When the n-th of them had died. */
static uint64_t
since_of(const struct peer *p, const struct missed *m, unsigned n)
{
	unsigned count = m->since.count;
	uint64_t now_us = mourn_clock(p), us = now_us;

	if (count > 0)
		us = m->since.at[n < count ? n : count - 1];
	return us < now_us ? us : now_us;
}

void
mourn_with(struct peer *p, const struct missed *m, uint8_t least, unsigned owed)
{
	struct files *f = &p->files;
	unsigned n = 0;

	for (int id = idset_next(&m->dead, 0); id >= 0 && id < (int)p->space;
	     id = idset_next(&m->dead, (unsigned)id + 1)) {
		unsigned state = p->view[id].state;
		uint64_t since_us = since_of(p, m, n++);

		if (state == MEMBER_NONE)
			idset_add(&f->inherited, (unsigned)id);
		if (state == MEMBER_NONE || state == MEMBER_DEAD ||
		    bare_is(p, (unsigned)id)) {
			bereave(p, (unsigned)id, since_us);
			if (f->mended[id].owed < owed)
				f->mended[id].owed = (uint16_t)owed;
		}
		if (state == MEMBER_NONE)
			idset_add(&f->unseen, (unsigned)id);
	}
	absent_told(p, &m->away, least);
	mourn_unseen(p);
}

/* What the disk remembers may have gone on until now. */
void
mourn_begin(struct peer *p)
{
	const struct idset *dead = &p->files.inherited;

	for (int id = idset_next(dead, 0); id >= 0;
	     id = idset_next(dead, (unsigned)id + 1))
		bereave(p, (unsigned)id, mourn_clock(p));
	mourn_unseen(p);
}

void
mourn_made_good(struct peer *p, unsigned id, unsigned keys)
{
	mended(p, id, (p->config.id - keys) & (p->space - 1), keys);
}

/* The range (after, upto] is complete without any of the dead. */
static void
range_mended(struct peer *p, unsigned after, unsigned upto)
{
	const struct idset *dead = &p->files.bereaved;

	for (int id = idset_next(dead, 0); id >= 0;
	     id = idset_next(dead, (unsigned)id + 1))
		mended(p, (unsigned)id, after, keys_of(p, after, upto));
}

void
mourn_told(
    struct peer *p, unsigned after, unsigned upto, const struct missed *others)
{
	/*
	 * Of what one that comes back remembers, those who served know more;
	 * and that it has heard of nobody makes no death good.
	 */
	bool later = p->phase == PHASE_SERVING && !range_serves(p, upto);

	if (idset_next(&others->dead, 0) >= 0) {
		if (!later || p->files.unsworn)
			mourn_with(p, others, others->least, 0);
	} else if (!later || !bereft_between(p, after, upto, NULL)) {
		range_mended(p, after, upto);
	}
}

void
mourn_over(struct peer *p, unsigned after)
{
	/* So many at once may have been all holders of a file. */
	if (!bereft_between(p, after, p->config.id, NULL))
		range_mended(p, after, p->config.id);
}
