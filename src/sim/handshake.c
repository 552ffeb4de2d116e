#include <assert.h>

#include "sim/net.h"

/* The end is gone for its process, which hears why. */
void
end_closed(struct sim *s, struct end *e, enum close_reason reason)
{
	struct event event = {.type = EV_CONN_CLOSED,
	    .conn = e->handle,
	    .reason = (uint8_t)reason};
	struct node *n = e->node;
	bool tell = e->state == END_CONNECTING || e->state == END_OPEN;

	end_shut(s, e);
	if (tell)
		node_step(s, n, &event);
}

static void
opened(struct sim *s, struct end *e, const struct item *i)
{
	struct event event = {.type = EV_CONN_OPEN,
	    .conn = e->handle,
	    .role = e->circuit->role,
	    .from = i->from,
	    .incarnation = i->incarnation,
	    .addr = i->addr};

	assert(e->state == END_OPEN);
	node_step(s, e->node, &event);
}

static void
refuse(struct sim *s, struct end *e, enum close_reason reason)
{
	struct item *i = end_item(s, e, ITEM_FRAME);

	i->size = reason;
	end_put(s, e, i, FRAME_REFUSED);
	end_shut(s, e);
}

static void
read_hello(struct sim *s, struct end *e, const struct item *hello)
{
	struct item *i;

	if (e->state != END_ACCEPTED)
		return;
	if (end_other(e)->node == e->node) {
		refuse(s, e, CLOSE_REFUSED);
		return;
	}
	if (e->circuit->target != e->node->id) {
		refuse(s, e, CLOSE_REJECTED);
		return;
	}
	i = end_item(s, e, ITEM_FRAME);
	i->from = e->node->id;
	i->incarnation = peer_incarnation(e->node->peer);
	i->addr = e->node->addr;
	e->theirs = hello->incarnation;
	end_put(s, e, i, FRAME_CHALLENGE);
}

static void
read_challenge(struct sim *s, struct end *e, const struct item *i)
{
	struct item *proof;

	if (e->state != END_CONNECTING)
		return;
	assert(i->from == e->circuit->target);
	e->state = END_OPEN;
	e->theirs = i->incarnation;
	proof = end_item(s, e, ITEM_FRAME);
	proof->from = e->node->id;
	proof->addr = e->node->addr;
	end_put(s, e, proof, FRAME_PROOF);
	circuit_pump(s, e);
	opened(s, e, i);
}

static void
read_proof(struct sim *s, struct end *e, struct item *i)
{
	if (e->state != END_ACCEPTED)
		return;
	e->state = END_OPEN;
	i->incarnation = e->theirs;
	opened(s, e, i);
}

static void
read_message(struct sim *s, struct end *e, const struct item *i)
{
	struct event event = {
	    .type = EV_MESSAGE, .conn = e->handle, .message = &s->message};

	if (e->state != END_OPEN)
		return;
	if (e->receiving) {
		sim_fail(s, CHECK_CONTRACT, e->node,
		    "a message of type %u on connection %u, where %llu raw "
		    "bytes were expected",
		    i->data[0], e->handle, (unsigned long long)e->left);
		return;
	}
	if (message_decode(&s->message, i->data, i->len) != (long)i->len) {
		sim_fail(s, CHECK_CONTRACT, e->node,
		    "a message of %zu bytes that can't be decoded", i->len);
		return;
	}
	s->brought = i->content;
	event.digest = content_digest(i->content, i->size);
	node_step(s, e->node, &event);
}

void
frame_read(struct sim *s, struct item *i)
{
	struct end *e = end_of(i);

	if (e == NULL || e->state == END_CLOSED || e->process != i->process) {
		queue_give_back(&s->queue, i);
		return;
	}
	switch ((enum frame)i->frame) {
	case FRAME_HELLO:
		read_hello(s, e, i);
		break;
	case FRAME_REFUSED:
		end_closed(s, e, (enum close_reason)i->size);
		break;
	case FRAME_CHALLENGE:
		read_challenge(s, e, i);
		break;
	case FRAME_PROOF:
		read_proof(s, e, i);
		break;
	case FRAME_MESSAGE:
		read_message(s, e, i);
		break;
	case FRAME_RAW:
		circuit_raw(s, e, i);
		break;
	case FRAME_END:
		end_closed(s, e, CLOSE_HANGUP);
		break;
	}
	queue_give_back(&s->queue, i);
}
