#include <assert.h>
#include <string.h>

#include "ring/files_core.h"
#include "ring/files_repair.h"

/* An owner's write and its replicas: one leg each. */
enum { LEGS_MAX = COPIES_MAX + 1, WAIT_MAX_US = 60000000 };

static struct leg *
leg_of(struct write *w, unsigned id)
{
	for (unsigned i = 0; i < LEGS_MAX; i++)
		if (w->legs[i].state != LEG_FREE && w->legs[i].id == id)
			return &w->legs[i];
	return NULL;
}

static void
leg_due(struct peer *p, struct leg *l, uint64_t us)
{
	l->timer_us = p->now_us + us;
	files_wake(p, l->timer_us);
}

static void
leg_pause(struct peer *p, struct leg *l)
{
	stream_end(p, &l->conn);
	l->linked = false;
	l->state = LEG_PAUSED;
	leg_due(p, l, l->pause_us);
	l->pause_us *= 2;
	if (l->pause_us > PAUSE_MAX_US)
		l->pause_us = PAUSE_MAX_US;
}

static bool
in_ids(const struct write *w, unsigned id)
{
	for (unsigned i = 0; i < w->id_count; i++)
		if (w->ids[i] == id)
			return true;
	return false;
}

static void
leg_add(struct peer *p, struct write *w, unsigned id)
{
	for (unsigned i = 0; i < LEGS_MAX; i++) {
		struct leg *l = &w->legs[i];

		if (l->state != LEG_FREE)
			continue;
		memset(l, 0, sizeof(*l));
		l->state = LEG_PAUSED;
		l->id = (uint16_t)id;
		l->pause_us = PAUSE_MIN_US;
		leg_due(p, l, 0);
		return;
	}
	assert(0);
}

void
spread_set(struct peer *p, struct write *w)
{
	uint64_t set;

	assert(!w->replica);
	w->id_count = ring_replicas(p, w->key, w->ids);
	set = ring_set_hash(p, w->ids, w->id_count);
	if (set == w->set)
		return;
	w->set = set;
	for (unsigned i = 0; i < LEGS_MAX; i++) {
		struct leg *l = &w->legs[i];

		if (l->state == LEG_FREE)
			continue;
		if (!in_ids(w, l->id)) {
			stream_end(p, &l->conn);
			l->state = LEG_FREE;
		} else if (l->state == LEG_HELD || l->state == LEG_PAUSED) {
			/* What it promised was for another set. */
			l->state = LEG_PAUSED;
			leg_due(p, l, 0);
		}
	}
	for (unsigned i = 0; i < w->id_count; i++)
		if (w->ids[i] != p->config.id && !leg_of(w, w->ids[i]))
			leg_add(p, w, w->ids[i]);
	w->progress_us = p->now_us;
}

void
spread_end(struct peer *p, struct write *w)
{
	for (unsigned i = 0; i < LEGS_MAX; i++) {
		stream_end(p, &w->legs[i].conn);
		w->legs[i].state = LEG_FREE;
	}
}

void
spread_check(struct peer *p, struct write *w)
{
	unsigned missing = 0;

	if (w->state != WRITE_SPREADING || !w->have)
		return;
	for (unsigned i = 0; i < LEGS_MAX; i++)
		missing += w->legs[i].state != LEG_FREE &&
			   w->legs[i].state != LEG_HELD;
	if (missing > 0 && !(MUTANT(TWO_OF_THREE) && missing == 1))
		return;
	/* Those who died meanwhile may have acknowledged a later one. */
	if (w->feed != FEED_SERVE && range_doubt(p, p->config.id, w->key,
					 false) >= w->record.version.clock)
		write_refuse(p, w, ERROR_unavailable);
	else
		write_finish(p, w);
}

static void
leg_send_end(struct peer *p, struct write *w, struct leg *l)
{
	struct message m;

	m.type = MSG_end;
	m.end.op = w->from_op;
	m.end.digest = w->record.digest;
	stream_send(p, l->conn, &m);
	l->state = LEG_WAITING;
	leg_due(p, l, RTO_US);
}

