#include <assert.h>
#include <string.h>

#include "ring/core.h"

/* The owner's side of a join, and the way of a join request to the owner. */
enum {
	ADMIT_US = 2000000, /* for one newcomer */
	APPEAR_US = 300000, /* from its hang-up until it is a member */
};

static void
refuse(struct peer *p, struct conn *c, uint64_t op, enum wire_error error)
{
	struct message m;

	memset(&m.refuse, 0, sizeof(m.refuse));
	m.type = MSG_refuse;
	m.refuse.op = op;
	m.refuse.error = (uint8_t)error;
	conn_send(p, c, &m);
}

static void
admission_end(struct peer *p)
{
	struct admission *a = &p->admissions[0];
	struct conn *c = conn_find(p, a->conn),
		    *d = conn_find(p, a->probe_conn);

	assert(p->admission_count > 0);
	if (c != NULL)
		conn_close(p, c);
	if (d != NULL)
		conn_close(p, d);
	p->admission_count--;
	memmove(a, a + 1, p->admission_count * sizeof(*a));
}

static void
call_newcomer(struct peer *p)
{
	struct admission *a = &p->admissions[0];
	struct conn *c = conn_new(p, CONN_FOR_JOIN, CONN_LINK, a->id, a->addr);

	if (c == NULL)
		admission_end(p);
	else
		a->conn = c->handle;
}

static bool
addr_equal(struct addr a, struct addr b)
{
	return a.ip == b.ip && a.port == b.port;
}

/* The highest incarnation that is remembered here, or was on the way. */
static uint32_t
highest_of(const struct peer *p, unsigned id, uint32_t told)
{
	uint32_t highest = told < INCARNATION_MAX ? told : 0;

	if (highest < p->watch[id].floor)
		highest = p->watch[id].floor;
	return highest > p->view[id].incarnation ? highest
						 : p->view[id].incarnation;
}

/* The first in the queue: does the identifier's present holder live? */
static void
admission_begin(struct peer *p)
{
	struct admission *a = &p->admissions[0];
	const struct member *m = &p->view[a->id];
	struct conn *c;

	a->expires_us = p->now_us + ADMIT_US;
	a->highest = highest_of(p, a->id, a->highest);
	if (m->state == MEMBER_NONE || m->state >= MEMBER_LEFT) {
		call_newcomer(p);
		return;
	}
	/* One socket per address: whoever answers there is it. */
	if (addr_equal(m->addr, a->addr)) {
		call_newcomer(p);
		return;
	}
	c = conn_new(p, CONN_FOR_JOIN, CONN_LINK, a->id, m->addr);
	if (c == NULL)
		admission_end(p);
	else
		a->probe_conn = c->handle;
}

static void
admission_refuse(struct peer *p, enum wire_error error)
{
	struct admission *a = &p->admissions[0];
	struct conn *c = conn_new(p, CONN_FOR_JOIN, CONN_LINK, a->id, a->addr);

	if (c != NULL)
		refuse(p, c, a->op, error);
	a->conn = c == NULL ? 0 : c->handle;
	a->highest = UINT32_MAX;
}

static void
admission_grant(struct peer *p, struct conn *c)
{
	struct admission *a = &p->admissions[0];
	struct message m;

	gossip_send_view(p, c);
	m.type = MSG_admit;
	m.admit.op = a->op;
	m.admit.incarnation = a->highest;
	m.admit.route.count = a->route_count;
	memcpy(m.admit.route.at, a->route, sizeof(a->route));
	m.admit.route.at[m.admit.route.count++] = p->config.id;
	conn_send(p, c, &m);
}

void
admit_conn(struct peer *p, struct conn *c, bool open, unsigned reason)
{
	struct admission *a = &p->admissions[0];

	if (p->admission_count == 0)
		return;
	if (c->handle == a->probe_conn) {
		if (!open)
			a->probe_conn = 0;
		if (!open && reason == CLOSE_REFUSED) {
			detect_dead(p, a->id, "connection refused");
			call_newcomer(p);
		} else if (a->highest != UINT32_MAX) {
			admission_refuse(p, ERROR_duplicate);
		}
		return;
	}
	if (c->handle != a->conn)
		return;
	if (open && c->incarnation > 0) {
		/* A member by now: its request was late. */
		a->expires_us = p->now_us;
	} else if (open && a->highest != UINT32_MAX) {
		detect_dead(p, a->id, "a newcomer is at its address");
		admission_grant(p, c);
	} else if (!open) {
		a->conn = 0;
		/* It hangs up to come back as a member; or it failed. */
		if (!c->open || a->highest == UINT32_MAX)
			a->expires_us = p->now_us;
		else
			a->expires_us = p->now_us + APPEAR_US;
	}
}

