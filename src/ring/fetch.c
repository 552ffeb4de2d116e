#include <assert.h>
#include <string.h>

#include "ring/files_core.h"
#include "ring/files_repair.h"

/* The peer that took a request from a client. */
void
fetch_ask(struct peer *p, struct op *o)
{
	struct message m;

	if (o->owner == p->config.id) {
		o->state = OP_LOCAL;
		serve_local(p, o);
		return;
	}
	if (p->config.route == ROUTE_DIRECT && !o->large)
		note_name(p, EVENT_request_sent, o->owner, &o->record.name, 0);
	o->linked = !o->large && o->arrived == 0;
	if (!o->linked)
		o->conn = stream_start(p, o->owner, TIE_OP, op_index(p, o), 0);
	o->large = false;
	m.type = MSG_get;
	m.get.op = o->number = ++p->next_op;
	m.get.name = o->record.name;
	m.get.exact = o->resuming     ? EXACT_VERSION
		      : o->redirected ? EXACT_HELD
				      : EXACT_NEWEST;
	m.get.version = o->record.version;
	m.get.offset = o->arrived;
	if (o->linked ? !link_give(p, o->owner, &m, 0) : o->conn == 0) {
		op_pause(p, o);
		return;
	}
	stream_send(p, o->conn, &m);
	o->state = OP_ASKING;
	o->rto_us = RTO_US;
	o->timer_us = p->now_us + o->rto_us;
	files_wake(p, o->timer_us);
}

bool
fetch_next(struct peer *p, struct op *o)
{
	assert(o->conn == 0);
	while (o->candidate_at < o->candidate_count) {
		uint16_t id = o->candidates[o->candidate_at++];

		if (id == p->config.id || !peer_usable(p, id))
			continue;
		o->owner = id;
		op_route_add(o, id);
		fetch_ask(p, o);
		return true;
	}
	/* All tried: the owner decides anew. */
	o->resuming = o->redirected = false;
	return false;
}

bool
fetch_redirect(struct peer *p, struct op *o, const struct ids *ids)
{
	o->candidate_count = o->candidate_at = 0;
	for (unsigned i = 0; i < ids->count && i < SET_MAX; i++)
		o->candidates[o->candidate_count++] = ids->at[i];
	o->redirected = true;
	return fetch_next(p, o);
}

/* From now on this very version is wanted, from any replica. */
static void
fetch_resume(struct peer *p, struct op *o)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, o->key, ids);

	o->candidate_count = o->candidate_at = 0;
	for (unsigned i = 0; i < n; i++)
		if (ids[i] != o->owner)
			o->candidates[o->candidate_count++] = ids[i];
	o->candidates[o->candidate_count++] = o->owner;
	o->resuming = true;
}

static void
fetch_discard(struct peer *p, struct op *o)
{
	file_end(p, &o->file);
	o->created = false;
	o->arrived = 0;
}

static void
fetch_create(struct peer *p, struct op *o)
{
	struct action *a;

	o->state = OP_CREATING;
	if (o->file != 0)
		return;
	o->file = file_new(p, TIE_OP, op_index(p, o));
	if (o->file == 0) {
		op_fail(p, o, ERROR_busy, "");
		return;
	}
	a = act_file(p, ACT_CREATE_TARGET, o->file);
	a->path = o->path;
	a->record = o->record;
}

/* Both the holder and the target are ready. */
static void
fetch_go(struct peer *p, struct op *o)
{
	struct message m;

	assert(o->created);
	if (o->local != 0) {
		struct action *a = act_file(p, ACT_COPY, o->local);

		a->target = o->file;
		a->size = o->record.size;
		o->state = OP_COPYING;
		return;
	}
	m.type = MSG_go;
	m.go.op = o->id;
	m.go.offset = o->arrived;
	stream_send(p, o->conn, &m);
	raw_receive(
	    p, o->conn, o->file, o->arrived, o->record.size - o->arrived);
	o->state = OP_RECEIVING;
}

