#include <assert.h>
#include <string.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/sim.h"

/* What can happen to a ring, and to files in it. */
enum fault {
	FAULT_KILL,
	FAULT_KILL_TWO,
	FAULT_BOUNCE, /* killed and started again */
	FAULT_RESTART,
	FAULT_WIPE,
	FAULT_PAUSE,
	FAULT_HICCUP, /* a short pause */
	FAULT_PARTITION,
	FAULT_ONE_WAY,
	FAULT_BREAK,
	FAULT_QUALITY,
	FAULT_JOIN,
	FAULT_JOIN_TWO,
	FAULT_LEAVE,
	FAULT_FREEZE,
	FAULT_DOWN, /* all of it, and up again */
	FAULT_STORE,
	FAULT_STORE_MORE,
	FAULT_REQUEST,
	FAULT_REMOVE,
	FAULT_CANCEL,
	FAULT_OWNER,
	FAULTS,
};

static uint64_t
draw(struct sim *s, uint64_t low, uint64_t high)
{
	return sim_between(&s->plan, low, high);
}

/* From a few milliseconds to some seconds, every order as likely. */
static uint64_t
draw_time_us(struct sim *s)
{
	uint64_t most = (uint64_t)5 * MS << draw(s, 0, 10);

	return draw(s, most / 2, most);
}

/* A running process, or one that is down; NULL: none. */
static struct node *
draw_node(struct sim *s, bool running)
{
	unsigned at = (unsigned)draw(s, 0, s->node_count - 1);

	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[(at + i) % s->node_count];

		if (n->running == running && !n->starting)
			return n;
	}
	return NULL;
}

static void
period_item(struct sim *s, enum period p, struct node *n, struct item *i,
    uint64_t after_us)
{
	i->op = p;
	i->node = n;
	i->process = n == NULL ? 0 : n->process;
	queue_push(&s->queue, i, s->now_us + after_us);
}

void
plan_period(struct sim *s, enum period p, struct node *n, uint64_t other,
    uint64_t after_us)
{
	struct item *i = queue_item(&s->queue, ITEM_PERIOD);

	i->content = other;
	if (p == PERIOD_START)
		n->due++;
	period_item(s, p, n, i, after_us);
}

void
plan_period_over(struct sim *s, struct item *i)
{
	switch ((enum period)i->op) {
	case PERIOD_PARTITION:
		net_partition(s, (const bool *)i->data, i->tries > 0, -1);
		trace_say(s, NULL, "a partition is healed");
		break;
	case PERIOD_PAUSE:
		if (i->node->process == i->process)
			node_resume(s, i->node);
		break;
	case PERIOD_ONE_WAY:
		net_one_way(s, i->node, &s->nodes[i->content], -1);
		break;
	case PERIOD_START:
		i->node->due--;
		node_start(s, i->node, 0);
		break;
	case PERIOD_QUALITY:
		if (!s->healed)
			s->quality = s->usual;
		break;
	}
	queue_give_back(&s->queue, i);
}

static void
partition(struct sim *s)
{
	bool side[NODES_MAX] = {false};
	struct item *i = queue_item(&s->queue, ITEM_PERIOD);
	unsigned alone = (unsigned)draw(s, 0, s->node_count - 1);
	bool single = draw(s, 0, 3) == 0;
	uint64_t us = draw_time_us(s);

	for (unsigned n = 0; n < s->node_count; n++)
		side[n] = single ? n == alone : draw(s, 0, 1) == 0;
	i->tries = draw(s, 0, 3) == 0;
	item_bytes(i, (const uint8_t *)side, sizeof(side));
	net_partition(s, side, i->tries > 0, 1);
	s->calm = false;
	trace_say(s, NULL, "a partition%s for %llu us",
	    i->tries > 0 ? ", one way," : "", (unsigned long long)us);
	period_item(s, PERIOD_PARTITION, NULL, i, us);
}

static void
one_way(struct sim *s, struct node *n)
{
	struct node *to = &s->nodes[draw(s, 0, s->node_count - 1)];

	if (to == n)
		return;
	net_one_way(s, n, to, 1);
	s->calm = false;
	trace_say(s, n, "does not reach %u", to->id);
	plan_period(s, PERIOD_ONE_WAY, n, to->index, draw_time_us(s));
}

static void
pause_for(struct sim *s, struct node *n, uint64_t us)
{
	if (n->paused)
		return;
	node_pause(s, n);
	s->calm = false;
	plan_period(s, PERIOD_PAUSE, n, 0, us);
}

/* A live one that its ring has as neighbour; else itself. */
static struct node *
neighbour(struct sim *s, struct node *n)
{
	struct node *other;

	if (n->expected_count == 0)
		return n;
	other = node_of(s, n->expected[0]);
	return other != NULL && other->running ? other : n;
}

static void
join(struct sim *s, struct node *through)
{
	unsigned id = (unsigned)draw(s, 0, s->space - 1);
	struct node *n;

	for (unsigned i = 0; node_of(s, id) != NULL && i < 8; i++)
		id = (id + 1) & (s->space - 1);
	if (node_of(s, id) != NULL || s->node_count == NODES_MAX)
		return;
	n = node_add(s, id, 0);
	n->contacts[n->contact_count++] = through->id;
	n->join_through = through->id;
	node_start(s, n, 0);
}

