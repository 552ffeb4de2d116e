#include <assert.h>
#include <string.h>

#include "ring/files_repair.h"

/* Requests: the owner finds out what is newest, a holder sends it. */

enum { EXPIRE_US = 60000000 }; /* the asker says nothing, nor goes */

static unsigned
serve_index(const struct peer *p, const struct serve *s)
{
	assert(s >= p->files.serves && s < p->files.serves + SERVES_MAX);
	return (unsigned)(s - p->files.serves);
}

static struct serve *
serve_new(struct peer *p)
{
	for (unsigned i = 0; i < SERVES_MAX; i++) {
		struct serve *s = &p->files.serves[i];

		if (s->state != SERVE_FREE)
			continue;
		top_raise(&p->files.serve_top, i);
		memset(s, 0, sizeof(*s));
		s->state = SERVE_ASKING;
		return s;
	}
	return NULL;
}

void
serve_end(struct peer *p, struct serve *s)
{
	unsigned at = serve_index(p, s);

	assert(s->state != SERVE_FREE);
	query_cancel(p, TIE_SERVE, at);
	stream_end(p, &s->conn);
	file_end(p, &s->file);
	s->state = SERVE_FREE;
	write_unfeed(p, FEED_SERVE, at);
}

static void
serve_say(struct peer *p, const struct serve *s, const struct message *m)
{
	if (s->linked)
		link_give(p, s->to, m, 0);
	else
		stream_send(p, s->conn, m);
}

static void
serve_tell(struct peer *p, struct serve *s, const struct message *m)
{
	bool local = s->local;
	unsigned op = s->op;

	serve_say(p, s, m);
	serve_end(p, s);
	if (local)
		op_message(p, &p->files.ops[op], m);
}

static void
serve_refuse(struct peer *p, struct serve *s, enum wire_error error)
{
	struct message m;
	int key = files_key(p, &s->record.name);

	refuse_fill(
	    p, &m, s->from_op, error, key < 0 ? p->config.id : (unsigned)key);
	if (error == ERROR_no_such_file && !s->local)
		note_name(p, EVENT_missing, s->to, &s->record.name, 0);
	serve_tell(p, s, &m);
}

/*
 * Who wants a copy of what was replaced here is told of what replaced it, or
 * that it was lost.
 */
static void
serve_replaced(struct peer *p, struct serve *s, enum wire_error error)
{
	struct message m;
	struct record lost;

	m.type = MSG_answer;
	m.answer.op = s->from_op;
	m.answer.known = 1;
	if (s->copy && files_find(p, &s->record.name, &m.answer.record) &&
	    version_cmp(&m.answer.record.version, &s->record.version) > 0)
		serve_tell(p, s, &m);
	else if (s->copy && files_lost(p, &s->record.name, &lost) &&
		 version_cmp(&lost.version, &s->record.version) == 0)
		serve_refuse(p, s, ERROR_damaged);
	else
		serve_refuse(p, s, error);
}

/* Sends this stored record. */
static void
serve_open(struct peer *p, struct serve *s, const struct record *r)
{
	struct action *a;

	s->record = *r;
	if (s->local) {
		struct op *o = &p->files.ops[s->op];

		serve_end(p, s);
		fetch_local(p, o, r);
		return;
	}
	s->state = SERVE_OPENING;
	s->file = file_new(p, TIE_SERVE, serve_index(p, s));
	if (s->file == 0) {
		serve_refuse(p, s, ERROR_busy);
		return;
	}
	a = act_file(p, ACT_OPEN_STORED, s->file);
	a->record = *r;
}

