#include <assert.h>
#include <string.h>

#include "ring/core.h"

/* The step: one event in, actions out. */
enum {
	LATE_US = 5000, /* this peer's own lateness that forgives others' */
};

size_t
peer_size(void)
{
	return sizeof(struct peer);
}

void
peer_init(struct peer *p, const struct peer_config *config, uint64_t now_us)
{
	assert(config->bits >= 1 && config->bits <= BITS_MAX);
	assert(config->id < 1u << config->bits);
	assert(config->copies >= 1 && config->copies <= COPIES_MAX);
	p->config = *config;
	p->space = 1u << config->bits;
	p->now_us = now_us;
	p->deadline_us = now_us;
	p->why = "";
	p->predecessor = config->id;
	p->next_op = (uint64_t)config->incarnation << 32;
	p->successors[0] = p->successors[1] = config->id;
	p->ping_us = p->sweep_us = p->contact_us = UINT64_MAX;
	random_seed(&p->random, config->seed);
	for (unsigned id = 0; id < p->space; id++)
		p->view[id].id = (uint16_t)id;
	for (size_t i = 0; i < config->remembered_count; i++) {
		const struct member *m = &config->remembered[i];

		if (m->id >= p->space || m->incarnation > INCARNATION_MAX)
			continue;
		p->watch[m->id].floor = m->incarnation;
		if (m->id == config->id)
			continue;
		/* A hint: who was alive then must prove itself again. */
		p->watch[m->id].contact = m->state < MEMBER_LEFT;
		if (m->state == MEMBER_SUSPECT)
			idset_add(&p->files.sole, m->id);
		if (m->state >= MEMBER_LEFT)
			view_merge(p, m);
		else
			p->view[m->id].addr = m->addr;
	}
	for (size_t i = 0; i < config->contact_count; i++) {
		const struct member *m = &config->contacts[i];

		if (m->id >= p->space || m->id == config->id)
			continue;
		p->watch[m->id].contact = true;
		if (p->view[m->id].state == MEMBER_NONE)
			p->view[m->id].addr = m->addr;
	}
	p->sets_changed = false;
	files_init(p);
}

/* Authentic word from (id, incarnation): that is all a member must prove. */
static void
heard_from(struct peer *p, unsigned id, uint32_t incarnation, struct addr addr)
{
	const struct member *m = &p->view[id];
	struct member new = {.id = (uint16_t)id,
	    .incarnation = incarnation,
	    .state = MEMBER_ALIVE,
	    .flags = MEMBER_SYNCING,
	    .addr = addr};

	if (incarnation > m->incarnation) {
		if (view_merge(p, &new))
			gossip_relay(p, id);
	} else if (incarnation == m->incarnation) {
		detect_alive(p, id);
	}
}

static void
datagram(struct peer *p, const struct event *ev)
{
	const struct member *m;

	if (ev->from >= p->space || ev->from == p->config.id ||
	    (ev->message->type == MSG_ping &&
		ev->message->ping.target != p->config.id))
		return;
	/* What it says of itself tells more than that it speaks. */
	if (ev->message->type == MSG_gossip)
		gossip_message(p, ev);
	if (ev->incarnation > 0)
		heard_from(p, ev->from, ev->incarnation, ev->addr);
	m = &p->view[ev->from];
	/* It may not know what it is called here. */
	if (ev->incarnation > 0 && ev->message->type == MSG_ping &&
	    (m->incarnation > ev->incarnation || m->state >= MEMBER_SUSPECT))
		gossip_tell(p, ev->addr, ev->from);
	switch (ev->message->type) {
	case MSG_ping:
	case MSG_pong:
	case MSG_ping_req:
	case MSG_ping_ack:
		if (p->incarnation > 0)
			ping_event(p, ev);
		break;
	case MSG_summary:
		gossip_message(p, ev);
		break;
	case MSG_recall:
		recall_message(p, ev);
		break;
	default:
		break;
	}
}

static void
unreachable(struct peer *p, struct addr addr)
{
	unsigned id = 0;

	while (id < p->space &&
	       (p->view[id].addr.port != addr.port ||
		   p->view[id].addr.ip != addr.ip || id == p->config.id))
		id++;
	if (id == p->space)
		return;
	/* In a ring that has been up, a contact that is down has no say. */
	if (p->phase == PHASE_RECALLING && p->recall_told)
		p->watch[id].recall = false;
	/* One connect tells whether it is gone; of others, neighbours tell. */
	if ((link_stands(p, id) || p->view[id].state == MEMBER_LEAVING) &&
	    link_find(p, id) == NULL && p->watch[id].link_us <= p->now_us)
		link_to(p, id);
}

