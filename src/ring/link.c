#include <assert.h>
#include <string.h>

#include "ring/files_core.h"

/* Connections: standing links, links on demand, streams of files. */
enum {
	CONNECT_US = 1000000,
	JOIN_CONNECT_US = 2000000,
	IDLE_US = 5000000, /* a link nobody needs is closed after this */
	RETRY_MIN_US = 200, /* a dying process may still accept */
	BRIEF_US = 1000, /* a link that lasted no longer was none */
	RETRY_STEPS = 5, /* times four each, up to 200 ms */
	UPKEEP_US = 1000000,
};

struct conn *
conn_find(struct peer *p, uint32_t handle)
{
	for (unsigned i = 0; i < p->conn_top; i++)
		if (p->conns[i].purpose != CONN_FREE &&
		    p->conns[i].handle == handle)
			return &p->conns[i];
	return NULL;
}

static struct conn *
conn_slot(struct peer *p)
{
	for (unsigned i = 0; i < p->conn_top; i++)
		if (p->conns[i].purpose == CONN_FREE)
			return &p->conns[i];
	return p->conn_top < CONNS_MAX ? &p->conns[p->conn_top++] : NULL;
}

struct conn *
conn_new(struct peer *p, enum conn_purpose purpose, enum conn_role role,
    unsigned id, struct addr addr)
{
	struct conn *c;
	struct action *a;

	if (addr.port == 0 || (c = conn_slot(p)) == NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	p->next_handle = (p->next_handle + 1) % CONN_INBOUND;
	c->handle = p->next_handle;
	c->purpose = (uint8_t)purpose;
	c->id = (uint16_t)id;
	c->incarnation = p->view[id].incarnation;
	c->addr = addr;
	c->used_us = p->now_us;
	a = act(p, ACT_CONNECT);
	a->conn = c->handle;
	a->id = (uint16_t)id;
	a->addr = addr;
	a->role = (uint8_t)role;
	a->timeout_us = purpose == CONN_FOR_JOIN ? JOIN_CONNECT_US : CONNECT_US;
	return c;
}

struct conn *
conn_accept(struct peer *p, const struct event *ev)
{
	struct conn *c = conn_slot(p);

	if (c == NULL) {
		act(p, ACT_CLOSE)->conn = ev->conn;
		return NULL;
	}
	memset(c, 0, sizeof(*c));
	c->handle = ev->conn;
	c->inbound = c->open = true;
	c->id = ev->from;
	c->incarnation = ev->incarnation;
	c->addr = ev->addr;
	c->used_us = p->now_us;
	if (ev->role == CONN_STREAM)
		c->purpose = CONN_FOR_STREAM;
	else
		c->purpose =
		    ev->incarnation > 0 ? CONN_FOR_LINK : CONN_FOR_JOIN;
	return c;
}

void
conn_forget(struct peer *p, struct conn *c)
{
	assert(c->purpose != CONN_FREE);
	c->purpose = CONN_FREE;
	while (
	    p->conn_top > 0 && p->conns[p->conn_top - 1].purpose == CONN_FREE)
		p->conn_top--;
}

void
conn_close(struct peer *p, struct conn *c)
{
	act(p, ACT_CLOSE)->conn = c->handle;
	conn_forget(p, c);
}

void
conn_end(struct peer *p, struct conn *c)
{
	uint32_t handle = c->handle;
	unsigned id = c->id;
	bool link = c->purpose == CONN_FOR_LINK;

	if (c->purpose == CONN_FOR_STREAM)
		files_closed(p, c, CLOSE_HANGUP);
	c = conn_find(p, handle);
	if (c != NULL)
		conn_close(p, c);
	/* Another link may stand: nobody would miss what was said on this. */
	if (link && p->view[id].state != MEMBER_DEAD)
		files_link_lost(p, id);
}

void
conn_close_stale(struct peer *p, unsigned id)
{
	const struct member *m = &p->view[id];
	bool gone = m->state == MEMBER_DEAD;

	for (unsigned i = 0; i < p->conn_top; i++) {
		struct conn *c = &p->conns[i];

		if (c->purpose == CONN_FREE || c->purpose == CONN_FOR_JOIN ||
		    c->id != id ||
		    (!gone && (!c->open || c->incarnation == m->incarnation)))
			continue;
		if (c->incarnation > m->incarnation)
			continue;
		conn_end(p, c);
	}
}

struct conn *
link_find(struct peer *p, unsigned id)
{
	struct conn *found = NULL;

	for (unsigned i = 0; i < p->conn_top; i++) {
		struct conn *c = &p->conns[i];

		if (c->purpose != CONN_FOR_LINK || c->id != id)
			continue;
		/* Of two, both sides use the one that the lower id opened. */
		if (found == NULL || (c->open && !found->open) ||
		    (c->open == found->open &&
			c->inbound == (id < p->config.id)))
			found = c;
	}
	return found;
}

struct conn *
link_to(struct peer *p, unsigned id)
{
	struct conn *c = link_find(p, id);

	if (c != NULL || id == p->config.id)
		return c;
	if (p->view[id].state == MEMBER_NONE)
		return NULL;
	return conn_new(p, CONN_FOR_LINK, CONN_LINK, id, p->view[id].addr);
}

bool
link_send(struct peer *p, unsigned id, const struct message *m)
{
	struct conn *c = link_to(p, id);

	if (c == NULL)
		return false;
	conn_send(p, c, m);
	return true;
}

bool
link_give(struct peer *p, unsigned id, const struct message *m, uint32_t file)
{
	struct conn *c = peer_usable(p, id) ? link_to(p, id) : NULL;

	if (c == NULL)
		return false;
	conn_send(p, c, m);
	p->out->at[p->out->count - 1].file = file;
	return true;
}

struct conn *
stream_open(struct peer *p, unsigned id)
{
	assert(id != p->config.id);
	return conn_new(p, CONN_FOR_STREAM, CONN_STREAM, id, p->view[id].addr);
}

bool
link_stands(const struct peer *p, unsigned id)
{
	return member_is(p, p->config.id) && member_is(p, id) &&
	       id != p->config.id &&
	       (ring_lists(p, p->config.id, id) ||
		   ring_lists(p, id, p->config.id));
}

void
link_opened(struct peer *p, struct conn *c)
{
	unsigned id = c->id;

	c->opened_us = p->now_us;
	c->own = p->incarnation;
	p->watch[id].link_us = 0;
	for (unsigned i = 0; i < p->conn_top; i++) {
		struct conn *d = &p->conns[i], *spare = d;

		if (d == c || d->purpose != CONN_FOR_LINK || !d->open ||
		    d->id != id)
			continue;
		/*
		 * Who opens one has no other, nor one to an incarnation that
		 * is over: that one's hang-up is late.
		 */
		if (d->inbound != c->inbound && d->own == c->own) {
			/* Of two, the one that the higher identifier opened. */
			if (id > p->config.id)
				continue;
			spare = c->inbound ? d : c;
		}
		conn_end(p, spare);
		if (spare == c)
			return;
	}
}

/*
 * A process that was killed hangs up; one connect tells whether it is gone.
 * Refused: that incarnation is dead. Its ports may close a moment after its
 * connections, so a hang-up during the connect is tried again.
 */
void
link_closed(struct peer *p, struct conn *c, unsigned reason)
{
	unsigned id = c->id;
	struct watch *w = &p->watch[id];
	bool was_open = c->open, current;
	uint32_t incarnation = c->incarnation;
	uint64_t opened_us = c->opened_us;

	conn_forget(p, c);
	current = p->view[id].incarnation == incarnation &&
		  p->view[id].state != MEMBER_NONE &&
		  p->view[id].state < MEMBER_LEFT;
	if (!current || link_find(p, id) != NULL)
		return;
	if (!was_open && reason == CLOSE_REFUSED) {
		detect_dead(p, id, "connection refused");
		return;
	}
	if (p->freeze_us != 0 ||
	    (!link_stands(p, id) && p->view[id].state != MEMBER_LEAVING))
		return;
	/* One that accepts only to hang up gets no loop out of it. */
	if (was_open && p->now_us - opened_us > BRIEF_US) {
		w->link_tries = 0;
		link_to(p, id);
		return;
	}
	if (reason != CLOSE_LOCAL)
		detect_doubt(p, id);
	w->link_us = p->now_us + ((uint64_t)RETRY_MIN_US << 2 * w->link_tries);
	if (w->link_tries < RETRY_STEPS)
		w->link_tries++;
	if (p->links_us == 0 || p->links_us > w->link_us)
		p->links_us = w->link_us;
}

/* Of a pair, who lists the other connects; both list: the lower one. */
static bool
connects(const struct peer *p, unsigned id)
{
	bool mine = ring_lists(p, p->config.id, id);
	bool theirs = ring_lists(p, id, p->config.id);

	return mine && (!theirs || p->config.id < id);
}

static void
keep_links(struct peer *p)
{
	unsigned n = p->successor_count;

	for (unsigned i = 0; i < n; i++) {
		unsigned id = p->successors[i];
		struct watch *w = &p->watch[id];

		if (link_find(p, id) != NULL ||
		    (w->link_us == 0 && !connects(p, id)))
			continue;
		if (w->link_us <= p->now_us)
			link_to(p, id);
		else if (w->link_us < p->links_us)
			p->links_us = w->link_us;
	}
	for (unsigned i = 0, at = p->config.id; i < n; i++) {
		at = ring_predecessor_of(p, at);
		struct watch *w = &p->watch[at];

		if (w->link_us == 0 || link_find(p, at) != NULL)
			continue;
		if (w->link_us <= p->now_us)
			link_to(p, at);
		else if (w->link_us < p->links_us)
			p->links_us = w->link_us;
	}
}

void
link_tick(struct peer *p)
{
	if (p->links_us == 0 || p->links_us > p->now_us)
		return;
	p->links_us = p->now_us + UPKEEP_US;
	if (p->phase < PHASE_SYNCING || p->phase > PHASE_LEAVING ||
	    p->freeze_us != 0)
		return;
	keep_links(p);
	for (unsigned i = 0; i < p->conn_top; i++) {
		struct conn *c = &p->conns[i];

		if (c->purpose == CONN_FOR_LINK && !c->inbound && c->open &&
		    c->used_us + IDLE_US <= p->now_us && !link_stands(p, c->id))
			conn_end(p, c);
	}
}

uint64_t
link_deadline(const struct peer *p)
{
	return p->links_us == 0 ? UINT64_MAX : p->links_us;
}
