#include <assert.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/scenario.h"
#include "sim/sim.h"

/*
 * Scenarios of peers that are killed. 2067, 0275 and 0531 have the key 19: in
 * the ring of the exercise they are at 19, 2 and 4.
 */
enum {
	LARGE = 30000000, /* bytes: they take 30 ms */
	CRASHES = 60, /* actions after which a peer dies, tried one by one */
	LEAVES = 12, /* times in a departure at which it is killed */
	CROWD = 64, /* peers of which half are killed at once */
	CROWD_MESSAGES = 120, /* for each of them, at most */
	SLICES = 80,
	SLICE_US = 30000,
	SHARE = 8,
};

static void
exercise(struct sim *s)
{
	scenario_exercise(s);
	name_set(&s->commands.names[1], "0275", 4);
	name_set(&s->commands.names[2], "0531", 4);
	s->calm = false;
}

static uint64_t
store(struct sim *s, unsigned id, unsigned name, uint64_t size)
{
	return command_give(s, node_of(s, id), COMMAND_STORE, name, size);
}

static void
expect_all(struct sim *s, unsigned id)
{
	for (unsigned i = 0; i < s->commands.name_count && !s->failed; i++)
		scenario_expect(s, scenario_request(s, id, i) == ERROR_none,
		    "every file is served");
}

static void
expect_done(struct sim *s, uint64_t op, const char *what)
{
	const struct command_log *l = &s->commands.at[op];

	scenario_expect(s, l->done && l->error == ERROR_none, what);
}

/* 1 */
void
scenario_kill_two_adjacent(struct sim *s)
{
	exercise(s);
	scenario_store_all(s, 8);
	for (unsigned i = 0; i < s->node_count && !s->failed; i++) {
		struct node *a = &s->nodes[i];
		struct node *b = &s->nodes[(i + 1) % s->node_count];

		node_kill(s, a);
		node_kill(s, b);
		scenario_settle(s);
		expect_all(s, s->nodes[(i + 3) % s->node_count].id);
		node_start(s, a, 0);
		node_start(s, b, 0);
		scenario_settle(s);
	}
	rest_check(s);
}

/* 2: each of the three dies after each of its actions. */
void
scenario_kill_in_a_store(struct sim *s)
{
	static const unsigned holders[] = {19, 2, 4};

	exercise(s);
	scenario_store_all(s, 8);
	for (unsigned i = 0; i < CRASHES && !s->failed; i++) {
		struct node *n = node_of(s, holders[i % 3]);

		n->crash_in = 1 + i / 3;
		store(s, 8, i % 3, 20000);
		scenario_finish_commands(s);
		n->crash_in = 0;
		expect_all(s, 9);
		node_start(s, n, 0);
		scenario_settle(s);
		expect_all(s, 14);
	}
	rest_check(s);
}

/* 3 */
void
scenario_kill_owner_in_upload(struct sim *s)
{
	uint64_t op;

	exercise(s);
	op = store(s, 8, 0, LARGE);
	sim_until(s, s->now_us + sim_between(&s->plan, 1 * MS, 60 * MS));
	node_kill(s, node_of(s, 19));
	scenario_finish_commands(s);
	expect_done(s, op, "the client succeeds by a retry");
	scenario_expect(
	    s, scenario_request(s, 14, 0) == ERROR_none, "it is served");
	scenario_settle(s);
	node_start(s, node_of(s, 19), 0);
	scenario_settle(s);
	rest_check(s);
}

/* 4 */
void
scenario_kill_owner_in_download(struct sim *s)
{
	uint64_t op;

	exercise(s);
	store(s, 8, 0, LARGE);
	scenario_finish_commands(s);
	op = command_give(s, node_of(s, 9), COMMAND_REQUEST, 0, 0);
	sim_until(s, s->now_us + sim_between(&s->plan, 1 * MS, 30 * MS));
	node_kill(s, node_of(s, 19));
	scenario_finish_commands(s);
	expect_done(s, op, "a replica goes on with it");
	scenario_settle(s);
	rest_check(s);
}

