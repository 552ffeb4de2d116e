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
	w->number = ++p->next_op;
	w->key = (uint16_t)key;
	w->progress_us = p->now_us;
	w->timer_us = p->now_us + RTO_US;
	files_wake(p, w->timer_us);
	return w;
}

/* Its content, all of it: that of file from, or of this message. */
static bool
write_take(struct peer *p, struct write *w, uint32_t from)
{
	w->small = true;
	w->file = file_take(p, TIE_WRITE, write_index(p, w), from, &w->record);
	return w->file != 0;
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

/* What another peer puts here: on a stream, or whole on a link. */
struct incoming {
	struct conn *c;
	bool linked;
	uint64_t op, set;
	bool replica;
	const struct record *record;
};

/* May this be taken now? */
static enum wire_error
write_allowed(struct peer *p, const struct incoming *in, unsigned key)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, key, ids);
	bool in_set = false;

	if (!peer_current(p, in->c->id, in->c->incarnation))
		return ERROR_not_serving;
	if (in->record->deleted && in->record->size > 0)
		return ERROR_damaged;
	if (in->replica) {
		for (unsigned i = 0; i < n; i++)
			in_set |= ids[i] == p->config.id;
		if (ring_owner(p, key) != in->c->id)
			return ERROR_not_owner;
		if (!in_set ||
		    (ring_set_hash(p, ids, n) != in->set && !MUTANT(NO_FENCE)))
			return ERROR_not_serving;
	} else if (ring_owner(p, key) != p->config.id) {
		return ERROR_not_owner;
	} else if (!owns(p, key)) {
		return ERROR_not_serving;
	}
	return member_writable(p, p->config.id) ? ERROR_none : ERROR_disk;
}

static void
write_feed(struct peer *p, struct write *w, const struct incoming *in)
{
	if (!in->linked) {
		tie_give(&p->files.streams, in->c->handle, TIE_WRITE,
		    write_index(p, w));
		w->conn = in->c->handle;
	}
	w->feed = in->linked ? FEED_LINK : FEED_STREAM;
	w->from = in->c->id;
	w->from_incarnation = in->c->incarnation;
	w->from_op = in->op;
}

/* Ends what came in; a link goes on. */
static void
answer(struct peer *p, const struct incoming *in, const struct message *m)
{
	uint32_t handle = in->c->handle;

	conn_send(p, in->c, m);
	if (!in->linked)
		stream_end(p, &handle);
}

static void
refuse(struct peer *p, const struct incoming *in, enum wire_error error,
    unsigned key)
{
	struct message m;

	refuse_fill(p, &m, in->op, error, key);
	answer(p, in, &m);
}

/*
 * The same version is on its way already: the sender tried again. Returns
 * whether that is all there is to do.
 */
static bool
write_again(struct peer *p, struct write *w, const struct incoming *in)
{
	/* The later try came first, over another link: this one is over. */
	if (in->linked && w->feed == FEED_LINK && w->from == in->c->id &&
	    w->from_incarnation == in->c->incarnation && in->op < w->from_op)
		return true;
	if (w->state < WRITE_COMMITTING) {
		write_end(p, w);
		return false;
	}
	if (w->replica != in->replica || w->feed == FEED_OP ||
	    w->feed == FEED_SERVE) {
		refuse(p, in, ERROR_busy, w->key);
		return true;
	}
	write_displaced(p, w);
	write_feed(p, w, in);
	return true;
}

static void
answer_known(struct peer *p, const struct incoming *in, enum known known,
    const struct record *r)
{
	struct message m;

	m.type = MSG_answer;
	m.answer.op = in->op;
	m.answer.known = (uint8_t)known;
	m.answer.record = *r;
	answer(p, in, &m);
}

