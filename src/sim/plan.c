#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/sim.h"

/* A ring and the times of its faults, drawn from the seed. */

static uint64_t
draw(struct sim *s, uint64_t low, uint64_t high)
{
	return sim_between(&s->plan, low, high);
}

static bool
one_in(struct sim *s, unsigned n)
{
	return random_below(&s->plan, n) == 0;
}

static void
draw_quality(struct sim *s)
{
	static const struct quality local = {30, 100, 0, 0, 0, 0, 300, 20 * MS};
	struct quality *q = &s->quality;

	*q = local;
	switch (draw(s, 0, 9)) {
	case 0: /* a switched network */
		q->delay_us = 200;
		q->jitter_us = 300;
		break;
	case 1: /* far apart, and in any order */
		q->delay_us = 2 * MS;
		q->jitter_us = 8 * MS;
		break;
	case 2: /* a busy machine: 92 ms were seen */
		q->spike = (uint32_t)draw(s, 100, 5000);
		q->spike_us = 92 * MS;
		break;
	case 3:
		q->loss = (uint32_t)draw(s, 1000, 50000);
		q->duplicate = (uint32_t)draw(s, 0, 50000);
		break;
	case 4: /* bad in every way */
		q->delay_us = 1 * MS;
		q->jitter_us = 30 * MS;
		q->loss = (uint32_t)draw(s, 10000, 200000);
		q->duplicate = 50000;
		q->spike = 2000;
		q->spike_us = 400 * MS;
		break;
	}
	if (one_in(s, 4)) {
		q->disk_us = 5 * MS;
		q->sync_us = 700 * MS;
	}
	s->usual = *q;
	s->calm = q->loss == 0 && q->spike == 0 && q->jitter_us < 5 * MS;
}

static void
draw_space(struct sim *s)
{
	static const uint8_t bits[] = {3, 4, 4, 4, 5, 5, 6, 6, 7, 8};
	static const uint32_t pings_ms[] = {
	    0, 0, 0, 100, 200, 500, 1000, 30000};

	s->bits = bits[draw(s, 0, sizeof(bits) - 1)];
	s->space = 1u << s->bits;
	s->copies = (unsigned)draw(s, 1, 4);
	s->route = one_in(s, 2) ? ROUTE_DIRECT : ROUTE_SUCCESSOR;
	s->ping_ms = pings_ms[draw(s, 0, 7)];
	s->byte_ps = one_in(s, 2) ? 1000 : 100 * 1000;
	s->commands.name_count = (unsigned)draw(s, 1, 6);
	for (unsigned i = 0; i < s->commands.name_count; i++) {
		char text[16];

		/* Every one different, by its last digit. */
		snprintf(
		    text, sizeof(text), "%03u%u", (unsigned)draw(s, 0, 999), i);
		name_set(&s->commands.names[i], text, 4);
	}
}

static unsigned
draw_size(struct sim *s)
{
	unsigned most = s->space < 12 ? s->space : 12;

	if (one_in(s, 40))
		most = s->space < 64 ? s->space : 64;
	if (one_in(s, 3))
		most = most < 4 ? most : 4;
	return (unsigned)draw(s, 1, most);
}

/* Who is told of whom: all of all, or several rings that never met. */
static void
draw_contacts(struct sim *s)
{
	unsigned groups = one_in(s, 6) ? (unsigned)draw(s, 2, 3) : 1;
	bool chain = groups == 1 && one_in(s, 8);

	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[i];

		for (unsigned j = 0; j < s->node_count; j++) {
			if (j == i || (chain && j + 1 != i) ||
			    j % groups != i % groups)
				continue;
			n->contacts[n->contact_count++] = s->nodes[j].id;
		}
	}
	if (groups > 1 || chain)
		s->calm = false;
}

static void
draw_nodes(struct sim *s)
{
	static const uint64_t spreads_us[] = {0, 1 * MS, 50 * MS, 3 * SECOND};
	uint64_t spread_us = spreads_us[draw(s, 0, 3)];
	unsigned size = draw_size(s);

	s->skewed = one_in(s, 4);
	while (s->node_count < size) {
		unsigned id = (unsigned)draw(s, 0, s->space - 1);

		if (node_of(s, id) == NULL)
			node_add(s, id, 0);
	}
	draw_contacts(s);
	for (unsigned i = 0; i < size; i++) {
		struct node *n = &s->nodes[i];

		if (s->skewed)
			n->skew_us = (int64_t)draw(s, 0, 2 * SECOND) - SECOND;
		node_start(s, n, draw(s, 0, spread_us));
	}
}

static void
draw_faults(struct sim *s)
{
	uint64_t span_us = (uint64_t)300 * MS << draw(s, 0, 4);
	unsigned count = (unsigned)draw(s, 0, 25);
	uint64_t from_us = s->now_us + draw(s, 0, 2) * SECOND;

	if (one_in(s, 20))
		span_us *= 8;
	if (one_in(s, 10))
		count = (unsigned)draw(s, 25, 120);
	s->changing = 10000;
	s->until_us = from_us + span_us;
	s->faults = (uint32_t)random_u64(&s->plan);
	if (one_in(s, 3))
		s->faults &= (uint32_t)random_u64(&s->plan);
	for (unsigned i = 0; i < count; i++)
		queue_push(&s->queue, queue_item(&s->queue, ITEM_FAULT),
		    draw(s, from_us, s->until_us));
}

void
plan_draw(struct sim *s)
{
	draw_space(s);
	draw_quality(s);
	draw_nodes(s);
	draw_faults(s);
}

void
plan_run(struct sim *s)
{
	plan_draw(s);
	while (s->now_us < s->until_us && !s->failed) {
		sim_until(s, s->now_us + 100 * MS);
		check_known(s);
	}
	if (s->failed)
		return;
	rest_heal(s);
	if (rest_wait(s, s->now_us + 120 * (uint64_t)SECOND))
		rest_check(s);
}
