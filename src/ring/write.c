#include <assert.h>
#include <string.h>

#include "ring/files_core.h"
#include "ring/files_repair.h"

/*
 * A version on its way into the store: at the owner, which spreads it to its
 * replicas as it comes in, and at each replica. How one begins and ends; the
 * way between is in commit.c.
 */

unsigned
write_index(const struct peer *p, const struct write *w)
{
	assert(w >= p->files.writes && w < p->files.writes + WRITES_MAX);
	return (unsigned)(w - p->files.writes);
}

static struct write *
write_new(struct peer *p, const struct record *record, unsigned key)
{
	struct write *w = NULL;

	for (unsigned i = 0; i < WRITES_MAX && w == NULL; i++)
		if (p->files.writes[i].state == WRITE_FREE)
			w = &p->files.writes[i];
	if (w == NULL)
		return NULL;
	top_raise(&p->files.write_top, write_index(p, w));
	memset(w, 0, sizeof(*w));
	w->record = *record;
	w->record.acknowledged = 0;
	w->key = (uint16_t)key;
	w->progress_us = p->now_us;
	w->timer_us = p->now_us + RTO_US;
	files_wake(p, w->timer_us);
	return w;
}

static struct write *
write_find(struct peer *p, const struct record *r)
{
	for (unsigned i = 0; i < p->files.write_top; i++) {
		struct write *w = &p->files.writes[i];

		if (w->state != WRITE_FREE &&
		    name_cmp(&w->record.name, &r->name) == 0 &&
		    version_cmp(&w->record.version, &r->version) == 0)
			return w;
	}
	return NULL;
}

bool
write_active(const struct peer *p, const struct name *name)
{
	for (unsigned i = 0; i < p->files.write_top; i++)
		if (p->files.writes[i].state != WRITE_FREE &&
		    name_cmp(&p->files.writes[i].record.name, name) == 0)
			return true;
	return false;
}

void
write_end(struct peer *p, struct write *w)
{
	assert(w->state != WRITE_FREE && w->state != WRITE_COMMITTING);
	if (w->state == WRITE_ASKING)
		query_cancel(p, TIE_WRITE, write_index(p, w));
	spread_end(p, w);
	stream_end(p, &w->conn);
	file_end(p, &w->file);
	w->state = WRITE_FREE;
}

/* May this put be taken now? */
static enum wire_error
write_allowed(
    struct peer *p, const struct conn *c, const struct msg_put *m, unsigned key)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, key, ids);
	bool in_set = false;

	if (!peer_current(p, c->id, c->incarnation))
		return ERROR_not_serving;
	if (m->record.deleted && m->record.size > 0)
		return ERROR_damaged;
	if (m->replica) {
		for (unsigned i = 0; i < n; i++)
			in_set |= ids[i] == p->config.id;
		if (ring_owner(p, key) != c->id)
			return ERROR_not_owner;
		if (!in_set ||
		    (ring_set_hash(p, ids, n) != m->set && !MUTANT(NO_FENCE)))
			return ERROR_not_serving;
	} else if (ring_owner(p, key) != p->config.id) {
		return ERROR_not_owner;
	} else if (!owns(p, key)) {
		return ERROR_not_serving;
	}
	return member_writable(p, p->config.id) ? ERROR_none : ERROR_disk;
}

static void
write_feed(
    struct peer *p, struct write *w, struct conn *c, const struct msg_put *m)
{
	tie_give(&p->files.streams, c->handle, TIE_WRITE, write_index(p, w));
	w->feed = FEED_STREAM;
	w->conn = c->handle;
	w->from = c->id;
	w->from_op = m->op;
}

/*
 * The same version is on its way already: the sender tried again. Returns
 * whether that is all there is to do.
 */
static bool
write_again(
    struct peer *p, struct write *w, struct conn *c, const struct msg_put *m)
{
	if (w->state < WRITE_COMMITTING) {
		write_end(p, w);
		return false;
	}
	if (w->replica != (m->replica != 0) || w->feed == FEED_OP ||
	    w->feed == FEED_SERVE) {
		refuse_stream(p, c->handle, m->op, ERROR_busy, w->key);
		return true;
	}
	stream_end(p, &w->conn);
	write_feed(p, w, c, m);
	return true;
}

static void
answer_known(
    struct peer *p, struct conn *c, uint64_t op, const struct record *r)
{
	uint32_t handle = c->handle;
	struct message m;

	m.type = MSG_answer;
	m.answer.op = op;
	m.answer.known = 1;
	m.answer.record = *r;
	conn_send(p, c, &m);
	stream_end(p, &handle);
}

static void
answer_held(struct peer *p, struct conn *c, const struct msg_put *in)
{
	uint32_t handle = c->handle;
	struct message m;

	m.type = MSG_held;
	m.held.op = in->op;
	m.held.version = in->record.version;
	m.held.set = in->set;
	conn_send(p, c, &m);
	stream_end(p, &handle);
}

/* What is held here goes to all replicas again; may end w at once. */
static void
write_respread(struct peer *p, struct write *w)
{
	struct action *a;

	w->have = w->sealed = true;
	spread_set(p, w);
	if (w->record.deleted) {
		w->state = WRITE_SPREADING;
		spread_check(p, w);
		return;
	}
	w->state = WRITE_OPENING;
	w->file = file_new(p, TIE_WRITE, write_index(p, w));
	if (w->file == 0) {
		write_refuse(p, w, ERROR_busy);
		return;
	}
	a = act_file(p, ACT_OPEN_STORED, w->file);
	a->record = w->record;
}

