#include <assert.h>
#include <string.h>

#include "ring/core.h"

struct action *
act(struct peer *p, enum action_type type)
{
	struct action *a;

	assert(p->out != NULL && p->out->count < ACTIONS_MAX);
	a = &p->out->at[p->out->count++];
	memset(a, 0, sizeof(*a));
	a->type = type;
	return a;
}

static struct action *
act_message(struct peer *p, enum action_type type, const struct message *m)
{
	struct action *a = act(p, type);
	struct actions *out = p->out;

	a->bytes = out->used;
	a->len = message_encode(
	    m, out->data + out->used, sizeof(out->data) - out->used);
	assert(a->len > 0);
	out->used += a->len;
	return a;
}

void
act_datagram(struct peer *p, struct addr addr, const struct message *m)
{
	if (addr.port != 0)
		act_message(p, ACT_DATAGRAM, m)->addr = addr;
}

void
act_multicast(struct peer *p, const struct idset *to, const struct message *m)
{
	struct actions *out = p->out;
	struct action *a;
	size_t first = out->ids_used;

	for (int id = idset_next(to, 0); id >= 0;
	     id = idset_next(to, (unsigned)id + 1)) {
		if ((unsigned)id >= p->space || id == p->config.id)
			continue;
		assert(out->ids_used < sizeof(out->ids) / sizeof(out->ids[0]));
		out->ids[out->ids_used++] = (uint16_t)id;
	}
	if (out->ids_used == first)
		return;
	a = act_message(p, ACT_MULTICAST, m);
	a->targets = first;
	a->count = out->ids_used - first;
}

void
conn_send(struct peer *p, struct conn *c, const struct message *m)
{
	act_message(p, ACT_SEND, m)->conn = c->handle;
	c->used_us = p->now_us;
}

void
act_note(struct peer *p, const struct msg_event *e)
{
	struct message m;

	m.type = MSG_event;
	m.event = *e;
	m.event.peer = p->config.id;
	if (m.event.incarnation == 0 && e->about < p->space)
		m.event.incarnation = p->view[e->about].incarnation;
	act_message(p, ACT_NOTE, &m);
}

void
note(struct peer *p, enum event_kind kind, unsigned about, const char *reason)
{
	struct msg_event e = {.kind = (uint8_t)kind, .about = (uint16_t)about};

	text_set(&e.reason, reason);
	act_note(p, &e);
}

void
note_name(struct peer *p, enum event_kind kind, unsigned about,
    const struct name *name, uint64_t value)
{
	struct msg_event e = {.kind = (uint8_t)kind,
	    .about = (uint16_t)about,
	    .value = value,
	    .name = *name};

	act_note(p, &e);
}

void
act_reply(struct peer *p, const struct msg_reply *r)
{
	struct message m;

	m.type = MSG_reply;
	m.reply = *r;
	m.reply.peer = p->config.id;
	act_message(p, ACT_REPLY, &m)->op = r->op;
}
