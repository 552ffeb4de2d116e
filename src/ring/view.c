#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "ring/core.h"
#include "ring/mourn.h"

/* When a disk that failed is tried again: doubled each time. */
enum { READONLY_US = 200000, READONLY_MAX_US = 30000000 };

unsigned
ring_distance(const struct peer *p, unsigned from, unsigned to)
{
	return (to - from) & (p->space - 1);
}

bool
member_is(const struct peer *p, unsigned id)
{
	assert(id < p->space);
	if (p->view[id].state == MEMBER_SUSPECT)
		return !MUTANT(MOVE_ON_SUSPICION);
	return p->view[id].state == MEMBER_ALIVE;
}

bool
member_writable(const struct peer *p, unsigned id)
{
	return member_is(p, id) && !(p->view[id].flags & MEMBER_READONLY);
}

/* The first member from start on, clockwise; start itself if there is none. */
static unsigned
first_member(const struct peer *p, unsigned start)
{
	for (unsigned i = 0; i < p->space; i++) {
		unsigned id = (start + i) & (p->space - 1);

		if (member_is(p, id))
			return id;
	}
	return start & (p->space - 1);
}

/* Who can't write owns nothing, unless nobody can. */
unsigned
ring_owner(const struct peer *p, unsigned key)
{
	for (unsigned i = 0; i < p->space; i++) {
		unsigned id = (key + i) & (p->space - 1);

		if (member_writable(p, id))
			return id;
	}
	return first_member(p, key);
}

unsigned
ring_successor_of(const struct peer *p, unsigned id)
{
	unsigned next = first_member(p, id + 1);

	return member_is(p, next) ? next : id;
}

unsigned
ring_predecessor_of(const struct peer *p, unsigned id)
{
	for (unsigned i = 1; i < p->space; i++) {
		unsigned at = (id - i) & (p->space - 1);

		if (member_is(p, at))
			return at;
	}
	return id;
}

unsigned
ring_owner_before(const struct peer *p, unsigned id)
{
	unsigned member = id;

	for (unsigned i = p->space - 1; i > 0; i--)
		if (member_is(p, (id + i) & (p->space - 1))) {
			unsigned at = (id + i) & (p->space - 1);

			if (member_writable(p, at))
				return at;
			if (member == id)
				member = at;
		}
	/* Nobody else can write: this one owns all, if it can. */
	return member_writable(p, id) ? id : member;
}

unsigned
ring_replicas(const struct peer *p, unsigned key, uint16_t *out)
{
	unsigned owner = ring_owner(p, key), id = owner, n = 0;

	if (!member_is(p, owner))
		return 0;
	out[n++] = (uint16_t)owner;
	for (id = ring_successor_of(p, id); id != owner && n < p->config.copies;
	     id = ring_successor_of(p, id))
		if (member_writable(p, id))
			out[n++] = (uint16_t)id;
	assert(n <= COPIES_MAX);
	return n;
}

uint64_t
ring_set_hash(const struct peer *p, const uint16_t *ids, unsigned n)
{
	uint64_t hash = n;

	for (unsigned i = 0; i < n; i++)
		hash = hash_pair(
		    hash, (uint64_t)ids[i] << 32 | p->view[ids[i]].incarnation);
	return hash;
}

unsigned
ring_list_length(const struct peer *p)
{
	unsigned want = p->config.copies > 2 ? p->config.copies : 2;
	unsigned others = p->member_count - member_is(p, p->config.id);

	return want < others ? want : others;
}

bool
ring_lists(const struct peer *p, unsigned lister, unsigned id)
{
	unsigned at = lister;

	if (lister == id)
		return false;
	for (unsigned i = ring_list_length(p); i > 0; i--) {
		at = ring_successor_of(p, at);
		if (at == id)
			return true;
		if (at == lister)
			return false;
	}
	return false;
}

uint64_t
view_member_hash(const struct member *m)
{
	uint64_t name = (uint64_t)m->id << 48 | (uint64_t)m->state << 40 |
			(uint64_t)m->flags << 32 | m->incarnation;

	return m->state == MEMBER_NONE ? 0 : hash_pair(name, m->revision);
}

static void
note_successors(struct peer *p)
{
	struct msg_event e = {.kind = EVENT_successors,
	    .about = p->successors[0],
	    .other = p->successors[1]};

	act_note(p, &e);
}

