#include <string.h>

#include "base/hash.h"
#include "ring/core.h"

/*
 * A peer without an incarnation asks its contacts for the highest one that
 * they remember; in a ring that was never there nobody remembers any.
 */
enum {
	FIRST_US = 5000, /* between two asks without an answer, */
	CONTACT_US = 100, /* and more in a crowd; then doubled */
	WAIT_MAX_US = 100000,
	ALONE = 3, /* in vain; then others are asked, too, */
	SILENT = ALONE + 5, /* and each itself */
	END_US = 1500000, /* who has not answered has no say */
	BATCH = 2, /* of them; doubled each time */
	BATCH_MAX = 64,
	TOLD_BATCH = 32,
};

static bool
holds_nothing(const struct peer *p)
{
	const struct index *x = &p->config.index;

	for (unsigned key = 0; key < p->space; key++)
		if (x->digest(x->ctx, (uint16_t)key) != 0)
			return false;
	return true;
}

/* In a ring that was not there before, and does not know id so far. */
static bool
is_new(const struct peer *p, unsigned id)
{
	return (p->incarnation == 0 ||
		   (p->fresh && p->recall_end_us > p->now_us &&
		       holds_nothing(p))) &&
	       p->view[id].incarnation == 0 && p->watch[id].floor == 0;
}

/* No two processes of an identifier have the same, but by a rare chance. */
static uint32_t
life_of(const struct peer *p)
{
	return (uint32_t)hash_pair(p->config.seed, p->config.id) | 1;
}

/* One that became a member meanwhile counts, too; space: there is none. */
static unsigned
lowest_contact(const struct peer *p)
{
	unsigned id = 0;

	while (id < p->space &&
	       (id == p->config.id ||
		   (!p->watch[id].contact && p->view[id].state == MEMBER_NONE)))
		id++;
	return id;
}

/*
 * What is said to id; to many: with this peer's own identifier. The asker
 * tells others who remembers nothing: that must be of nobody at all. Once it
 * knows a member, this peer vouches for itself alone, and to the asker alone;
 * who is asked may not take it for one that knows nobody.
 */
static void
recall_fill(const struct peer *p, unsigned id, bool asks, struct message *m)
{
	struct member remembered = p->view[id];
	unsigned first = lowest_contact(p);

	m->type = MSG_recall;
	m->recall.asks = asks;
	m->recall.life = life_of(p);
	m->recall.met = p->watch[id].life;
	m->recall.first = (uint16_t)(first < p->space ? first : id);
	m->recall.first_life = p->watch[m->recall.first].life;
	memset(&m->recall.heard, 0, sizeof(m->recall.heard));
	if (p->config.remembered_count == 0 && !p->recall_told) {
		bool blank = p->phase == PHASE_RECALLING && p->view_hash == 0;

		/* Heard of already, it may have been a member since. */
		if (!asks && id != p->config.id && idset_has(&p->blank, id))
			blank = false;
		if (blank)
			m->recall.heard = p->blank;
		if (blank || (!asks && is_new(p, id)))
			idset_add(&m->recall.heard, p->config.id);
	}
	m->recall.members.count = 0;
	if (remembered.incarnation < p->watch[id].floor) {
		remembered.incarnation = p->watch[id].floor;
		remembered.state = MEMBER_LEFT;
	}
	remembered.id = (uint16_t)id;
	if (remembered.incarnation > 0)
		m->recall.members.at[m->recall.members.count++] = remembered;
}

static void
recall_send(struct peer *p, unsigned id, struct addr addr, bool asks)
{
	struct message m;

	recall_fill(p, id, asks, &m);
	act_datagram(p, addr, &m);
}

/*
 * The first contact anticlockwise whose memory of this peer is unknown; -1:
 * none. Each peer asks the one before the run that it knows to remember
 * nothing, and is told of that one's run: runs double, so N peers send some
 * N log N asks at most. In a new ring the lowest contact hears of all, as it
 * is asked first.
 */
