#include <string.h>

#include "sim/check.h"
#include "sim/sim.h"

/* Who was there all the time, and whom who comes back must miss. */

uint64_t
check_stood(const struct node *n)
{
	uint64_t us = n->served ? n->stood_us : UINT64_MAX;
	uint64_t bad_us = disk_bad_until(n);

	return bad_us > us ? bad_us : us;
}

void
check_saw(struct sim *s, struct node *n, unsigned id)
{
	const struct node *o = node_of(s, id);

	/* Of the dead it only heard. */
	if (n->served && o != NULL && o->running)
		n->seen[id] = n->shadow[id].incarnation;
}

void
check_served(struct sim *s, struct node *n)
{
	bool served = check_acts(n, false);

	if (served)
		n->last_served = n->incarnation;
	if (n->served == served)
		return;
	n->served = served;
	n->stood_us = n->served_us = s->now_us;
	for (unsigned id = 0; id < s->space; id++)
		n->seen[id] = n->shadow[id].incarnation;
	for (unsigned i = 0; i < s->node_count; i++) {
		const struct node *o = &s->nodes[i];

		if (!o->served || !check_acts(o, false) || !check_knows(n, o))
			continue;
		for (unsigned b = 0; b < sizeof(n->told); b++)
			n->told[b] |= o->then[b] | o->told[b];
		if (!o->forgot && check_stood(o) < n->stood_us)
			n->stood_us = check_stood(o);
	}
}

void
check_missed(struct sim *s, struct node *n)
{
	unsigned then = 0, down = 0;

	for (unsigned id = 0; id < s->space; id++) {
		const struct node *o = node_of(s, id);

		if (!plan_has(n->then, id) ||
		    n->shadow[id].state == MEMBER_LEFT)
			continue;
		then++;
		down += o == NULL || !check_acts(o, true);
	}
	if (check_acts(n, false) &&
	    down < (then < s->copies ? then : s->copies))
		memset(n->then, 0, sizeof(n->then));
}