/* The owner's answer, from its own store alone if it can be sure. */
static void
serve_begin(struct peer *p, struct serve *s, unsigned key)
{
	struct record r, lost;
	const struct files *f = &p->files;
	bool sure = !files_lost(p, &s->record.name, &lost) &&
		    p->phase == PHASE_SERVING && f->doubt_us <= p->now_us &&
		    idset_next(&f->elders, 0) < 0 && !range_parted(p, key) &&
		    member_writable(p, p->config.id) && f->set != 0 &&
		    f->complete_set == f->set;

	if (!owns(p, key)) {
		serve_refuse(p, s,
		    ring_owner(p, key) == p->config.id ? ERROR_not_serving
						       : ERROR_not_owner);
	} else if (sure && files_find(p, &s->record.name, &r) &&
		   r.acknowledged &&
		   r.version.clock > range_doubt(p, p->config.id, key, false)) {
		if (r.deleted)
			serve_refuse(p, s, ERROR_no_such_file);
		else
			serve_open(p, s, &r);
	} else {
		s->state = SERVE_ASKING;
		if (!query_start(
			p, TIE_SERVE, serve_index(p, s), &s->record.name, key))
			serve_refuse(p, s, ERROR_busy);
	}
}

static void
serve_refuse_get(struct peer *p, struct conn *c, uint64_t op,
    enum wire_error error, bool linked)
{
	struct message m;

	if (!linked) {
		refuse_stream(p, c->handle, op, error, p->config.id);
		return;
	}
	refuse_fill(p, &m, op, error, p->config.id);
	conn_send(p, c, &m);
}

static unsigned
serve_copies(const struct peer *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->files.serve_top; i++)
		n += p->files.serves[i].state != SERVE_FREE &&
		     p->files.serves[i].copy;
	return n;
}

void
serve_get(struct peer *p, struct conn *c, const struct msg_get *m, bool linked)
{
	int key = files_key(p, &m->name);
	bool copy = m->exact == EXACT_COPY;
	struct serve *s =
	    key < 0 || (copy && serve_copies(p) >= SERVES_COPIES_MAX)
		? NULL
		: serve_new(p);
	struct record r;
	bool known = files_find(p, &m->name, &r) && !r.deleted;
	int cmp = known ? version_cmp(&r.version, &m->version) : -1;

	if (s == NULL) {
		serve_refuse_get(
		    p, c, m->op, key < 0 ? ERROR_bad_name : ERROR_busy, linked);
		return;
	}
	s->linked = linked;
	if (!linked) {
		tie_give(
		    &p->files.streams, c->handle, TIE_SERVE, serve_index(p, s));
		s->conn = c->handle;
	}
	s->to = c->id;
	s->from_op = m->op;
	s->record.name = m->name;
	s->record.version = m->version;
	s->copy = copy;
	if (m->exact == EXACT_NEWEST)
		serve_begin(p, s, (unsigned)key);
	else if (cmp == 0 ||
		 (cmp > 0 && m->exact == EXACT_HELD && r.acknowledged))
		serve_open(p, s, &r);
	else
		serve_replaced(p, s, ERROR_older);
}

void
serve_local(struct peer *p, struct op *o)
{
	struct serve *s = serve_new(p);
	struct message m;

	if (s == NULL) {
		refuse_fill(p, &m, o->id, ERROR_busy, o->key);
		op_message(p, o, &m);
		return;
	}
	s->local = true;
	s->op = (uint16_t)op_index(p, o);
	s->to = p->config.id;
	s->from_op = o->id;
	s->record.name = o->record.name;
	serve_begin(p, s, o->key);
}

void
serve_forget_op(struct peer *p, unsigned op)
{
	for (unsigned i = 0; i < p->files.serve_top; i++) {
		struct serve *s = &p->files.serves[i];

		if (s->state != SERVE_FREE && s->local && s->op == op)
			serve_end(p, s);
	}
}

