#include <assert.h>
#include <string.h>

#include "ring/files_core.h"

/* Who owns a key: from the own view, or from successor to successor. */
enum { RTO_LAST_US = 1000000 };

void
op_route_add(struct op *o, unsigned id)
{
	unsigned n = o->route_count;

	if (n > 0 && o->route[n - 1] == id)
		return;
	if (n == ROUTE_MAX)
		o->route_count--;
	o->route[o->route_count++] = (uint16_t)id;
}

static void
op_ask(struct peer *p, struct op *o)
{
	op_route_add(o, o->owner);
	if (o->command == COMMAND_OWNER)
		owner_reply(p, o);
	else if (o->command == COMMAND_REQUEST)
		fetch_ask(p, o);
	else
		store_ask(p, o);
}

static void
note_forwarded(
    struct peer *p, unsigned origin, unsigned command, const struct name *name)
{
	struct msg_event e = {.kind = EVENT_lookup_forwarded,
	    .about = (uint16_t)origin,
	    .other = p->successors[0],
	    .value = command,
	    .name = *name};

	act_note(p, &e);
}

/* Asks the first successor; the answer comes from the owner itself. */
static void
op_lookup(struct peer *p, struct op *o)
{
	struct message m;
	bool first = o->state != OP_LOCATING;

	m.type = MSG_lookup;
	m.lookup.op = o->id;
	m.lookup.origin = p->config.id;
	m.lookup.addr = p->config.addr;
	m.lookup.key = o->key;
	m.lookup.command = o->command;
	m.lookup.name = o->record.name;
	m.lookup.route.count = 1;
	m.lookup.route.at[0] = p->config.id;
	if (first)
		o->rto_us = RTO_US;
	else
		detect_doubt(p, p->successors[0]);
	if (!o->told && o->command == COMMAND_REQUEST)
		note_name(p, EVENT_request_sent, p->successors[0],
		    &o->record.name, 0);
	else if (!o->told)
		note_forwarded(p, p->config.id, o->command, &o->record.name);
	o->told = true;
	o->state = OP_LOCATING;
	link_send(p, p->successors[0], &m);
	o->timer_us = p->now_us + o->rto_us;
	o->rto_us = o->rto_us < RTO_LAST_US ? o->rto_us * 2 : RTO_LAST_US;
	files_wake(p, o->timer_us);
}

void
op_locate(struct peer *p, struct op *o)
{
	unsigned owner = ring_owner(p, o->key);

	assert(o->conn == 0);
	if (p->config.route == ROUTE_SUCCESSOR && !o->located &&
	    owner != p->config.id) {
		op_lookup(p, o);
		return;
	}
	/* What was told once is old by the next time. */
	if (!o->located)
		o->owner = (uint16_t)owner;
	o->located = false;
	if (p->config.route == ROUTE_SUCCESSOR && o->owner == p->config.id &&
	    o->command == COMMAND_STORE && !o->told)
		note_name(
		    p, EVENT_store_accepted, p->config.id, &o->record.name, 0);
	o->told = true;
	if (o->route_count == 0)
		op_route_add(o, p->config.id);
	op_ask(p, o);
}

/* Has it been here before? An impatient asker says it again. */
static bool
passed_before(struct peer *p, const struct msg_lookup *in, bool owned)
{
	struct files *f = &p->files;
	uint32_t incarnation = p->view[in->origin].incarnation;

	for (unsigned i = 0; i < LOOKUPS_MAX; i++) {
		const struct passed *l = &f->passed[i];

		if (l->op == in->op && l->origin == in->origin &&
		    l->owned == owned && l->incarnation == incarnation &&
		    incarnation > 0)
			return true;
	}
	f->passed[f->passed_at] =
	    (struct passed){in->origin, owned, incarnation, in->op};
	f->passed_at = (f->passed_at + 1) % LOOKUPS_MAX;
	return false;
}

static void
lookup_answer(struct peer *p, const struct msg_lookup *in)
{
	struct message m;

	m.type = MSG_owner;
	m.owner.op = in->op;
	m.owner.owner = p->config.id;
	m.owner.route = in->route;
	m.owner.route.at[m.owner.route.count++] = p->config.id;
	if (in->command == COMMAND_STORE && !passed_before(p, in, true))
		note_name(p, EVENT_store_accepted, in->origin, &in->name, 0);
	link_send(p, in->origin, &m);
}

void
lookup_message(struct peer *p, const struct msg_lookup *in)
{
	struct message m;
	unsigned next = p->successors[0];

	if (in->origin >= p->space || in->key >= p->space ||
	    in->route.count >= p->space)
		return;
	if (owns(p, in->key)) {
		lookup_answer(p, in);
		return;
	}
	if (p->successor_count == 0 || next == in->origin)
		return;
	m.type = MSG_lookup;
	m.lookup = *in;
	m.lookup.route.at[m.lookup.route.count++] = p->config.id;
	if (!passed_before(p, in, false))
		note_forwarded(p, in->origin, in->command, &in->name);
	link_send(p, next, &m);
}

void
lookup_owner(struct peer *p, const struct msg_owner *in)
{
	for (unsigned i = 0; i < p->files.op_top; i++) {
		struct op *o = &p->files.ops[i];

		if (o->state != OP_LOCATING || o->id != in->op)
			continue;
		if (in->owner >= p->space)
			return;
		o->located = true;
		o->owner = in->owner;
		o->route_count = 0;
		for (unsigned j = 0; j < in->route.count; j++)
			op_route_add(o, in->route.at[j]);
		op_locate(p, o);
		return;
	}
}
