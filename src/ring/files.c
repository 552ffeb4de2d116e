#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "ring/files_repair.h"

/* Where events on files come in, and which table each of them is for. */
enum {
	IDLE_US = 10000000, /* a stream that never says what it wants */
	LATE_US = 250000, /* this peer may have been thought dead */
	DOUBT_US = 2000000,
	MARGIN_US = 50000, /* replies before this process exits */
	ALONE_US = 300000, /* contacts have answered by then, if any do */
};

void
files_init(struct peer *p)
{
	struct files *f = &p->files;

	f->round_us = p->now_us;
	/* By a rare chance alone is an answer to an earlier life taken. */
	f->serial = (uint32_t)hash_pair(p->config.seed, p->config.id);
	f->offer.pause_us = PAUSE_MIN_US;
	/* Dead, or perhaps alive when this peer was: missed till they come. */
	for (unsigned id = 0; id < p->space; id++)
		if (p->view[id].state == MEMBER_DEAD ||
		    (p->config.incarnation > 0 && p->watch[id].contact))
			idset_add(&f->inherited, id);
	f->dead = f->inherited;
	absent_init(p);
}

void
files_start(struct peer *p)
{
	mourn_begin(p);
}

void
files_late(struct peer *p, uint64_t late_us)
{
	if (late_us > LATE_US)
		p->files.doubt_us = p->now_us + DOUBT_US;
}

static void
event_at(struct peer *p, const struct tie *t, const struct event *ev)
{
	struct files *f = &p->files;
	unsigned at = t->at, leg = t->leg;

	switch ((enum tie_kind)t->kind) {
	case TIE_FREE:
	case TIE_IDLE:
		break;
	case TIE_OP:
		op_event(p, &f->ops[at], ev);
		break;
	case TIE_WRITE:
		write_event(p, &f->writes[at], ev);
		break;
	case TIE_LEG:
		leg_event(p, &f->writes[at], leg, ev);
		break;
	case TIE_SERVE:
		serve_event(p, &f->serves[at], ev);
		break;
	case TIE_PULL:
		pull_event(p, &f->pulls[at], ev);
		break;
	}
}

void
files_event(struct peer *p, const struct event *ev)
{
	struct files *f = &p->files;
	const struct tie *t;

	t = ev->type == EV_FILE ? tie_find(&f->handles, ev->file)
				: tie_find(&f->streams, ev->conn);
	if (t != NULL)
		event_at(p, t, ev);
}

static void
stream_message(struct peer *p, struct conn *c, const struct message *m)
{
	struct files *f = &p->files;
	const struct tie *t = tie_find(&f->streams, c->handle);

	if (t == NULL)
		return;
	switch ((enum tie_kind)t->kind) {
	case TIE_FREE:
		break;
	case TIE_IDLE:
		if (m->type == MSG_put)
			write_put(p, c, &m->put);
		else if (m->type == MSG_get)
			serve_get(p, c, &m->get, false);
		break;
	case TIE_OP:
		op_message(p, &f->ops[t->at], m);
		break;
	case TIE_WRITE:
		write_message(p, &f->writes[t->at], m);
		break;
	case TIE_LEG:
		leg_message(p, &f->writes[t->at], t->leg, m);
		break;
	case TIE_SERVE:
		serve_message(p, &f->serves[t->at], m);
		break;
	case TIE_PULL:
		pull_message(p, &f->pulls[t->at], m);
		break;
	}
}

void
files_message(struct peer *p, struct conn *c, const struct message *m)
{
	if (c->purpose == CONN_FOR_STREAM)
		stream_message(p, c, m);
	else if (c->purpose == CONN_FOR_LINK)
		files_link_message(p, c, m);
}

void
files_opened(struct peer *p, struct conn *c)
{
	struct tie *t;

	if (c->purpose != CONN_FOR_STREAM || !c->inbound)
		return;
	t = tie_add(&p->files.streams, c->handle, TIE_IDLE, 0, 0);
	if (t == NULL) {
		conn_close(p, c);
		return;
	}
	t->expires_us = p->now_us + IDLE_US;
	files_wake(p, t->expires_us);
}

