#include <assert.h>
#include <string.h>

#include "ring/core.h"

/*
 * How a peer becomes a member: by its stored incarnation, by what its
 * contacts remember, or admitted by the owner of its identifier.
 */
enum {
	RECALL_FIRST_US = 5000, /* between two asks without an answer */
	RECALL_EARLY_US = 200000, /* after this the wait doubles */
	RECALL_MAX_US = 50000,
	RECALL_END_US = 1500000, /* who has not answered has no say */
	RECALL_BATCH = 3,
	RECALL_TOLD_BATCH = 32,
	PERSIST_AGAIN_US = 1000000,
	JOIN_AGAIN_US = 50000,
	JOIN_SILENT_US = 2000000,
	JOIN_END_US = 8000000,
	CROWD = 16, /* starting together: more than these relay */
};

static void
become_member(struct peer *p)
{
	unsigned contacts = 0;

	/* Connections from before know this peer without an incarnation. */
	for (unsigned i = 0; i < p->conn_top; i++)
		if (p->conns[i].purpose != CONN_FREE)
			conn_close(p, &p->conns[i]);
	p->join_conn = 0;
	p->incarnation = p->wanted;
	p->wanted = 0;
	p->phase = PHASE_SYNCING;
	view_set_self(p, MEMBER_ALIVE,
	    p->fresh                      ? 0
	    : p->config.join_through >= 0 ? MEMBER_SYNCING | MEMBER_JOINED
					  : MEMBER_SYNCING);
	note(p, EVENT_started, p->config.id, "");
	/* A ring that was never there has nothing to be synced. */
	if (p->fresh) {
		p->phase = PHASE_SERVING;
		note(p, EVENT_serving, p->config.id, "");
	}
	p->links_us = p->now_us + 1;
	for (unsigned id = 0; id < p->space; id++)
		contacts += p->watch[id].contact;
	gossip_relay(p, p->config.id);
	if (p->config.join_through >= 0 || contacts <= CROWD)
		gossip_broadcast(p, p->config.id);
	sweep_init(p);
	ping_soon(p);
}

void
start_incarnation(struct peer *p, uint32_t n)
{
	assert(n > p->incarnation && n <= INCARNATION_MAX + 1);
	p->wanted = n;
	act(p, ACT_PERSIST)->incarnation = n;
	if (p->phase < PHASE_PERSISTING)
		p->phase = PHASE_PERSISTING;
}

/* Its own copies may be stale: it serves again when they are not. */
static void
start_sync(struct peer *p, const char *reason)
{
	p->phase = PHASE_SYNCING;
	view_set_self(p, p->view[p->config.id].state,
	    p->view[p->config.id].flags | MEMBER_SYNCING);
	note(p, EVENT_syncing, p->config.id, reason);
}

void
start_persisted(struct peer *p, const struct event *ev)
{
	const struct member *self = &p->view[p->config.id];
	uint8_t flags = self->flags;

	if (ev->error != ERROR_none && p->phase > PHASE_PERSISTING) {
		p->persist_us = p->now_us + PERSIST_AGAIN_US;
		return;
	}
	if (ev->error != ERROR_none) {
		note(p, EVENT_trouble, p->config.id,
		    "its incarnation can't be written");
		act(p, ACT_EXIT)->code = 1;
		return;
	}
	/* The disk took a write, it may take more; what it missed first. */
	if (p->wanted == 0 && (flags & MEMBER_READONLY) != 0) {
		if (p->phase == PHASE_SERVING)
			start_sync(p, "its disk can be written again");
		member_readonly(p, false);
		return;
	}
	if (p->wanted == 0 || ev->incarnation != p->wanted)
		return;
	if (p->phase == PHASE_PERSISTING) {
		become_member(p);
		return;
	}
	/* A refutation: who was called dead syncs before it serves again. */
	p->incarnation = p->wanted;
	p->wanted = 0;
	if (p->fenced && p->phase == PHASE_SERVING) {
		start_sync(p, "was called dead");
		flags |= MEMBER_SYNCING;
	}
	p->fenced = false;
	view_set_self(p, self->state, flags);
	gossip_broadcast(p, p->config.id);
	p->links_us = p->now_us;
}

static bool
holds_nothing(const struct peer *p)
{
	const struct index *x = &p->config.index;

	for (unsigned key = 0; key < p->space; key++)
		if (x->digest(x->ctx, (uint16_t)key) != 0)
			return false;
	return true;
}