void
view_note_neighbours(struct peer *p)
{
	if (p->successor_count == 0)
		return;
	note_successors(p);
	note(p, EVENT_predecessor, p->predecessor, "");
}

/* Notes the ones that changed. */
void
view_derive(struct peer *p)
{
	uint16_t old_first = p->successors[0], old_second = p->successors[1];
	uint16_t old_predecessor = p->predecessor;
	unsigned length = ring_list_length(p), at = p->config.id;
	unsigned old_count = p->successor_count;

	if (!p->underived)
		return;
	p->underived = false;
	for (unsigned i = 0; i < length; i++) {
		at = ring_successor_of(p, at);
		p->successors[i] = (uint16_t)at;
	}
	p->successor_count = length;
	for (unsigned i = length; i < 2; i++)
		p->successors[i] = p->config.id;
	p->predecessor = (uint16_t)ring_predecessor_of(p, p->config.id);
	if (p->phase != PHASE_SERVING)
		return;
	if (p->successors[0] != old_first || p->successors[1] != old_second ||
	    old_count != length)
		note_successors(p);
	if (p->predecessor != old_predecessor)
		note(p, EVENT_predecessor, p->predecessor, "");
}

static void
note_change(struct peer *p, const struct member *old, const struct member *m)
{
	static const enum event_kind kinds[] = {
	    [MEMBER_ALIVE] = EVENT_member,
	    [MEMBER_SUSPECT] = EVENT_suspect,
	    [MEMBER_LEAVING] = EVENT_leaving,
	    [MEMBER_LEFT] = EVENT_left,
	    [MEMBER_DEAD] = EVENT_dead,
	};

	if (m->id == p->config.id ||
	    (old->state == m->state && old->incarnation == m->incarnation))
		return;
	/* Nothing is said of the crowd at start. */
	if (m->state == MEMBER_ALIVE ? p->phase != PHASE_SERVING
				     : old->state == MEMBER_NONE)
		return;
	note(p, kinds[m->state], m->id,
	    m->state == MEMBER_ALIVE && (m->flags & MEMBER_JOINED) != 0
		? "joined"
		: p->why);
}

/* The one function that changes the view. */
static void
view_set(struct peer *p, const struct member *m)
{
	struct member old = p->view[m->id];
	bool was = member_is(p, m->id), wrote = member_writable(p, m->id);

	assert(m->incarnation >= old.incarnation);
	assert(m->incarnation > old.incarnation || m->state >= old.state ||
	       m->id == p->config.id);
	p->view_hash ^= view_member_hash(&old) ^ view_member_hash(m);
	p->view_serial++;
	p->view[m->id] = *m;
	if (m->incarnation != old.incarnation) {
		struct watch *w = &p->watch[m->id];

		w->probe.active = false;
		w->accusing = false;
		w->accuser_count = 0;
		w->link_tries = 0;
		w->link_us = 0;
		/* Not one that has but refuted what was said of it. */
		if ((m->flags & MEMBER_SYNCING) != 0)
			idset_add(&p->files.renewed_now, m->id);
	}
	p->member_count = p->member_count - was + member_is(p, m->id);
	if (member_is(p, m->id))
		p->watch[m->id].contact = false;
	note_change(p, &old, m);
	if (m->id != p->config.id)
		tell_change(p, m->id);
	if (was != member_is(p, m->id)) {
		p->underived = true;
		if (p->gather_us == 0)
			view_derive(p);
	}
	/*
	 * Who leaves is asked until it has left; who dies then is missed. What
	 * one known by a connection says first may be that its disk is gone.
	 */
	if (was != member_is(p, m->id) || wrote != member_writable(p, m->id) ||
	    (old.state == MEMBER_LEAVING && m->state != MEMBER_LEAVING) ||
	    old.incarnation != m->incarnation || old.flags != m->flags ||
	    (old.revision == 0 && m->revision > 0))
		p->sets_changed = true;
	if (m->id == p->config.id)
		return;
	/* Deaths are repaired at once; at start, changes come in crowds. */
	if (was && !member_is(p, m->id))
		p->links_us = p->now_us;
	else if (was != member_is(p, m->id) && p->links_us == 0 &&
		 p->gather_us == 0)
		p->links_us = p->now_us + 3000;
	/* Who stores meanwhile must be known to be later than that. */
	if (was && m->state == MEMBER_DEAD && p->gather_us != 0)
		mourn_view_changed(p);
	if (old.incarnation != m->incarnation || m->state >= MEMBER_LEFT)
		conn_close_stale(p, m->id);
}

