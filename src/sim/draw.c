#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/draw.h"
#include "sim/sim.h"

/*
 * A plan from a seed. What a step finds when its time comes is guessed: which
 * peers are up by the steps before it. A step that does not fit does nothing.
 */

enum kind {
	KIND_KILL,
	KIND_KILL_TWO,
	KIND_BOUNCE, /* killed and started again */
	KIND_RESTART,
	KIND_WIPE,
	KIND_WIPE_SOME, /* fewer than copies, side by side */
	KIND_POWER,
	KIND_POWER_ALL,
	KIND_CRASH,
	KIND_PAUSE,
	KIND_HICCUP, /* a short pause */
	KIND_PARTITION,
	KIND_ONE_WAY,
	KIND_BREAK,
	KIND_QUALITY,
	KIND_JOIN,
	KIND_JOIN_TWO,
	KIND_LEAVE,
	KIND_FREEZE,
	KIND_DOWN, /* all of it, and up again */
	KIND_SET,
	KIND_FULL,
	KIND_BROKEN,
	KIND_DAMAGE,
	KIND_STORE,
	KIND_STORE_MORE,
	KIND_REQUEST,
	KIND_REMOVE,
	KIND_CANCEL,
	KIND_OWNER,
	KINDS,
};

uint64_t
draw_from(struct draft *d, uint64_t low, uint64_t high)
{
	return sim_between(&d->random, low, high);
}

bool
draw_one_in(struct draft *d, unsigned n)
{
	return random_below(&d->random, n) == 0;
}

/* From a few milliseconds to some seconds, every order as likely. */
uint64_t
draw_time_us(struct draft *d)
{
	uint64_t most = (uint64_t)5 * MS << draw_from(d, 0, 10);

	return draw_from(d, most / 2, most);
}

struct step *
draw_add(struct draft *d, enum verb verb, uint64_t at_us)
{
	struct plan *p = d->plan;
	/* What no longer fits is written where nobody looks. */
	static struct step nowhere;
	struct step *s =
	    p->step_count == STEPS_MAX ? &nowhere : &p->steps[p->step_count++];

	memset(s, 0, sizeof(*s));
	s->verb = (uint8_t)verb;
	s->at_us = at_us;
	return s;
}

struct step *
draw_add_to(struct draft *d, enum verb verb, uint64_t at_us, unsigned at)
{
	struct step *s = draw_add(d, verb, at_us);

	plan_put(s->peers, d->ids[at]);
	return s;
}

/* Position of a peer that should be up, or down; -1: none. */
static int
draw_peer(struct draft *d, bool up)
{
	unsigned from = (unsigned)draw_from(d, 0, d->count - 1);

	for (unsigned i = 0; i < d->count; i++) {
		unsigned at = (from + i) % d->count;

		if ((d->back_us[at] <= d->at_us) == up)
			return (int)at;
	}
	return -1;
}

unsigned
draw_first(const struct draft *d, unsigned from, unsigned none)
{
	unsigned space = 1u << d->plan->bits, best = none, distance = space;

	for (unsigned i = 0; i < d->count; i++) {
		unsigned far = (d->ids[i] - from) & (space - 1);

		if (d->back_us[i] <= d->at_us && far < distance) {
			best = i;
			distance = far;
		}
	}
	return best;
}

unsigned
draw_next(const struct draft *d, unsigned at)
{
	return draw_first(d, d->ids[at] + 1u, at);
}

void
draw_start(struct draft *d, unsigned at, uint64_t after_us)
{
	draw_add_to(d, VERB_START, d->at_us + after_us, at);
	d->back_us[at] = d->at_us + after_us;
}

void
draw_take_down(struct draft *d, enum verb verb, unsigned at)
{
	draw_add_to(d, verb, d->at_us, at);
	d->back_us[at] = DOWN_FOREVER;
}

static void
wipe_some(struct draft *d, unsigned at)
{
	unsigned most = d->plan->copies > 1 ? d->plan->copies - 1 : 1;
	unsigned n = (unsigned)draw_from(d, 1, most);

	/* Now and then one more than is promised. */
	n += draw_one_in(d, 12);
	for (unsigned i = 0; i < n; i++, at = draw_next(d, at)) {
		draw_take_down(d, VERB_KILL, at);
		draw_add_to(d, VERB_WIPE, d->at_us, at);
		draw_start(d, at, draw_time_us(d));
	}
}

static void
everybody(struct draft *d, enum verb verb, uint64_t for_us, uint64_t after_us)
{
	struct step *s = draw_add(d, verb, d->at_us);

	s->for_us = for_us;
	for (unsigned i = 0; i < d->count; i++) {
		if (d->back_us[i] == DOWN_FOREVER && !draw_one_in(d, 2))
			continue;
		plan_put(s->peers, d->ids[i]);
		draw_start(d, i, after_us + draw_time_us(d));
	}
}

