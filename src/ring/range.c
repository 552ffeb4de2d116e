#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "ring/files_repair.h"

/* The key range that this peer owns: do all its replicas hold the same? */
enum {
	SETTLE_US = 2000, /* views are quiet for so long */
	SETTLE_MAX_US = 20000, /* or moved for so long */
	ROUND_US = 2000000, /* between comparisons when nothing happens */
	MARKS_MAX = 128, /* records and keys looked at in one step */
};

uint64_t
range_hash(const struct peer *p, unsigned owner)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, owner, ids);
	uint64_t hash =
	    hash_pair(ring_set_hash(p, ids, n), ring_owner_before(p, owner));

	return hash == 0 ? 1 : hash;
}

bool
range_in_set(const struct peer *p, unsigned owner, unsigned id)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, owner, ids);

	for (unsigned i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

bool
range_owned(const struct peer *p)
{
	return member_is(p, p->config.id) &&
	       ring_owner(p, p->config.id) == p->config.id;
}

bool
range_complete(const struct peer *p)
{
	const struct files *f = &p->files;

	return f->set != 0 && f->complete_set == f->set &&
	       f->complete_gen == f->gen;
}

bool
range_parted(const struct peer *p, unsigned key)
{
	const struct idset *set = &p->files.leaving;
	int id = idset_next(set, 0);
	uint16_t ids[COPIES_MAX + 1];
	unsigned n, arc = p->space - 1;

	if (id < 0)
		return false;
	n = ring_replicas(p, key, ids);
	if (n == p->config.copies)
		arc = ring_distance(p, key, ids[n - 1]);
	while (id >= 0 && ring_distance(p, key, (unsigned)id) > arc)
		id = idset_next(set, (unsigned)id + 1);
	return id >= 0;
}

bool
range_serves(const struct peer *p, unsigned id)
{
	return member_is(p, id) && !(p->view[id].flags & MEMBER_SYNCING);
}

bool
range_served(const struct peer *p)
{
	unsigned id = range_former(p);

	return id != p->config.id && range_serves(p, id);
}

/*
 * Who must agree: the set's other members and, at first, who had it before; of
 * those, not all: as many as can be asked at a time.
 */
static unsigned
range_targets(const struct peer *p, uint16_t *out, bool *all)
{
	uint16_t ids[COPIES_MAX + 1], formers[COPIES_MAX];
	unsigned self = p->config.id, n, count = 0;
	struct idset set = {0};

	*all = true;
	if (ring_owner(p, self) != self)
		return 0;
	n = ring_replicas(p, self, ids);
	for (unsigned i = 0; i < n; i++) {
		idset_add(&set, ids[i]);
		if (ids[i] != self)
			out[count++] = ids[i];
	}
	n = range_formers(p, formers, all);
	for (unsigned i = 0; i < n; i++)
		if (!idset_has(&set, formers[i]))
			out[count++] = formers[i];
	assert(count <= TARGETS_MAX);
	return count;
}

struct session *
range_session(const struct peer *p, enum session_role role, unsigned id)
{
	for (unsigned i = 0; i < p->files.session_top; i++) {
		const struct session *s = &p->files.sessions[i];

		if (s->role == role && s->id == id)
			return (struct session *)(uintptr_t)s;
	}
	return NULL;
}

static void
range_unsettle(struct peer *p)
{
	struct files *f = &p->files;

	if (f->unsettled_us == 0)
		f->unsettled_us = p->now_us;
	f->settle_us = p->now_us + SETTLE_US;
	if (f->settle_us > f->unsettled_us + SETTLE_MAX_US)
		f->settle_us = f->unsettled_us + SETTLE_MAX_US;
	if (f->settle_us < p->quiet_us)
		f->settle_us = p->quiet_us;
	files_wake(p, f->settle_us);
}

void
range_view_changed(struct peer *p)
{
	struct files *f = &p->files;
	unsigned self = p->config.id;
	uint64_t set = range_owned(p) ? range_hash(p, self) : 0;

	mourn_view_changed(p);
	former_view_changed(p);
	range_unsettle(p);
	short_view_changed(p);
	if (set == f->set) {
		short_seen(p);
		return;
	}
	memset(&f->heard, 0, sizeof(f->heard));
	f->set = set;
	f->complete_set = 0;
	f->marking = false;
	f->lacking = set == 0 ? 0 : short_count(p);
	short_seen(p);
}

void
range_touched(struct peer *p)
{
	p->files.gen++;
	p->files.marking = false;
	range_unsettle(p);
}

void
range_serve(struct peer *p)
{
	uint16_t ids[TARGETS_MAX];
	bool all;
	unsigned n = range_targets(p, ids, &all);

	absent_serve(p, ids, n);
	files_wake(p, p->now_us);
}

void
range_agreed(struct peer *p)
{
	struct files *f = &p->files;
	uint16_t ids[TARGETS_MAX];
	bool all;
	unsigned n = range_targets(p, ids, &all);
	struct message m;

	if (f->set == 0)
		return;
	for (unsigned i = 0; i < n; i++) {
		const struct session *s =
		    range_session(p, SESSION_MINE, ids[i]);

		if (s == NULL || s->agreed_set != f->set)
			return;
		if (all && s->agreed_gen != f->gen) {
			if (s->state == SESSION_DONE && f->settle_us == 0)
				range_unsettle(p);
			return;
		}
	}
	if (!all) {
		absent_inherit(p, ids, n);
		former_heard(p, ids, n);
		range_unsettle(p);
		return;
	}
	if (!range_complete(p))
		f->marking = true;
	f->complete_set = f->set;
	f->complete_gen = f->gen;
	f->lacking = 0;
	f->mark_cursor = 0;
	f->mark_named = false;
	files_wake(p, p->now_us);
	absent_inherit(p, ids, n);
	mourn_over(p, ring_owner_before(p, p->config.id));
	m.type = MSG_sync_done;
	mourn_tell(p, ring_owner_before(p, p->config.id), p->config.id,
	    &m.sync_done.missed);
	for (unsigned i = 0; i < n; i++) {
		m.sync_done.session =
		    range_session(p, SESSION_MINE, ids[i])->number;
		link_send(p, ids[i], &m);
	}
}

void
range_passed(struct peer *p)
{
	struct files *f = &p->files;
	uint64_t left;

	if (f->set == 0 || f->complete_set == f->set || f->lacking == 0)
		return;
	left = short_count(p);
	/* The last ones may still be on their way. */
	f->lacking = left > 0 ? left : 1;
}

/* Who can't write and may hold some of it: the others are too few. */
static void
range_look(struct peer *p, const uint16_t *ids, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct session *s = range_session(p, SESSION_SEEN, ids[i]);

		if (s == NULL)
			s = session_new(p, SESSION_SEEN, ids[i]);
		if (s != NULL && s->agreed_set != p->files.set)
			session_begin(p, s);
	}
	short_seen(p);
}

