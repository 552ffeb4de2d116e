#include <stdlib.h>

#include "sim/draw.h"
#include "sim/sim.h"

/*
 * What takes luck to meet with faults anywhere: a name changes while one of its
 * holders is away, then all holders die within milliseconds, and the name is
 * asked for as others come back; often soon after all were restarted.
 */

static void
later(struct draft *d, uint64_t low_ms, uint64_t high_ms)
{
	d->at_us += draw_from(d, low_ms * MS, high_ms * MS);
}

static void
restart_all(struct draft *d)
{
	struct step *s = draw_add(d, VERB_KILL, d->at_us);

	for (unsigned i = 0; i < d->count; i++) {
		plan_put(s->peers, d->ids[i]);
		draw_start(d, i, draw_from(d, 1 * MS, 60 * MS));
	}
	later(d, 60, 200);
}

static unsigned
owner_of(const struct draft *d, unsigned name)
{
	const char *text = d->plan->names[name].text;

	return draw_first(d, (unsigned)strtoul(text, NULL, 10), 0);
}

static void
command(struct draft *d, enum verb verb, unsigned name)
{
	unsigned at = (unsigned)draw_from(d, 0, d->count - 1);
	struct step *s = draw_command(d, verb, draw_next(d, at));

	if (s != NULL)
		s->name = (uint8_t)name;
}

static void
holder_away(struct draft *d, unsigned name)
{
	unsigned at = owner_of(d, name);
	unsigned far = (unsigned)draw_from(d, 0, d->plan->copies);

	for (; far > 0; far--)
		at = draw_next(d, at);
	if (draw_one_in(d, 2)) {
		draw_add_to(d, VERB_PAUSE, d->at_us, at)->for_us =
		    draw_time_us(d);
		return;
	}
	draw_take_down(d, VERB_KILL, at);
	draw_start(d, at, draw_from(d, 20 * MS, 600 * MS));
}

void
draw_set(struct draft *d)
{
	unsigned name = (unsigned)draw_from(d, 0, d->plan->name_count - 1);
	uint64_t at_us = d->at_us;
	unsigned requests = (unsigned)draw_from(d, 2, 8);

	if (draw_one_in(d, 2))
		restart_all(d);
	command(d, VERB_STORE, name);
	later(d, 1, 60);
	if (!draw_one_in(d, 4))
		holder_away(d, name);
	later(d, 1, draw_one_in(d, 2) ? 40 : 1500);
	command(d, draw_one_in(d, 5) ? VERB_REMOVE : VERB_STORE, name);
	later(d, 1, 60);
	for (unsigned i = 0; i < d->plan->copies; i++) {
		unsigned at = owner_of(d, name);

		draw_take_down(d, VERB_KILL, at);
		draw_start(d, at, draw_from(d, 1 * MS, 3 * SECOND));
		later(d, 0, 2);
	}
	for (unsigned i = 0; i < requests; i++) {
		later(d, 1, 60);
		command(d, VERB_REQUEST, name);
	}
	if (d->plan->until_us < d->at_us)
		d->plan->until_us = d->at_us;
	d->at_us = at_us;
}
