#include <assert.h>
#include <stdlib.h>

#include "sim/net.h"
#include "sim/sim.h"

/* Actions of one step, in order. None of them steps a peer at once. */

static void
multicast(struct sim *s, struct node *n, const struct action *a)
{
	const uint16_t *ids = s->out->ids + a->targets;

	for (size_t i = 0; i < a->count; i++) {
		const struct member *m = peer_view(n->peer, ids[i]);

		if (m->addr.port != 0)
			net_datagram(
			    s, n, m->addr, s->out->data + a->bytes, a->len);
	}
}

/* I5: this is for (id, incarnation), at the end of a connection. */
static void
check_fence(
    struct sim *s, const struct node *n, const struct end *e, unsigned type)
{
	const struct node *to = end_other(e)->node;
	const struct member *m;

	if (to == NULL || e->theirs == 0 ||
	    (type != MSG_held && type != MSG_stored && type != MSG_accept))
		return;
	m = &n->shadow[to->id];
	if (m->incarnation > e->theirs ||
	    (m->incarnation == e->theirs && m->state == MEMBER_DEAD))
		sim_fail(s, CHECK_FENCE, n,
		    "sends %s to peer %u, incarnation %u, and lists it as "
		    "(%u, state %u)",
		    message_name(type), to->id, e->theirs, m->incarnation,
		    m->state);
}

static void
send_on(struct sim *s, struct node *n, const struct action *a)
{
	struct end *e = end_find(n, a->conn);
	struct item *i;

	if (e == NULL)
		return; /* it closed, and the event is still to come */
	check_fence(s, n, e, s->out->data[a->bytes]);
	s->messages++;
	n->sent++;
	i = end_item(s, e, ITEM_FRAME);
	item_bytes(i, s->out->data + a->bytes, a->len);
	if (a->file != 0) {
		const struct file *f = disk_handle(n, a->file);

		i->content = f->content;
		i->size = f->have;
	}
	circuit_send(s, e, i, FRAME_MESSAGE);
}

static void
raw_on(struct sim *s, struct node *n, const struct action *a)
{
	struct end *e = end_find(n, a->conn);
	struct item *i;

	if (e == NULL)
		return;
	if (a->type == ACT_RAW_RECV) {
		circuit_expect(s, e, a);
		return;
	}
	i = end_item(s, e, ITEM_FRAME);
	i->file = a->file;
	i->offset = a->offset;
	i->size = a->size;
	circuit_send(s, e, i, FRAME_RAW);
}

static void
reply(struct sim *s, struct node *n, const struct action *a)
{
	struct message *m = &s->message;
	long used = message_decode(m, s->out->data + a->bytes, a->len);

	assert(used == (long)a->len && m->type == MSG_reply);
	command_replied(s, n, &m->reply);
}

static void
count_note(struct sim *s, struct node *n, const struct action *a)
{
	struct message *m = &s->message;

	message_decode(m, s->out->data + a->bytes, a->len);
	if (m->event.kind < EVENT_KINDS)
		s->notes[m->event.kind]++;
	if (m->event.kind == EVENT_serving && n->serving_us == 0)
		n->serving_us = s->now_us;
	if (m->event.kind == EVENT_superseded)
		command_superseded(s, &m->event);
}

static void
apply(struct sim *s, struct node *n, const struct action *a)
{
	switch (a->type) {
	case ACT_DATAGRAM:
		net_datagram(s, n, a->addr, s->out->data + a->bytes, a->len);
		break;
	case ACT_MULTICAST:
		multicast(s, n, a);
		break;
	case ACT_CONNECT:
		circuit_connect(s, n, a);
		break;
	case ACT_SEND:
		send_on(s, n, a);
		break;
	case ACT_CLOSE:
		if (end_find(n, a->conn) != NULL)
			circuit_close(s, end_find(n, a->conn));
		break;
	case ACT_RAW_SEND:
	case ACT_RAW_RECV:
		raw_on(s, n, a);
		break;
	case ACT_TAKE:
	case ACT_DELIVER:
	case ACT_OPEN_SOURCE:
	case ACT_CHECK_SOURCE:
	case ACT_OPEN_STORED:
	case ACT_CREATE_TEMP:
	case ACT_CREATE_TARGET:
	case ACT_COPY:
	case ACT_COMMIT:
	case ACT_RENAME:
	case ACT_DISCARD:
	case ACT_MARK:
	case ACT_VERIFY:
	case ACT_DROP:
	case ACT_PERSIST:
		disk_act(s, n, a);
		break;
	case ACT_REPLY:
		reply(s, n, a);
		break;
	case ACT_NOTE:
		count_note(s, n, a);
		break;
	case ACT_EXIT:
		n->exiting = true;
		n->code = a->code;
		break;
	}
}

void
node_apply(struct sim *s, struct node *n)
{
	for (size_t i = 0; i < s->out->count && !s->failed; i++) {
		/* A process may die between any two of its actions. */
		if (node_crashes(s, n))
			return;
		apply(s, n, &s->out->at[i]);
	}
}
