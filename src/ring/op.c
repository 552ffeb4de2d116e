#include <assert.h>
#include <string.h>

#include "ring/files_core.h"
#include "ring/files_repair.h"

/* Commands of clients: what all of them share. */
enum {
	HOPS_MAX = 8,
	RTO_MAX = 1000000,
	FULL_US = 1000000, /* so long a peer that can write is looked for */
};

struct op *
op_new(struct peer *p, const struct msg_command *command)
{
	struct op *o = NULL;

	for (unsigned i = 0; i < OPS_MAX && o == NULL; i++)
		if (p->files.ops[i].state == OP_FREE)
			o = &p->files.ops[i];
	if (o == NULL)
		return NULL;
	top_raise(&p->files.op_top, op_index(p, o));
	memset(o, 0, sizeof(*o));
	o->state = OP_OPENING;
	o->id = command->op;
	o->command = command->command;
	o->record.name = command->name;
	o->record.suffix = command->suffix;
	o->started_us = o->progress_us = p->now_us;
	o->timeout_us = command->timeout_ms > 0
			    ? (uint64_t)command->timeout_ms * 1000
			    : LIMIT_US;
	o->pause_us = PAUSE_MIN_US;
	o->owner = NOBODY;
	memcpy(o->path, command->path.text, command->path.len);
	return o;
}

unsigned
op_index(const struct peer *p, const struct op *o)
{
	assert(o >= p->files.ops && o < p->files.ops + OPS_MAX);
	return (unsigned)(o - p->files.ops);
}

void
op_end(struct peer *p, struct op *o)
{
	unsigned at = op_index(p, o);

	assert(o->state != OP_FREE);
	stream_end(p, &o->conn);
	file_end(p, &o->file);
	file_end(p, &o->local);
	o->state = OP_FREE;
	write_unfeed(p, FEED_OP, at);
	serve_forget_op(p, at);
}

void
op_reply(struct peer *p, struct op *o, struct msg_reply *r)
{
	assert(o->route_count <= ROUTE_MAX);
	r->op = o->id;
	r->command = o->command;
	r->last = 1;
	r->name = o->record.name;
	r->key = o->key;
	r->us = p->now_us - o->started_us;
	r->route.count = o->route_count;
	memcpy(r->route.at, o->route, sizeof(o->route));
	act_reply(p, r);
	op_end(p, o);
}

void
op_fail(struct peer *p, struct op *o, enum wire_error error, const char *text)
{
	struct msg_reply r = {.error = (uint8_t)error, .holder = NOBODY};

	assert(error != ERROR_none);
	text_set(&r.text, text == NULL ? "" : text);
	op_reply(p, o, &r);
}

void
op_progress(struct peer *p, struct op *o)
{
	o->progress_us = p->now_us;
	o->pause_us = PAUSE_MIN_US;
	o->why = ERROR_none;
}

static bool
op_overdue(const struct peer *p, const struct op *o)
{
	return p->now_us - o->progress_us >= o->timeout_us;
}

void
op_pause(struct peer *p, struct op *o)
{
	stream_end(p, &o->conn);
	o->linked = false;
	o->state = OP_PAUSED;
	o->timer_us = p->now_us + o->pause_us;
	o->pause_us *= 2;
	if (o->pause_us > PAUSE_MAX_US)
		o->pause_us = PAUSE_MAX_US;
	o->hops = 0;
	files_wake(p, o->timer_us);
}

void
op_retry_now(struct peer *p, struct op *o)
{
	stream_end(p, &o->conn);
	o->linked = false;
	o->state = OP_PAUSED;
	o->timer_us = p->now_us;
	files_wake(p, o->timer_us);
}

/* Another peer is the owner: it is asked at once, eight times at most. */
static void
op_not_owner(struct peer *p, struct op *o, const struct msg_refuse *r)
{
	uint16_t asked = o->owner;

	if (o->command == COMMAND_REQUEST && r->ids.count > 0 &&
	    fetch_redirect(p, o, &r->ids))
		return;
	view_learn(p, &r->members);
	if (ring_owner(p, o->key) == asked || o->hops >= HOPS_MAX) {
		op_pause(p, o);
		return;
	}
	o->hops++;
	o->located = false;
	op_retry_now(p, o);
}

static void
op_refused_for_good(struct peer *p, struct op *o, const struct msg_refuse *r)
{
	struct msg_reply reply = {.error = r->error, .holder = NOBODY};

	if (r->error == ERROR_no_such_file)
		note_name(p, EVENT_missing, o->owner, &o->record.name, 0);
	reply.holders = r->ids;
	reply.text = r->text;
	op_reply(p, o, &reply);
}

void
op_refused(struct peer *p, struct op *o, const struct msg_refuse *r)
{
	bool exact = o->resuming || o->redirected;

	stream_end(p, &o->conn);
	o->linked = false;
	/* Refused before anybody stored it: it may still be renamed. */
	if (o->first && !r->taken)
		o->again = false;
	o->why = r->error;
	switch (r->error) {
	case ERROR_not_owner:
		op_not_owner(p, o, r);
		break;
	case ERROR_not_serving:
	case ERROR_busy:
	case ERROR_leaving:
	case ERROR_timeout:
		view_learn(p, &r->members);
		op_pause(p, o);
		break;
	case ERROR_damaged:
		/* A store's bytes were, or all that is left of a file is. */
		if (o->command == COMMAND_REQUEST ? !exact : r->ids.count > 0)
			op_refused_for_good(p, o, r);
		else
			op_pause(p, o);
		break;
	case ERROR_disk:
		/* Its view entry will say so, and another peer own the key. */
		if (o->full_us == 0)
			o->full_us = p->now_us;
		if (p->now_us - o->full_us > FULL_US)
			op_refused_for_good(p, o, r);
		else
			op_pause(p, o);
		break;
	default:
		if (o->command == COMMAND_REQUEST && exact) {
			if (!fetch_next(p, o))
				op_pause(p, o);
		} else {
			op_refused_for_good(p, o, r);
		}
	}
}

