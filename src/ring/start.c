#include <assert.h>
#include <string.h>

#include "ring/core.h"
#include "ring/mourn.h"

/*
 * How a peer becomes a member: by its stored incarnation, by what its
 * contacts remember (recall.c), or admitted by the owner of its identifier.
 */
enum {
	PERSIST_AGAIN_US = 1000000,
	JOIN_AGAIN_US = 50000,
	JOIN_SILENT_US = 2000000,
	JOIN_END_US = 8000000,
	CROWD = 16, /* starting together: more than these relay */
	QUIET_US = 2000, /* until all of a new ring have met, */
	QUIET_MEMBER_US = 250, /* before they connect and compare views */
};

static void
become_member(struct peer *p)
{
	uint8_t flags = 0;

	/* Connections from before know this peer without an incarnation. */
	for (unsigned i = 0; i < p->conn_top; i++)
		if (p->conns[i].purpose != CONN_FREE)
			conn_close(p, &p->conns[i]);
	p->join_conn = 0;
	p->incarnation = p->wanted;
	p->wanted = 0;
	p->phase = PHASE_SYNCING;
	p->synced_from = p->incarnation;
	if (p->next_op >> 32 < p->incarnation)
		p->next_op = (uint64_t)p->incarnation << 32;
	if (!p->fresh)
		flags = MEMBER_SYNCING;
	if (!p->fresh && p->config.join_through >= 0)
		flags |= MEMBER_JOINED;
	/* A later life than its own next was on another disk. */
	p->config.kept &= p->incarnation == p->config.incarnation;
	if (p->config.kept)
		flags |= MEMBER_KEPT;
	/* Of its first life this process has all, however it is called. */
	p->config.kept |= p->incarnation == 1;
	view_set_self(p, MEMBER_ALIVE, flags);
	note(p, EVENT_started, p->config.id, "");
	sweep_init(p);
	/* A ring that was never there has nothing to be synced. */
	if (p->fresh) {
		gather_begin(p);
		return;
	}
	p->links_us = p->now_us + 1;
	gossip_relay(p, p->config.id);
	if (p->config.join_through >= 0 || sweep_contacts(p) <= CROWD)
		gossip_broadcast(p, p->config.id);
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

void
start_sync(struct peer *p, const char *reason)
{
	assert(p->phase == PHASE_SERVING);
	p->phase = PHASE_SYNCING;
	p->synced_from = p->incarnation;
	p->scanned = false;
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
		if (!recall_anew(p))
			become_member(p);
		return;
	}
	gather_end(p);
	/* A refutation: who was called dead syncs before it serves again. */
	p->incarnation = p->wanted;
	p->wanted = 0;
	if (p->phase == PHASE_SYNCING)
		p->synced_from = p->incarnation;
	if (p->fenced && p->phase == PHASE_SERVING) {
		start_sync(p, "was called dead");
		flags |= MEMBER_SYNCING;
	}
	p->fenced = false;
	flags &= (uint8_t)~MEMBER_KEPT;
	if (p->config.kept)
		flags |= MEMBER_KEPT;
	view_set_self(p, self->state, flags);
	/* The try of a disk that failed was overtaken: it is tried again. */
	if ((flags & MEMBER_READONLY) != 0 && p->persist_us == 0)
		p->persist_us = p->now_us + p->readonly_us;
	gossip_broadcast(p, p->config.id);
	p->links_us = p->now_us;
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
	struct conn *c = conn_find(p, p->join_conn);
	unsigned through = (unsigned)p->config.join_through;

	if (p->join_end_us <= p->now_us)
		join_failed(p, through, "did not bring an admission in time");
	else if (p->join_us > p->now_us)
		return;
	/* A kernel accepts connections for a stopped process. */
	else if (c != NULL && !c->open)
		join_failed(p, through, "gave no answer for 2 s");
	else
		join_ask(p);
}

void
start_begin(struct peer *p)
{
	if (p->config.join_through >= 0) {
		p->phase = PHASE_JOINING;
		p->join_us = p->now_us;
		p->join_end_us = p->now_us + JOIN_END_US;
	} else if (p->config.incarnation > 0) {
		p->wanted = p->config.incarnation;
		become_member(p);
	} else {
		recall_begin(p, sweep_contacts(p));
	}
}

/* From now on it says what happens in the ring, and what there is already. */
static void
serving(struct peer *p)
{
	p->phase = PHASE_SERVING;
	note(p, EVENT_serving, p->config.id, "");
	view_note_neighbours(p);
}

void
start_gathered(struct peer *p)
{
	uint32_t us = QUIET_US + p->member_count * QUIET_MEMBER_US;

	serving(p);
	p->sets_changed = true;
	p->quiet_us = p->now_us + us + random_below(&p->random, us);
	p->links_us = p->quiet_us;
	ping_repair_after(p, p->quiet_us);
	ping_soon(p);
}

static void
serve(struct peer *p)
{
	uint8_t flags =
	    p->view[p->config.id].flags & (MEMBER_READONLY | MEMBER_KEPT);

	range_serve(p);
	serving(p);
	view_set_self(p, MEMBER_ALIVE, flags);
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
	else if (p->gather_us != 0)
		gather_step(p);
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
	if (p->persist_us != 0 &&
	    (p->gather_us == 0 || p->persist_us < p->gather_us))
		return p->persist_us;
	return p->gather_us != 0 ? p->gather_us : UINT64_MAX;
}