static void
answer_held(struct peer *p, const struct incoming *in)
{
	struct message m;

	m.type = MSG_held;
	m.held.op = in->op;
	m.held.version = in->record->version;
	m.held.set = in->set;
	answer(p, in, &m);
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
write_have(struct peer *p, const struct incoming *in, const struct record *held,
    unsigned key)
{
	bool newer = version_cmp(&held->version, &in->record->version) > 0;
	struct write *w;

	if (in->replica && !newer) {
		answer_held(p, in);
		return;
	}
	/* Accepted once, then replaced: all are to hold what replaced it. */
	if (in->replica || (newer && !in->set)) {
		answer_known(p, in, KNOWN_YES, held);
		return;
	}
	w = write_find(p, held);
	if (w != NULL || (w = write_new(p, held, key)) == NULL) {
		refuse(p, in, ERROR_busy, key);
		return;
	}
	w->again = !in->replica && in->set;
	write_feed(p, w, in);
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

void
write_ask(struct peer *p, struct write *w)
{
	w->state = WRITE_ASKING;
	if (!query_start(
		p, TIE_WRITE, write_index(p, w), &w->record.name, w->key)) {
		w->state = WRITE_CREATING;
		write_refuse(p, w, ERROR_busy);
	}
}

/* Only what there is can be removed. */
static void
write_remove(struct peer *p, struct write *w)
{
	struct record held;
	bool known = files_find(p, &w->record.name, &held);

	if (w->replica || (known && !held.deleted))
		write_commit(p, w);
	else
		write_ask(p, w);
}

void
write_store(struct peer *p, struct write *w)
{
	if (w->small)
		write_commit(p, w);
	else
		write_create(p, w);
}

/* A later version is lost here: it is known, and nothing older comes after. */
static bool
write_outdated(struct peer *p, const struct record *r, struct record *lost)
{
	return files_lost(p, &r->name, lost) &&
	       version_cmp(&lost->version, &r->version) > 0;
}

/* So may one be that only the dead know: nothing older is acknowledged. */
static bool
write_doubted(
    struct peer *p, const struct record *r, unsigned key, struct record *least)
{
	*least = *r;
	least->version.clock = range_doubt(p, p->config.id, key, false);
	return least->version.clock >= r->version.clock;
}

static void
write_begin(struct peer *p, struct write *w)
{
	struct record lost;
	bool late;

	w->state = WRITE_CREATING;
	if (!w->replica) {
		if (!w->record.deleted && p->config.route == ROUTE_DIRECT)
			note_name(p, EVENT_store_accepted, w->from,
			    &w->record.name, 0);
		spread_set(p, w);
	}
	/* An owner that is new may lack what is newer; others may not. */
	late = !w->replica && write_outdated(p, &w->record, &lost);
	if (w->record.deleted && !late)
		write_remove(p, w);
	else if (late || (!w->replica && (p->phase == PHASE_SYNCING ||
					     range_parted(p, w->key))))
		write_ask(p, w);
	else
		write_store(p, w);
}

static void
write_incoming(struct peer *p, const struct incoming *in)
{
	int key = files_key(p, &in->record->name);
	struct record held;
	struct write *w;
	enum wire_error why =
	    key < 0 ? ERROR_bad_name : write_allowed(p, in, (unsigned)key);

	if (why == ERROR_none && in->linked && !in->record->deleted &&
	    !digest_same(&p->files.brought, &in->record->digest))
		why = ERROR_damaged;
	if (why != ERROR_none) {
		refuse(p, in, why, key < 0 ? p->config.id : (unsigned)key);
		return;
	}
	files_saw(p, &in->record->version);
	w = write_find(p, in->record);
	if (w != NULL && write_again(p, w, in))
		return;
	if (files_find(p, &in->record->name, &held) &&
	    version_cmp(&held.version, &in->record->version) >= 0) {
		write_have(p, in, &held, (unsigned)key);
		return;
	}
	/* Its owner knows of what nobody has marked, and goes on. */
	if (write_outdated(p, in->record, &held) &&
	    (in->replica ? held.acknowledged : !in->set)) {
		answer_known(p, in, KNOWN_LOST, &held);
		return;
	}
	if (!in->replica &&
	    write_doubted(p, in->record, (unsigned)key, &held)) {
		if (in->set)
			refuse(p, in, ERROR_unavailable, (unsigned)key);
		else
			answer_known(p, in, KNOWN_YES, &held);
		return;
	}
	w = write_new(p, in->record, (unsigned)key);
	if (w == NULL ||
	    (in->linked && !in->record->deleted && !write_take(p, w, 0))) {
		refuse(p, in, ERROR_busy, (unsigned)key);
		return;
	}
	w->replica = in->replica;
	w->again = !in->replica && in->set;
	write_feed(p, w, in);
	write_begin(p, w);
}

void
write_put(struct peer *p, struct conn *c, const struct msg_put *m)
{
	struct incoming in = {.c = c,
	    .op = m->op,
	    .set = m->set,
	    .replica = m->replica != 0,
	    .record = &m->record};

	write_incoming(p, &in);
}

void
write_give(struct peer *p, struct conn *c, const struct msg_give *m)
{
	struct incoming in = {.c = c,
	    .linked = true,
	    .op = m->op,
	    .set = m->set,
	    .replica = m->replica != 0,
	    .record = &m->record};

	write_incoming(p, &in);
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

	if (cmp <= 0 && !o->again && write_outdated(p, &o->record, &held)) {
		cmp = 1;
	} else if (cmp < 0 && write_doubted(p, &o->record, o->key, &held)) {
		cmp = 1;
		if (o->again)
			why = ERROR_unavailable;
	}
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
	    (w != NULL ||
		(w = write_new(p, cmp >= 0 ? &held : &o->record, o->key)) ==
		    NULL ||
		(cmp < 0 && o->small && !write_take(p, w, o->file))))
		why = ERROR_busy;
	if (why != ERROR_none) {
		op_refuse(p, o, why, o->key);
		return;
	}
	w->feed = FEED_OP;
	w->feeder = (uint16_t)op_index(p, o);
	w->from = p->config.id;
	w->from_op = o->id;
	w->again = o->again;
	o->first = !o->again;
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