/* 18 takes the keys 15 to 18 from 19. */
static struct node *
import(struct sim *s)
{
	exercise(s);
	for (unsigned i = 0; i < s->commands.name_count; i++) {
		static const char *const names[] = {"0017", "0018", "0272"};

		assert(i < sizeof(names) / sizeof(names[0]));
		name_set(&s->commands.names[i], names[i], 4);
		store(s, 8, i, LARGE);
	}
	scenario_finish_commands(s);
	return scenario_join(s, 18, 4);
}

/* 5 */
void
scenario_kill_joiner_in_import(struct sim *s)
{
	struct node *n = import(s);

	sim_until(s, s->now_us + sim_between(&s->plan, 1 * MS, 100 * MS));
	node_kill(s, n);
	expect_all(s, 14);
	scenario_settle(s);
	expect_all(s, 9);
	rest_check(s);
}

/* 6 */
void
scenario_kill_admitter_in_import(struct sim *s)
{
	struct node *n = import(s);

	for (unsigned i = 0; i < 20000 && n->incarnation == 0; i++)
		sim_until(s, s->now_us + 100);
	sim_until(s, s->now_us + sim_between(&s->plan, 0, 60 * MS));
	node_kill(s, node_of(s, 19));
	scenario_settle(s);
	scenario_expect(s, n->running, "the newcomer is a member");
	expect_all(s, 18);
	rest_check(s);
}

/* 9 */
void
scenario_old_disk(struct sim *s)
{
	uint64_t removed;

	exercise(s);
	scenario_store_all(s, 8);
	node_kill(s, node_of(s, 19));
	scenario_settle(s);
	store(s, 5, 0, 4096);
	removed = command_give(s, node_of(s, 9), COMMAND_REMOVE, 1, 0);
	scenario_finish_commands(s);
	expect_done(s, removed, "the remove is done");
	node_start(s, node_of(s, 19), 0);
	for (unsigned i = 0; i < 40 && !s->failed; i++) {
		unsigned error;

		sim_until(s, s->now_us + 2 * MS);
		error = scenario_request(s, 4, 1);
		scenario_expect(s, error != ERROR_none, "it stays removed");
		scenario_request(s, 14, 0);
	}
	scenario_settle(s);
	scenario_expect(s, scenario_request(s, 19, 1) == ERROR_no_such_file,
	    "nothing comes back to life");
	rest_check(s);
}

/* 10 */
void
scenario_kill_all_holders(struct sim *s)
{
	static const unsigned holders[] = {19, 2, 4};

	exercise(s);
	scenario_store_all(s, 8);
	scenario_store_all(s, 9);
	for (unsigned i = 0; i < 3; i++)
		node_kill(s, node_of(s, holders[i]));
	sim_until(s, s->now_us + 10 * MS);
	for (unsigned i = 0; i < 3; i++)
		scenario_expect(s,
		    scenario_request(s, 8, i) == ERROR_unavailable,
		    "it is unavailable, and not \"no such file\"");
	scenario_settle(s);
	scenario_expect(
	    s, scenario_request(s, 14, 0) == ERROR_unavailable, "it still is");
	for (unsigned i = 0; i < 3; i++)
		node_start(s, node_of(s, holders[i]), 0);
	scenario_settle(s);
	expect_all(s, 8);
	rest_check(s);
}

/* 11 */
void
scenario_kill_everything(struct sim *s)
{
	exercise(s);
	scenario_store_all(s, 8);
	for (unsigned i = 0; i < s->node_count; i++)
		node_kill(s, &s->nodes[i]);
	for (unsigned i = 0; i < s->node_count; i++)
		node_start(
		    s, &s->nodes[i], sim_between(&s->plan, 0, 3 * SECOND));
	sim_until(s, s->now_us + 3 * SECOND);
	scenario_settle(s);
	expect_all(s, 8);
	rest_check(s);
}