void
files_closed(struct peer *p, struct conn *c, unsigned reason)
{
	struct files *f = &p->files;
	struct tie *found = tie_find(&f->streams, c->handle), t;

	if (found == NULL)
		return;
	t = *found;
	tie_del(&f->streams, c->handle);
	if (reason == CLOSE_REFUSED && t.kind != TIE_IDLE)
		detect_doubt(p, c->id);
	switch ((enum tie_kind)t.kind) {
	case TIE_FREE:
	case TIE_IDLE:
		break;
	case TIE_OP:
		op_closed(p, &f->ops[t.at]);
		break;
	case TIE_WRITE:
		write_closed(p, &f->writes[t.at]);
		break;
	case TIE_LEG:
		leg_closed(p, &f->writes[t.at], t.leg);
		break;
	case TIE_SERVE:
		serve_closed(p, &f->serves[t.at]);
		break;
	case TIE_PULL:
		pull_closed(p, &f->pulls[t.at]);
		break;
	}
}

static enum wire_error
command_allowed(const struct peer *p, const struct msg_command *m)
{
	if (p->files.freeze_us != 0 || p->phase > PHASE_SERVING)
		return ERROR_leaving;
	if (p->phase < PHASE_SYNCING && m->command != COMMAND_FILES)
		return ERROR_not_serving;
	return ERROR_none;
}

static void
command_refuse(
    struct peer *p, const struct msg_command *m, enum wire_error error)
{
	struct msg_reply r = {.op = m->op,
	    .command = m->command,
	    .error = (uint8_t)error,
	    .last = 1,
	    .name = m->name,
	    .holder = NOBODY};

	act_reply(p, &r);
}

void
files_command(struct peer *p, const struct msg_command *m)
{
	enum wire_error error = command_allowed(p, m);
	bool named = m->command != COMMAND_FILES;
	int key = named ? files_key(p, &m->name) : 0;
	struct op *o;

	if (error == ERROR_none && key < 0)
		error = ERROR_bad_name;
	if (error != ERROR_none) {
		command_refuse(p, m, error);
		return;
	}
	o = op_new(p, m);
	if (o == NULL) {
		command_refuse(p, m, ERROR_busy);
		return;
	}
	o->key = (uint16_t)key;
	if (m->command == COMMAND_STORE || m->command == COMMAND_REMOVE) {
		store_start(p, o);
	} else if (m->command == COMMAND_REQUEST ||
		   m->command == COMMAND_OWNER) {
		/* A request, too: the owner knows the newest version. */
		op_locate(p, o);
	} else {
		assert(m->command == COMMAND_FILES);
		list_step(p, o);
	}
}

void
files_cancel(struct peer *p, uint64_t op)
{
	for (unsigned i = 0; i < p->files.op_top; i++)
		if (p->files.ops[i].state != OP_FREE &&
		    p->files.ops[i].id == op)
			op_fail(p, &p->files.ops[i], ERROR_cancelled, "");
}

void
files_view_changed(struct peer *p)
{
	files_wake(p, p->now_us);
	if (p->files.member_us == 0 && p->phase >= PHASE_SYNCING) {
		p->files.member_us = p->now_us;
		files_wake(p, p->now_us + ALONE_US);
	}
	range_view_changed(p);
	offer_view_changed(p);
	pull_view_changed(p);
	serve_view_changed(p);
	write_view_changed(p);
	query_view_changed(p);
	op_view_changed(p);
}

uint64_t
files_deadline(const struct peer *p)
{
	return p->files.due_us;
}

/* Ends what streams that said nothing, and those whose owner is gone. */
static uint64_t
idle_tick(struct peer *p)
{
	struct ties *t = &p->files.streams;
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < t->top; i++) {
		uint32_t handle = t->at[i].handle;

		if (t->at[i].kind != TIE_IDLE)
			continue;
		if (t->at[i].expires_us <= p->now_us)
			stream_end(p, &handle);
		else if (t->at[i].expires_us < next)
			next = t->at[i].expires_us;
	}
	return next;
}

