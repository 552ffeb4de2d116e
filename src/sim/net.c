#include <assert.h>

#include "sim/net.h"

uint64_t
net_delay_us(struct sim *s)
{
	const struct quality *q = &s->quality;
	uint64_t us = q->delay_us;

	if (q->jitter_us > 0)
		us += random_below(&s->net, q->jitter_us + 1);
	if (q->spike > 0 && sim_chance(&s->net, q->spike))
		us += random_below(&s->net, q->spike_us + 1);
	return us;
}

bool
net_blocked(const struct sim *s, const struct node *from, const struct node *to)
{
	if (from == NULL || to == NULL)
		return false;
	return s->blocked[from->index][to->index] > 0;
}

static void
datagram_copy(struct sim *s, struct node *from, struct node *to,
    const uint8_t *data, size_t len)
{
	struct item *i = queue_item(&s->queue, ITEM_DATAGRAM);

	i->node = to;
	i->from = from->id;
	i->addr = from->addr;
	i->incarnation = peer_incarnation(from->peer);
	item_bytes(i, data, len);
	queue_push(&s->queue, i, s->now_us + net_delay_us(s));
}

static void
datagram_refused(struct sim *s, struct node *from, struct addr to)
{
	struct item *i = queue_item(&s->queue, ITEM_UNREACHABLE);

	i->node = from;
	i->process = from->process;
	i->addr = to;
	queue_push(&s->queue, i, s->now_us + 2 * (uint64_t)net_delay_us(s));
}

void
net_datagram(struct sim *s, struct node *from, struct addr addr,
    const uint8_t *data, size_t len)
{
	struct node *to = node_at(s, addr);

	if (len + DATAGRAM_ENVELOPE > DATAGRAM_LEN_MAX) {
		sim_fail(s, CHECK_CONTRACT, from,
		    "a datagram of %zu bytes with its envelope",
		    len + DATAGRAM_ENVELOPE);
		return;
	}
	s->messages++;
	from->sent++;
	if (net_blocked(s, from, to) || sim_chance(&s->net, s->quality.loss))
		return;
	if (to == NULL || !to->running) {
		if (!net_blocked(s, to, from))
			datagram_refused(s, from, addr);
		return;
	}
	datagram_copy(s, from, to, data, len);
	if (sim_chance(&s->net, s->quality.duplicate))
		datagram_copy(s, from, to, data, len);
}

/* A datagram or its refusal gets there. */
void
net_arrived(struct sim *s, struct item *i)
{
	if (!i->node->running)
		queue_give_back(&s->queue, i);
	else
		node_take(s, i);
}

void
net_one_way(
    struct sim *s, const struct node *from, const struct node *to, int add)
{
	uint8_t *b = &s->blocked[from->index][to->index];

	assert(add == 1 || add == -1);
	/* All may have been healed since it began. */
	if (add > 0 || *b > 0)
		*b = (uint8_t)(*b + add);
}

void
net_partition(struct sim *s, const bool *side, bool one_way, int add)
{
	for (unsigned a = 0; a < s->node_count; a++)
		for (unsigned b = 0; b < s->node_count; b++) {
			if (side[a] && !side[b])
				net_one_way(s, &s->nodes[a], &s->nodes[b], add);
			else if (!side[a] && side[b] && !one_way)
				net_one_way(s, &s->nodes[a], &s->nodes[b], add);
		}
}

void
net_heal(struct sim *s)
{
	for (unsigned a = 0; a < NODES_MAX; a++)
		for (unsigned b = 0; b < NODES_MAX; b++)
			s->blocked[a][b] = 0;
}
