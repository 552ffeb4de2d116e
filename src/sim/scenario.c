#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/sim.h"

/* Scenarios of PROTOCOL.md by name; the seed only moves the times a little. */
enum { WHOLE_US = 10 * SECOND };

struct scenario {
	const char *name, *what;
	void (*run)(struct sim *);
};

static const struct quality clean = {30, 100, 0, 0, 0, 0, 300, 20 * MS};

static uint64_t
soon_us(struct sim *s)
{
	return sim_between(&s->plan, 0, 3 * MS);
}

static void
begin(struct sim *s, unsigned bits, unsigned copies)
{
	s->bits = bits;
	s->space = 1u << bits;
	s->copies = copies;
	s->route = ROUTE_DIRECT;
	s->ping_ms = 0;
	s->byte_ps = 1000;
	s->quality = s->usual = clean;
	s->changing = 0;
	s->commands.name_count = 3;
	name_set(&s->commands.names[0], "2067", 4);
	name_set(&s->commands.names[1], "4103", 4);
	name_set(&s->commands.names[2], "0100", 4);
}

/* Peers of these identifiers, which know each other's addresses. */
static void
ring(struct sim *s, const unsigned *ids, unsigned count)
{
	unsigned first = s->node_count;

	for (unsigned i = 0; i < count; i++) {
		struct node *n = node_add(s, ids[i], 0);

		for (unsigned j = 0; j < count; j++)
			if (j != i)
				n->contacts[n->contact_count++] =
				    (uint16_t)ids[j];
	}
	for (unsigned i = first; i < s->node_count; i++)
		node_start(s, &s->nodes[i], soon_us(s));
}

static void
exercise(struct sim *s)
{
	static const unsigned ids[] = {2, 4, 5, 8, 9, 14, 19};

	begin(s, 8, 3);
	ring(s, ids, 7);
	rest_wait(s, s->now_us + WHOLE_US);
}

static struct node *
newcomer(struct sim *s, unsigned id, unsigned host, unsigned through)
{
	struct node *n = node_add(s, id, host);

	n->contacts[n->contact_count++] = (uint16_t)through;
	n->join_through = (int)through;
	node_start(s, n, soon_us(s));
	return n;
}

static void
expect(struct sim *s, bool holds, const char *what)
{
	if (!holds)
		sim_fail(s, CHECK_REST, NULL, "expected: %s", what);
}

static void
store_all(struct sim *s, unsigned id)
{
	if (!s->with_files)
		return;
	for (unsigned i = 0; i < s->commands.name_count; i++)
		command_give(s, node_of(s, id), COMMAND_STORE, i, 100000 + i);
	for (unsigned i = 0; i < 100 && !commands_done(s); i++)
		sim_until(s, s->now_us + 50 * MS);
	for (unsigned op = 1; op <= s->commands.count; op++)
		expect(s, s->commands.at[op].error == ERROR_none,
		    "every store is acknowledged");
}

static void
join_two(struct sim *s)
{
	static const unsigned ids[] = {0, 100};
	struct node *a, *b;

	begin(s, 8, 3);
	ring(s, ids, 2);
	rest_wait(s, s->now_us + WHOLE_US);
	store_all(s, 100);
	a = newcomer(s, 50, 0, 0);
	b = newcomer(s, 60, 0, 100);
	sim_until(s, s->now_us + 10 * MS);
	rest_wait(s, s->now_us + WHOLE_US);
	expect(s, a->running && b->running, "both newcomers are members");
	rest_check(s);
}

static void
join_duplicate(struct sim *s)
{
	struct node *n;
	uint64_t hash;

	exercise(s);
	hash = peer_view_hash(node_of(s, 2)->peer);
	n = newcomer(s, 8, 1, 4);
	sim_until(s, s->now_us + 5 * SECOND);
	expect(s, n->exited && n->code != 0, "the duplicate is refused");
	expect(s, n->disk.incarnation == 0, "it had no incarnation");
	expect(s, peer_view_hash(node_of(s, 2)->peer) == hash,
	    "the ring is undisturbed");
	rest_check(s);
}

static void
leave_all_but_one(struct sim *s)
{
	exercise(s);
	store_all(s, 4);
	for (unsigned i = 0; i < s->node_count; i++)
		if (s->nodes[i].id != 9)
			command_give(s, &s->nodes[i], COMMAND_QUIT, 0, 0);
	rest_wait(s, s->now_us + 15 * SECOND);
	for (unsigned i = 0; i < s->node_count; i++)
		if (s->nodes[i].id != 9)
			expect(s, s->nodes[i].exited && s->nodes[i].code == 0,
			    "each that was told to leave exits with 0");
	rest_check(s);
}

