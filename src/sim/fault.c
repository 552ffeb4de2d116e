#include <assert.h>
#include <string.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/sim.h"

/* Carries out steps of a plan, and what ends them. */

/* When this step ends: itself, once more. */
static void
until(struct sim *s, const struct item *step, const struct step *t,
    const struct node *n)
{
	struct item *i;

	if (t->for_us == 0)
		return;
	i = queue_item(&s->queue, ITEM_PERIOD);
	i->op = step->op;
	i->size = n == NULL ? 0 : n->index;
	i->content = n == NULL ? 0 : n->process;
	queue_push(&s->queue, i, s->now_us + t->for_us);
}

static void
block(struct sim *s, const struct step *t, int add)
{
	for (unsigned a = 0; a < s->node_count; a++)
		for (unsigned b = 0; b < s->node_count; b++) {
			struct node *from = &s->nodes[a], *to = &s->nodes[b];

			if (a == b || !plan_has(t->peers, from->id) ||
			    !plan_has(t->others, to->id))
				continue;
			net_one_way(s, from, to, add);
			if (t->verb == VERB_PARTITION)
				net_one_way(s, to, from, add);
		}
	s->calm = false;
	trace_say(s, NULL, add > 0 ? "a partition" : "a partition is healed");
}

static void
join(struct sim *s, const struct step *t)
{
	struct node *n = node_of(s, t->id);

	if (n != NULL) {
		node_start(s, n, 0);
		return;
	}
	if (s->node_count == NODES_MAX || node_of(s, t->other) == NULL)
		return;
	n = node_add(s, t->id, 0);
	n->contacts[n->contact_count++] = t->other;
	n->join_through = t->other;
	n->ring = node_of(s, t->other)->ring;
	node_start(s, n, 0);
}

static void
break_all(struct sim *s, const struct step *t)
{
	for (struct circuit *c = s->circuits, *next; c != NULL; c = next) {
		const struct node *a = c->ends[0].node, *b = c->ends[1].node;

		next = c->next;
		if (a == NULL || b == NULL)
			continue;
		if ((plan_has(t->peers, a->id) && plan_has(t->others, b->id)) ||
		    (plan_has(t->peers, b->id) && plan_has(t->others, a->id)))
			circuit_break(s, c);
	}
}

static void
command(struct sim *s, struct node *n, const struct step *t)
{
	bool listens = n->running && !n->exiting &&
		       (n->goal == GOAL_SERVE || n->goal == GOAL_JOIN);

	if (!listens)
		return;
	if (t->verb == VERB_STORE)
		command_give(s, n, COMMAND_STORE, t->name, t->amount);
	else if (t->verb == VERB_REQUEST)
		command_give(s, n, COMMAND_REQUEST, t->name, 0);
	else if (t->verb == VERB_REMOVE)
		command_give(s, n, COMMAND_REMOVE, t->name, 0);
	else if (t->verb == VERB_OWNER)
		command_ask_owner(s, n, (unsigned)t->amount & (s->space - 1));
	else if (n->goal == GOAL_SERVE)
		command_give(s, n, COMMAND_QUIT, 0, 0);
}

/* A step for one of its peers. */
static void
one(struct sim *s, const struct item *i, struct node *n, const struct step *t)
{
	switch ((enum verb)t->verb) {
	case VERB_KILL:
		node_kill(s, n);
		break;
	case VERB_START:
		node_start(s, n, 0);
		break;
	case VERB_PAUSE:
		if (!n->running || n->paused)
			break;
		node_pause(s, n);
		s->calm = false;
		until(s, i, t, n);
		break;
	case VERB_RESUME:
		node_resume(s, n);
		break;
	case VERB_WIPE:
		if (!n->running)
			node_wipe(s, n);
		break;
	case VERB_POWER_OFF:
		node_kill(s, n);
		disk_power_off(s, n);
		break;
	case VERB_CRASH:
		if (n->running)
			n->crash_in = (uint32_t)t->amount;
		break;
	case VERB_FREEZE:
		if (n->running && n->goal == GOAL_SERVE && !n->paused)
			node_freeze(s, n, (uint32_t)(t->for_us / MS));
		break;
	case VERB_FULL:
		n->disk.full_us = s->now_us + t->for_us;
		break;
	case VERB_BROKEN:
		n->disk.broken_us = s->now_us + t->for_us;
		break;
	case VERB_DAMAGE:
		disk_damage(s, n, &s->commands.names[t->name]);
		break;
	case VERB_STORE:
	case VERB_REQUEST:
	case VERB_REMOVE:
	case VERB_OWNER:
	case VERB_QUIT:
		command(s, n, t);
		break;
	case VERB_JOIN:
	case VERB_PARTITION:
	case VERB_ONE_WAY:
	case VERB_BREAK:
	case VERB_SLOW:
	case VERB_DROP:
	case VERB_CANCEL:
	case VERBS:
		assert(0); /* not of one peer */
	}
}

void
fault_step(struct sim *s, struct item *i)
{
	const struct step *t = &s->script->steps[i->op];

	s->steps_left--;
	switch ((enum verb)t->verb) {
	case VERB_JOIN:
		join(s, t);
		break;
	case VERB_PARTITION:
	case VERB_ONE_WAY:
		block(s, t, 1);
		until(s, i, t, NULL);
		break;
	case VERB_BREAK:
		break_all(s, t);
		break;
	case VERB_SLOW:
		s->quality.jitter_us = (uint32_t)t->amount;
		s->calm = false;
		until(s, i, t, NULL);
		break;
	case VERB_DROP:
		s->quality.loss = (uint32_t)t->amount;
		s->calm = false;
		until(s, i, t, NULL);
		break;
	case VERB_CANCEL:
		if (t->amount > 0 && t->amount <= s->commands.count)
			command_cancel(s, t->amount);
		break;
	default:
		for (unsigned n = 0; n < s->node_count; n++)
			if (plan_has(t->peers, s->nodes[n].id))
				one(s, i, &s->nodes[n], t);
		break;
	}
	queue_give_back(&s->queue, i);
}

void
fault_over(struct sim *s, struct item *i)
{
	const struct step *t = &s->script->steps[i->op];
	struct node *n = &s->nodes[i->size];

	if (t->verb == VERB_PARTITION || t->verb == VERB_ONE_WAY)
		block(s, t, -1);
	else if (t->verb == VERB_PAUSE && n->process == i->content)
		node_resume(s, n);
	else if (t->verb == VERB_SLOW && !s->healed)
		s->quality.jitter_us = s->usual.jitter_us;
	else if (t->verb == VERB_DROP && !s->healed)
		s->quality.loss = s->usual.loss;
	queue_give_back(&s->queue, i);
}
