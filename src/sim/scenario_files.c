#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/scenario.h"
#include "sim/sim.h"

/* Scenarios of what is said of a file while its holders come and go. */

/* Did any request since the op first end so? */
static bool
any_ended(struct sim *s, unsigned first, unsigned error)
{
	for (unsigned op = first; op <= s->commands.count; op++) {
		const struct command_log *l = &s->commands.at[op];

		if (l->command == COMMAND_REQUEST && l->done &&
		    l->error == error)
			return true;
	}
	return false;
}

/* Did all requests since the op first bring a file? */
static bool
all_brought(struct sim *s, unsigned first)
{
	for (unsigned op = first; op <= s->commands.count; op++) {
		const struct command_log *l = &s->commands.at[op];

		if (l->command == COMMAND_REQUEST &&
		    (!l->done || l->error != ERROR_none))
			return false;
	}
	return true;
}

/* As many deaths as copies, each made good: nothing can be lost. */
void
scenario_kills_one_by_one(struct sim *s)
{
	static const unsigned ids[] = {
	    10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120};

	scenario_begin(s, 8, 3);
	name_set(&s->commands.names[0], "0005", 4);
	scenario_ring(s, ids, 12);
	scenario_settle(s);
	if (!s->with_files)
		return;
	s->calm = false;
	for (unsigned i = 0; i < 3; i++) {
		node_kill(s, node_of(s, ids[i]));
		scenario_settle(s);
		sim_until(s, s->now_us + 10 * (uint64_t)SECOND);
		scenario_expect(s,
		    scenario_request(s, 90, 0) == ERROR_no_such_file,
		    "nobody has it, and that is known");
	}
	rest_check(s);
}

static bool
all_alive(struct sim *s)
{
	for (unsigned i = 0; i < s->node_count; i++)
		for (unsigned j = 0; j < s->node_count; j++)
			if (scenario_state(s, s->nodes[i].id, s->nodes[j].id) !=
			    MEMBER_ALIVE)
				return false;
	return true;
}

/* 0006 is stored at 2, 4 and 5; with the others back, 8 is its owner. */
void
scenario_heal_with_strays(struct sim *s)
{
	static const unsigned asked[] = {14, 8, 19, 9};
	bool side[NODES_MAX] = {false};
	unsigned first;
	uint64_t op;

	scenario_exercise(s);
	if (!s->with_files)
		return;
	s->calm = false;
	name_set(&s->commands.names[0], "0006", 4);
	for (unsigned i = 0; i < s->node_count; i++)
		side[i] = s->nodes[i].id < 8;
	net_partition(s, side, false, 1);
	sim_until(s, s->now_us + 5 * SECOND);
	op = command_give(s, node_of(s, 5), COMMAND_STORE, 0, 200000000);
	scenario_finish_commands(s);
	scenario_expect(s,
	    s->commands.at[op].done && s->commands.at[op].error == ERROR_none,
	    "its half acknowledges the store");
	rest_heal(s);
	for (unsigned i = 0; i < 30000 && !all_alive(s); i++)
		sim_until(s, s->now_us + 1 * MS);
	first = s->commands.count + 1;
	for (unsigned i = 0; i < 100; i++) {
		command_give(
		    s, node_of(s, asked[i % 4]), COMMAND_REQUEST, 0, 0);
		sim_until(s, s->now_us + 5 * MS);
	}
	scenario_finish_commands(s);
	scenario_expect(s, !any_ended(s, first, ERROR_no_such_file),
	    "what was acknowledged is never denied");
	scenario_settle(s);
	scenario_expect(
	    s, scenario_request(s, 14, 0) == ERROR_none, "it is served");
	rest_check(s);
}

/* 2067 has the key 19, who sleeps while it is stored again. */
void
scenario_resume_overwritten(struct sim *s)
{
	struct node *owner;
	unsigned first;
	uint64_t content;

	scenario_exercise(s);
	if (!s->with_files)
		return;
	owner = node_of(s, 19);
	scenario_store_all(s, 4);
	node_pause(s, owner);
	s->calm = false;
	sim_until(s, s->now_us + 3 * SECOND);
	first = s->commands.count + 1;
	scenario_store_all(s, 5);
	content = s->commands.at[first].content;
	sim_until(s, s->now_us + 7 * SECOND);
	/* The fence takes long to write: until then it believes to own. */
	s->quality.disk_us = 8 * MS;
	node_resume(s, owner);
	first = s->commands.count + 1;
	for (unsigned i = 0; i < 50; i++) {
		command_give(s, owner, COMMAND_REQUEST, 0, 0);
		sim_until(s, s->now_us + 1 * MS);
	}
	scenario_finish_commands(s);
	for (unsigned op = first; op <= s->commands.count; op++)
		scenario_expect(s,
		    s->commands.at[op].error != ERROR_none ||
			s->commands.at[op].delivered == content,
		    "no request brings the overwritten version");
	scenario_settle(s);
	scenario_expect(
	    s, scenario_request(s, 19, 0) == ERROR_none, "it is served");
	rest_check(s);
}

static bool
have_left(struct sim *s, const unsigned *ids, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!node_of(s, ids[i])->exited)
			return false;
	return true;
}

/* All three names are at 2, 4 and 5. */
void
scenario_quit_of_all_holders(struct sim *s)
{
	static const unsigned holders[] = {2, 4, 5};
	static const unsigned asked[] = {9, 8, 14, 19};
	unsigned first;

	scenario_exercise(s);
	if (!s->with_files)
		return;
	name_set(&s->commands.names[0], "0020", 4);
	name_set(&s->commands.names[1], "0021", 4);
	name_set(&s->commands.names[2], "0258", 4);
	scenario_store_all(s, 4);
	command_give(s, node_of(s, 4), COMMAND_STORE, 0, 30000000);
	scenario_finish_commands(s);
	first = s->commands.count + 1;
	for (unsigned i = 0; i < 3; i++)
		command_give(s, node_of(s, holders[i]), COMMAND_QUIT, 0, 0);
	for (unsigned i = 0; i < 800 && !have_left(s, holders, 3); i++) {
		command_give(
		    s, node_of(s, asked[i % 4]), COMMAND_REQUEST, i % 3, 0);
		sim_until(s, s->now_us + 1 * MS);
	}
	scenario_finish_commands(s);
	scenario_expect(s, have_left(s, holders, 3), "all three have left");
	scenario_expect(s, !any_ended(s, first, ERROR_no_such_file),
	    "what was acknowledged is never denied");
	scenario_expect(s, all_brought(s, first), "every request is served");
	scenario_settle(s);
	rest_check(s);
}
