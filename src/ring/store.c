#include <assert.h>
#include <string.h>

#include "ring/files_core.h"

/* The peer that took a store or remove from a client. */

/* Assigned once; a new one only while no owner can have accepted it. */
static void
store_version(struct peer *p, struct op *o)
{
	struct files *f = &p->files;

	assert(!o->again || MUTANT(NEW_VERSION));
	f->high_clock =
	    p->wall_us > f->high_clock ? p->wall_us : f->high_clock + 1;
	o->record.version.clock = f->high_clock;
	o->record.version.ingress = p->config.id;
	o->record.version.op = o->id;
	o->versioned = true;
}

void
store_start(struct peer *p, struct op *o)
{
	if (o->command == COMMAND_REMOVE) {
		o->record.deleted = 1;
		o->record.suffix.len = 0;
		o->record.suffix.text[0] = '\0';
		store_version(p, o);
		op_locate(p, o);
		return;
	}
	o->file = file_new(p, TIE_OP, op_index(p, o));
	if (o->file == 0) {
		op_fail(p, o, ERROR_busy, "");
		return;
	}
	o->state = OP_OPENING;
	act_file(p, ACT_OPEN_SOURCE, o->file)->path = o->path;
}

static void
store_wait(struct peer *p, struct op *o)
{
	o->state = OP_WAITING;
	o->rto_us = RTO_US;
	o->timer_us = p->now_us + o->rto_us;
	files_wake(p, o->timer_us);
}

/* A tombstone, or a small file: all of it at once. */
static void
store_give(struct peer *p, struct op *o)
{
	struct message m;

	m.type = MSG_give;
	m.give.op = o->number = ++p->next_op;
	m.give.record = o->record;
	m.give.replica = 0;
	m.give.set = o->again;
	if (!link_give(p, o->owner, &m, o->file)) {
		op_pause(p, o);
		return;
	}
	o->linked = true;
	o->first = !o->again;
	o->again = true;
	store_wait(p, o);
}

void
store_ask(struct peer *p, struct op *o)
{
	struct message m;

	o->first = false;
	if (MUTANT(NEW_VERSION) && o->again)
		store_version(p, o);
	if (o->owner == p->config.id) {
		o->state = OP_LOCAL;
		write_local(p, o);
		return;
	}
	if (o->small || o->record.deleted) {
		store_give(p, o);
		return;
	}
	o->conn = stream_start(p, o->owner, TIE_OP, op_index(p, o), 0);
	if (o->conn == 0) {
		op_pause(p, o);
		return;
	}
	m.type = MSG_put;
	m.put.op = o->id;
	m.put.record = o->record;
	m.put.replica = 0;
	m.put.set = o->again;
	stream_send(p, o->conn, &m);
	o->state = OP_ASKING;
	o->rto_us = RTO_US;
	o->timer_us = p->now_us + o->rto_us;
	files_wake(p, o->timer_us);
}

static void
store_done(struct peer *p, struct op *o, const struct msg_stored *m)
{
	struct msg_reply r = {.holder = o->owner,
	    .holders = m->holders,
	    .wanted = m->wanted,
	    .size = o->record.size,
	    .digest = o->record.digest};

	op_reply(p, o, &r);
}

/* The owner holds a newer one: our clock is behind. */
static void
store_older(struct peer *p, struct op *o, const struct record *newer)
{
	files_saw(p, &newer->version);
	if (o->again && !o->first) {
		op_pause(p, o);
		return;
	}
	o->again = false;
	store_version(p, o);
	op_retry_now(p, o);
}

void
store_message(struct peer *p, struct op *o, const struct message *m)
{
	if (m->type == MSG_go && o->state == OP_ASKING &&
	    m->go.offset <= o->record.size && !o->record.deleted) {
		op_progress(p, o);
		o->state = OP_SENDING;
		raw_send(p, o->conn, o->file, m->go.offset,
		    o->record.size - m->go.offset);
	} else if (m->type == MSG_held) {
		/* Accepted; the owner still waits for replicas. */
		op_progress(p, o);
		if (o->state == OP_ASKING)
			o->state = OP_WAITING;
	} else if (m->type == MSG_answer && m->answer.known) {
		store_older(p, o, &m->answer.record);
	} else if (m->type == MSG_stored) {
		store_done(p, o, &m->stored);
	}
}

static void
store_send_end(struct peer *p, struct op *o)
{
	struct message m;

	m.type = MSG_end;
	m.end.op = o->id;
	m.end.digest = o->record.digest;
	stream_send(p, o->conn, &m);
	o->again = true;
	o->first = false;
	op_progress(p, o);
	store_wait(p, o);
}

static void
store_file(struct peer *p, struct op *o, const struct event *ev)
{
	if (ev->error != ERROR_none && o->state != OP_LOCAL) {
		op_fail(p, o, ev->error, ev->text);
	} else if (o->state == OP_OPENING) {
		o->record.size = ev->size;
		o->record.digest = ev->digest;
		o->small = ev->whole;
		store_version(p, o);
		op_locate(p, o);
	} else if (o->state == OP_CHECKING) {
		store_send_end(p, o);
	} else if (o->state == OP_LOCAL) {
		for (unsigned i = 0; i < p->files.write_top; i++) {
			struct write *w = &p->files.writes[i];

			if (w->state == WRITE_CHECKING && w->feed == FEED_OP &&
			    w->feeder == op_index(p, o))
				write_checked(p, w, ev->error);
		}
	}
}

void
store_event(struct peer *p, struct op *o, const struct event *ev)
{
	if (ev->type == EV_FILE) {
		store_file(p, o, ev);
	} else if (ev->type == EV_RAW_SENT && o->state == OP_SENDING &&
		   ev->conn == o->conn) {
		o->record.digest = ev->digest;
		op_progress(p, o);
		o->state = OP_CHECKING;
		act_file(p, ACT_CHECK_SOURCE, o->file);
	}
}
