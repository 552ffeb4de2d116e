#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/scenario.h"
#include "sim/sim.h"

/* Scenarios of rings that begin. */
enum {
	NEW_RING = 64, /* peers */
	NEW_RING_US = 100 * MS, /* they are one ring by then */
	NEW_RING_MESSAGES = 55, /* each, for that */
	WIPE_ROUNDS = 400, /* of half a millisecond */
	WIPES_MAX = 2, /* of one disk */
};

static void
new_ring(struct sim *s)
{
	unsigned ids[NEW_RING];

	scenario_begin(s, 8, 3);
	for (unsigned i = 0; i < NEW_RING; i++)
		ids[i] = 3 * i;
	scenario_ring(s, ids, NEW_RING);
}

/* All start at once: few messages, and soon one ring. */
void
scenario_new_ring(struct sim *s)
{
	uint64_t before = s->messages;

	new_ring(s);
	sim_until(s, s->now_us + NEW_RING_US);
	for (unsigned i = 0; i < NEW_RING; i++)
		scenario_expect(s,
		    scenario_state(s, 3 * i, 3) == MEMBER_ALIVE &&
			peer_view_hash(s->nodes[i].peer) ==
			    peer_view_hash(s->nodes[0].peer),
		    "all are known to all");
	scenario_expect(s, s->messages - before <= NEW_RING * NEW_RING_MESSAGES,
	    "few messages are sent");
	scenario_settle(s);
	rest_check(s);
}

/* One in five messages is lost, and some peers die while they start. */
void
scenario_new_ring_of_some(struct sim *s)
{
	new_ring(s);
	s->calm = false;
	s->quality.loss = 200000;
	for (unsigned i = 0; i < NEW_RING; i += 10) {
		sim_until(s, s->now_us + 1 * MS);
		node_kill(s, &s->nodes[i]);
	}
	sim_until(s, s->now_us + 5 * SECOND);
	rest_heal(s);
	scenario_settle(s);
	rest_check(s);
}

/* It has just become a member, and starts again with nothing at once. */
static void
lose_disk(struct sim *s, struct node *n)
{
	if (n->peer == NULL || n->disk.wipes == WIPES_MAX ||
	    peer_incarnation(n->peer) == 0 || sim_between(&s->plan, 0, 3) != 0)
		return;
	node_kill(s, n);
	node_wipe(s, n);
	node_start(s, n, sim_between(&s->plan, 0, 3 * MS));
}

/* Disks are lost while some have met, and others ask what they remember. */
void
scenario_wipe_at_start(struct sim *s)
{
	new_ring(s);
	for (unsigned round = 0; round < WIPE_ROUNDS && !s->failed; round++) {
		sim_until(s, s->now_us + 500);
		for (unsigned i = 0; i < NEW_RING && !s->failed; i += 3)
			lose_disk(s, &s->nodes[i]);
	}
	rest_heal(s);
	scenario_settle(s);
	rest_check(s);
}

/* Who has just become a member is told to go. */
void
scenario_quit_at_start(struct sim *s)
{
	new_ring(s);
	sim_until(s, s->now_us + 4 * MS);
	for (unsigned i = 0; i < NEW_RING && !s->failed; i += 4) {
		struct node *n = &s->nodes[i];

		while (!s->failed && peer_incarnation(n->peer) == 0)
			sim_until(s, s->now_us + 100);
		command_give(s, n, COMMAND_QUIT, 0, 0);
	}
	scenario_settle(s);
	rest_check(s);
}

/* A ring waits for one that is late; another one's first life ends there. */
void
scenario_disk_lost_at_start(struct sim *s)
{
	static const unsigned ids[] = {1, 5, 12};
	struct node *n;

	scenario_begin(s, 8, 3);
	scenario_nodes(s, ids, 3);
	n = &s->nodes[1];
	node_start(s, n, 0);
	node_start(s, &s->nodes[2], 200 * MS);
	sim_until(s, s->now_us + 1 * MS);
	while (!s->failed && peer_incarnation(n->peer) == 0)
		sim_until(s, s->now_us + 1 * MS);
	sim_until(s, s->now_us + 20 * MS);
	node_kill(s, n);
	node_wipe(s, n);
	node_start(s, n, sim_between(&s->plan, 1 * MS, 30 * MS));
	node_start(s, &s->nodes[0], sim_between(&s->plan, 1 * MS, 30 * MS));
	scenario_settle(s);
	rest_check(s);
}
