#include <assert.h>
#include <string.h>

#include "ring/files_core.h"
#include "ring/files_repair.h"

/* A write's way: bytes, digest, commit, and the answer to who fed it. */
enum { SIGN_US = 1000000 }; /* a sign of life to who waits for it */

/* What a stream's other end, or the op or serve, is told at the end. */
static void
write_tell(struct peer *p, struct write *w, const struct message *m)
{
	enum feed feed = w->feed;
	unsigned feeder = w->feeder;
	bool done = m->type == MSG_stored;

	w->feed = FEED_NONE;
	if (feed == FEED_STREAM) {
		stream_send(p, w->conn, m);
		stream_end(p, &w->conn);
	} else if (feed == FEED_LINK) {
		link_give(p, w->from, m, 0);
	}
	if (w->state == WRITE_COMMITTING)
		w->replica = true;
	else
		write_end(p, w);
	if (feed == FEED_OP)
		op_message(p, &p->files.ops[feeder], m);
	else if (feed == FEED_SERVE)
		serve_written(p, feeder, done);
}

void
write_refuse(struct peer *p, struct write *w, enum wire_error error)
{
	struct message m;

	refuse_fill(p, &m, w->from_op, error, w->key);
	m.refuse.taken = w->sealed;
	write_tell(p, w, &m);
}

void
write_displaced(struct peer *p, struct write *w)
{
	struct message m;

	refuse_fill(p, &m, w->from_op, ERROR_busy, w->key);
	m.refuse.taken = w->sealed;
	if (w->feed == FEED_LINK)
		link_give(p, w->from, &m, 0);
	else if (w->feed == FEED_STREAM)
		stream_send(p, w->conn, &m);
	stream_end(p, &w->conn);
}

void
write_older(struct peer *p, struct write *w, const struct record *r)
{
	struct message m;

	m.type = MSG_answer;
	m.answer.op = w->from_op;
	m.answer.known = 1;
	m.answer.record = *r;
	write_tell(p, w, &m);
}

void
write_unfeed(struct peer *p, enum feed feed, unsigned feeder)
{
	for (unsigned i = 0; i < p->files.write_top; i++) {
		struct write *w = &p->files.writes[i];

		if (w->state == WRITE_FREE || w->feed != feed ||
		    w->feeder != feeder)
			continue;
		w->feed = FEED_NONE;
		if (w->state < WRITE_COMMITTING)
			write_end(p, w);
	}
}

void
write_commit(struct peer *p, struct write *w)
{
	struct action *a;

	w->sealed = true;
	w->state = WRITE_COMMITTING;
	/* A tombstone has no file, only a handle for the answer. */
	if (w->file == 0)
		w->file = file_new(p, TIE_WRITE, write_index(p, w));
	if (w->file == 0) {
		w->state = WRITE_CREATING;
		write_refuse(p, w, ERROR_busy);
		return;
	}
	apart_replaces(p, &w->record);
	a = act_file(p, ACT_COMMIT, w->file);
	a->record = w->record;
	spread_digest(p, w);
}

/* Both the bytes and the digest of what was sent. */
static void
write_fed(struct peer *p, struct write *w)
{
	if (!w->raw_done || !w->end_done)
		return;
	if (!digest_same(&w->record.digest, &w->told)) {
		note_damaged(
		    p, &w->record.name, "what arrived is not what was sent");
		write_refuse(p, w, ERROR_damaged);
		return;
	}
	write_commit(p, w);
}

void
write_message(struct peer *p, struct write *w, const struct message *m)
{
	if (m->type != MSG_end || w->state != WRITE_FEEDING || w->end_done)
		return;
	w->told = m->end.digest;
	w->end_done = true;
	w->progress_us = p->now_us;
	write_fed(p, w);
}

void
write_disk_failed(struct peer *p, const char *text)
{
	if (text == NULL)
		text = wire_error_text(ERROR_disk);
	note(p, EVENT_disk, p->config.id, text);
	text_set(&p->disk_text, text);
	member_readonly(p, true);
}

static void
write_created(struct peer *p, struct write *w)
{
	struct message m;

	w->state = WRITE_FEEDING;
	if (w->feed == FEED_OP) {
		struct op *o = &p->files.ops[w->feeder];
		struct action *a = act_file(p, ACT_COPY, o->file);

		a->target = w->file;
		a->size = w->record.size;
		return;
	}
	m.type = MSG_go;
	m.go.op = w->from_op;
	m.go.offset = 0;
	stream_send(p, w->conn, &m);
	raw_receive(p, w->conn, w->file, 0, w->record.size);
	files_wake(p, p->now_us); /* the replicas */
}

