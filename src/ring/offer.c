#include <assert.h>
#include <string.h>

#include "ring/files_repair.h"

/*
 * Strays: records that this peer holds and should not. It shows them to
 * their owner, and drops them when the owner says that its whole replica set
 * has promised to keep them (release.c); a peer that leaves hands over
 * everything so, and keeps it.
 */
enum {
	OFFER_MIN_US = 3000,
	OFFER_MAX_US = 2000000,
	OFFER_LEAVE_US = 20000, /* who leaves does not wait so long */
};

static bool
offer_leaving(const struct peer *p)
{
	return p->phase == PHASE_LEAVING;
}

/* Who leaves, or can't write now, drops nothing. */
static bool
offer_keeps(const struct peer *p)
{
	return offer_leaving(p) || !member_writable(p, p->config.id);
}

/* How many keys, from the one after this peer's own on, are not its. */
static unsigned
offer_keys(const struct peer *p)
{
	unsigned self = p->config.id, after;

	if (!range_owned(p))
		return p->space;
	after = range_held_after(p);
	return ring_distance(p, self, after);
}

static void
offer_due(struct peer *p, uint64_t pause_us)
{
	struct offer *o = &p->files.offer;

	o->active = false;
	o->timer_us = p->now_us + pause_us;
	files_wake(p, o->timer_us);
}

static void
offer_restart(struct peer *p, uint64_t pause_us)
{
	struct offer *o = &p->files.offer;

	o->dirty = o->cursor_named = false;
	o->cursor = 0;
	o->accepted_before = o->accepted;
	o->accepted = 0;
	offer_due(p, pause_us);
}

void
offer_view_changed(struct peer *p)
{
	struct offer *o = &p->files.offer;

	o->passed = false;
	o->pause_us = OFFER_MIN_US;
	o->accepted = 0;
	offer_restart(p, OFFER_MIN_US);
}

static void
offer_slow_down(struct peer *p)
{
	struct offer *o = &p->files.offer;
	uint64_t max_us = offer_leaving(p) ? OFFER_LEAVE_US : OFFER_MAX_US;

	o->pause_us *= 2;
	if (o->pause_us > max_us)
		o->pause_us = max_us;
}

static void
offer_pass_ended(struct peer *p)
{
	struct offer *o = &p->files.offer;

	if (!o->dirty) {
		o->passed = true;
		offer_restart(p, OFFER_MAX_US);
		return;
	}
	if (o->accepted > o->accepted_before)
		o->pause_us = OFFER_MIN_US;
	else
		offer_slow_down(p);
	offer_restart(p, o->pause_us);
}

/* The next records of one owner; leaves the position behind them. */
static void
offer_gather(struct peer *p, unsigned keys)
{
	const struct index *x = &p->config.index;
	struct offer *o = &p->files.offer;
	bool named = o->cursor_named;
	unsigned at = o->cursor;

	o->start = at;
	o->start_named = named;
	o->start_name = o->cursor_name;
	o->page.count = 0;
	o->to = NOBODY;
	while (at < keys && o->page.count < RECORDS_MAX) {
		unsigned key = (p->config.id + 1 + at) & (p->space - 1);
		struct record *r = &o->page.at[o->page.count];
		const struct name *last = named ? &o->cursor_name : NULL;

		if (!x->next(x->ctx, (uint16_t)key, last, r)) {
			at++;
			named = false;
			continue;
		}
		if (o->to == NOBODY)
			o->to = (uint16_t)ring_owner(p, key);
		else if (o->to != ring_owner(p, key))
			break;
		o->cursor_name = r->name;
		named = true;
		o->page.count++;
	}
	o->cursor = at;
	o->cursor_named = named;
}

static void
offer_send(struct peer *p)
{
	struct offer *o = &p->files.offer;
	struct message m;

	o->active = true;
	o->nonce = random_u64(&p->random);
	o->view = p->view_hash;
	m.type = MSG_offer;
	m.offer.nonce = o->nonce;
	m.offer.view = o->view;
	m.offer.records = o->page;
	link_send(p, o->to, &m);
	if (o->rto_us == 0)
		o->rto_us = RTO_US;
	o->timer_us = p->now_us + o->rto_us;
	files_wake(p, o->timer_us);
}