/* When the last commands must have their replies. */
static uint64_t
files_last(const struct peer *p)
{
	uint64_t us = UINT64_MAX;

	if (p->files.freeze_us != 0)
		us = p->files.freeze_us;
	if (p->phase == PHASE_LEAVING && p->leave_us < us)
		us = p->leave_us;
	return us == UINT64_MAX ? us : us > MARGIN_US ? us - MARGIN_US : 0;
}

/* A burst is over: its slots need not be looked at any more. */
static void
lower_tops(struct files *f)
{
	while (f->op_top > 0 && f->ops[f->op_top - 1].state == OP_FREE)
		f->op_top--;
	while (
	    f->write_top > 0 && f->writes[f->write_top - 1].state == WRITE_FREE)
		f->write_top--;
	while (
	    f->serve_top > 0 && f->serves[f->serve_top - 1].state == SERVE_FREE)
		f->serve_top--;
	while (
	    f->query_top > 0 && f->queries[f->query_top - 1].kind == TIE_FREE)
		f->query_top--;
	while (f->pull_top > 0 && f->pulls[f->pull_top - 1].state == PULL_FREE)
		f->pull_top--;
	while (f->session_top > 0 &&
	       f->sessions[f->session_top - 1].role == SESSION_FREE)
		f->session_top--;
}

void
files_tick(struct peer *p)
{
	static uint64_t (*const ticks[])(struct peer *) = {op_tick, serve_tick,
	    write_tick, query_tick, pull_tick, session_tick, range_tick,
	    offer_tick, mend_tick, apart_tick, absent_tick, idle_tick};
	struct files *f = &p->files;
	uint64_t next = UINT64_MAX, last_us = files_last(p);

	if (f->due_us > p->now_us)
		return;
	if (last_us <= p->now_us)
		op_freeze(p);
	f->due_us = last_us > p->now_us ? last_us : UINT64_MAX;
	if (p->phase == PHASE_SYNCING &&
	    p->now_us < p->contacts_asked_us + ALONE_US)
		files_wake(p, p->contacts_asked_us + ALONE_US);
	for (unsigned i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		uint64_t us = ticks[i](p);

		if (us < next)
			next = us;
	}
	/* What was woken meanwhile counts too. */
	if (next < f->due_us)
		f->due_us = next;
	lower_tops(f);
}

/* Not alone for sure: a contact may still turn out to be one who serves. */
static bool
may_be_found(const struct peer *p)
{
	bool alone = p->incarnation > 1 && p->member_count == 1;

	if (range_served(p))
		return false;
	if (alone && !p->scanned)
		return true;
	if (p->contacts_asked_us != 0 &&
	    p->now_us - p->contacts_asked_us >= ALONE_US)
		return false;
	for (unsigned id = 0; id < p->space && !alone; id++)
		alone = p->watch[id].contact;
	return alone;
}

bool
files_synced(const struct peer *p)
{
	const struct files *f = &p->files;

	return f->member_us != 0 && f->settle_us == 0 && !p->sets_changed &&
	       !may_be_found(p) && range_synced(p);
}

bool
files_idle(const struct peer *p)
{
	const struct files *f = &p->files;

	for (unsigned i = 0; i < p->files.op_top; i++)
		if (f->ops[i].state != OP_FREE)
			return false;
	for (unsigned i = 0; i < p->files.write_top; i++)
		if (f->writes[i].state != WRITE_FREE)
			return false;
	for (unsigned i = 0; i < p->files.serve_top; i++)
		if (f->serves[i].state != SERVE_FREE)
			return false;
	for (unsigned i = 0; i < p->files.pull_top; i++)
		if (f->pulls[i].state != PULL_FREE)
			return false;
	return true;
}

void
files_freeze(struct peer *p, uint64_t deadline_us)
{
	p->files.freeze_us = deadline_us == 0 ? 1 : deadline_us;
	files_wake(p, p->now_us);
}

void
files_stop(struct peer *p)
{
	op_freeze(p);
}

uint64_t
files_missing(const struct peer *p)
{
	const struct files *f = &p->files;

	return f->set == 0 || f->complete_set == f->set ? 0 : f->lacking;
}