/* Sessions with whom it takes, and with nobody else. */
static void
range_settle(struct peer *p)
{
	struct files *f = &p->files;
	uint16_t ids[TARGETS_MAX], others[TARGETS_MAX];
	bool all;
	unsigned n = range_targets(p, ids, &all);
	unsigned others_n = short_others(p, others);

	f->settle_us = f->unsettled_us = 0;
	for (unsigned i = 0; i < p->files.session_top; i++) {
		struct session *s = &f->sessions[i];
		bool wanted =
		    s->role == SESSION_FREE ||
		    (s->role == SESSION_THEIRS && peer_usable(p, s->id));

		for (unsigned j = 0; j < n; j++)
			wanted |= s->role == SESSION_MINE && s->id == ids[j];
		for (unsigned j = 0; j < others_n; j++)
			wanted |= s->role == SESSION_SEEN && s->id == others[j];
		wanted |= s->role == SESSION_OFFER && peer_usable(p, s->id);
		if (!wanted)
			session_free(s);
	}
	for (unsigned i = 0; i < n; i++) {
		struct session *s = range_session(p, SESSION_MINE, ids[i]);

		if (s == NULL)
			s = session_new(p, SESSION_MINE, ids[i]);
		if (s == NULL)
			continue;
		/* What it lists goes on: it is compared again at the end. */
		if (session_busy(s) && s->set == f->set &&
		    (s->gen == f->gen || s->state == SESSION_LISTING))
			continue;
		if (s->agreed_set != f->set || s->agreed_gen != f->gen)
			session_begin(p, s);
	}
	range_look(p, others, others_n);
	if (!range_complete(p))
		range_agreed(p);
}

