#include <stdio.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/scenario.h"
#include "sim/sim.h"

/* Scenarios of copies that move, break or disagree. */
enum { WIPES = 3 };

static unsigned
finish(struct sim *s, uint64_t op)
{
	scenario_finish_commands(s);
	return s->commands.at[op].done ? s->commands.at[op].error
				       : (unsigned)ERROR_timeout;
}

/* Where the raw bytes go that come now; UINT64_MAX: none do. */
static uint64_t
position(const struct node *n)
{
	for (const struct end *e = n->ends; e != NULL; e = e->next)
		if (e->receiving)
			return e->offset;
	return UINT64_MAX;
}

/*
 * 2067 has the key 19, who sleeps in the middle of a download: that it is dead
 * comes as news, for its connection never hangs up.
 */
void
scenario_resume_download(struct sim *s)
{
	struct node *asker;
	uint64_t op, have = 0, now;

	scenario_exercise(s);
	if (!s->with_files)
		return;
	s->byte_ps = 1000;
	asker = node_of(s, 8);
	op = command_give(s, node_of(s, 4), COMMAND_STORE, 0, 300000000);
	scenario_expect(s, finish(s, op) == ERROR_none, "it is stored");
	op = command_give(s, asker, COMMAND_REQUEST, 0, 0);
	s->calm = false;
	for (unsigned i = 0; i < 4000 && !s->commands.at[op].done; i++) {
		if (i == 150)
			node_pause(s, node_of(s, 19));
		sim_until(s, s->now_us + 1 * MS);
		now = position(asker);
		scenario_expect(s, now >= have, "what has arrived is kept");
		have = now == UINT64_MAX ? have : now;
	}
	scenario_expect(s, finish(s, op) == ERROR_none, "it is all there");
	rest_heal(s);
	scenario_settle(s);
	rest_check(s);
}

static void
store_at(struct sim *s, unsigned id, unsigned name)
{
	uint64_t op = command_give(s, node_of(s, id), COMMAND_STORE, name, 99);

	scenario_expect(s, finish(s, op) == ERROR_none, "it is acknowledged");
}

static bool
loses(const struct sim *s, unsigned name, unsigned through)
{
	return idset_has(&s->commands.losers[name], through);
}

/*
 * Both halves store names of each half's owner. Another name is stored
 * before, and again in one half alone: that is no conflict. Then an owner is
 * killed, its file overwritten, and it comes back with what is old.
 */
void
scenario_stored_on_both_sides(struct sim *s)
{
	static const char *const names[] = {
	    "0018", "0003", "0004", "0010", "0011"};
	bool side[NODES_MAX] = {false};
	unsigned told;

	scenario_exercise(s);
	if (!s->with_files)
		return;
	s->commands.name_count = 5;
	for (unsigned i = 0; i < 5; i++)
		name_set(&s->commands.names[i], names[i], 4);
	store_at(s, 4, 0);
	sim_until(s, s->now_us + 3 * SECOND);
	s->calm = false;
	for (unsigned i = 0; i < s->node_count; i++)
		side[i] = s->nodes[i].id < 8;
	net_partition(s, side, false, 1);
	sim_until(s, s->now_us + 5 * SECOND);
	for (unsigned i = 1; i < 5; i++) {
		store_at(s, i % 2 ? 5 : 9, i);
		store_at(s, i % 2 ? 9 : 5, i);
	}
	store_at(s, 14, 0);
	sim_until(s, s->now_us + 1 * SECOND);
	rest_heal(s);
	rest_wait(s, s->now_us + 30 * SECOND);
	rest_check(s);
	sim_until(s, s->now_us + 3 * SECOND);
	/* Who owns a name in turn while sides merge slowly tells of it, too. */
	told = s->notes[EVENT_superseded];
	for (unsigned i = 0; i < 5; i++)
		scenario_expect(s,
		    loses(s, i, 5) == (i % 2 == 1) &&
			loses(s, i, 9) == (i > 0 && i % 2 == 0) &&
			idset_count(&s->commands.losers[i]) == (i > 0),
		    "the four that lost are named, and only those");
	node_kill(s, node_of(s, 19));
	sim_until(s, s->now_us + 1 * SECOND);
	store_at(s, 14, 0);
	node_start(s, node_of(s, 19), 0);
	scenario_settle(s);
	sim_until(s, s->now_us + 3 * SECOND);
	scenario_expect(s, s->notes[EVENT_superseded] == told,
	    "what is only old has not lost");
	rest_check(s);
}

/*
 * More than the pages of one comparison hold, and all of one owner: it lost its
 * disk, and both replicas list the same.
 */
void
scenario_many_files(struct sim *s)
{
	struct node *owner;
	char name[8];

	scenario_exercise(s);
	if (!s->with_files)
		return;
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		snprintf(
		    name, sizeof(name), "%04u", 100 + 256 * (i / 2) + i % 2);
		name_set(&s->commands.names[i], name, 4);
	}
	s->commands.name_count = NAMES_MAX;
	scenario_store_all(s, 9);
	owner = node_of(s, 2);
	for (unsigned i = 0; i < WIPES && !s->failed; i++) {
		node_kill(s, owner);
		sim_until(s, s->now_us + 1 * SECOND);
		node_wipe(s, owner);
		node_start(s, owner, 0);
		scenario_settle(s);
	}
	rest_check(s);
}
