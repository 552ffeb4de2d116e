#include <assert.h>
#include <string.h>

#include "ring/mourn.h"

/* Pings and their answers, the interval's, a command's and for others. */
enum {
	PING_SMALL_US = 50000, /* interval up to PING_SMALL members */
	PING_SMALL = 16,
	PING_MEMBER_US = 4000, /* per member in larger rings */
	PING_MAX_US = 1000000,
	PING_COMMAND_US = 1000000,
	RTT_MAX_US = 1000000,
	INDIRECT_US = 1000000,
	REPAIR_FIRST_US = 50000, /* after a change of view, doubled */
	REPAIR_LAST_US = 800000,
};

static uint32_t
ping_interval_us(const struct peer *p)
{
	uint64_t us = (uint64_t)p->member_count * PING_MEMBER_US;

	if (p->config.ping_ms > 0)
		return p->config.ping_ms * 1000;
	if (p->member_count <= PING_SMALL)
		return PING_SMALL_US;
	return us < PING_MAX_US ? (uint32_t)us : PING_MAX_US;
}

static void
rtt_sample(struct watch *w, uint64_t us)
{
	uint32_t r = us > RTT_MAX_US ? RTT_MAX_US : us == 0 ? 1 : (uint32_t)us;

	if (w->srtt_us == 0) {
		w->srtt_us = r;
		w->rttvar_us = r / 2;
	} else {
		uint32_t off = r > w->srtt_us ? r - w->srtt_us : w->srtt_us - r;

		w->rttvar_us = (3 * w->rttvar_us + off) / 4;
		w->srtt_us = (7 * w->srtt_us + r) / 8;
	}
	if (w->srtt_us == 0)
		w->srtt_us = 1;
}

uint32_t
ping_send(struct peer *p, unsigned id, struct addr addr, bool marked)
{
	struct message m;

	m.type = MSG_ping;
	m.ping.seq = ++p->next_seq;
	m.ping.hash = p->view_hash;
	m.ping.target = (uint16_t)id;
	m.ping.marked = marked;
	act_datagram(p, addr, &m);
	return m.ping.seq;
}

/* Both successors at once: that is what a peer prints. */
static void
ping_successors(struct peer *p)
{
	unsigned n = p->successor_count < 2 ? p->successor_count : 2;

	p->ping_us = p->now_us + ping_interval_us(p);
	if (n == 0 || p->phase < PHASE_SYNCING || p->phase > PHASE_LEAVING)
		return;
	for (unsigned i = 0; i < n; i++) {
		unsigned id = p->successors[i];

		/* One that waits for its answer has its own repetitions. */
		if (p->watch[id].probe.active)
			ping_send(p, id, p->view[id].addr, true);
		else
			detect_probe(p, id, true);
	}
	if (p->config.note_pings) {
		struct msg_event e = {.kind = EVENT_ping_sent,
		    .about = p->successors[0],
		    .other = p->successors[n - 1]};

		act_note(p, &e);
	}
}

void
ping_soon(struct peer *p)
{
	uint64_t at = p->now_us + random_below(&p->random, ping_interval_us(p));

	if (at < p->ping_us)
		p->ping_us = at;
}

static void
ping_message(struct peer *p, const struct event *ev)
{
	const struct msg_ping *ping = &ev->message->ping;
	struct message m;

	m.type = MSG_pong;
	m.pong.seq = ping->seq;
	m.pong.hash = p->view_hash;
	m.pong.marked = ping->marked;
	m.pong.settled = files_settled(p);
	act_datagram(p, ev->addr, &m);
	if (ping->marked && p->config.note_pings)
		note(p, EVENT_ping_received, ev->from, "");
	if (ping->hash != p->view_hash)
		gossip_summary(p, ev->from, ev->addr, true);
}

static void
ping_reply(struct peer *p, struct ping_command *c, enum wire_error error)
{
	struct msg_reply r = {.op = c->op,
	    .command = COMMAND_PING,
	    .error = (uint8_t)error,
	    .last = 1,
	    .holder = c->id,
	    .us = p->now_us - c->sent_us};

	act_reply(p, &r);
	c->op = 0;
}

static void
pong_message(struct peer *p, const struct event *ev)
{
	const struct msg_pong *pong = &ev->message->pong;
	struct watch *w = &p->watch[ev->from];

	/* Each try has its own number: a late answer is a sample, too. */
	for (unsigned i = 0; i < PROBE_TRIES; i++)
		if (pong->seq != 0 && pong->seq == w->probe.seqs[i]) {
			rtt_sample(w, p->now_us - w->probe.sent_us[i]);
			w->probe.seqs[i] = 0;
		}
	if (w->probe.active && pong->seq - w->probe.first_seq <=
				   w->probe.last_seq - w->probe.first_seq)
		w->probe.active = false;
	if (pong->seq - w->pong_seq < UINT32_MAX / 2)
		w->pong_seq = pong->seq;
	if (pong->marked && p->config.note_pings)
		note(p, EVENT_pong_received, ev->from, "");
	for (unsigned i = 0; i < PINGS_MAX; i++) {
		struct ping_command *c = &p->pings[i];

		if (c->op != 0 && c->id == ev->from && c->seq == pong->seq)
			ping_reply(p, c, ERROR_none);
	}
	if (pong->hash != p->view_hash)
		gossip_summary(p, ev->from, ev->addr, true);
	else if (pong->settled &&
		 ev->incarnation == p->view[ev->from].incarnation)
		absent_settled(p, ev->from);
}

