#include <assert.h>
#include <string.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/sim.h"

/* Carries a plan out: the ring, its steps, healing, rest. */

enum { REST_US = 120 * SECOND };

bool
plan_has(const uint8_t *set, unsigned id)
{
	return (set[id / 8] & 1u << id % 8) != 0;
}

void
plan_put(uint8_t *set, unsigned id)
{
	set[id / 8] |= (uint8_t)(1u << id % 8);
}

static void
begin_ring(struct sim *s, const struct plan *p)
{
	s->bits = p->bits;
	s->space = 1u << p->bits;
	s->copies = p->copies;
	s->route = p->route;
	s->ping_ms = p->ping_ms;
	s->sync = p->sync != 0;
	s->byte_ps = p->byte_ps;
	s->quality = s->usual = p->quality;
	s->skewed = p->skew_us > 0;
	s->changing = p->changing;
	s->until_us = s->now_us + p->until_us;
	s->calm = p->quality.loss == 0 && p->quality.spike == 0 &&
		  p->quality.jitter_us < 5 * MS && p->groups <= 1 && !p->chain;
	s->commands.name_count = p->name_count;
	memcpy(s->commands.names, p->names, sizeof(p->names));
}

/* All are told of all, of those of one of several rings, or one of one. */
static void
begin_contacts(struct sim *s, const struct plan *p)
{
	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[i];

		if (!p->chain)
			n->ring = (int)(i % p->groups);
		else if (i > 0 && (i - 1) % p->groups == i % p->groups)
			n->contacts[n->contact_count++] = s->nodes[i - 1].id;
	}
}

static void
begin_nodes(struct sim *s, const struct plan *p)
{
	for (unsigned i = 0; i < p->id_count; i++)
		node_add(s, p->ids[i], 0);
	begin_contacts(s, p);
	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[i];

		if (s->skewed)
			n->skew_us =
			    (int64_t)sim_between(&s->plan, 0, 2 * p->skew_us) -
			    p->skew_us;
		node_start(s, n, sim_between(&s->plan, 0, p->spread_us));
	}
}

void
plan_run(struct sim *s, const struct plan *p)
{
	assert(p->id_count > 0 && p->groups > 0);
	s->script = p;
	s->steps_left = p->step_count;
	begin_ring(s, p);
	begin_nodes(s, p);
	for (unsigned i = 0; i < p->step_count; i++) {
		struct item *step = queue_item(&s->queue, ITEM_FAULT);

		step->op = i;
		queue_push(&s->queue, step, s->now_us + p->steps[i].at_us);
	}
	while (s->now_us < s->until_us && !s->failed) {
		sim_until(s, s->now_us + 100 * MS);
		check_known(s);
	}
	if (s->failed)
		return;
	rest_heal(s);
	if (rest_wait(s, s->now_us + REST_US))
		rest_check(s);
}