/* The store has this version, or a newer one. */
static void
write_have(struct peer *p, struct conn *c, const struct msg_put *m,
    const struct record *held, unsigned key)
{
	bool newer = version_cmp(&held->version, &m->record.version) > 0;
	struct write *w;

	if (m->replica && !newer) {
		answer_held(p, c, m);
		return;
	}
	/* Accepted once, then replaced: all are to hold what replaced it. */
	if (m->replica || (newer && !m->set)) {
		answer_known(p, c, m->op, held);
		return;
	}
	w = write_find(p, held);
	if (w != NULL || (w = write_new(p, held, key)) == NULL) {
		refuse_stream(p, c->handle, m->op, ERROR_busy, key);
		return;
	}
	write_feed(p, w, c, m);
	write_respread(p, w);
}

static void
write_create(struct peer *p, struct write *w)
{
	struct action *a;

	w->state = WRITE_CREATING;
	w->file = file_new(p, TIE_WRITE, write_index(p, w));
	if (w->file == 0) {
		write_refuse(p, w, ERROR_busy);
		return;
	}
	a = act_file(p, ACT_CREATE_TEMP, w->file);
	a->record = w->record;
}

/* Only what there is can be removed. */
static void
write_remove(struct peer *p, struct write *w)
{
	struct record held;
	bool known = files_find(p, &w->record.name, &held);

	if (w->replica || (known && !held.deleted)) {
		write_commit(p, w);
		return;
	}
	w->state = WRITE_ASKING;
	if (!query_start(
		p, TIE_WRITE, write_index(p, w), &w->record.name, w->key)) {
		w->state = WRITE_CREATING;
		write_refuse(p, w, ERROR_busy);
	}
}

static void
write_begin(struct peer *p, struct write *w)
{
	w->state = WRITE_CREATING;
	if (!w->replica) {
		if (!w->record.deleted && p->config.route == ROUTE_DIRECT)
			note_name(p, EVENT_store_accepted, w->from,
			    &w->record.name, 0);
		spread_set(p, w);
	}
	if (w->record.deleted)
		write_remove(p, w);
	else
		write_create(p, w);
}

void
write_put(struct peer *p, struct conn *c, const struct msg_put *m)
{
	int key = files_key(p, &m->record.name);
	struct record held;
	struct write *w;
	enum wire_error why =
	    key < 0 ? ERROR_bad_name : write_allowed(p, c, m, (unsigned)key);

	if (why != ERROR_none) {
		refuse_stream(p, c->handle, m->op, why,
		    key < 0 ? p->config.id : (unsigned)key);
		return;
	}
	files_saw(p, &m->record.version);
	w = write_find(p, &m->record);
	if (w != NULL && write_again(p, w, c, m))
		return;
	if (files_find(p, &m->record.name, &held) &&
	    version_cmp(&held.version, &m->record.version) >= 0) {
		write_have(p, c, m, &held, (unsigned)key);
		return;
	}
	w = write_new(p, &m->record, (unsigned)key);
	if (w == NULL) {
		refuse_stream(p, c->handle, m->op, ERROR_busy, (unsigned)key);
		return;
	}
	w->replica = m->replica != 0;
	write_feed(p, w, c, m);
	write_begin(p, w);
}

/* Answers that a stream would bring; the op may start anew at once. */
static void
op_refuse(struct peer *p, struct op *o, enum wire_error error, unsigned key)
{
	struct message m;

	refuse_fill(p, &m, o->id, error, key);
	op_message(p, o, &m);
}

static enum wire_error
write_local_allowed(struct peer *p, const struct op *o)
{
	if (!owns(p, o->key))
		return ERROR_not_serving;
	return member_writable(p, p->config.id) ? ERROR_none : ERROR_disk;
}

void
write_local(struct peer *p, struct op *o)
{
	enum wire_error why = write_local_allowed(p, o);
	struct write *w = write_find(p, &o->record);
	struct record held;
	struct message m;
	bool known = files_find(p, &o->record.name, &held);
	int cmp = known ? version_cmp(&held.version, &o->record.version) : -1;

	if (why == ERROR_none && cmp > 0 && !o->again) {
		m.type = MSG_answer;
		m.answer.op = o->id;
		m.answer.known = 1;
		m.answer.record = held;
		op_message(p, o, &m);
		return;
	}
	if (why == ERROR_none && w == NULL && cmp >= 0)
		w = write_find(p, &held);
	if (why == ERROR_none &&
	    (w != NULL || (w = write_new(p, cmp >= 0 ? &held : &o->record,
			       o->key)) == NULL))
		why = ERROR_busy;
	if (why != ERROR_none) {
		op_refuse(p, o, why, o->key);
		return;
	}
	w->feed = FEED_OP;
	w->feeder = (uint16_t)op_index(p, o);
	w->from = p->config.id;
	w->from_op = o->id;
	o->again = true;
	if (cmp >= 0)
		write_respread(p, w);
	else
		write_begin(p, w);
}

bool
write_back(struct peer *p, const struct record *r, unsigned serve)
{
	struct write *w = write_find(p, r);
	int key = files_key(p, &r->name);

	if (w != NULL || key < 0 || !owns(p, (unsigned)key) ||
	    !member_writable(p, p->config.id) ||
	    (w = write_new(p, r, (unsigned)key)) == NULL)
		return false;
	w->feed = FEED_SERVE;
	w->feeder = (uint16_t)serve;
	w->from = p->config.id;
	write_respread(p, w);
	return true;
}
