#include <string.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/scenario.h"
#include "sim/sim.h"

/* Scenarios of stores that race, and of disks; names as in scenario_kill.c. */
enum { LARGE = 20000000, STORES = 10 };

static bool
names(const struct command_log *l, unsigned id)
{
	for (unsigned i = 0; i < l->holder_count; i++)
		if (l->holders[i] == id)
			return true;
	return false;
}

static void
expect_without(struct sim *s, uint64_t op, unsigned id, const char *what)
{
	const struct command_log *l = &s->commands.at[op];

	scenario_expect(s,
	    l->done && l->error == ERROR_none && l->holder_count == 3 &&
		!names(l, id),
	    what);
}

/* 15 */
void
scenario_stop_a_replica(struct sim *s)
{
	uint64_t op;

	scenario_exercise(s);
	s->calm = false;
	op = command_give(s, node_of(s, 8), COMMAND_STORE, 0, LARGE);
	sim_until(s, s->now_us + sim_between(&s->plan, 1 * MS, 20 * MS));
	node_pause(s, node_of(s, 2));
	scenario_finish_commands(s);
	expect_without(s, op, 2, "three others hold it");
	node_resume(s, node_of(s, 2));
	scenario_settle(s);
	rest_check(s);
}

/* 21: 9 never hears that its store is done, and tries again much later. */
void
scenario_delayed_duplicate(struct sim *s)
{
	uint64_t old, new;
	unsigned asked[] = {4, 8, 14};

	scenario_exercise(s);
	s->calm = false;
	old = command_give(s, node_of(s, 9), COMMAND_STORE, 0, 5000);
	for (unsigned i = 0; i < 400 && !s->commands.at[old].committed; i++)
		sim_until(s, s->now_us + 100);
	/* It is accepted: the answer is lost with all connections. */
	for (struct circuit *c = s->circuits, *next; c != NULL; c = next) {
		next = c->next;
		if (c->ends[0].node == node_of(s, 9))
			circuit_break(s, c);
	}
	node_pause(s, node_of(s, 9));
	new = command_give(s, node_of(s, 8), COMMAND_STORE, 0, 5001);
	sim_until(s, s->now_us + 50 * MS);
	node_resume(s, node_of(s, 9));
	for (unsigned i = 0; i < 30; i++) {
		command_give(
		    s, node_of(s, asked[i % 3]), COMMAND_REQUEST, 0, 0);
		sim_until(s, s->now_us + 2 * MS);
	}
	scenario_finish_commands(s);
	scenario_settle(s);
	scenario_expect(s, s->commands.at[new].error == ERROR_none,
	    "the newer store is done");
	scenario_expect(
	    s, scenario_request(s, 5, 0) == ERROR_none, "it is served");
	scenario_expect(s,
	    s->commands.at[s->commands.count].delivered ==
		s->commands.at[new].content,
	    "the newer one stays");
	rest_check(s);
}

/* 22 */
void
scenario_ten_at_once(struct sim *s)
{
	unsigned ids[STORES + 2], first;

	scenario_begin(s, 8, 3);
	for (unsigned i = 0; i < STORES + 2; i++)
		ids[i] = 20 * i + 5;
	scenario_ring(s, ids, STORES + 2);
	scenario_settle(s);
	for (unsigned i = 0; i < STORES; i++)
		command_give(s, &s->nodes[i], COMMAND_STORE, 0, 60000 + i);
	scenario_finish_commands(s);
	for (unsigned op = 1; op <= STORES; op++)
		scenario_expect(s, s->commands.at[op].error == ERROR_none,
		    "every store is acknowledged");
	first = s->commands.count + 1;
	for (unsigned i = 0; i < STORES + 2; i++)
		scenario_request(s, ids[i], 0);
	for (unsigned op = first; op <= s->commands.count; op++)
		scenario_expect(s,
		    s->commands.at[op].error == ERROR_none &&
			s->commands.at[op].delivered ==
			    s->commands.at[first].delivered,
		    "one winner everywhere");
	rest_check(s);
}