void
spread_digest(struct peer *p, struct write *w)
{
	assert(w->sealed);
	for (unsigned i = 0; i < LEGS_MAX; i++)
		if (w->legs[i].state == LEG_SENT)
			leg_send_end(p, w, &w->legs[i]);
	spread_start(p, w);
}

/* A tombstone, or a small file: all of it at once. */
static void
leg_give(struct peer *p, struct write *w, struct leg *l)
{
	struct message m;

	m.type = MSG_give;
	m.give.op = w->number;
	m.give.record = w->record;
	m.give.replica = 1;
	m.give.set = w->set;
	if (!link_give(p, l->id, &m, w->record.deleted ? 0 : w->file)) {
		leg_pause(p, l);
		return;
	}
	l->linked = true;
	l->state = LEG_WAITING;
	leg_due(p, l, RTO_US);
}

static void
leg_start(struct peer *p, struct write *w, struct leg *l)
{
	struct message m;

	if (w->small || w->record.deleted) {
		leg_give(p, w, l);
		return;
	}
	l->conn = stream_start(
	    p, l->id, TIE_LEG, write_index(p, w), (unsigned)(l - w->legs));
	if (l->conn == 0) {
		leg_pause(p, l);
		return;
	}
	m.type = MSG_put;
	m.put.op = w->from_op;
	m.put.record = w->record;
	if (!w->sealed)
		memset(&m.put.record.digest, 0, sizeof(struct digest));
	m.put.replica = 1;
	m.put.set = w->set;
	stream_send(p, l->conn, &m);
	l->state = LEG_PUT;
	leg_due(p, l, RTO_US);
}

static void
leg_held(
    struct peer *p, struct write *w, struct leg *l, const struct msg_held *m)
{
	if (version_cmp(&m->version, &w->record.version) != 0)
		return;
	w->progress_us = p->now_us;
	if (m->set != w->set && !MUTANT(NO_FENCE)) {
		leg_pause(p, l);
		return;
	}
	stream_end(p, &l->conn);
	l->linked = false;
	l->state = LEG_HELD;
	spread_check(p, w);
}

/* The replica holds a newer version; or it did, and nothing is held now. */
static void
leg_newer(
    struct peer *p, struct write *w, struct leg *l, const struct msg_answer *m)
{
	const struct record *r = &m->record;

	files_saw(p, &r->version);
	if (name_cmp(&r->name, &w->record.name) != 0 ||
	    version_cmp(&r->version, &w->record.version) <= 0)
		return;
	stream_end(p, &l->conn);
	if (w->state < WRITE_COMMITTING) {
		write_older(p, w, r);
		return;
	}
	if (m->known == KNOWN_LOST) {
		spread_end(p, w);
		if (w->again && w->state == WRITE_SPREADING)
			write_ask(p, w);
		else
			write_refuse(p, w, ERROR_not_serving);
		return;
	}
	w->progress_us = p->now_us;
	l->linked = false;
	l->state = LEG_HELD;
	range_touched(p);
	spread_check(p, w);
}

static void
leg_refused(
    struct peer *p, struct write *w, struct leg *l, const struct msg_refuse *m)
{
	/* What was stored here, and is sent from there, may be damaged. */
	if (m->error == ERROR_damaged && w->have)
		files_doubt(p, &w->record);
	if (m->error == ERROR_disk)
		l->pause_us = PAUSE_MAX_US;
	leg_pause(p, l);
	view_learn(p, &m->members);
}

void
leg_message(
    struct peer *p, struct write *w, unsigned leg, const struct message *m)
{
	struct leg *l = &w->legs[leg];

	assert(leg < LEGS_MAX && l->state != LEG_FREE);
	if (m->type == MSG_go && l->state == LEG_PUT && w->file != 0 &&
	    !w->record.deleted && m->go.offset <= w->record.size) {
		w->progress_us = p->now_us;
		l->state = LEG_SENDING;
		l->pause_us = PAUSE_MIN_US;
		raw_send(p, l->conn, w->file, m->go.offset,
		    w->record.size - m->go.offset);
	} else if (m->type == MSG_held) {
		leg_held(p, w, l, &m->held);
	} else if (m->type == MSG_answer && m->answer.known) {
		leg_newer(p, w, l, &m->answer);
	} else if (m->type == MSG_refuse) {
		leg_refused(p, w, l, &m->refuse);
	}
}