static int
recall_next(const struct peer *p)
{
	for (unsigned i = 1; i < p->space; i++) {
		unsigned id = (p->config.id - i) & (p->space - 1);

		if (p->watch[id].recall && !idset_has(&p->blank, id))
			return (int)id;
	}
	return -1;
}

static void
recall_ask(struct peer *p, unsigned id)
{
	recall_send(p, id, p->view[id].addr, true);
	p->recall_asks++;
	p->recall_us = p->now_us + p->recall_wait_us;
}

/* Who is asked first hears of all, and tells those who wait. */
static void
recall_tell(struct peer *p)
{
	struct idset to;
	struct message m;

	memset(&to, 0, sizeof(to));
	for (unsigned id = 0; id < p->space; id++)
		if (p->watch[id].contact && p->view[id].incarnation == 0 &&
		    p->watch[id].floor == 0)
			idset_add(&to, id);
	recall_fill(p, p->config.id, false, &m);
	act_multicast(p, &to, &m);
}

static void
recall_end(struct peer *p)
{
	uint32_t highest = p->watch[p->config.id].floor;

	p->fresh = recall_next(p) < 0 && highest == 0 && p->recall_blank &&
		   holds_nothing(p);
	if (p->fresh && p->config.id < lowest_contact(p))
		recall_tell(p);
	start_incarnation(p, highest + 1);
}

/* Known once: each contact must say itself what it remembers. */
static void
recall_remembered(struct peer *p)
{
	if (!p->recall_told) {
		p->recall_us = p->now_us;
		p->recall_wait_us = FIRST_US;
	}
	p->recall_told = true;
	memset(&p->blank, 0, sizeof(p->blank));
}

/*
 * Who has another life than others speak of has started again: what was said
 * in the former one is out of date.
 */
static void
recall_life(struct peer *p, unsigned id, uint32_t life)
{
	uint32_t *spoken = &p->watch[id < p->space ? id : 0].spoken_life;

	if (life == 0 || id >= p->space)
		return;
	if (*spoken == 0)
		*spoken = life;
	else if (*spoken != life && p->phase <= PHASE_PERSISTING)
		recall_remembered(p);
}

/* In a new ring all have their first: this one was up before. */
static void
recall_watch(struct peer *p)
{
	for (unsigned id = 0; id < p->space && !p->recall_told; id++)
		if (p->view[id].incarnation > 1)
			recall_remembered(p);
}

/* The highest one of which it is told, also while a lower one is written. */
static void
recall_floor(struct peer *p, const struct msg_recall *r)
{
	uint32_t *floor = &p->watch[p->config.id].floor;

	for (unsigned i = 0; i < r->members.count; i++) {
		const struct member *m = &r->members.at[i];

		if (m->id != p->config.id || m->incarnation == 0 ||
		    m->incarnation >= INCARNATION_MAX)
			continue;
		if (m->incarnation > *floor)
			*floor = m->incarnation;
		recall_remembered(p);
	}
}

void
recall_message(struct peer *p, const struct event *ev)
{
	const struct msg_recall *r = &ev->message->recall;
	bool alone =
	    ev->incarnation > 0 || (!r->asks && idset_count(&r->heard) == 1);
	unsigned lowest = lowest_contact(p);
	int before, next;

	if (p->watch[ev->from].life == 0)
		p->watch[ev->from].life = r->life;
	recall_life(p, ev->from, r->life);
	recall_life(p, r->first, r->first_life);
	/* It may have become a member then, since others were heard of. */
	if (p->phase == PHASE_RECALLING && r->met != 0 && r->met != life_of(p))
		recall_remembered(p);
	/* Heard of before it spoke: of an earlier life, whose disk is lost. */
	if (!r->asks && p->recall_asks <= 1 && !p->recall_answered &&
	    p->watch[ev->from].recall && idset_has(&r->heard, p->config.id))
		recall_remembered(p);
	if (r->asks) {
		recall_send(p, ev->from, ev->addr, false);
		p->recall_answered = true;
	}
	before = recall_next(p);
	/*
	 * Of one that vouches for itself alone, others must ask it, too; so
	 * they must the first that all ask: it met whoever became a member.
	 */
	for (int id = alone ? -1 : idset_next(&r->heard, 0);
	     id >= 0 && !p->recall_told;
	     id = idset_next(&r->heard, (unsigned)id + 1))
		if ((unsigned)id < p->space &&
		    ((unsigned)id != lowest || (unsigned)id == ev->from))
			idset_add(&p->blank, (unsigned)id);
	if (p->phase == PHASE_RECALLING || p->phase == PHASE_PERSISTING) {
		recall_floor(p, r);
		recall_watch(p);
	}
	if (p->phase != PHASE_RECALLING)
		return;
	if (!r->asks)
		p->watch[ev->from].recall = false;
	if (!idset_has(&r->heard, ev->from))
		p->recall_blank = false;
	next = recall_next(p);
	if (next < 0)
		recall_end(p);
	else if (next != before && !p->recall_blank)
		recall_ask(p, (unsigned)next);
}