static void
down_and_up(struct sim *s)
{
	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[i];

		if (!n->running)
			continue;
		if (!n->paused)
			node_freeze(s, n, 500);
		plan_period(
		    s, PERIOD_START, n, 0, 3 * SECOND + draw_time_us(s));
	}
}

static void
break_one(struct sim *s)
{
	unsigned skip = (unsigned)draw(s, 0, 20);

	for (struct circuit *c = s->circuits; c != NULL; c = c->next)
		if (c->next == NULL || skip-- == 0) {
			circuit_break(s, c);
			return;
		}
}

static void
worse(struct sim *s)
{
	s->quality.loss = (uint32_t)draw(s, 10000, 500000);
	s->quality.jitter_us = (uint32_t)draw(s, 0, 50 * MS);
	s->calm = false;
	trace_say(s, NULL, "the network is worse: %u of a million lost",
	    s->quality.loss);
	plan_period(s, PERIOD_QUALITY, NULL, 0, draw_time_us(s));
}

static void
kill_and_start(struct sim *s, struct node *n, bool wipe)
{
	node_kill(s, n);
	if (wipe)
		node_wipe(s, n);
	plan_period(s, PERIOD_START, n, 0, draw_time_us(s));
}

static void
restart(struct sim *s, struct node *n)
{
	if (n != NULL)
		node_start(s, n, 0);
}

static void
store_or_ask(struct sim *s, struct node *n, unsigned command)
{
	static const uint64_t sizes[] = {
	    0, 1, 4096, 65535, 65536, 65537, 300000, 5000000};
	unsigned name = (unsigned)draw(s, 0, s->commands.name_count - 1);

	command_give(s, n, command, name, sizes[draw(s, 0, 7)]);
}

static void
to_files(struct sim *s, enum fault fault, struct node *n)
{
	if (n->goal != GOAL_SERVE && n->goal != GOAL_JOIN)
		return;
	if (fault == FAULT_STORE || fault == FAULT_STORE_MORE)
		store_or_ask(s, n, COMMAND_STORE);
	else if (fault == FAULT_REQUEST)
		store_or_ask(s, n, COMMAND_REQUEST);
	else if (fault == FAULT_REMOVE)
		store_or_ask(s, n, COMMAND_REMOVE);
	else if (fault == FAULT_OWNER)
		command_ask_owner(s, n, (unsigned)draw(s, 0, s->space - 1));
	else if (s->commands.count > 0)
		command_cancel(s, draw(s, 1, s->commands.count));
}

static void
happen(struct sim *s, enum fault fault, struct node *n)
{
	switch (fault) {
	case FAULT_KILL_TWO:
		node_kill(s, neighbour(s, n));
		node_kill(s, n);
		break;
	case FAULT_KILL:
		node_kill(s, n);
		break;
	case FAULT_BOUNCE:
	case FAULT_WIPE:
		kill_and_start(s, n, fault == FAULT_WIPE);
		break;
	case FAULT_RESTART:
		restart(s, draw_node(s, false));
		break;
	case FAULT_PAUSE:
		pause_for(s, n, draw_time_us(s));
		break;
	case FAULT_HICCUP:
		pause_for(s, n, draw(s, 1 * MS, 300 * MS));
		break;
	case FAULT_PARTITION:
		partition(s);
		break;
	case FAULT_ONE_WAY:
		one_way(s, n);
		break;
	case FAULT_BREAK:
		break_one(s);
		break;
	case FAULT_QUALITY:
		worse(s);
		break;
	case FAULT_JOIN_TWO:
		join(s, n);
		join(s, n);
		break;
	case FAULT_JOIN:
		join(s, n);
		break;
	case FAULT_LEAVE:
		if (n->goal == GOAL_SERVE)
			command_give(s, n, COMMAND_QUIT, 0, 0);
		break;
	case FAULT_FREEZE:
		if (n->goal == GOAL_SERVE)
			node_freeze(s, n, (uint32_t)draw(s, 0, 1000));
		break;
	case FAULT_DOWN:
		down_and_up(s);
		break;
	case FAULT_STORE:
	case FAULT_STORE_MORE:
	case FAULT_REQUEST:
	case FAULT_REMOVE:
	case FAULT_CANCEL:
	case FAULT_OWNER:
		if (s->with_files)
			to_files(s, fault, n);
		break;
	case FAULTS:
		assert(0);
	}
}

/* Each seed has a choice of its own among the kinds of faults. */
void
plan_fault(struct sim *s, struct item *i)
{
	unsigned fault = (unsigned)draw(s, 0, FAULTS - 1);
	struct node *n = draw_node(s, true);

	queue_give_back(&s->queue, i);
	for (unsigned tries = 0; tries < 8; tries++)
		if (!(s->faults & 1u << fault))
			fault = (unsigned)draw(s, 0, FAULTS - 1);
	/* Rare, for they end what the others began. */
	if (fault == FAULT_DOWN && draw(s, 0, 3) > 0)
		fault = FAULT_BOUNCE;
	if (n != NULL)
		happen(s, (enum fault)fault, n);
	else
		restart(s, draw_node(s, false));
}
