#include <assert.h>
#include <string.h>

#include "ring/core.h"

enum {
	TELL_US = 1000000, /* that a change waits for those before it */
	TELL_NEAR = 8, /* members between, at most, for it to wait */
};

static bool
forget(struct idset *set, unsigned id)
{
	bool had = idset_has(set, id) != 0;

	idset_del(set, id);
	return had;
}

static void
tell_later(struct peer *p, struct idset *set, unsigned id)
{
	struct tell *t = &p->tell;

	idset_add(set, id);
	if (!t->pending)
		t->until_us = p->now_us + TELL_US;
	t->pending = true;
	t->asked = false;
	t->after_seq = p->next_seq;
}

void
tell_change(struct peer *p, unsigned id)
{
	struct tell *t = &p->tell;
	const struct member *m = &p->view[id];
	bool told = idset_has(&t->members, id) != 0;

	assert(id != p->config.id);
	if (!t->begun)
		return;
	if (member_is(p, id)) {
		/* Its own word, how it came, is still to be heard. */
		if (m->revision == 0)
			return;
		forget(&t->leaving, id);
		forget(&t->dead, id);
		if (!told && (m->flags & MEMBER_JOINED) != 0)
			tell_later(p, &t->joined, id);
		else if (!idset_has(&t->joined, id))
			idset_add(&t->members, id);
	} else if (!forget(&t->joined, id) && told &&
		   !idset_has(&t->leaving, id) && !idset_has(&t->dead, id)) {
		tell_later(
		    p, m->state == MEMBER_DEAD ? &t->dead : &t->leaving, id);
	}
}

/* The first of the set from start on, clockwise; -1: it is empty. */
static int
clockwise(const struct idset *set, unsigned start)
{
	int id = idset_next(set, start);

	return id >= 0 ? id : idset_next(set, 0);
}

static int
nearest_change(const struct peer *p)
{
	const struct tell *t = &p->tell;
	const struct idset *sets[] = {&t->joined, &t->leaving, &t->dead};
	unsigned self = p->config.id;
	int nearest = -1;

	for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		int id = clockwise(sets[i], self);

		if (id >= 0 &&
		    (nearest < 0 ||
			ring_distance(p, self, (unsigned)id) <
			    ring_distance(p, self, (unsigned)nearest)))
			nearest = id;
	}
	return nearest;
}

static bool
answered(const struct peer *p, unsigned id)
{
	uint32_t later = p->watch[id].pong_seq - p->tell.after_seq;

	return later > 0 && later < UINT32_MAX / 2;
}

/*
 * The next successor known by its greeting alone, after these; -1: none.
 * Whether it joined or was there before, its own word will say.
 */
static int
next_unheard(const struct peer *p, unsigned *i)
{
	while (p->tell.begun && *i < p->successor_count) {
		unsigned id = p->successors[(*i)++];

		if (p->view[id].revision == 0)
			return (int)id;
	}
	return -1;
}

/* Views may differ for an interval of pings, which is long for a person. */
static void
ask_unheard(struct peer *p)
{
	unsigned i = 0;
	int id;

	while ((id = next_unheard(p, &i)) >= 0)
		gossip_summary(p, (unsigned)id, p->view[id].addr, true);
}

/*
 * Two that die at one instant are found dead in any order. Whoever is nearer
 * than this one, among the two that are told of, must have lived on; and what
 * is told of next must be known for a member.
 */
static bool
in_order(struct peer *p, unsigned id)
{
	struct tell *t = &p->tell;
	unsigned self = p->config.id, distance = ring_distance(p, self, id);
	unsigned near[2], between = 0, at = self, unheard = 0;
	bool ready;

	if (idset_has(&t->joined, id) || t->until_us <= p->now_us)
		return true;
	ready = next_unheard(p, &unheard) < 0;
	while (between <= TELL_NEAR) {
		at = (unsigned)clockwise(&t->members, (at + 1) % p->space);
		if (at == self || ring_distance(p, self, at) >= distance)
			break;
		if (between < 2)
			near[between] = at;
		between++;
	}
	if (between > TELL_NEAR)
		return true;
	for (unsigned i = 0; i < between && i < 2; i++)
		ready = ready && answered(p, near[i]);
	for (unsigned i = 0; i < between && i < 2 && !ready && !t->asked; i++)
		ping_send(p, near[i], p->view[near[i]].addr, false);
	t->asked = true;
	return ready;
}

static void
told_successors(const struct peer *p, unsigned out[2])
{
	const struct idset *members = &p->tell.members;

	for (unsigned i = 0, at = p->config.id; i < 2; i++) {
		at = (unsigned)clockwise(members, (at + 1) % p->space);
		/* In a ring of two the second is this peer itself. */
		out[i] = at;
	}
}

static void
tell_one(struct peer *p, unsigned id)
{
	struct tell *t = &p->tell;
	struct msg_event e = {.kind = EVENT_neighbour, .about = (uint16_t)id};
	bool joined = forget(&t->joined, id);
	bool dead = forget(&t->dead, id);
	unsigned before[2], after[2];
	const unsigned *with = joined ? after : before;

	forget(&t->leaving, id);
	told_successors(p, before);
	if (joined)
		idset_add(&t->members, id);
	else
		idset_del(&t->members, id);
	told_successors(p, after);
	if (with[0] != id && with[1] != id)
		return;
	e.other = (uint16_t)after[0];
	e.value = after[1];
	text_set(&e.reason, joined ? "joined" : dead ? "dead" : "leaving");
	act_note(p, &e);
}

static void
tell_begin(struct peer *p)
{
	struct tell *t = &p->tell;

	memset(t, 0, sizeof(*t));
	t->begun = true;
	for (unsigned id = 0; id < p->space; id++)
		if (member_is(p, id))
			idset_add(&t->members, id);
}

void
tell_step(struct peer *p)
{
	struct tell *t = &p->tell;
	int id;

	if (p->phase != PHASE_SERVING)
		t->begun = t->pending = false;
	else if (!t->begun)
		tell_begin(p);
	ask_unheard(p);
	while (t->pending) {
		id = nearest_change(p);
		if (id >= 0 && !in_order(p, (unsigned)id))
			return;
		if (id >= 0)
			tell_one(p, (unsigned)id);
		t->pending = id >= 0;
	}
}

uint64_t
tell_deadline(const struct peer *p)
{
	uint64_t at = p->tell.pending ? p->tell.until_us : UINT64_MAX;
	unsigned i = 0;
	int id;

	while ((id = next_unheard(p, &i)) >= 0) {
		uint64_t again = p->watch[id].exchange_us;

		if (again < p->quiet_us)
			again = p->quiet_us;
		if (again < at)
			at = again;
	}
	return at;
}