/* Which version is meant, then who has it. */
static void
serve_redirect(struct peer *p, struct serve *s, const struct record *r,
    const uint16_t *ids, unsigned n)
{
	struct message m;
	int key = files_key(p, &r->name);

	assert(key >= 0);
	m.type = MSG_answer;
	m.answer.op = s->from_op;
	m.answer.known = 1;
	m.answer.record = *r;
	if (s->local)
		op_message(p, &p->files.ops[s->op], &m);
	else
		serve_say(p, s, &m);
	refuse_fill(p, &m, s->from_op, ERROR_not_owner, (unsigned)key);
	for (unsigned i = 0; i < n; i++)
		if (ids[i] != p->config.id)
			m.refuse.ids.at[m.refuse.ids.count++] = ids[i];
	serve_tell(p, s, &m);
}

/* Others have it, this peer not yet. */
static void
serve_elsewhere(struct peer *p, struct serve *s, const struct query *q)
{
	assert(q->holder_count > 0);
	pull_start(p, q->holders[0], &q->best, NOBODY, 0);
	serve_redirect(p, s, &q->best, q->holders, q->holder_count);
}

/* Too few hold the newest version: first they all shall. */
static void
serve_write_back(struct peer *p, struct serve *s, const struct query *q)
{
	if (!query_holds(q, p->config.id)) {
		pull_start(p, q->holders[0], &q->best, NOBODY, 0);
		serve_refuse(p, s, ERROR_not_serving);
		return;
	}
	s->state = SERVE_WRITING;
	s->record = q->best;
	if (!write_back(p, &q->best, serve_index(p, s)))
		serve_refuse(p, s, ERROR_not_serving);
}

void
serve_queried(struct peer *p, struct serve *s, const struct query *q)
{
	struct message m;
	bool sure = query_sure(p, q);

	assert(s->state == SERVE_ASKING);
	if ((q->known || q->was_lost) && (q->missing != 0 || q->partial)) {
		serve_refuse(p, s, ERROR_not_serving);
	} else if (q->known && !query_vouched(p, q)) {
		refuse_fill(p, &m, s->from_op, ERROR_not_serving, q->key);
		if (range_bereft(p, q->key, &m.refuse.ids) > 0 && !p->fenced)
			m.refuse.error = ERROR_unavailable;
		serve_tell(p, s, &m);
	} else if (query_denied(p, q)) {
		refuse_fill(p, &m, s->from_op, ERROR_damaged, q->key);
		m.refuse.error = (uint8_t)query_silence(p, q, &m.refuse.ids);
		serve_tell(p, s, &m);
	} else if (q->known && !sure) {
		serve_write_back(p, s, q);
	} else if (q->known && !q->best.deleted) {
		if (query_holds(q, p->config.id))
			serve_open(p, s, &q->best);
		else
			serve_elsewhere(p, s, q);
	} else {
		refuse_fill(p, &m, s->from_op, ERROR_not_serving, q->key);
		m.refuse.error = (uint8_t)query_silence(p, q, &m.refuse.ids);
		if (m.refuse.error == ERROR_no_such_file && !s->local)
			note_name(p, EVENT_missing, s->to, &q->name, 0);
		serve_tell(p, s, &m);
	}
}

void
serve_written(struct peer *p, unsigned serve, bool done)
{
	struct serve *s = &p->files.serves[serve];
	struct record r;

	assert(serve < SERVES_MAX);
	if (s->state != SERVE_WRITING)
		return;
	/* What replaced it meanwhile may be held by too few. */
	if (!done || !files_find(p, &s->record.name, &r) ||
	    (!r.acknowledged &&
		version_cmp(&r.version, &s->record.version) != 0))
		serve_refuse(p, s, ERROR_not_serving);
	else if (r.deleted)
		serve_refuse(p, s, ERROR_no_such_file);
	else
		serve_open(p, s, &r);
}

void
serve_message(struct peer *p, struct serve *s, const struct message *m)
{
	if (m->type == MSG_refuse && m->refuse.error == ERROR_damaged &&
	    s->state >= SERVE_SENDING) {
		files_doubt(p, &s->record);
		serve_end(p, s);
		return;
	}
	if (m->type != MSG_go || s->state != SERVE_OFFERED ||
	    m->go.offset > s->record.size)
		return;
	s->state = SERVE_SENDING;
	raw_send(
	    p, s->conn, s->file, m->go.offset, s->record.size - m->go.offset);
}

