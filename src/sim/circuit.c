#include <assert.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "sim/net.h"

static struct circuit *
circuit_new(struct sim *s)
{
	struct circuit *c = s->circuits_free;
	uint32_t generation = 0;

	if (c != NULL) {
		s->circuits_free = c->next;
		generation = c->generation;
	} else if ((c = malloc(sizeof(*c))) == NULL) {
		err(1, "a connection of the simulator");
	}
	memset(c, 0, sizeof(*c));
	c->generation = generation + 1;
	c->used = true;
	for (uint8_t side = 0; side < 2; side++) {
		c->ends[side].circuit = c;
		c->ends[side].side = side;
	}
	c->next = s->circuits;
	s->circuits = c;
	return c;
}

static bool
end_over(const struct end *e)
{
	return e->state == END_CLOSED && e->wire.head == NULL &&
	       e->queued.head == NULL;
}

/* Keeps the memory of circuits that are over. */
static void
circuits_sweep(struct sim *s)
{
	struct circuit **link = &s->circuits, *c;

	while ((c = *link) != NULL) {
		if (!end_over(&c->ends[0]) || !end_over(&c->ends[1])) {
			link = &c->next;
			continue;
		}
		*link = c->next;
		c->generation++;
		c->used = false;
		c->next = s->circuits_free;
		s->circuits_free = c;
	}
}

void
circuit_reset(struct sim *s)
{
	for (struct circuit *c = s->circuits; c != NULL; c = c->next)
		for (unsigned side = 0; side < 2; side++) {
			items_clear(&c->ends[side].wire, &s->queue);
			items_clear(&c->ends[side].queued, &s->queue);
			c->ends[side].state = END_CLOSED;
		}
	circuits_sweep(s);
	assert(s->circuits == NULL);
}

void
circuit_free(struct sim *s)
{
	struct circuit *c;

	assert(s->circuits == NULL);
	while ((c = s->circuits_free) != NULL) {
		s->circuits_free = c->next;
		free(c);
	}
}

static void
end_link(struct end *e)
{
	struct node *n = e->node;

	e->process = n->process;
	e->previous = NULL;
	e->next = n->ends;
	if (n->ends != NULL)
		n->ends->previous = e;
	n->ends = e;
}

static void
end_unlink(struct end *e)
{
	if (e->previous != NULL)
		e->previous->next = e->next;
	else
		e->node->ends = e->next;
	if (e->next != NULL)
		e->next->previous = e->previous;
	e->next = e->previous = NULL;
}

struct end *
end_find(const struct node *n, uint32_t handle)
{
	for (struct end *e = n->ends; e != NULL; e = e->next)
		if (e->handle == handle && e->state != END_CLOSING)
			return e;
	return NULL;
}

struct end *
end_other(const struct end *e)
{
	return &e->circuit->ends[1 - e->side];
}

struct end *
end_of(const struct item *i)
{
	if (!i->circuit->used || i->circuit->generation != i->generation)
		return NULL;
	return &i->circuit->ends[i->side];
}

struct item *
end_item(struct sim *s, struct end *e, enum item_kind kind)
{
	struct item *i = queue_item(&s->queue, kind);

	i->circuit = e->circuit;
	i->generation = e->circuit->generation;
	i->side = e->side;
	i->node = e->node;
	i->process = e->process;
	return i;
}

static void
wire_arm(struct sim *s, struct end *e, uint64_t at_us)
{
	assert(!e->armed && e->wire.head != NULL);
	e->armed = true;
	queue_push(&s->queue, end_item(s, e, ITEM_WIRE),
	    at_us > s->now_us ? at_us : s->now_us);
}

/* A frame sets out; what is lost on the way comes again, later. */
void
end_put(struct sim *s, struct end *e, struct item *i, enum frame frame)
{
	uint64_t at_us = s->now_us + net_delay_us(s);
	uint64_t again_us = RETRANSMIT_US;

	assert(!e->ended);
	while (sim_chance(&s->net, s->quality.loss) &&
	       again_us < RETRANSMIT_MAX_US) {
		at_us += again_us;
		again_us *= 2;
	}
	i->frame = (uint8_t)frame;
	e->ended = frame == FRAME_END || frame == FRAME_REFUSED;
	if (at_us < e->wire_us)
		at_us = e->wire_us;
	e->wire_us = i->at_us = at_us;
	items_append(&e->wire, i);
	if (!e->armed)
		wire_arm(s, e, at_us);
}

