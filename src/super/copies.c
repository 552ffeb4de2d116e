#include <stdio.h>

#include "super/call.h"
#include "super/set.h"
#include "super/super.h"

/* A paused one's word is old. */
static bool
speaks(const struct child *c)
{
	return c != NULL && child_state(c) == PEER_UP;
}

uint64_t
copies_short(const struct super *s)
{
	uint64_t sum = 0;

	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (speaks(s->children[id]))
			sum += s->children[id]->report.missing;
	return sum;
}

uint64_t
copies_stuck(const struct super *s)
{
	uint64_t sum = 0;

	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (speaks(s->children[id]))
			sum += s->children[id]->report.stuck;
	return sum;
}

bool
copies_settled(const struct super *s)
{
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *c = s->children[id];

		if (speaks(c) &&
		    (c->report.unsure || c->report.missing > c->report.stuck))
			return false;
	}
	return true;
}

uint64_t
copies_lost(const struct super *s, const struct idset *except)
{
	uint64_t sum = 0;

	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (speaks(s->children[id]) &&
		    (except == NULL || !idset_has(except, id)))
			sum += s->children[id]->lacked;
	return sum;
}

/* Has files that can be asked for; one that syncs again has them still. */
static bool
holds(const struct child *c)
{
	return speaks(c) || (c != NULL && child_state(c) == PEER_SYNCING);
}

/* All that the owner's files are with, if the ring is at rest. */
static bool
holds_alone(const struct super *s, unsigned owner, const struct idset *these)
{
	unsigned left = s->config.copies;

	for (unsigned i = 0; i < SPACE_MAX && left > 0; i++) {
		unsigned id = (owner + i) % SPACE_MAX;

		if (!holds(s->children[id]) ||
		    s->children[id]->report.files == 0)
			continue;
		if (!idset_has(these, id))
			return false;
		left--;
	}
	return true;
}

uint64_t
copies_alone(const struct super *s, const struct idset *these)
{
	unsigned here = 0;
	uint64_t sum = 0;

	for (unsigned id = 0; id < SPACE_MAX; id++)
		here += holds(s->children[id]);
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *c = s->children[id];

		/* Members that are no children here may hold them, too. */
		if (idset_has(these, id) && holds(c) &&
		    c->report.members <= here && holds_alone(s, id, these))
			sum += c->report.owned;
	}
	return sum;
}

static void
forget(struct super *s)
{
	s->short_us = 0;
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (s->children[id] != NULL)
			s->children[id]->lacked = 0;
}

void
copies_expect(struct super *s)
{
	if (copies_settled(s))
		forget(s);
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (s->children[id] != NULL)
			copies_reported(s->children[id]);
	if (s->short_us == 0)
		s->short_us = clock_us();
}

/* The most that an owner said: it may do so twice of one file. */
void
copies_reported(struct child *c)
{
	struct super *s = c->super;

	if (!speaks(c) || c->report.missing == 0)
		return;
	if (c->report.missing > c->lacked)
		c->lacked = c->report.missing;
	if (s->short_us == 0)
		s->short_us = clock_us();
}

void
copies_judge(struct super *s)
{
	uint64_t lost = copies_lost(s, NULL);
	char text[64], span[32];

	if (s->short_us == 0 || !s->whole || copies_short(s) > 0)
		return;
	if (lost > 0) {
		snprintf(text, sizeof(text), "all have their copies, in %s",
		    span_print(clock_us() - s->short_us, span, sizeof(span)));
		super_event(s, EVENT_copies, PEER_NOBODY, lost, text);
	}
	forget(s);
}
