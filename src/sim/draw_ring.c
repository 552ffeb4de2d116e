#include <stdio.h>

#include "sim/plan.h"
#include "sim/sim.h"

/* The ring of a seed, its network and its disks. */

static void
draw_quality(struct plan *p, struct random *r)
{
	static const struct quality local = {30, 100, 0, 0, 0, 0, 300, 20 * MS};
	struct quality *q = &p->quality;

	*q = local;
	switch (sim_between(r, 0, 9)) {
	case 0: /* a switched network */
		q->delay_us = 200;
		q->jitter_us = 300;
		break;
	case 1: /* far apart, and in any order */
		q->delay_us = 2 * MS;
		q->jitter_us = 8 * MS;
		break;
	case 2: /* a busy machine: 92 ms were seen */
		q->spike = (uint32_t)sim_between(r, 100, 5000);
		q->spike_us = 92 * MS;
		break;
	case 3:
		q->loss = (uint32_t)sim_between(r, 1000, 50000);
		q->duplicate = (uint32_t)sim_between(r, 0, 50000);
		break;
	case 4: /* bad in every way */
		q->delay_us = 1 * MS;
		q->jitter_us = 30 * MS;
		q->loss = (uint32_t)sim_between(r, 10000, 200000);
		q->duplicate = 50000;
		q->spike = 2000;
		q->spike_us = 400 * MS;
		break;
	}
	if (random_below(r, 4) == 0) {
		q->disk_us = 5 * MS;
		q->sync_us = 700 * MS;
	}
}

static void
draw_space(struct plan *p, struct random *r)
{
	static const uint8_t bits[] = {3, 4, 4, 4, 5, 5, 6, 6, 7, 8};
	static const uint32_t pings_ms[] = {
	    0, 0, 0, 100, 200, 500, 1000, 30000};
	static const uint32_t spreads_us[] = {0, 1 * MS, 50 * MS, 3 * SECOND};

	p->bits = bits[sim_between(r, 0, sizeof(bits) - 1)];
	p->copies = (uint32_t)sim_between(r, 1, 4);
	p->route = random_below(r, 2) == 0 ? ROUTE_DIRECT : ROUTE_SUCCESSOR;
	p->ping_ms = pings_ms[sim_between(r, 0, 7)];
	p->sync = random_below(r, 3) != 0;
	p->byte_ps = random_below(r, 2) == 0 ? 1000 : 100 * 1000;
	p->spread_us = spreads_us[sim_between(r, 0, 3)];
	p->skew_us = (random_below(r, 4) == 0) ? SECOND : 0;
	p->groups =
	    (random_below(r, 6) == 0) ? (uint32_t)sim_between(r, 2, 3) : 1;
	p->chain = p->groups == 1 && (random_below(r, 8) == 0);
	p->changing = 10000;
	p->name_count = (unsigned)sim_between(r, 1, 6);
	for (unsigned i = 0; i < p->name_count; i++) {
		char text[16];

		/* Every one different, by its last digit. */
		snprintf(text, sizeof(text), "%03u%u",
		    (unsigned)sim_between(r, 0, 999), i);
		name_set(&p->names[i], text, 4);
	}
}

static bool
taken(const struct plan *p, unsigned id)
{
	for (unsigned i = 0; i < p->id_count; i++)
		if (p->ids[i] == id)
			return true;
	return false;
}

static void
draw_ids(struct plan *p, struct random *r)
{
	unsigned space = 1u << p->bits;
	unsigned most = space < 12 ? space : 12, size;

	if (random_below(r, 40) == 0)
		most = space < 64 ? space : 64;
	if (random_below(r, 3) == 0)
		most = most < 4 ? most : 4;
	size = (unsigned)sim_between(r, 1, most);
	while (p->id_count < size) {
		unsigned id = (unsigned)sim_between(r, 0, space - 1);

		if (!taken(p, id))
			p->ids[p->id_count++] = (uint16_t)id;
	}
}

void
plan_draw_ring(struct plan *p, struct random *r)
{
	draw_space(p, r);
	draw_quality(p, r);
	draw_ids(p, r);
}