/* The view of peer id: its state of about. */
static unsigned
state_in(struct sim *s, unsigned id, unsigned about)
{
	return peer_view(node_of(s, id)->peer, about)->state;
}

/* 2067 has the key 19. */
static void
stop_an_owner(struct sim *s)
{
	struct node *owner;

	exercise(s);
	owner = node_of(s, 19);
	store_all(s, 4);
	node_pause(s, owner);
	s->calm = false;
	sim_until(s, s->now_us + 3 * SECOND);
	expect(s,
	    state_in(s, 14, 19) == MEMBER_DEAD &&
		state_in(s, 2, 19) == MEMBER_DEAD,
	    "the stopped owner is called dead");
	store_all(s, 5);
	sim_until(s, s->now_us + 7 * SECOND);
	node_resume(s, owner);
	if (s->with_files)
		command_give(s, owner, COMMAND_REQUEST, 0, 0);
	rest_wait(s, s->now_us + WHOLE_US);
	expect(s, owner->incarnation == 2, "it is fenced, and refutes");
	rest_check(s);
}

static void
one_way_loss(struct sim *s)
{
	exercise(s);
	s->calm = false;
	net_one_way(s, node_of(s, 4), node_of(s, 5), 1);
	sim_until(s, s->now_us + 20 * SECOND);
	expect(s, s->false_deads == 0, "indirect pings prevent an eviction");
	for (unsigned i = 0; i < s->node_count; i++)
		expect(s, state_in(s, s->nodes[i].id, 5) != MEMBER_DEAD,
		    "nobody calls the unreached one dead");
	rest_heal(s);
	rest_wait(s, s->now_us + WHOLE_US);
	rest_check(s);
}

static void
partition_in_halves(struct sim *s)
{
	bool side[NODES_MAX] = {false};

	exercise(s);
	s->calm = false;
	store_all(s, 4);
	for (unsigned i = 0; i < s->node_count; i++)
		side[i] = s->nodes[i].id < 8;
	net_partition(s, side, false, 1);
	sim_until(s, s->now_us + 5 * SECOND);
	expect(s,
	    state_in(s, 2, 8) == MEMBER_DEAD &&
		state_in(s, 19, 5) == MEMBER_DEAD,
	    "each half calls the other dead");
	store_all(s, 5);
	store_all(s, 14);
	rest_heal(s);
	rest_wait(s, s->now_us + 30 * SECOND);
	rest_check(s);
}

static void
rings_that_never_met(struct sim *s)
{
	static const unsigned one[] = {3, 40, 90, 200};
	static const unsigned other[] = {39, 41, 150};

	begin(s, 8, 3);
	ring(s, one, 4);
	ring(s, other, 3);
	rest_wait(s, s->now_us + 30 * SECOND);
	rest_check(s);
}

static void
one_hour_of_loss(struct sim *s)
{
	static const struct quality bad = {
	    200, 2 * MS, 0, 50000, 50000, 0, 300, 20 * MS};
	struct node *n;

	exercise(s);
	s->calm = false;
	s->quality = bad;
	for (unsigned i = 0; i < 900 && !s->failed; i++) {
		n = &s->nodes[i % s->node_count];
		if (s->with_files)
			command_give(s, n,
			    i % 3 == 0 ? COMMAND_STORE : COMMAND_REQUEST,
			    i % s->commands.name_count, 1000 * i);
		sim_until(s, s->now_us + 4 * (uint64_t)SECOND);
	}
	expect(s, s->false_deads == 0, "no false DEAD");
	expect(s, commands_done(s), "every operation ends");
	rest_heal(s);
	rest_wait(s, s->now_us + WHOLE_US);
	rest_check(s);
}

static const struct scenario scenarios[] = {
    {"join-two-into-one-gap", "7: both members, disjoint ranges", join_two},
    {"join-live-duplicate", "8: refused, ring undisturbed", join_duplicate},
    {"leave-all-but-one", "12: the survivor holds all", leave_all_but_one},
    {"stop-an-owner", "14: the stale owner is fenced", stop_an_owner},
    {"one-way-loss", "16: no eviction", one_way_loss},
    {"partition-in-halves", "17: one ring again", partition_in_halves},
    {"rings-that-never-met", "18: one ring within 30 s", rings_that_never_met},
    {"one-hour-of-loss", "19: no false DEAD, every operation ends",
	one_hour_of_loss},
};

bool
scenario_run(struct sim *s, const char *name)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (strcmp(scenarios[i].name, name) == 0) {
			scenarios[i].run(s);
			return true;
		}
	return false;
}

void
scenario_list(void)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		printf("%-24s %s\n", scenarios[i].name, scenarios[i].what);
}