/* A newcomer itself: others pass on to it before it serves. */
static bool
admissions_wait(const struct peer *p)
{
	return p->phase == PHASE_SYNCING && p->admissions[0].expires_us == 0;
}

/* Its turn has come, here or at the next peer. */
static void
admission_turn(struct peer *p)
{
	const struct admission *a = &p->admissions[0];
	struct msg_join join;

	if (!a->early) {
		admission_begin(p);
		return;
	}
	join.op = a->op;
	join.id = a->id;
	join.addr = a->addr;
	join.incarnation = a->highest;
	join.route.count = a->route_count;
	memcpy(join.route.at, a->route, sizeof(a->route));
	admission_end(p);
	admit_join(p, NULL, &join);
}

void
admit_tick(struct peer *p)
{
	while (p->admission_count > 0 && !admissions_wait(p)) {
		struct admission *a = &p->admissions[0];
		const struct member *m = &p->view[a->id];

		if (a->expires_us == 0) {
			admission_turn(p);
			continue;
		}
		if (m->state == MEMBER_ALIVE && m->incarnation > a->highest) {
			note(p, EVENT_admitted, a->id, "");
			admission_end(p);
		} else if (a->expires_us <= p->now_us) {
			admission_end(p);
		} else {
			return;
		}
	}
}

uint64_t
admit_deadline(const struct peer *p)
{
	return p->admission_count > 0 && !admissions_wait(p)
		   ? p->admissions[0].expires_us
		   : UINT64_MAX;
}

static void
admit_enqueue(struct peer *p, struct conn *c, const struct msg_join *join)
{
	struct admission *a;

	for (unsigned i = 0; i < p->admission_count; i++) {
		a = &p->admissions[i];
		if (a->id != join->id || !addr_equal(a->addr, join->addr))
			continue;
		/* Asked again: what is under way goes on. */
		return;
	}
	if (p->admission_count == ADMISSIONS_MAX) {
		if (c != NULL && c->purpose == CONN_FOR_JOIN)
			refuse(p, c, join->op, ERROR_busy);
		return;
	}
	a = &p->admissions[p->admission_count++];
	memset(a, 0, sizeof(*a));
	a->early = p->phase == PHASE_SYNCING;
	a->op = join->op;
	a->id = join->id;
	a->addr = join->addr;
	a->highest = join->incarnation;
	for (unsigned i = 0; i < join->route.count; i++)
		if (a->route_count < ADMISSION_ROUTE_MAX - 1)
			a->route[a->route_count++] = join->route.at[i];
}

/* From successor to successor, its predecessor is the one to pass it on. */
static bool
goes_round(const struct peer *p, const struct msg_join *join)
{
	return p->config.route == ROUTE_SUCCESSOR && join->route.count == 0 &&
	       p->successor_count > 0;
}

/*
 * c: the newcomer's own connection (CONN_FOR_JOIN), or the link on which
 * another peer passed its request on (NULL: it did so before this one served).
 */
void
admit_join(struct peer *p, struct conn *c, const struct msg_join *join)
{
	bool first_hand = c != NULL && c->purpose == CONN_FOR_JOIN;
	enum wire_error error = ERROR_none;
	unsigned owner, next;
	struct message m;

	if (join->id >= p->space || join->addr.port == 0 ||
	    join->route.count >= p->space)
		error = ERROR_no_peer;
	else if (p->phase != PHASE_SERVING || p->freeze_us != 0)
		error = p->phase >= PHASE_LEAVING ? ERROR_leaving
						  : ERROR_not_serving;
	else if (join->id == p->config.id && first_hand)
		error = ERROR_duplicate;
	if (error != ERROR_none) {
		if (first_hand)
			refuse(p, c, join->op, error);
		else if (p->phase == PHASE_SYNCING && p->freeze_us == 0 &&
			 error == ERROR_not_serving)
			admit_enqueue(p, c, join);
		return;
	}
	note(p, EVENT_join_asked, join->id, "");
	owner = ring_successor_of(p, join->id);
	if (owner == p->config.id && !goes_round(p, join)) {
		admit_enqueue(p, c, join);
		return;
	}
	next = p->config.route == ROUTE_DIRECT ? owner : p->successors[0];
	m.type = MSG_join;
	m.join = *join;
	m.join.incarnation = highest_of(p, join->id, join->incarnation);
	m.join.route.at[m.join.route.count++] = p->config.id;
	if (link_send(p, next, &m)) {
		struct msg_event e = {.kind = EVENT_join_forwarded,
		    .about = join->id,
		    .other = (uint16_t)next};

		act_note(p, &e);
	} else if (first_hand) {
		refuse(p, c, join->op, ERROR_not_serving);
	}
}