static void
write_copied(struct peer *p, struct write *w, const struct event *ev)
{
	struct op *o = &p->files.ops[w->feeder];

	assert(w->feed == FEED_OP);
	w->record.digest = ev->digest;
	o->record.digest = ev->digest;
	w->raw_done = true;
	w->state = WRITE_CHECKING;
	act_file(p, ACT_CHECK_SOURCE, o->file);
}

void
write_checked(struct peer *p, struct write *w, enum wire_error error)
{
	assert(w->state == WRITE_CHECKING);
	if (error != ERROR_none)
		write_refuse(p, w, error);
	else
		write_commit(p, w);
}

/* This replica's promise, if the owner may still hear it. */
static void
write_held(struct peer *p, struct write *w)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, w->key, ids);
	struct message m;

	m.type = MSG_held;
	m.held.op = w->from_op;
	m.held.version = w->record.version;
	m.held.set = ring_set_hash(p, ids, n);
	if (!peer_current(p, w->from, w->from_incarnation))
		;
	else if (w->feed == FEED_LINK)
		link_give(p, w->from, &m, 0);
	else
		stream_send(p, w->conn, &m);
	if (w->record.deleted && MUTANT(DROP_TOMBSTONES))
		act(p, ACT_DROP)->record = w->record;
	write_end(p, w);
}

static void
write_committed(struct peer *p, struct write *w, const struct event *ev)
{
	bool older = ev->error == ERROR_older;

	if (ev->error != ERROR_none && !older) {
		w->state = WRITE_CREATING;
		if (ev->error == ERROR_disk)
			write_disk_failed(p, ev->text);
		write_refuse(
		    p, w, ev->error == ERROR_disk ? ERROR_disk : ERROR_busy);
		return;
	}
	if (older)
		files_saw(p, &ev->record.version);
	w->have = true;
	w->progress_us = p->now_us;
	w->state = WRITE_SPREADING;
	if (w->replica) {
		write_held(p, w);
		return;
	}
	spread_check(p, w);
}

static void
write_file(struct peer *p, struct write *w, const struct event *ev)
{
	if (w->state == WRITE_COMMITTING) {
		write_committed(p, w, ev);
	} else if (ev->error != ERROR_none) {
		enum wire_error error = ev->error;

		if (w->state == WRITE_OPENING) {
			error = ERROR_not_serving;
			files_doubt(p, &w->record);
		}
		if (error == ERROR_disk)
			write_disk_failed(p, ev->text);
		write_refuse(p, w, error);
	} else if (w->state == WRITE_CREATING) {
		write_created(p, w);
	} else if (w->state == WRITE_FEEDING) {
		write_copied(p, w, ev);
	} else if (w->state == WRITE_OPENING) {
		w->state = WRITE_SPREADING;
		w->small = ev->whole;
		spread_check(p, w);
		files_wake(p, p->now_us);
	}
}

void
write_event(struct peer *p, struct write *w, const struct event *ev)
{
	if (ev->type == EV_FILE) {
		write_file(p, w, ev);
	} else if (ev->type == EV_RAW_RECEIVED && w->state == WRITE_FEEDING) {
		w->record.digest = ev->digest;
		w->raw_done = true;
		w->progress_us = p->now_us;
		write_fed(p, w);
	} else if (ev->type == EV_CONN_STALLED && w->state == WRITE_FEEDING &&
		   files_stall(p, w->from, &w->stall) >= LIMIT_US) {
		write_end(p, w);
	}
}

void
write_closed(struct peer *p, struct write *w)
{
	w->conn = 0;
	w->feed = FEED_NONE;
	if (w->state < WRITE_COMMITTING)
		write_end(p, w);
}

/* What is known now of the name instead of that it is stored or removed. */
static void
write_silence(struct peer *p, struct write *w, const struct query *q)
{
	struct message m;

	refuse_fill(p, &m, w->from_op, ERROR_not_serving, w->key);
	if (q->missing == 0)
		m.refuse.error = (uint8_t)query_silence(p, q, &m.refuse.ids);
	m.refuse.taken = w->sealed;
	write_tell(p, w, &m);
}

/*
 * An earlier try may have been accepted, read and replaced by what is lost now:
 * it must not come after that, and nobody can hold what came instead.
 */
static bool
write_gone(const struct peer *p, const struct write *w, const struct query *q)
{
	return w->again && query_denied(p, q) &&
	       version_cmp(&q->lost.version, &w->record.version) > 0;
}

void
write_queried(struct peer *p, struct write *w, const struct query *q)
{
	bool lost = w->again ? query_denied(p, q) : query_lost(q);
	const struct record *newest = lost ? &q->lost : &q->best;
	/* A remove that too few know of may yet be undone: it goes on. */
	bool removed =
	    !lost && (!q->known || (q->best.deleted && query_sure(p, q)));

	w->state = WRITE_CREATING;
	if (write_gone(p, w, q) || (w->record.deleted && removed))
		write_silence(p, w, q);
	else if (w->have || (!w->record.deleted && (q->missing || q->partial)))
		write_refuse(p, w, ERROR_not_serving);
	else if ((lost || q->known) &&
		 version_cmp(&newest->version, &w->record.version) > 0)
		write_older(p, w, newest);
	else if (w->record.deleted)
		write_commit(p, w);
	else
		write_store(p, w);
}