static void
recall_send(struct peer *p, unsigned id, struct addr addr, bool asks)
{
	struct message m;
	struct member remembered = p->view[id];

	m.type = MSG_recall;
	m.recall.asks = asks;
	memset(&m.recall.heard, 0, sizeof(m.recall.heard));
	if (p->config.remembered_count == 0 && !p->recall_told &&
	    (p->incarnation == 0 || (p->fresh && p->recall_end_us > p->now_us &&
					holds_nothing(p))) &&
	    remembered.incarnation == 0 && p->watch[id].floor == 0) {
		m.recall.heard = p->blank;
		idset_add(&m.recall.heard, p->config.id);
	}
	m.recall.members.count = 0;
	if (remembered.incarnation < p->watch[id].floor) {
		remembered.incarnation = p->watch[id].floor;
		remembered.state = MEMBER_LEFT;
	}
	remembered.id = (uint16_t)id;
	if (remembered.incarnation > 0)
		m.recall.members.at[m.recall.members.count++] = remembered;
	act_datagram(p, addr, &m);
}

/*
 * The first contact clockwise whose memory of this peer is unknown; -1: none.
 * Each peer asks the one after the run that it knows to remember nothing, and
 * is told of that one's run: runs double, so N peers send some N log N asks.
 */
static int
recall_next(const struct peer *p)
{
	for (unsigned i = 1; i < p->space; i++) {
		unsigned id = (p->config.id + i) & (p->space - 1);

		if (p->watch[id].recall && !idset_has(&p->blank, id))
			return (int)id;
	}
	return -1;
}

static void
recall_ask(struct peer *p, int id)
{
	recall_send(p, (unsigned)id, p->view[id].addr, true);
	p->recall_us = p->now_us + p->recall_wait_us;
}

static void
recall_end(struct peer *p)
{
	uint32_t highest = p->watch[p->config.id].floor;

	p->fresh = recall_next(p) < 0 && highest == 0 && p->recall_blank &&
		   holds_nothing(p);
	start_incarnation(p, highest + 1);
}

void
start_recall(struct peer *p, const struct event *ev)
{
	const struct msg_recall *r = &ev->message->recall;
	int before, next;

	if (r->asks)
		recall_send(p, ev->from, ev->addr, false);
	before = recall_next(p);
	for (int id = idset_next(&r->heard, 0); id >= 0 && !p->recall_told;
	     id = idset_next(&r->heard, (unsigned)id + 1))
		if ((unsigned)id < p->space)
			idset_add(&p->blank, (unsigned)id);
	if (p->phase != PHASE_RECALLING)
		return;
	if (!r->asks)
		p->watch[ev->from].recall = false;
	if (!idset_has(&r->heard, ev->from))
		p->recall_blank = false;
	for (unsigned i = 0; i < r->members.count; i++) {
		const struct member *m = &r->members.at[i];
		uint32_t *floor = &p->watch[p->config.id].floor;

		if (m->id != p->config.id || m->incarnation == 0 ||
		    m->incarnation >= INCARNATION_MAX)
			continue;
		if (m->incarnation > *floor)
			*floor = m->incarnation;
		/* Known once: each contact must say what it remembers. */
		p->recall_told = true;
		memset(&p->blank, 0, sizeof(p->blank));
	}
	next = recall_next(p);
	if (next < 0)
		recall_end(p);
	else if (next != before)
		recall_ask(p, next);
}

static void
recall_tick(struct peer *p)
{
	int next = recall_next(p);
	unsigned at = (unsigned)random_below(&p->random, p->space), batch;

	if (p->recall_end_us <= p->now_us || next < 0) {
		recall_end(p);
		return;
	}
	if (p->now_us + RECALL_END_US - p->recall_end_us > RECALL_EARLY_US) {
		p->recall_wait_us *= 2;
		if (p->recall_wait_us > RECALL_MAX_US)
			p->recall_wait_us = RECALL_MAX_US;
	}
	recall_ask(p, next);
	/* That one may be down: some others, too. */
	batch = p->recall_told ? RECALL_TOLD_BATCH : RECALL_BATCH;
	for (unsigned i = 0, asked = 1; i < p->space && asked < batch; i++) {
		unsigned id = (at + i) & (p->space - 1);

		if (!p->watch[id].recall || idset_has(&p->blank, id))
			continue;
		recall_send(p, id, p->view[id].addr, true);
		asked++;
	}
}

static void
join_failed(struct peer *p, unsigned about, const char *reason)
{
	note(p, EVENT_trouble, about, reason);
	p->phase = PHASE_GONE;
	act(p, ACT_EXIT)->code = 1;
}

static void
join_ask(struct peer *p)
{
	unsigned through = (unsigned)p->config.join_through;
	struct message m;
	struct conn *c;

	p->join_us = p->now_us + JOIN_SILENT_US;
	c = conn_find(p, p->join_conn);
	if (c != NULL)
		conn_close(p, c);
	c = conn_new(
	    p, CONN_FOR_JOIN, CONN_LINK, through, p->view[through].addr);
	if (c == NULL) {
		join_failed(p, through, "has no known address");
		return;
	}
	p->join_conn = c->handle;
	memset(&m.join, 0, sizeof(m.join));
	m.type = MSG_join;
	m.join.op = ++p->next_op;
	m.join.id = p->config.id;
	m.join.addr = p->config.addr;
	conn_send(p, c, &m);
}