/*
 * What the index promised could not be opened. Replaced meanwhile: a new
 * question finds what is new. Damaged: other replicas have it.
 */
static void
serve_lost(struct peer *p, struct serve *s, enum wire_error error)
{
	int key = files_key(p, &s->record.name);
	uint16_t ids[COPIES_MAX + 1];
	struct record r;

	if (key < 0 || !files_find(p, &s->record.name, &r) ||
	    version_cmp(&r.version, &s->record.version) != 0) {
		serve_replaced(p, s, ERROR_not_serving);
		return;
	}
	files_doubt(p, &s->record);
	if (s->copy && error == ERROR_damaged)
		serve_refuse(p, s, error);
	else
		serve_redirect(
		    p, s, &r, ids, ring_replicas(p, (unsigned)key, ids));
}

/* On a link: all of it, or that it is too large for that. */
static void
serve_bring(struct peer *p, struct serve *s, bool whole)
{
	struct message m;

	if (!whole) {
		m.type = MSG_found;
		m.found.op = s->from_op;
		m.found.record = s->record;
		link_give(p, s->to, &m, 0);
	} else {
		m.type = MSG_bring;
		m.bring.op = s->from_op;
		m.bring.record = s->record;
		link_give(p, s->to, &m, s->file);
	}
	if (whole && !s->copy) {
		note_name(
		    p, EVENT_sending, s->to, &s->record.name, s->record.size);
		note_name(
		    p, EVENT_sent, s->to, &s->record.name, s->record.size);
	}
	serve_end(p, s);
}

static void
serve_opened(struct peer *p, struct serve *s, const struct event *ev)
{
	struct message m;

	if (ev->error != ERROR_none) {
		serve_lost(p, s, ev->error);
		return;
	}
	if (s->linked) {
		serve_bring(p, s, ev->whole);
		return;
	}
	m.type = MSG_found;
	m.found.op = s->from_op;
	m.found.record = s->record;
	stream_send(p, s->conn, &m);
	s->state = SERVE_OFFERED;
	s->expires_us = p->now_us + EXPIRE_US;
	files_wake(p, s->expires_us);
	if (!s->copy)
		note_name(
		    p, EVENT_sending, s->to, &s->record.name, s->record.size);
}

void
serve_event(struct peer *p, struct serve *s, const struct event *ev)
{
	if (ev->type == EV_FILE && s->state == SERVE_OPENING) {
		serve_opened(p, s, ev);
	} else if (ev->type == EV_RAW_SENT && s->state == SERVE_SENDING) {
		s->state = SERVE_SENT;
		s->expires_us = p->now_us + EXPIRE_US;
		files_wake(p, s->expires_us);
		if (!s->copy)
			note_name(p, EVENT_sent, s->to, &s->record.name,
			    s->record.size);
	} else if (ev->type == EV_CONN_STALLED &&
		   files_stall(p, s->to, &s->stall) >= LIMIT_US) {
		serve_end(p, s);
	}
}

void
serve_closed(struct peer *p, struct serve *s)
{
	s->conn = 0;
	serve_end(p, s);
}

void
serve_view_changed(struct peer *p)
{
	for (unsigned i = 0; i < p->files.serve_top; i++) {
		struct serve *s = &p->files.serves[i];

		if (s->state != SERVE_FREE && !s->local &&
		    !peer_usable(p, s->to))
			serve_end(p, s);
	}
}

uint64_t
serve_tick(struct peer *p)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < p->files.serve_top; i++) {
		struct serve *s = &p->files.serves[i];

		if (s->state != SERVE_OFFERED && s->state != SERVE_SENT)
			continue;
		if (s->expires_us <= p->now_us)
			serve_end(p, s);
		else if (s->expires_us < next)
			next = s->expires_us;
	}
	return next;
}