static void
fetch_learn(struct peer *p, struct op *o, const struct record *r)
{
	files_saw(p, &r->version);
	o->record = *r;
	o->versioned = true;
}

/* This is what comes. */
static void
fetch_promised(struct peer *p, struct op *o, const struct record *r)
{
	fetch_learn(p, o, r);
	op_progress(p, o);
	note_name(p, EVENT_receiving, o->owner, &r->name, r->size);
}

/* It is too large for a message: this very version, on a stream. */
static void
fetch_large(struct peer *p, struct op *o, const struct record *r)
{
	o->linked = false;
	/* A target bears the name of the version that it was made for. */
	if (o->file != 0)
		fetch_discard(p, o);
	o->record = *r;
	o->versioned = o->resuming = o->large = true;
	fetch_ask(p, o);
}

void
fetch_found(struct peer *p, struct op *o, const struct record *r)
{
	bool same =
	    o->versioned && version_cmp(&r->version, &o->record.version) == 0;

	if (o->state != OP_ASKING || name_cmp(&r->name, &o->record.name) != 0)
		return;
	if (o->linked) {
		fetch_large(p, o, r);
		return;
	}
	if (!same && o->file != 0)
		fetch_discard(p, o);
	fetch_promised(p, o, r);
	fetch_create(p, o);
	if (o->state == OP_CREATING && o->created)
		fetch_go(p, o);
}

void
fetch_newest(struct peer *p, struct op *o, const struct record *r)
{
	if ((o->state != OP_ASKING && o->state != OP_LOCAL) ||
	    name_cmp(&r->name, &o->record.name) != 0)
		return;
	if (o->file != 0 && o->versioned &&
	    version_cmp(&r->version, &o->record.version) != 0)
		fetch_discard(p, o);
	fetch_learn(p, o, r);
}

void
fetch_local(struct peer *p, struct op *o, const struct record *r)
{
	struct action *a;

	if (o->file != 0)
		fetch_discard(p, o);
	file_end(p, &o->local);
	o->record = *r;
	o->versioned = true;
	o->owner = p->config.id;
	o->local = file_new(p, TIE_OP, op_index(p, o));
	if (o->local == 0) {
		op_fail(p, o, ERROR_busy, "");
		return;
	}
	o->state = OP_OPENING;
	a = act_file(p, ACT_OPEN_STORED, o->local);
	a->record = *r;
}

static void
fetch_finish(struct peer *p, struct op *o, enum action_type type, uint32_t file)
{
	struct action *a = act_file(p, type, file);

	o->state = OP_RENAMING;
	a->path = o->path;
	a->record = o->record;
}

static void
liar_add(struct ids *list, uint16_t id)
{
	for (unsigned i = 0; i < list->count; i++)
		if (list->at[i] == id)
			return;
	list->at[list->count++] = id;
}

/* What came is not what it should be: another one shall send it. */
static void
fetch_damaged(struct peer *p, struct op *o)
{
	bool own = o->owner == p->config.id;

	note_damaged(p, &o->record.name, "what arrived is not the content");
	fetch_discard(p, o);
	o->liars[o->damaged++] = o->owner;
	if (o->damaged == DAMAGED_MAX) {
		struct msg_reply r = {.error = ERROR_damaged, .holder = NOBODY};

		for (unsigned i = 0; i < DAMAGED_MAX; i++)
			liar_add(&r.holders, o->liars[i]);
		op_reply(p, o, &r);
		return;
	}
	fetch_resume(p, o);
	/* The bad one is asked again last, if it is another peer. */
	if (own)
		o->candidate_count--;
	if (!fetch_next(p, o))
		op_pause(p, o);
}