void
recall_tick(struct peer *p)
{
	int next = recall_next(p);
	unsigned at = (unsigned)random_below(&p->random, p->space), batch = 0;
	unsigned lowest = lowest_contact(p);
	bool first = p->recall_waits == 0 || p->recall_blank;

	if (p->recall_end_us <= p->now_us || next < 0) {
		recall_end(p);
		return;
	}
	if (first)
		recall_ask(p, lowest);
	if (p->recall_waits > 0 && !(first && (unsigned)next == lowest))
		recall_ask(p, (unsigned)next);
	p->recall_wait_us *= 2;
	if (p->recall_wait_us > WAIT_MAX_US)
		p->recall_wait_us = WAIT_MAX_US;
	/* In a new ring all would have answered: nobody speaks for others. */
	if (p->recall_waits == SILENT && !p->recall_told)
		recall_remembered(p);
	/* These may be down: some others, too. */
	if (p->recall_told)
		batch = TOLD_BATCH;
	else if (p->recall_waits >= SILENT)
		batch = BATCH_MAX;
	else if (p->recall_waits >= ALONE)
		batch = (unsigned)BATCH << (p->recall_waits - ALONE);
	p->recall_waits++;
	for (unsigned i = 0, asked = 1; i < p->space && asked < batch; i++) {
		unsigned id = (at + i) & (p->space - 1);

		/* Also who did not remember: it may have heard since. */
		if (id == p->config.id || p->view[id].addr.port == 0 ||
		    idset_has(&p->blank, id))
			continue;
		recall_send(p, id, p->view[id].addr, true);
		asked++;
	}
}

void
recall_begin(struct peer *p, unsigned contacts)
{
	p->recall_blank = true;
	for (unsigned id = 0; id < p->space; id++)
		p->watch[id].recall = p->watch[id].contact;
	if (contacts == 0) {
		recall_end(p);
		return;
	}
	p->phase = PHASE_RECALLING;
	p->recall_us = p->now_us;
	p->recall_wait_us = FIRST_US + contacts * CONTACT_US;
	p->recall_end_us = p->now_us + END_US;
}

bool
recall_anew(struct peer *p)
{
	uint32_t highest = p->watch[p->config.id].floor;
	bool asks = p->config.join_through < 0 && !p->recalled_anew;
	bool unasked = false;

	for (unsigned id = 0; asks && id < p->space; id++)
		if (p->view[id].state != MEMBER_NONE &&
		    !idset_has(&p->blank, id) && p->watch[id].life == 0)
			p->watch[id].recall = unasked = true;
	if (!unasked && highest < p->wanted)
		return false;
	if (!unasked) {
		p->fresh = false;
		start_incarnation(p, highest + 1);
		return true;
	}
	p->recalled_anew = true;
	p->wanted = 0;
	p->phase = PHASE_RECALLING;
	p->recall_us = p->now_us;
	p->recall_wait_us = FIRST_US;
	p->recall_end_us = p->now_us + END_US;
	return true;
}