/* A mutant: what is no longer this peer's is not needed. */
static void
offer_drop_all(struct peer *p)
{
	for (unsigned i = 0; i < p->files.offer.page.count; i++)
		act(p, ACT_DROP)->record = p->files.offer.page.at[i];
	offer_due(p, 0);
}

static void
offer_next(struct peer *p)
{
	struct offer *o = &p->files.offer;
	unsigned keys = offer_keys(p);

	offer_gather(p, keys);
	if (o->page.count == 0)
		offer_pass_ended(p);
	else if (MUTANT(DROP_STRAYS) && !offer_keeps(p))
		offer_drop_all(p);
	else if (o->to == p->config.id || !member_is(p, o->to))
		offer_restart(p, OFFER_MAX_US);
	else
		offer_send(p);
}

/* Who leaves insists on each page; others come back to it later. */
static void
offer_went_on(struct peer *p, bool all)
{
	struct offer *o = &p->files.offer;

	if (all || !offer_leaving(p)) {
		offer_due(p, 0);
		return;
	}
	o->cursor = o->start;
	o->cursor_named = o->start_named;
	o->cursor_name = o->start_name;
	offer_slow_down(p);
	offer_due(p, o->pause_us);
}

void
offer_accept(struct peer *p, struct conn *c, const struct msg_accept *in)
{
	struct offer *o = &p->files.offer;
	unsigned good = 0;

	if (!o->active || o->nonce != in->nonce || c->id != o->to ||
	    !peer_current(p, c->id, c->incarnation))
		return;
	o->rto_us = RTO_US;
	for (unsigned i = 0; i < o->page.count; i++) {
		struct record *r = &o->page.at[i], held;

		/* A promise dies with the view for which it was given. */
		if (!idset_has(&in->drop, i) || o->view != p->view_hash)
			continue;
		good++;
		if (offer_keeps(p) || !files_find(p, &r->name, &held) ||
		    version_cmp(&held.version, &r->version) != 0)
			continue;
		act(p, ACT_DROP)->record = *r;
		note_name(p, EVENT_released, o->to, &r->name, r->size);
	}
	o->accepted += good;
	if (good < o->page.count && !offer_leaving(p))
		o->dirty = true;
	else if (good == o->page.count)
		o->pause_us = OFFER_MIN_US;
	offer_went_on(p, good == o->page.count);
}

uint64_t
offer_tick(struct peer *p)
{
	struct offer *o = &p->files.offer;
	bool wanted = p->phase == PHASE_SERVING || offer_leaving(p);

	if (!wanted)
		return UINT64_MAX;
	if (o->timer_us > p->now_us)
		return o->timer_us;
	if (o->active) {
		detect_doubt(p, o->to);
		if (o->rto_us < OFFER_MAX_US)
			o->rto_us *= 2;
		o->dirty |= !offer_leaving(p);
		offer_went_on(p, false);
		return o->timer_us;
	}
	offer_next(p);
	return o->timer_us;
}

/* All that it holds, the others have, but for what is being stored. */
static bool
offer_done(const struct peer *p)
{
	const struct files *f = &p->files;

	for (unsigned i = 0; i < p->files.write_top; i++)
		if (f->writes[i].state == WRITE_COMMITTING)
			return false;
	for (unsigned i = 0; i < p->files.pull_top; i++)
		if (f->pulls[i].state == PULL_COMMITTING)
			return false;
	return f->offer.passed || p->member_count == 0;
}

/* What it shall keep now, the others of those sets may not have yet. */
bool
files_settled(const struct peer *p)
{
	if (p->sets_changed)
		return false;
	if (offer_leaving(p))
		return offer_done(p);
	return p->phase == PHASE_SERVING && p->files.offer.passed &&
	       range_synced(p);
}

bool
files_handed_over(const struct peer *p)
{
	for (unsigned i = 0; i < p->files.op_top; i++)
		if (p->files.ops[i].state != OP_FREE)
			return false;
	return offer_done(p);
}
