#include "sim/check.h"
#include "sim/sim.h"

/* Do peers know nothing of each other? */

bool
check_strangers(const struct node *n, const struct node *o)
{
	return o != n && n->shadow[o->id].state == MEMBER_NONE &&
	       o->shadow[n->id].state == MEMBER_NONE && !check_contact(n, o) &&
	       !check_contact(o, n);
}

/*
 * Does n list what the process of o never said? Then it is of an earlier life,
 * which nobody could tell o of, and had the same number: these two have not met
 * yet, but one takes the other for whom it knew.
 */
static bool
mistakes(const struct node *n, const struct node *o)
{
	const struct member *m = &n->shadow[o->id], *own = &o->shadow[o->id];

	return m->incarnation == o->incarnation &&
	       (m->revision > own->revision ||
		   (m->revision == own->revision && m->flags != own->flags));
}

/*
 * Nor can this one ask another for what it has, which is silent, or comes back
 * to one that has no memory, or had none of it when it looked for it.
 */
static bool
is_unheard(const struct node *n, const struct node *o)
{
	bool back = (n->recalls || n->forgot) && o->incarnation > 1 &&
		    !check_acts(o, false);

	return (o->paused || back) && n->shadow[o->id].state == MEMBER_NONE &&
	       (n->forgot || !check_contact(n, o)) &&
	       (!check_knows(o, n) || mistakes(o, n));
}

/* Do this and another one know nothing of each other, or is one accused? */
static bool
is_apart(struct sim *s, const struct node *n, bool syncing)
{
	for (unsigned i = 0; i < s->node_count; i++) {
		const struct node *o = &s->nodes[i];
		const struct member *m = &n->shadow[o->id];

		/* One that is paused, or syncs, has its files all the same. */
		if (check_live(o) && o->incarnation > 0 &&
		    (check_strangers(n, o) || is_unheard(n, o) ||
			mistakes(n, o) || mistakes(o, n) ||
			s->blocked[n->index][o->index] > 0))
			return true;
		if (o == n || !check_acts(o, syncing))
			continue;
		if (!check_knows(n, o) && !check_knows(o, n))
			return true;
		if (m->state == MEMBER_DEAD && o->accused == o->incarnation &&
		    m->incarnation == o->incarnation)
			return true;
	}
	return false;
}

/* Who is up lives while some are apart. */
static void
split(struct sim *s)
{
	s->split_us = s->now_us;
	for (unsigned i = 0; i < s->node_count; i++)
		if (check_live(&s->nodes[i]))
			s->nodes[i].split_us = s->now_us;
}

void
check_split(struct sim *s, const struct node *n)
{
	if (check_acts(n, false) && is_apart(s, n, false))
		split(s);
	/* That matters only where clocks differ, and then for good. */
	if (s->skewed && s->unmet_us == 0 && check_acts(n, true) &&
	    is_apart(s, n, true))
		s->unmet_us = s->now_us;
}

void
check_apart(struct sim *s)
{
	for (unsigned i = 0; i < s->node_count && s->split_us < s->now_us; i++)
		check_split(s, &s->nodes[i]);
}

/* Also who was told to leave answers, and may have met nobody yet. */
void
check_answers(struct sim *s, const struct node *n)
{
	check_apart(s);
	if (n->running && n->goal == GOAL_LEAVE && is_apart(s, n, false))
		split(s);
}