static void
join_refused(struct peer *p, const struct msg_refuse *r)
{
	unsigned through = (unsigned)p->config.join_through;

	switch ((enum wire_error)r->error) {
	case ERROR_busy:
	case ERROR_not_serving:
	case ERROR_not_owner:
		p->join_us = p->now_us + JOIN_AGAIN_US;
		break;
	case ERROR_duplicate:
		join_failed(
		    p, p->config.id, "identifier is in use by a live peer");
		break;
	case ERROR_leaving:
		join_failed(p, through, "is leaving");
		break;
	default:
		join_failed(p, through, "refused");
		break;
	}
}

/* Nobody's command: operation 0. */
static void
joined_reply(struct peer *p, const struct msg_admit *admit)
{
	struct msg_reply r = {.command = COMMAND_NONE,
	    .holder = (uint16_t)p->config.join_through,
	    .route = admit->route};

	act_reply(p, &r);
}

/* From the peer asked, or from the owner on a connection of its own. */
void
start_join_message(struct peer *p, struct conn *c, const struct message *m)
{
	uint32_t highest, mine = p->config.incarnation;

	if (p->phase != PHASE_JOINING)
		return;
	if (m->type == MSG_refuse) {
		join_refused(p, &m->refuse);
		return;
	}
	highest = m->admit.incarnation;
	if (highest >= INCARNATION_MAX)
		return;
	note(p, EVENT_joined, c->id, "");
	joined_reply(p, &m->admit);
	if (mine > highest) {
		p->wanted = mine;
		become_member(p);
		return;
	}
	start_incarnation(p, highest + 1);
}

/* A connection for joining opened, or closed. */
void
start_conn(struct peer *p, struct conn *c, bool open, unsigned reason)
{
	unsigned through = (unsigned)p->config.join_through;

	if (open || p->phase != PHASE_JOINING || c->handle != p->join_conn)
		return;
	p->join_conn = 0;
	if (c->open)
		p->join_us = p->now_us + JOIN_AGAIN_US;
	else
		join_failed(p, through,
		    reason == CLOSE_REFUSED ? "is not there"
		    : reason == CLOSE_REJECTED
			? "does not accept this ring's key"
			: "gave no answer for 2 s");
}

static void
join_tick(struct peer *p)
{
	if (p->join_end_us <= p->now_us)
		join_failed(p, (unsigned)p->config.join_through,
		    "did not bring an admission in time");
	else if (p->join_us <= p->now_us)
		join_ask(p);
}

void
start_begin(struct peer *p)
{
	unsigned contacts = 0;

	for (unsigned id = 0; id < p->space; id++) {
		contacts += p->watch[id].contact;
		p->watch[id].recall = p->watch[id].contact;
	}
	if (p->config.join_through >= 0) {
		p->phase = PHASE_JOINING;
		p->join_us = p->now_us;
		p->join_end_us = p->now_us + JOIN_END_US;
	} else if (p->config.incarnation > 0) {
		p->wanted = p->config.incarnation;
		become_member(p);
	} else if (contacts == 0) {
		p->recall_blank = true;
		recall_end(p);
	} else {
		p->recall_blank = true;
		p->phase = PHASE_RECALLING;
		p->recall_us = p->now_us;
		p->recall_wait_us = RECALL_FIRST_US;
		p->recall_end_us = p->now_us + RECALL_END_US;
	}
}

static void
serve(struct peer *p)
{
	uint8_t flags = p->view[p->config.id].flags & MEMBER_READONLY;

	p->phase = PHASE_SERVING;
	view_set_self(p, MEMBER_ALIVE, flags);
	note(p, EVENT_serving, p->config.id, "");
	if (p->config.join_through < 0 && p->member_count > CROWD)
		gossip_relay(p, p->config.id);
	else
		gossip_broadcast(p, p->config.id);
}

void
start_tick(struct peer *p)
{
	if (p->persist_us != 0 && p->persist_us <= p->now_us) {
		p->persist_us = 0;
		act(p, ACT_PERSIST)->incarnation =
		    p->wanted != 0 ? p->wanted : p->incarnation;
	}
	if (p->phase == PHASE_RECALLING && p->recall_us <= p->now_us)
		recall_tick(p);
	else if (p->phase == PHASE_JOINING)
		join_tick(p);
	else if (p->phase == PHASE_SYNCING && p->wanted == 0 && files_synced(p))
		serve(p);
}

uint64_t
start_deadline(const struct peer *p)
{
	if (p->phase == PHASE_RECALLING)
		return p->recall_us;
	if (p->phase == PHASE_JOINING)
		return p->join_us < p->join_end_us ? p->join_us
						   : p->join_end_us;
	return p->persist_us != 0 ? p->persist_us : UINT64_MAX;
}