void
write_finish(struct peer *p, struct write *w)
{
	struct message m;

	act(p, ACT_MARK)->record = w->record;
	m.type = MSG_mark;
	m.mark.name = w->record.name;
	m.mark.version = w->record.version;
	for (unsigned i = 0; i < w->id_count; i++)
		if (w->ids[i] != p->config.id)
			link_send(p, w->ids[i], &m);
	if (w->record.deleted && MUTANT(DROP_TOMBSTONES))
		act(p, ACT_DROP)->record = w->record;
	if (w->record.deleted)
		note_name(p, EVENT_removed, w->from, &w->record.name, 0);
	else if (w->feed != FEED_SERVE)
		note_name(
		    p, EVENT_stored, w->from, &w->record.name, w->record.size);
	m.type = MSG_stored;
	m.stored.op = w->from_op;
	m.stored.wanted = p->config.copies;
	m.stored.holders.count = (uint16_t)w->id_count;
	memcpy(m.stored.holders.at, w->ids, sizeof(w->ids));
	write_tell(p, w, &m);
}

void
write_lost(struct peer *p, const struct record *r)
{
	for (unsigned i = 0; i < p->files.write_top; i++) {
		struct write *w = &p->files.writes[i];

		if (w->state != WRITE_FREE && w->have &&
		    name_cmp(&w->record.name, &r->name) == 0 &&
		    version_cmp(&w->record.version, &r->version) == 0)
			write_refuse(p, w, ERROR_not_serving);
	}
}

static void
write_changed(struct peer *p, struct write *w)
{
	bool early = w->state < WRITE_COMMITTING;

	if (w->replica) {
		if (early && !peer_usable(p, w->from))
			write_end(p, w);
	} else if (ring_owner(p, w->key) != p->config.id || !owns(p, w->key)) {
		if (w->state == WRITE_COMMITTING)
			spread_end(p, w);
		write_refuse(p, w, ERROR_not_owner);
	} else if (early && w->feed == FEED_STREAM &&
		   !peer_usable(p, w->from)) {
		write_end(p, w);
	} else {
		spread_set(p, w);
		spread_check(p, w);
	}
}

void
write_view_changed(struct peer *p)
{
	for (unsigned i = 0; i < p->files.write_top; i++)
		if (p->files.writes[i].state != WRITE_FREE)
			write_changed(p, &p->files.writes[i]);
}

/* Who waits for the replicas is told that there is progress. */
static void
write_sign(struct peer *p, struct write *w)
{
	struct message m;

	m.type = MSG_held;
	m.held.op = w->from_op;
	m.held.version = w->record.version;
	m.held.set = 0;
	if (w->feed == FEED_STREAM)
		stream_send(p, w->conn, &m);
	else if (w->feed == FEED_LINK)
		link_give(p, w->from, &m, 0);
	else if (w->feed == FEED_OP)
		op_progress(p, &p->files.ops[w->feeder]);
}

static uint64_t
write_timer(struct peer *p, struct write *w)
{
	uint64_t next = spread_tick(p, w);

	if (w->state != WRITE_SPREADING || w->replica)
		return next;
	if (spread_moves(p, w))
		w->progress_us = p->now_us;
	if (p->now_us - w->progress_us >= LIMIT_US) {
		range_touched(p);
		write_refuse(p, w, ERROR_timeout);
		return UINT64_MAX;
	}
	if (w->timer_us <= p->now_us) {
		w->timer_us = p->now_us + SIGN_US;
		if (p->now_us - w->progress_us < 2 * SIGN_US)
			write_sign(p, w);
	}
	return next < w->timer_us ? next : w->timer_us;
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

bool
write_brings(const struct peer *p, const struct record *r)
{
	for (unsigned i = 0; i < p->files.write_top; i++) {
		const struct write *w = &p->files.writes[i];
		int cmp = version_cmp(&w->record.version, &r->version);

		if (w->state != WRITE_FREE &&
		    name_cmp(&w->record.name, &r->name) == 0 &&
		    (cmp == 0 || (cmp > 0 && w->sealed)))
			return true;
	}
	return false;
}

uint64_t
write_tick(struct peer *p)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < p->files.write_top; i++) {
		struct write *w = &p->files.writes[i];
		uint64_t us =
		    w->state == WRITE_FREE ? UINT64_MAX : write_timer(p, w);

		if (us < next)
			next = us;
	}
	return next;
}