static void
conn_opened(struct peer *p, const struct event *ev)
{
	struct conn *c = conn_find(p, ev->conn);

	if (ev->from >= p->space || ev->from == p->config.id) {
		act(p, ACT_CLOSE)->conn = ev->conn;
		return;
	}
	if (c != NULL)
		c->incarnation = ev->incarnation;
	if (ev->incarnation > 0)
		heard_from(p, ev->from, ev->incarnation, ev->addr);
	/* What was heard may have closed it. */
	c = conn_find(p, ev->conn);
	if (c == NULL && (ev->conn & CONN_INBOUND) == 0)
		return;
	/*
	 * Of an incarnation that is over, nothing is accepted; nor does one
	 * that had none yet say which it has now.
	 */
	if (ev->incarnation < p->view[ev->from].incarnation &&
	    (ev->incarnation > 0 ||
		(c != NULL && c->purpose != CONN_FOR_JOIN))) {
		if (c != NULL)
			conn_end(p, c);
		else
			act(p, ACT_CLOSE)->conn = ev->conn;
		gossip_tell(p, ev->addr, ev->from);
		return;
	}
	if (c == NULL)
		c = conn_accept(p, ev);
	if (c == NULL)
		return;
	c->open = true;
	switch ((enum conn_purpose)c->purpose) {
	case CONN_FREE:
		assert(0);
		break;
	case CONN_FOR_LINK:
		link_opened(p, c);
		break;
	case CONN_FOR_JOIN:
		admit_conn(p, c, true, 0);
		break;
	case CONN_FOR_STREAM:
		files_opened(p, c);
		break;
	}
}

static void
conn_closed(struct peer *p, const struct event *ev)
{
	struct conn *c = conn_find(p, ev->conn), copy;

	if (c == NULL)
		return;
	copy = *c;
	switch ((enum conn_purpose)c->purpose) {
	case CONN_FREE:
		assert(0);
		break;
	case CONN_FOR_LINK:
		link_closed(p, c, ev->reason);
		files_link_lost(p, copy.id);
		break;
	case CONN_FOR_JOIN:
		conn_forget(p, c);
		start_conn(p, &copy, false, ev->reason);
		admit_conn(p, &copy, false, ev->reason);
		break;
	case CONN_FOR_STREAM:
		files_closed(p, c, ev->reason);
		conn_forget(p, c);
		if (!copy.open && ev->reason == CLOSE_REFUSED &&
		    p->view[copy.id].incarnation == copy.incarnation)
			detect_dead(p, copy.id, "connection refused");
		break;
	}
}

static void
conn_message(struct peer *p, const struct event *ev)
{
	struct conn *c = conn_find(p, ev->conn);
	const struct message *m = ev->message;
	struct event from;

	if (c == NULL)
		return;
	c->used_us = p->now_us;
	p->files.brought = ev->digest;
	if (c->incarnation > 0) {
		detect_alive(p, c->id);
		/* Who is DEAD here gets nothing acknowledged. */
		if (!MUTANT(NO_FENCE) &&
		    (p->view[c->id].state == MEMBER_DEAD ||
			p->view[c->id].incarnation != c->incarnation)) {
			gossip_tell(p, c->addr, c->id);
			conn_end(p, c);
			return;
		}
	}
	switch (m->type) {
	case MSG_gossip:
	case MSG_summary:
		from = *ev;
		from.from = c->id;
		gossip_message(p, &from);
		break;
	case MSG_join:
		admit_join(p, c, &m->join);
		break;
	case MSG_admit:
		start_join_message(p, c, m);
		break;
	case MSG_refuse:
		if (p->phase == PHASE_JOINING)
			start_join_message(p, c, m);
		else
			files_message(p, c, m);
		break;
	case MSG_leaving:
	case MSG_leaving_ok:
		leave_message(p, c, m);
		break;
	default:
		if (m->type >= MSG_lookup && m->type <= MSG_promise &&
		    c->incarnation > 0 && p->incarnation > 0)
			files_message(p, c, m);
		else
			conn_end(p, c);
		break;
	}
}