void
leg_event(struct peer *p, struct write *w, unsigned leg, const struct event *ev)
{
	struct leg *l = &w->legs[leg];

	if (ev->type == EV_RAW_SENT && l->state == LEG_SENDING) {
		w->progress_us = p->now_us;
		l->state = LEG_SENT;
		if (w->sealed)
			leg_send_end(p, w, l);
	} else if (ev->type == EV_CONN_STALLED) {
		/* While it arrives here, it is the feeder that stalls. */
		if (files_stall(p, l->id, &l->stall) >= LIMIT_US &&
		    w->state == WRITE_SPREADING)
			leg_pause(p, l);
	}
}

void
leg_closed(struct peer *p, struct write *w, unsigned leg)
{
	struct leg *l = &w->legs[leg];

	assert(leg < LEGS_MAX && w->state != WRITE_FREE);
	l->conn = 0;
	if (l->state != LEG_FREE && l->state != LEG_HELD)
		leg_pause(p, l);
}

void
spread_answer(
    struct peer *p, struct write *w, unsigned id, const struct message *m)
{
	struct leg *l = leg_of(w, id);

	if (l != NULL && l->linked && l->state == LEG_WAITING)
		leg_message(p, w, (unsigned)(l - w->legs), m);
}

void
spread_link_lost(struct peer *p, unsigned id)
{
	for (unsigned i = 0; i < p->files.write_top; i++) {
		struct write *w = &p->files.writes[i];
		struct leg *l = w->state == WRITE_FREE ? NULL : leg_of(w, id);

		if (l != NULL && l->linked)
			leg_closed(p, w, (unsigned)(l - w->legs));
	}
}

/* Is there something to put? */
static bool
spread_ready(const struct write *w)
{
	if (w->state == WRITE_COMMITTING || w->state == WRITE_SPREADING)
		return true;
	return w->state == WRITE_FEEDING && w->feed == FEED_STREAM;
}

static void
leg_timer(struct peer *p, struct write *w, struct leg *l)
{
	if (l->state == LEG_PAUSED) {
		leg_start(p, w, l);
		return;
	}
	detect_doubt(p, l->id);
	if (l->linked ? link_find(p, l->id) == NULL
		      : conn_find(p, l->conn) == NULL) {
		leg_closed(p, w, (unsigned)(l - w->legs));
		return;
	}
	/* A disk may take its time, if its peer still answers. */
	if (l->state == LEG_WAITING && member_is(p, l->id) &&
	    l->stall.count++ < WAIT_MAX_US / RTO_US)
		w->progress_us = p->now_us;
	leg_due(p, l, RTO_US);
}

void
spread_start(struct peer *p, struct write *w)
{
	for (unsigned i = 0; i < LEGS_MAX; i++)
		if (w->legs[i].state == LEG_PAUSED &&
		    w->legs[i].timer_us <= p->now_us)
			leg_start(p, w, &w->legs[i]);
}

bool
spread_moves(const struct peer *p, const struct write *w)
{
	for (unsigned i = 0; i < LEGS_MAX; i++)
		if (w->legs[i].state == LEG_SENDING &&
		    p->now_us - w->legs[i].stall.last_us > 2 * RTO_US)
			return true;
	return false;
}

uint64_t
spread_tick(struct peer *p, struct write *w)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < LEGS_MAX; i++) {
		struct leg *l = &w->legs[i];

		if (l->state != LEG_PUT && l->state != LEG_WAITING &&
		    (l->state != LEG_PAUSED || !spread_ready(w)))
			continue;
		if (l->timer_us <= p->now_us)
			leg_timer(p, w, l);
		if (l->timer_us < next)
			next = l->timer_us;
	}
	return next;
}