/* 13 */
void
scenario_kill_in_a_leave(struct sim *s)
{
	struct node *n;

	exercise(s);
	scenario_store_all(s, 8);
	n = node_of(s, 19);
	for (unsigned i = 0; i < LEAVES && !s->failed; i++) {
		command_give(s, n, COMMAND_QUIT, 0, 0);
		sim_until(s, s->now_us + ((uint64_t)100 << i));
		node_kill(s, n);
		expect_all(s, 8);
		scenario_settle(s);
		expect_all(s, 9);
		node_start(s, n, 0);
		scenario_settle(s);
	}
	rest_check(s);
}

/* 23: the owner goes and comes back under load. */
void
scenario_race_of_owners(struct sim *s)
{
	static const unsigned clients[] = {5, 8, 9, 14};
	struct node *owner;

	exercise(s);
	scenario_store_all(s, 8);
	owner = node_of(s, 19);
	for (unsigned i = 0; i < 600 && !s->failed; i++) {
		unsigned at = (unsigned)sim_between(&s->plan, 0, 3);
		unsigned what = (unsigned)sim_between(&s->plan, 0, 9);

		command_give(s, node_of(s, clients[at]),
		    what < 3    ? COMMAND_STORE
		    : what == 3 ? COMMAND_REMOVE
				: COMMAND_REQUEST,
		    i % 3, 5000);
		if (i % 60 == 20)
			node_kill(s, owner);
		else if (i % 60 == 40)
			node_start(s, owner, 0);
		sim_until(s, s->now_us + sim_between(&s->plan, 0, 4 * MS));
	}
	scenario_finish_commands(s);
	scenario_settle(s);
	rest_check(s);
}

/* A ring of many, of which each other one is killed at once. */
static void
kill_half(struct sim *s)
{
	unsigned ids[CROWD];

	for (unsigned i = 0; i < CROWD; i++)
		ids[i] = i * 4 + (unsigned)sim_between(&s->plan, 0, 3);
	scenario_begin(s, 8, 3);
	scenario_ring(s, ids, CROWD);
	scenario_settle(s);
	sim_until(s, s->now_us + 3 * SECOND);
	s->calm = false;
	for (unsigned i = 0; i < CROWD; i += 2)
		node_kill(s, &s->nodes[i]);
}

static void
expect_half(struct sim *s)
{
	for (unsigned i = 1; i < CROWD; i += 2)
		scenario_expect(s, s->nodes[i].incarnation == 1,
		    "no survivor was suspected");
	for (unsigned i = 0; i < CROWD && !s->failed; i++)
		scenario_expect(s,
		    i % 2 == 1 || scenario_state(s, s->nodes[1].id,
				      s->nodes[i].id) == MEMBER_DEAD,
		    "who was killed is known to be dead");
}

void
scenario_kill_half(struct sim *s)
{
	uint64_t before;

	kill_half(s);
	before = s->messages;
	sim_until(s, s->now_us + 1 * SECOND);
	scenario_expect(s, s->messages - before <= CROWD * CROWD_MESSAGES,
	    "few messages are sent");
	expect_half(s);
	scenario_settle(s);
	rest_check(s);
}

/* Each of the rest has a processor for one slice of time in eight. */
void
scenario_kill_half_of_starved(struct sim *s)
{
	unsigned turn[CROWD] = {0};

	kill_half(s);
	for (unsigned slice = 0; slice < SLICES && !s->failed; slice++) {
		for (unsigned i = 1; i < CROWD; i += 2) {
			if (slice % SHARE == 0)
				turn[i] = (unsigned)sim_between(
				    &s->plan, 0, SHARE - 1);
			if (turn[i] == slice % SHARE)
				node_resume(s, &s->nodes[i]);
			else
				node_pause(s, &s->nodes[i]);
		}
		sim_until(s, s->now_us + SLICE_US);
	}
	rest_heal(s);
	expect_half(s);
	scenario_settle(s);
	rest_check(s);
}