void
op_message(struct peer *p, struct op *o, const struct message *m)
{
	if (m->type == MSG_refuse)
		op_refused(p, o, &m->refuse);
	else if (o->command != COMMAND_REQUEST)
		store_message(p, o, m);
	else if (m->type == MSG_found)
		fetch_found(p, o, &m->found.record);
	else if (m->type == MSG_bring)
		fetch_brought(p, o, &m->bring.record);
	else if (m->type == MSG_answer && m->answer.known)
		fetch_newest(p, o, &m->answer.record);
}

void
op_closed(struct peer *p, struct op *o)
{
	/* Called while the view changes: only remember, act in the tick. */
	o->conn = 0;
	o->linked = false;
	if (o->state == OP_LOCAL || o->state == OP_RENAMING)
		return;
	if (o->command == COMMAND_REQUEST)
		fetch_closed(p, o);
	o->state = OP_PAUSED;
	o->timer_us = p->now_us + PAUSE_MIN_US / 5;
	files_wake(p, o->timer_us);
}

static void
op_stalled(struct peer *p, struct op *o)
{
	if (files_stall(p, o->owner, &o->stall) >= o->timeout_us)
		op_fail(p, o, ERROR_timeout, "no byte moved");
}

void
op_event(struct peer *p, struct op *o, const struct event *ev)
{
	if (ev->type == EV_CONN_STALLED)
		op_stalled(p, o);
	else if (o->command == COMMAND_REQUEST)
		fetch_event(p, o, ev);
	else
		store_event(p, o, ev);
}

/* Whoever is asked may be gone, or only be asked in vain. */
static void
op_overdue_answer(struct peer *p, struct op *o)
{
	detect_doubt(p, o->owner);
	if (o->linked ? link_find(p, o->owner) == NULL
		      : conn_find(p, o->conn) == NULL) {
		op_closed(p, o);
		return;
	}
	/* Said on a link whose other end was closed, the answer is lost. */
	if (o->linked && o->rto_us == RTO_MAX &&
	    p->now_us - o->progress_us >= RTO_MAX) {
		op_closed(p, o);
		return;
	}
	o->rto_us = o->rto_us * 2 < RTO_MAX ? o->rto_us * 2 : RTO_MAX;
	o->timer_us = p->now_us + o->rto_us;
}

/* Nobody will serve it here: this peer goes, and there is no other. */
static bool
op_in_vain(const struct peer *p, const struct op *o)
{
	return p->files.freeze_us != 0 ||
	       (p->phase >= PHASE_LEAVING &&
		   !member_is(p, ring_owner(p, o->key)));
}

static void
op_timer(struct peer *p, struct op *o)
{
	if (o->state == OP_LISTING) {
		list_step(p, o);
	} else if (op_overdue(p, o)) {
		op_fail(p, o, ERROR_timeout, wire_error_text(o->why));
	} else if ((o->state == OP_PAUSED || o->state == OP_LOCATING) &&
		   op_in_vain(p, o)) {
		op_fail(p, o, ERROR_leaving, "");
	} else if (o->state == OP_ASKING || o->state == OP_WAITING) {
		op_overdue_answer(p, o);
	} else if (o->command == COMMAND_REQUEST &&
		   (o->resuming || o->redirected)) {
		if (!fetch_next(p, o))
			op_pause(p, o);
	} else {
		op_locate(p, o);
	}
}

static bool
op_has_timer(const struct op *o)
{
	return o->state == OP_LOCATING || o->state == OP_PAUSED ||
	       o->state == OP_ASKING || o->state == OP_WAITING ||
	       o->state == OP_LISTING;
}

uint64_t
op_tick(struct peer *p)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < p->files.op_top; i++) {
		struct op *o = &p->files.ops[i];

		if (op_has_timer(o) && o->timer_us <= p->now_us)
			op_timer(p, o);
		if (op_has_timer(o) && o->timer_us < next)
			next = o->timer_us;
	}
	return next;
}

void
op_view_changed(struct peer *p)
{
	for (unsigned i = 0; i < p->files.op_top; i++) {
		struct op *o = &p->files.ops[i];

		if (o->state != OP_FREE && (o->conn != 0 || o->linked) &&
		    !peer_usable(p, o->owner)) {
			stream_end(p, &o->conn);
			op_closed(p, o);
		} else if (o->state == OP_LOCATING) {
			o->timer_us = p->now_us;
			files_wake(p, o->timer_us);
		}
	}
}

void
op_link_lost(struct peer *p, unsigned id)
{
	for (unsigned i = 0; i < p->files.op_top; i++) {
		struct op *o = &p->files.ops[i];

		if (o->state != OP_FREE && o->linked && o->owner == id)
			op_closed(p, o);
	}
}

void
op_freeze(struct peer *p)
{
	for (unsigned i = 0; i < p->files.op_top; i++)
		if (p->files.ops[i].state != OP_FREE)
			op_fail(p, &p->files.ops[i], ERROR_leaving, "");
}