/* The clock's round: nothing should differ. */
static void
range_round(struct peer *p)
{
	for (unsigned i = 0; i < p->files.session_top; i++) {
		struct session *s = &p->files.sessions[i];

		if ((s->role == SESSION_MINE || s->role == SESSION_SEEN) &&
		    s->state == SESSION_DONE)
			session_begin(p, s);
	}
	p->files.round_us =
	    p->now_us + ROUND_US + random_below(&p->random, ROUND_US / 8);
}

static void
range_mark(struct peer *p, const struct record *r)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, p->config.id, ids);
	struct message m;

	act(p, ACT_MARK)->record = *r;
	m.type = MSG_mark;
	m.mark.name = r->name;
	m.mark.version = r->version;
	for (unsigned i = 0; i < n; i++)
		if (ids[i] != p->config.id)
			link_send(p, ids[i], &m);
}

/* What all hold is acknowledged, if nobody was there to say so. */
static void
range_marks(struct peer *p)
{
	const struct index *x = &p->config.index;
	struct files *f = &p->files;
	unsigned before = ring_owner_before(p, p->config.id), steps = 0;
	unsigned n = ring_distance(p, before, p->config.id);
	struct record r;

	if (n == 0)
		n = p->space;
	while (f->mark_cursor < n && steps++ < MARKS_MAX) {
		unsigned key = (before + 1 + f->mark_cursor) & (p->space - 1);

		if (!x->next(x->ctx, (uint16_t)key,
			f->mark_named ? &f->mark_name : NULL, &r)) {
			f->mark_cursor++;
			f->mark_named = false;
			continue;
		}
		f->mark_name = r.name;
		f->mark_named = true;
		if (!r.acknowledged && !write_active(p, &r.name))
			range_mark(p, &r);
	}
	f->marking = f->mark_cursor < n;
}

/* Before it serves, there may be others of the set that it has not met. */
static bool
range_may_mark(const struct peer *p)
{
	return p->files.marking && range_complete(p) &&
	       p->phase > PHASE_SYNCING;
}

uint64_t
range_tick(struct peer *p)
{
	struct files *f = &p->files;
	uint64_t next;

	if (f->settle_us != 0 && f->settle_us <= p->now_us)
		range_settle(p);
	if (range_may_mark(p))
		range_marks(p);
	if (f->round_us <= p->now_us)
		range_round(p);
	next = f->round_us;
	if (f->settle_us != 0 && f->settle_us < next)
		next = f->settle_us;
	if (range_may_mark(p))
		next = p->now_us;
	return next;
}

/* The owners before this peer of whose ranges it is a replica. */
static unsigned
range_sources(const struct peer *p, uint16_t *out)
{
	unsigned self = p->config.id, at = self, n = 0;

	while (n < SESSIONS_MAX / 2) {
		at = ring_owner_before(p, at);
		if (at == self || !range_in_set(p, at, self))
			break;
		out[n++] = (uint16_t)at;
	}
	return n;
}

/*
 * Does this replica hold what the owner's range has? An owner that did not
 * serve then knew that only when all agree: it may have agreed to lack it.
 */
static bool
source_synced(const struct peer *p, unsigned owner)
{
	const struct session *s = range_session(p, SESSION_THEIRS, owner);
	uint64_t set = range_hash(p, owner);

	return s != NULL && s->agreed_set == set &&
	       s->incarnation == p->view[owner].incarnation &&
	       (s->served || s->told_set == set);
}

bool
range_synced(const struct peer *p)
{
	uint16_t ids[TARGETS_MAX], sources[SESSIONS_MAX / 2];
	bool all;
	unsigned n = range_targets(p, ids, &all), from;
	uint64_t set = range_hash(p, p->config.id);

	for (unsigned i = 0; i < n; i++) {
		const struct session *s =
		    range_session(p, SESSION_MINE, ids[i]);

		if (s == NULL || s->agreed_set != set)
			return false;
	}
	from = range_sources(p, sources);
	for (unsigned i = 0; i < from; i++)
		if (!source_synced(p, sources[i]))
			return false;
	return all;
}

unsigned
range_held_after(const struct peer *p)
{
	uint16_t sources[SESSIONS_MAX / 2];
	unsigned n = range_sources(p, sources);

	return ring_owner_before(p, n > 0 ? sources[n - 1] : p->config.id);
}