/* A ping on another's behalf. */
static void
ping_req_message(struct peer *p, const struct event *ev)
{
	const struct msg_ping_req *req = &ev->message->ping_req;
	struct indirect *free = NULL;

	if (req->target >= p->space || req->target == p->config.id)
		return;
	for (unsigned i = 0; i < INDIRECTS_MAX; i++)
		if (p->indirects[i].expires_us <= p->now_us)
			free = &p->indirects[i];
	if (free == NULL)
		return;
	free->asker = ev->from;
	free->addr = ev->addr;
	free->target = req->target;
	free->asker_seq = req->seq;
	free->seq = ping_send(p, req->target, req->addr, false);
	free->expires_us = p->now_us + INDIRECT_US;
}

static void
indirect_pong(struct peer *p, const struct event *ev)
{
	for (unsigned i = 0; i < INDIRECTS_MAX; i++) {
		struct indirect *n = &p->indirects[i];
		struct message m;

		if (n->expires_us <= p->now_us || n->target != ev->from ||
		    n->seq != ev->message->pong.seq)
			continue;
		m.type = MSG_ping_ack;
		m.ping_ack.seq = n->asker_seq;
		m.ping_ack.target = n->target;
		m.ping_ack.incarnation = ev->incarnation;
		act_datagram(p, n->addr, &m);
		n->expires_us = 0;
	}
}

static void
ping_ack_message(struct peer *p, const struct event *ev)
{
	const struct msg_ping_ack *ack = &ev->message->ping_ack;
	struct probe *b;

	if (ack->target >= p->space ||
	    ack->incarnation != p->view[ack->target].incarnation)
		return;
	b = &p->watch[ack->target].probe;
	if (b->active && ack->seq - b->first_seq <= b->last_seq - b->first_seq)
		b->active = false;
	detect_alive(p, ack->target);
}

void
ping_event(struct peer *p, const struct event *ev)
{
	switch (ev->message->type) {
	case MSG_ping:
		ping_message(p, ev);
		break;
	case MSG_pong:
		pong_message(p, ev);
		indirect_pong(p, ev);
		break;
	case MSG_ping_req:
		ping_req_message(p, ev);
		break;
	case MSG_ping_ack:
		ping_ack_message(p, ev);
		break;
	default:
		assert(0);
	}
}

void
ping_command(struct peer *p, const struct msg_command *cmd)
{
	struct msg_reply r = {.op = cmd->op,
	    .command = COMMAND_PING,
	    .holder = cmd->id,
	    .last = 1};
	struct ping_command *c = p->pings;

	while (c < p->pings + PINGS_MAX && c->op != 0)
		c++;
	if (cmd->id >= p->space || p->view[cmd->id].state == MEMBER_NONE)
		r.error = ERROR_no_peer;
	else if (c == p->pings + PINGS_MAX)
		r.error = ERROR_busy;
	/* It answers itself at once. */
	if (r.error != ERROR_none || cmd->id == p->config.id) {
		act_reply(p, &r);
		return;
	}
	c->op = cmd->op;
	c->id = cmd->id;
	c->sent_us = p->now_us;
	c->expires_us = p->now_us + PING_COMMAND_US;
	c->seq = ping_send(p, cmd->id, p->view[cmd->id].addr, false);
}

void
ping_cancel(struct peer *p, uint64_t op)
{
	for (unsigned i = 0; i < PINGS_MAX; i++)
		if (p->pings[i].op == op)
			p->pings[i].op = 0;
}

/*
 * Hashes of views travel in pings. Where these are rare, what a change of
 * view left different is found by some more of them, to both neighbours.
 */
static void
ping_repair(struct peer *p)
{
	if (p->repair_us <= p->now_us && p->repair_us != 0) {
		unsigned first = p->successors[0], last = p->predecessor;

		p->repair_us = 0;
		if (p->repair_wait_us < REPAIR_LAST_US) {
			p->repair_wait_us *= 2;
			p->repair_us = p->now_us + p->repair_wait_us;
		}
		if (first != p->config.id)
			ping_send(p, first, p->view[first].addr, false);
		if (last != p->config.id && last != first)
			ping_send(p, last, p->view[last].addr, false);
	}
}

/* The view changed: neighbours shall agree soon, whatever the interval. */
void
ping_changed(struct peer *p)
{
	if (p->repair_serial == p->view_serial || p->incarnation == 0 ||
	    p->gather_us != 0)
		return;
	ping_repair_after(p, p->now_us);
}

void
ping_repair_after(struct peer *p, uint64_t after_us)
{
	p->repair_serial = p->view_serial;
	if (ping_interval_us(p) <= 2 * REPAIR_FIRST_US)
		return;
	p->repair_wait_us = REPAIR_FIRST_US;
	if (p->repair_us == 0)
		p->repair_us = after_us + REPAIR_FIRST_US;
}

void
ping_tick(struct peer *p)
{
	ping_repair(p);
	for (unsigned i = 0; i < PINGS_MAX; i++) {
		struct ping_command *c = &p->pings[i];

		if (c->op != 0 && c->expires_us <= p->now_us)
			ping_reply(p, c, ERROR_unreachable);
	}
	if (p->ping_us <= p->now_us)
		ping_successors(p);
}

uint64_t
ping_deadline(const struct peer *p)
{
	uint64_t at = p->ping_us;

	if (p->repair_us != 0 && p->repair_us < at)
		at = p->repair_us;
	for (unsigned i = 0; i < PINGS_MAX; i++)
		if (p->pings[i].op != 0 && p->pings[i].expires_us < at)
			at = p->pings[i].expires_us;
	return at;
}