static void
command(struct peer *p, const struct msg_command *cmd)
{
	struct msg_reply r = {.op = cmd->op,
	    .command = cmd->command,
	    .error = ERROR_not_serving,
	    .last = 1};

	if (p->phase < PHASE_SYNCING || p->phase >= PHASE_REDIRECTING) {
		act_reply(p, &r);
		return;
	}
	switch ((enum command)cmd->command) {
	case COMMAND_RING:
		r.error = ERROR_none;
		r.route.count = (uint16_t)(p->successor_count < 2 ? 1 : 2);
		r.route.at[0] = p->successors[0];
		r.route.at[1] = p->successors[1];
		r.holder = p->predecessor;
		act_reply(p, &r);
		break;
	case COMMAND_PING:
		ping_command(p, cmd);
		break;
	case COMMAND_QUIT:
		leave_begin(p, cmd);
		break;
	case COMMAND_NONE:
	case COMMAND_STORE:
	case COMMAND_REQUEST:
	case COMMAND_REMOVE:
	case COMMAND_FILES:
	case COMMAND_OWNER:
		files_command(p, cmd);
		break;
	}
}

static void
tick(struct peer *p)
{
	start_tick(p);
	ping_tick(p);
	detect_tick(p);
	admit_tick(p);
	gossip_tick(p);
	sweep_tick(p);
	files_tick(p);
}

static void
dispatch(struct peer *p, const struct event *ev)
{
	struct conn *c;

	switch (ev->type) {
	case EV_TICK:
		tick(p);
		break;
	case EV_DATAGRAM:
		datagram(p, ev);
		break;
	case EV_UNREACHABLE:
		unreachable(p, ev->addr);
		break;
	case EV_CONN_OPEN:
		conn_opened(p, ev);
		break;
	case EV_CONN_CLOSED:
		conn_closed(p, ev);
		break;
	case EV_CONN_STALLED:
		c = conn_find(p, ev->conn);
		if (c != NULL)
			detect_doubt(p, c->id);
		files_event(p, ev);
		break;
	case EV_MESSAGE:
		conn_message(p, ev);
		break;
	case EV_RAW_SENT:
	case EV_RAW_RECEIVED:
	case EV_FILE:
		files_event(p, ev);
		break;
	case EV_DAMAGED:
		files_damaged(p, &ev->record);
		break;
	case EV_PERSISTED:
		start_persisted(p, ev);
		break;
	case EV_COMMAND:
		command(p, &ev->message->command);
		break;
	case EV_CANCEL:
		ping_cancel(p, ev->op);
		files_cancel(p, ev->op);
		break;
	case EV_FREEZE:
		leave_freeze(p, ev->deadline_ms);
		break;
	}
}

static uint64_t
earliest(const struct peer *p)
{
	uint64_t at[] = {start_deadline(p), ping_deadline(p),
	    detect_deadline(p), admit_deadline(p), sweep_deadline(p),
	    link_deadline(p), leave_deadline(p), files_deadline(p),
	    tell_deadline(p), gossip_deadline(p)};
	uint64_t first = UINT64_MAX;

	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		if (at[i] < first)
			first = at[i];
	return first;
}

void
peer_step(struct peer *p, uint64_t now_us, const struct event *ev,
    struct actions *out)
{
	uint64_t due = p->deadline_us;

	assert(now_us >= p->now_us);
	out->count = out->used = out->ids_used = 0;
	/* Late by its own fault: it accuses nobody for that time. */
	if (due < p->now_us)
		due = p->now_us;
	p->now_us = now_us;
	if (p->begun && now_us > due && now_us - due > LATE_US) {
		detect_forgive(p, now_us - due);
		files_late(p, now_us - due);
	}
	p->wall_us = ev->wall_us;
	p->out = out;
	if (p->phase != PHASE_GONE) {
		if (!p->begun) {
			files_start(p);
			start_begin(p);
		}
		p->begun = true;
		dispatch(p, ev);
		view_derive(p);
		if (p->sets_changed && p->gather_us == 0) {
			p->sets_changed = false;
			ping_soon(p);
			sweep_view_changed(p);
			files_view_changed(p);
		}
		ping_changed(p);
		link_tick(p);
		admit_tick(p);
		start_tick(p);
		leave_tick(p);
		tell_step(p);
		gossip_flush(p);
	}
	p->out = NULL;
	p->deadline_us = p->phase == PHASE_GONE ? UINT64_MAX : earliest(p);
}

uint64_t
peer_deadline(const struct peer *p)
{
	return p->deadline_us;
}