void
circuit_connect(struct sim *s, struct node *n, const struct action *a)
{
	struct circuit *c = circuit_new(s);
	struct end *e = &c->ends[0];
	struct item *hello;

	c->role = a->role;
	c->target = a->id;
	e->node = n;
	e->handle = a->conn;
	e->state = END_CONNECTING;
	end_link(e);
	c->ends[1].node = node_at(s, a->addr);
	hello = end_item(s, e, ITEM_FRAME);
	hello->from = n->id;
	hello->incarnation = peer_incarnation(n->peer);
	hello->addr = n->addr;
	end_put(s, e, hello, FRAME_HELLO);
	queue_push(&s->queue, end_item(s, e, ITEM_LATE),
	    s->now_us + (a->timeout_us > 0 ? a->timeout_us : HANDSHAKE_US));
}

/* A hello arrives at a host: the kernel answers, even for a stopped process. */
static bool
listener_accepts(struct sim *s, struct end *e)
{
	struct item *refused;

	if (e->node == NULL || !e->node->running) {
		refused = end_item(s, e, ITEM_FRAME);
		refused->size = CLOSE_REFUSED;
		end_put(s, e, refused, FRAME_REFUSED);
		return false;
	}
	e->state = END_ACCEPTED;
	e->handle = CONN_INBOUND | ++e->node->handles;
	end_link(e);
	queue_push(
	    &s->queue, end_item(s, e, ITEM_LATE), s->now_us + HANDSHAKE_US);
	return true;
}

static void
frame_arrives(struct sim *s, struct end *e, struct item *i)
{
	if (i->frame == FRAME_HELLO && !listener_accepts(s, e)) {
		queue_give_back(&s->queue, i);
		return;
	}
	if (e->state == END_CLOSED) {
		queue_give_back(&s->queue, i);
		return;
	}
	i->side = e->side;
	i->node = e->node;
	i->process = e->process;
	node_take(s, i);
}

void
circuit_wire(struct sim *s, struct item *carrier)
{
	struct end *e = end_of(carrier);
	struct circuit *c = carrier->circuit;
	uint64_t wait_us = RETRANSMIT_US;

	queue_give_back(&s->queue, carrier);
	if (e == NULL)
		return;
	e->armed = false;
	assert(e->wire.head != NULL);
	if (net_blocked(s, e->node, end_other(e)->node)) {
		if (e->wire.head->frame == FRAME_HELLO)
			wait_us = SECOND;
		wait_us <<= e->tries < 4 ? e->tries++ : 4;
		if (wait_us > RETRANSMIT_MAX_US)
			wait_us = RETRANSMIT_MAX_US;
		wire_arm(s, e, s->now_us + wait_us);
		return;
	}
	e->tries = 0;
	frame_arrives(s, end_other(e), items_take(&e->wire));
	if (!e->armed && e->wire.head != NULL)
		wire_arm(s, e, e->wire.head->at_us);
	if (end_over(&c->ends[0]) && end_over(&c->ends[1]))
		circuits_sweep(s);
}

void
end_shut(struct sim *s, struct end *e)
{
	assert(e->state != END_CLOSED);
	items_clear(&e->queued, &s->queue);
	e->receiving = false;
	e->state = END_CLOSED;
	end_unlink(e);
	if (!e->ended)
		end_put(s, e, end_item(s, e, ITEM_FRAME), FRAME_END);
}

/* By the core: what is queued still goes, and no event comes back. */
void
circuit_close(struct sim *s, struct end *e)
{
	e->receiving = false;
	if (e->state != END_OPEN || e->queued.head == NULL) {
		end_shut(s, e);
	} else {
		e->state = END_CLOSING;
		e->drain_us = s->now_us + DRAIN_US;
		queue_push(&s->queue, end_item(s, e, ITEM_LATE), e->drain_us);
	}
}

void
circuit_abandon(struct sim *s, struct node *n)
{
	while (n->ends != NULL)
		end_shut(s, n->ends);
}

/* Both ends see it break, and what was on the way is lost. */
void
circuit_break(struct sim *s, struct circuit *c)
{
	for (unsigned side = 0; side < 2; side++) {
		struct end *e = &c->ends[side];
		struct item *first = e->wire.head;

		if (e->state != END_OPEN || e->ended || first == NULL)
			continue;
		/* The one that is due stays, for its carrier is on its way. */
		e->wire.head = first->next;
		items_clear(&e->wire, &s->queue);
		items_append(&e->wire, first);
	}
	for (unsigned side = 0; side < 2; side++) {
		struct end *e = &c->ends[side];

		if (e->state != END_OPEN || e->ended)
			continue;
		items_clear(&e->queued, &s->queue);
		end_put(s, e, end_item(s, e, ITEM_FRAME), FRAME_END);
	}
}

void
circuit_late(struct sim *s, struct item *i)
{
	struct end *e = end_of(i);

	queue_give_back(&s->queue, i);
	if (e == NULL)
		return;
	if (e->state == END_ACCEPTED ||
	    (e->state == END_CLOSING && e->drain_us <= s->now_us))
		end_shut(s, e);
	else if (e->state == END_CONNECTING)
		end_closed(s, e, CLOSE_TIMEOUT);
}