/* All bytes are here: are they the right ones? Else their holder is told. */
static void
fetch_verify(struct peer *p, struct op *o, const struct digest *digest)
{
	bool good = digest_same(digest, &o->record.digest);

	if (!good && o->local != 0)
		files_doubt(p, &o->record);
	else if (!good)
		refuse_stream(p, o->conn, o->id, ERROR_damaged, o->key);
	stream_end(p, &o->conn);
	file_end(p, &o->local);
	if (good)
		fetch_finish(p, o, ACT_RENAME, o->file);
	else
		fetch_damaged(p, o);
}

void
fetch_brought(struct peer *p, struct op *o, const struct record *r)
{
	if (o->state != OP_ASKING || name_cmp(&r->name, &o->record.name) != 0)
		return;
	o->linked = false;
	if (o->file != 0)
		fetch_discard(p, o);
	fetch_promised(p, o, r);
	if (!digest_same(&p->files.brought, &r->digest)) {
		fetch_damaged(p, o);
		return;
	}
	o->file = file_take(p, TIE_OP, op_index(p, o), 0, r);
	if (o->file == 0)
		op_fail(p, o, ERROR_busy, "");
	else
		fetch_finish(p, o, ACT_DELIVER, o->file);
}

static void
fetch_done(struct peer *p, struct op *o, const struct event *ev)
{
	struct msg_reply r = {.holder = o->owner,
	    .size = o->record.size,
	    .digest = o->record.digest};

	note_name(p, EVENT_received, o->owner, &o->record.name, o->record.size);
	path_set(&r.file, ev->text == NULL ? o->path : ev->text);
	op_reply(p, o, &r);
}

static void
fetch_opened(struct peer *p, struct op *o, const struct event *ev)
{
	if (ev->error == ERROR_none) {
		note_name(p, EVENT_receiving, p->config.id, &o->record.name,
		    o->record.size);
		if (ev->whole)
			fetch_finish(p, o, ACT_DELIVER, o->local);
		else
			fetch_create(p, o);
		return;
	}
	/* Replaced meanwhile, or damaged: the owner knows. */
	file_end(p, &o->local);
	files_doubt(p, &o->record);
	if (ev->error == ERROR_damaged && o->damaged + 1 < DAMAGED_MAX) {
		o->liars[o->damaged++] = p->config.id;
		fetch_resume(p, o);
	}
	op_pause(p, o);
}

static void
fetch_file(struct peer *p, struct op *o, const struct event *ev)
{
	if (o->local != 0 && ev->file == o->local && o->state == OP_OPENING) {
		fetch_opened(p, o, ev);
	} else if (ev->error != ERROR_none && o->state == OP_COPYING) {
		file_end(p, &o->local);
		fetch_discard(p, o);
		fetch_resume(p, o);
		op_pause(p, o);
	} else if (ev->error != ERROR_none) {
		op_fail(p, o, ev->error, ev->text);
	} else if (o->state == OP_RENAMING) {
		fetch_done(p, o, ev);
	} else if (o->state == OP_COPYING) {
		fetch_verify(p, o, &ev->digest);
	} else if (!o->created) {
		o->created = true;
		if (o->state == OP_CREATING)
			fetch_go(p, o);
	}
}

void
fetch_event(struct peer *p, struct op *o, const struct event *ev)
{
	if (ev->type == EV_FILE) {
		fetch_file(p, o, ev);
	} else if (ev->type == EV_RAW_RECEIVED && o->state == OP_RECEIVING &&
		   ev->conn == o->conn) {
		op_progress(p, o);
		o->arrived = o->record.size;
		fetch_verify(p, o, &ev->digest);
	}
}

void
fetch_closed(struct peer *p, struct op *o)
{
	const struct arrivals *a = &p->config.arrivals;
	uint64_t arrived = o->file == 0 ? 0 : a->bytes(a->ctx, o->file);

	if (o->state != OP_RECEIVING && o->state != OP_CREATING)
		return;
	if (o->state == OP_RECEIVING && arrived > o->arrived)
		op_progress(p, o);
	if (o->state == OP_RECEIVING)
		o->arrived = arrived;
	fetch_resume(p, o);
}