static void
partition(struct draft *d)
{
	struct step *s = draw_add(
	    d, draw_one_in(d, 4) ? VERB_ONE_WAY : VERB_PARTITION, d->at_us);
	unsigned alone = (unsigned)draw_from(d, 0, d->count - 1);
	bool single = draw_one_in(d, 4);

	for (unsigned i = 0; i < d->count; i++)
		if (single ? i == alone : draw_one_in(d, 2))
			plan_put(s->peers, d->ids[i]);
		else
			plan_put(s->others, d->ids[i]);
	s->for_us = draw_time_us(d);
}

static void
between(struct draft *d, enum verb verb, unsigned from)
{
	unsigned to = (unsigned)draw_from(d, 0, d->count - 1);
	struct step *s;

	if (to == from)
		return;
	s = draw_add_to(d, verb, d->at_us, from);
	plan_put(s->others, d->ids[to]);
	if (verb == VERB_ONE_WAY)
		s->for_us = draw_time_us(d);
}

static bool
taken(const struct draft *d, unsigned id)
{
	for (unsigned i = 0; i < d->count; i++)
		if (d->ids[i] == id)
			return true;
	return false;
}

static void
join(struct draft *d, unsigned through)
{
	unsigned space = 1u << d->plan->bits;
	unsigned id = (unsigned)draw_from(d, 0, space - 1);
	struct step *s;

	for (unsigned i = 0; i < 8 && taken(d, id); i++)
		id = (id + 1) & (space - 1);
	if (taken(d, id) || d->count == NODES_MAX)
		return;
	s = draw_add(d, VERB_JOIN, d->at_us);
	s->id = (uint16_t)id;
	s->other = d->ids[through];
	d->back_us[d->count] = 0;
	d->ids[d->count++] = (uint16_t)id;
}

static void
worse(struct draft *d)
{
	uint64_t for_us = draw_time_us(d);
	struct step *s = draw_add(d, VERB_DROP, d->at_us);

	s->amount = draw_from(d, 10000, 500000);
	s->for_us = for_us;
	s = draw_add(d, VERB_SLOW, d->at_us);
	s->amount = draw_from(d, 0, 50 * MS);
	s->for_us = for_us;
}

struct step *
draw_command(struct draft *d, enum verb verb, unsigned at)
{
	static const uint64_t sizes[] = {
	    0, 1, 4096, 65535, 65536, 65537, 300000, 5000000};
	struct step *s;

	if (!d->with_files || (verb == VERB_CANCEL && d->commands == 0))
		return NULL;
	s = draw_add_to(d, verb, d->at_us, at);
	s->name = (uint8_t)draw_from(d, 0, d->plan->name_count - 1);
	if (verb == VERB_STORE)
		s->amount = sizes[draw_from(d, 0, 7)];
	else if (verb == VERB_OWNER)
		s->amount = draw_from(d, 0, (1u << d->plan->bits) - 1);
	else if (verb == VERB_CANCEL)
		s->amount = draw_from(d, 1, d->commands);
	d->commands++;
	return s;
}

static void
happen_to_files(struct draft *d, enum kind kind, unsigned at)
{
	switch (kind) {
	case KIND_FULL:
	case KIND_BROKEN:
		draw_add_to(d, kind == KIND_FULL ? VERB_FULL : VERB_BROKEN,
		    d->at_us, at)
		    ->for_us = draw_time_us(d);
		break;
	case KIND_DAMAGE:
		if (d->with_files)
			draw_add_to(d, VERB_DAMAGE, d->at_us, at)->name =
			    (uint8_t)draw_from(d, 0, d->plan->name_count - 1);
		break;
	case KIND_REQUEST:
		draw_command(d, VERB_REQUEST, at);
		break;
	case KIND_REMOVE:
		draw_command(d, VERB_REMOVE, at);
		break;
	case KIND_CANCEL:
		draw_command(d, VERB_CANCEL, at);
		break;
	case KIND_OWNER:
		draw_command(d, VERB_OWNER, at);
		break;
	default:
		draw_command(d, VERB_STORE, at);
		break;
	}
}

static void
happen_to_net(struct draft *d, enum kind kind, unsigned at)
{
	switch (kind) {
	case KIND_PAUSE:
		draw_add_to(d, VERB_PAUSE, d->at_us, at)->for_us =
		    draw_time_us(d);
		break;
	case KIND_HICCUP:
		draw_add_to(d, VERB_PAUSE, d->at_us, at)->for_us =
		    draw_from(d, 1 * MS, 300 * MS);
		break;
	case KIND_PARTITION:
		partition(d);
		break;
	case KIND_ONE_WAY:
		between(d, VERB_ONE_WAY, at);
		break;
	case KIND_BREAK:
		between(d, VERB_BREAK, at);
		break;
	case KIND_QUALITY:
		worse(d);
		break;
	case KIND_JOIN_TWO:
		join(d, at);
		join(d, at);
		break;
	case KIND_JOIN:
		join(d, at);
		break;
	case KIND_LEAVE:
		draw_take_down(d, VERB_QUIT, at);
		break;
	case KIND_FREEZE:
		draw_take_down(d, VERB_FREEZE, at);
		d->plan->steps[d->plan->step_count - 1].for_us =
		    draw_from(d, 1, 1000) * MS;
		break;
	default:
		happen_to_files(d, kind, at);
		break;
	}
}