/* Somebody lists this peer as other than it is: it says what is true. */
static void
refute(struct peer *p, const struct member *m)
{
	const struct member *self = &p->view[p->config.id];
	uint32_t *floor = &p->watch[p->config.id].floor;

	if (p->incarnation == 0 && *floor < m->incarnation)
		*floor = m->incarnation;
	if (p->incarnation == 0)
		return;
	/* It refuted a suspicion, and heard too late of its death before. */
	if (m->state == MEMBER_DEAD && m->incarnation < p->incarnation &&
	    m->incarnation >= p->synced_from && p->phase == PHASE_SERVING) {
		absent_fence(p);
		start_sync(p, "was called dead");
	}
	if (m->incarnation < p->incarnation)
		return;
	if (p->phase == PHASE_REDIRECTING || p->phase == PHASE_GONE)
		return;
	/* A later revision is of another life that had this incarnation. */
	if (m->incarnation == p->incarnation && m->state <= self->state &&
	    (m->revision < self->revision ||
		(m->revision == self->revision && m->flags == self->flags)))
		return;
	/* That was another disk's life, and what it stored is not here. */
	if (m->incarnation > p->incarnation || m->revision > self->revision)
		p->config.kept = false;
	/* Who was late for long may have been called dead meanwhile. */
	if (m->state >= MEMBER_LEFT || p->files.doubt_us > p->now_us) {
		absent_fence(p);
		p->fenced = true;
	}
	if (p->wanted <= m->incarnation) {
		note(p, EVENT_refuted, p->config.id,
		    m->state == MEMBER_SUSPECT ? "was suspected"
					       : "was called dead");
		start_incarnation(p, m->incarnation + 1);
	}
}

bool
view_merge(struct peer *p, const struct member *m)
{
	const struct member *old;
	struct member new = *m;

	if (m->id >= p->space || m->state == MEMBER_NONE ||
	    m->incarnation == 0 || m->incarnation > INCARNATION_MAX)
		return false;
	if (m->id == p->config.id) {
		refute(p, m);
		return false;
	}
	old = &p->view[m->id];
	if (m->incarnation < old->incarnation)
		return false;
	if (m->incarnation == old->incarnation) {
		if (new.state < old->state)
			new.state = old->state;
		/* Equal revisions: any fixed choice, so that all agree. */
		if (new.revision < old->revision ||
		    (new.revision == old->revision &&new.flags < old->flags)) {
			new.revision = old->revision;
			new.flags = old->flags;
		}
		if (new.state == old->state &&new.revision ==
		    old->revision &&new.flags == old->flags)
			return false;
		if (old->addr.port != 0)
			new.addr = old->addr;
	}
	view_set(p, &new);
	return true;
}

void
view_learn(struct peer *p, const struct members *list)
{
	assert(list->count <= MEMBERS_MAX);
	for (unsigned i = 0; i < list->count; i++)
		if (view_merge(p, &list->at[i]))
			gossip_relay(p, list->at[i].id);
}

void
view_set_self(struct peer *p, enum member_state state, uint8_t flags)
{
	struct member *now = &p->view[p->config.id], m = *now;

	assert(p->incarnation > 0 && p->incarnation >= now->incarnation);
	m.id = p->config.id;
	m.incarnation = p->incarnation;
	m.state = (uint8_t)state;
	m.addr = p->config.addr;
	m.flags = flags;
	m.revision = now->incarnation == p->incarnation ? now->revision + 1 : 1;
	view_set(p, &m);
}

void
member_readonly(struct peer *p, bool readonly)
{
	const struct member *self = &p->view[p->config.id];
	uint8_t flags = self->flags & (uint8_t)~MEMBER_READONLY;

	if (readonly) {
		flags |= MEMBER_READONLY;
		if (p->readonly_us == 0 ||
		    p->readonly_since_us + 2 * READONLY_MAX_US < p->now_us)
			p->readonly_us = READONLY_US;
		p->readonly_since_us = p->now_us;
		p->persist_us = p->now_us + p->readonly_us;
		if (p->readonly_us < READONLY_MAX_US)
			p->readonly_us *= 2;
	}
	if (p->incarnation == 0 || flags == self->flags)
		return;
	view_set_self(p, self->state, flags);
	gossip_broadcast(p, p->config.id);
}