static void
bad_disk(struct sim *s, uint64_t *until_us)
{
	uint64_t op;

	*until_us = UINT64_MAX;
	op = command_give(s, node_of(s, 8), COMMAND_STORE, 0, 70000);
	scenario_finish_commands(s);
	expect_without(s, op, 2, "three others hold it");
	scenario_expect(
	    s, scenario_request(s, 9, 0) == ERROR_none, "it is served");
	*until_us = 0;
	rest_wait(s, s->now_us + 60 * (uint64_t)SECOND);
}

/* 24: 2 is a replica of 2067. */
void
scenario_bad_disk(struct sim *s)
{
	scenario_exercise(s);
	bad_disk(s, &node_of(s, 2)->disk.full_us);
	bad_disk(s, &node_of(s, 2)->disk.broken_us);
	rest_check(s);
}

/* 25 */
void
scenario_flipped_bits(struct sim *s)
{
	static const unsigned holders[] = {19, 2, 4}, asked[] = {8, 19, 2};

	scenario_exercise(s);
	command_give(s, node_of(s, 8), COMMAND_STORE, 0, 70000);
	scenario_finish_commands(s);
	for (unsigned i = 0; i < 6 && !s->failed; i++) {
		struct node *n = node_of(s, holders[i % 3]);
		struct stored *f;

		disk_damage(s, n, &s->commands.names[0]);
		for (unsigned j = 0; j < 3; j++)
			scenario_expect(s,
			    scenario_request(s, asked[j], 0) == ERROR_none,
			    "what others hold is served");
		sim_until(s, s->now_us + 8 * (uint64_t)SECOND);
		f = disk_find(n, &s->commands.names[0]);
		scenario_expect(
		    s, f != NULL && !f->damaged, "it is fetched again");
	}
	rest_check(s);
}

/* 26 */
void
scenario_sizes(struct sim *s)
{
	static const uint64_t sizes[] = {0, 1, 65535, 65536, 65537, 5000000000};
	static const char *const texts[] = {
	    "0000", "9999", "0255", "0256", "0511", "0001"};
	unsigned first;

	scenario_exercise(s);
	s->commands.name_count = 6;
	for (unsigned i = 0; i < 6; i++)
		name_set(&s->commands.names[i], texts[i], 4);
	for (unsigned i = 0; i < 6; i++)
		command_give(s, &s->nodes[i], COMMAND_STORE, i, sizes[i]);
	scenario_finish_commands(s);
	first = s->commands.count + 1;
	for (unsigned i = 0; i < 6; i++)
		command_give(s, &s->nodes[6 - i], COMMAND_REQUEST, i, 0);
	scenario_finish_commands(s);
	for (unsigned i = 0; i < 6; i++) {
		const struct command_log *l = &s->commands.at[first + i];

		scenario_expect(s,
		    s->commands.at[1 + i].error == ERROR_none && l->done &&
			l->error == ERROR_none && l->delivered_size == sizes[i],
		    "every size under every key is exact");
	}
	rest_check(s);
}

/* 2 of sync yes: all power fails at any moment of a store. */
void
scenario_power_off(struct sim *s)
{
	scenario_exercise(s);
	s->calm = false;
	scenario_store_all(s, 8);
	for (unsigned i = 0; i < 12 && !s->failed; i++) {
		command_give(s, node_of(s, 8), COMMAND_STORE, i % 3, 20000);
		sim_until(s, s->now_us + sim_between(&s->plan, 0, 5 * MS));
		for (unsigned j = 0; j < s->node_count; j++)
			node_kill(s, &s->nodes[j]);
		for (unsigned j = 0; j < s->node_count; j++)
			disk_power_off(s, &s->nodes[j]);
		for (unsigned j = 0; j < s->node_count; j++)
			node_start(
			    s, &s->nodes[j], sim_between(&s->plan, 0, 20 * MS));
		sim_until(s, s->now_us + 20 * MS);
		rest_wait(s, s->now_us + 60 * (uint64_t)SECOND);
		for (unsigned j = 0; j < 3; j++)
			scenario_expect(s,
			    scenario_request(s, 9, j) == ERROR_none,
			    "what was acknowledged is there");
	}
	rest_check(s);
}