static void
happen(struct draft *d, enum kind kind, unsigned at)
{
	int down;

	switch (kind) {
	case KIND_KILL_TWO:
		draw_take_down(d, VERB_KILL, draw_next(d, at));
		draw_take_down(d, VERB_KILL, at);
		break;
	case KIND_KILL:
		draw_take_down(d, VERB_KILL, at);
		break;
	case KIND_BOUNCE:
		draw_take_down(d, VERB_KILL, at);
		draw_start(d, at, draw_time_us(d));
		break;
	case KIND_WIPE:
		draw_take_down(d, VERB_KILL, at);
		draw_add_to(d, VERB_WIPE, d->at_us, at);
		draw_start(d, at, draw_time_us(d));
		break;
	case KIND_WIPE_SOME:
		wipe_some(d, at);
		break;
	case KIND_RESTART:
		down = draw_peer(d, false);
		if (down >= 0)
			draw_start(d, (unsigned)down, 0);
		break;
	case KIND_POWER:
		draw_take_down(d, VERB_POWER_OFF, at);
		draw_start(d, at, draw_time_us(d));
		break;
	case KIND_POWER_ALL:
		everybody(d, VERB_POWER_OFF, 0, 0);
		break;
	case KIND_DOWN:
		everybody(d, VERB_FREEZE, 500 * MS, 3 * SECOND);
		break;
	case KIND_SET:
		draw_set(d);
		break;
	case KIND_CRASH:
		draw_add_to(d, VERB_CRASH, d->at_us, at)->amount =
		    draw_from(d, 1, (uint64_t)2 << draw_from(d, 0, 7));
		draw_start(d, at, 20 * MS + draw_time_us(d));
		break;
	default:
		happen_to_net(d, kind, at);
		break;
	}
}

/* Each seed has a choice of its own among the kinds. */
static void
draw_step(struct draft *d)
{
	unsigned kind = (unsigned)draw_from(d, 0, KINDS - 1);
	int at = draw_peer(d, true);

	for (unsigned tries = 0; tries < 8; tries++)
		if (!(d->unwanted & 1u << kind))
			kind = (unsigned)draw_from(d, 0, KINDS - 1);
	/* Rare, for they end what the others began. */
	if ((kind == KIND_DOWN || kind == KIND_POWER_ALL) && !draw_one_in(d, 4))
		kind = KIND_BOUNCE;
	if (at >= 0)
		happen(d, (enum kind)kind, (unsigned)at);
	else if ((at = draw_peer(d, false)) >= 0)
		draw_start(d, (unsigned)at, 0);
}

/* By time; steps of one time stay in their order. */
static void
sort_steps(struct plan *p)
{
	for (unsigned i = 1; i < p->step_count; i++) {
		struct step s = p->steps[i];
		unsigned at = i;

		for (; at > 0 && p->steps[at - 1].at_us > s.at_us; at--)
			p->steps[at] = p->steps[at - 1];
		p->steps[at] = s;
	}
}

static int
smaller(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
draw_steps(struct draft *d)
{
	uint64_t span_us = (uint64_t)300 * MS << draw_from(d, 0, 4),
		 times[160] = {0};
	unsigned count = (unsigned)draw_from(d, 0, 25);
	uint64_t from_us = draw_from(d, 0, 2) * SECOND;

	if (draw_one_in(d, 20))
		span_us *= 8;
	if (draw_one_in(d, 8))
		count = (unsigned)draw_from(d, 25, 160);
	d->plan->until_us = from_us + span_us;
	d->unwanted = (uint32_t)~random_u64(&d->random);
	if (draw_one_in(d, 3))
		d->unwanted |= (uint32_t)random_u64(&d->random);
	for (unsigned i = 0; i < count; i++)
		times[i] = draw_from(d, from_us, from_us + span_us);
	qsort(times, count, sizeof(times[0]), smaller);
	for (unsigned i = 0; i < count; i++) {
		d->at_us = times[i];
		draw_step(d);
	}
	sort_steps(d->plan);
}

void
plan_draw(struct plan *p, uint64_t seed, bool with_files)
{
	struct draft d = {.plan = p, .with_files = with_files};

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	random_seed(&d.random, seed);
	plan_draw_ring(p, &d.random);
	d.count = p->id_count;
	memcpy(d.ids, p->ids, sizeof(d.ids));
	draw_steps(&d);
	assert(p->step_count <= STEPS_MAX);
}
