#include <stdio.h>
#include <string.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/scenario.h"
#include "sim/sim.h"

/* Scenarios by name, numbered as in PROTOCOL.md, and what they are made of. */
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

void
scenario_begin(struct sim *s, unsigned bits, unsigned copies)
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

void
scenario_nodes(struct sim *s, const unsigned *ids, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct node *n = node_add(s, ids[i], 0);

		for (unsigned j = 0; j < count; j++)
			if (j != i)
				n->contacts[n->contact_count++] =
				    (uint16_t)ids[j];
	}
}

void
scenario_ring(struct sim *s, const unsigned *ids, unsigned count)
{
	unsigned first = s->node_count;

	scenario_nodes(s, ids, count);
	for (unsigned i = first; i < s->node_count; i++)
		node_start(s, &s->nodes[i], soon_us(s));
}

void
scenario_settle(struct sim *s)
{
	rest_wait(s, s->now_us + WHOLE_US);
}

void
scenario_exercise(struct sim *s)
{
	static const unsigned ids[] = {2, 4, 5, 8, 9, 14, 19};

	scenario_begin(s, 8, 3);
	scenario_ring(s, ids, 7);
	scenario_settle(s);
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

struct node *
scenario_join(struct sim *s, unsigned id, unsigned through)
{
	return newcomer(s, id, 0, through);
}

void
scenario_expect(struct sim *s, bool holds, const char *what)
{
	if (!holds)
		sim_fail(s, CHECK_REST, NULL, "expected: %s", what);
}

void
scenario_finish_commands(struct sim *s)
{
	for (unsigned i = 0; i < 300 && !commands_done(s) && !s->failed; i++)
		sim_until(s, s->now_us + 50 * MS);
}

unsigned
scenario_request(struct sim *s, unsigned id, unsigned name)
{
	uint64_t op = command_give(s, node_of(s, id), COMMAND_REQUEST, name, 0);

	scenario_finish_commands(s);
	return s->commands.at[op].done ? s->commands.at[op].error
				       : (unsigned)ERROR_timeout;
}

void
scenario_store_all(struct sim *s, unsigned id)
{
	if (!s->with_files)
		return;
	for (unsigned i = 0; i < s->commands.name_count; i++)
		command_give(s, node_of(s, id), COMMAND_STORE, i, 100000 + i);
	scenario_finish_commands(s);
	for (unsigned op = 1; op <= s->commands.count; op++)
		scenario_expect(s, s->commands.at[op].error == ERROR_none,
		    "every store is acknowledged");
}

static void
join_two(struct sim *s)
{
	static const unsigned ids[] = {0, 100};
	struct node *a, *b;

	scenario_begin(s, 8, 3);
	scenario_ring(s, ids, 2);
	scenario_settle(s);
	scenario_store_all(s, 100);
	a = newcomer(s, 50, 0, 0);
	b = newcomer(s, 60, 0, 100);
	sim_until(s, s->now_us + 10 * MS);
	scenario_settle(s);
	scenario_expect(
	    s, a->running && b->running, "both newcomers are members");
	rest_check(s);
}

static void
join_duplicate(struct sim *s)
{
	struct node *n;
	uint64_t hash;

	scenario_exercise(s);
	hash = peer_view_hash(node_of(s, 2)->peer);
	n = newcomer(s, 8, 1, 4);
	sim_until(s, s->now_us + 5 * SECOND);
	scenario_expect(
	    s, n->exited && n->code != 0, "the duplicate is refused");
	scenario_expect(s, n->disk.incarnation == 0, "it had no incarnation");
	scenario_expect(s, peer_view_hash(node_of(s, 2)->peer) == hash,
	    "the ring is undisturbed");
	rest_check(s);
}

static void
leave_all_but_one(struct sim *s)
{
	scenario_exercise(s);
	scenario_store_all(s, 4);
	for (unsigned i = 0; i < s->node_count; i++)
		if (s->nodes[i].id != 9)
			command_give(s, &s->nodes[i], COMMAND_QUIT, 0, 0);
	rest_wait(s, s->now_us + 15 * SECOND);
	for (unsigned i = 0; i < s->node_count; i++)
		if (s->nodes[i].id != 9)
			scenario_expect(s,
			    s->nodes[i].exited && s->nodes[i].code == 0,
			    "each that was told to leave exits with 0");
	rest_check(s);
}

unsigned
scenario_state(struct sim *s, unsigned id, unsigned about)
{
	return peer_view(node_of(s, id)->peer, about)->state;
}

/* 2067 has the key 19. */
static void
stop_an_owner(struct sim *s)
{
	struct node *owner;

	scenario_exercise(s);
	owner = node_of(s, 19);
	scenario_store_all(s, 4);
	node_pause(s, owner);
	s->calm = false;
	sim_until(s, s->now_us + 3 * SECOND);
	scenario_expect(s,
	    scenario_state(s, 14, 19) == MEMBER_DEAD &&
		scenario_state(s, 2, 19) == MEMBER_DEAD,
	    "the stopped owner is called dead");
	scenario_store_all(s, 5);
	sim_until(s, s->now_us + 7 * SECOND);
	node_resume(s, owner);
	if (s->with_files)
		command_give(s, owner, COMMAND_REQUEST, 0, 0);
	scenario_settle(s);
	scenario_expect(
	    s, owner->incarnation == 2, "it is fenced, and refutes");
	rest_check(s);
}

/* Pings that go on meanwhile put nothing off. */
static void
stop_one(struct sim *s, unsigned count, unsigned ms)
{
	static const unsigned ids[] = {0, 50, 100, 150, 200};

	scenario_begin(s, 8, 3);
	scenario_ring(s, ids, count);
	scenario_settle(s);
	node_pause(s, node_of(s, 50));
	s->calm = false;
	sim_until(s, s->now_us + ms * MS);
	scenario_expect(s, scenario_state(s, 0, 50) == MEMBER_DEAD,
	    "it is called dead in time");
}

static void
stop_one_of_two(struct sim *s)
{
	stop_one(s, 2, 1400);
}

static void
stop_one_of_five(struct sim *s)
{
	stop_one(s, 5, 800);
}

static void
one_way_loss(struct sim *s)
{
	scenario_exercise(s);
	s->calm = false;
	net_one_way(s, node_of(s, 4), node_of(s, 5), 1);
	sim_until(s, s->now_us + 20 * SECOND);
	scenario_expect(
	    s, s->false_deads == 0, "indirect pings prevent an eviction");
	for (unsigned i = 0; i < s->node_count; i++)
		scenario_expect(s,
		    scenario_state(s, s->nodes[i].id, 5) != MEMBER_DEAD,
		    "nobody calls the unreached one dead");
	rest_heal(s);
	scenario_settle(s);
	rest_check(s);
}

static void
partition_in_halves(struct sim *s)
{
	bool side[NODES_MAX] = {false};

	scenario_exercise(s);
	s->calm = false;
	scenario_store_all(s, 4);
	for (unsigned i = 0; i < s->node_count; i++)
		side[i] = s->nodes[i].id < 8;
	net_partition(s, side, false, 1);
	sim_until(s, s->now_us + 5 * SECOND);
	scenario_expect(s,
	    scenario_state(s, 2, 8) == MEMBER_DEAD &&
		scenario_state(s, 19, 5) == MEMBER_DEAD,
	    "each half calls the other dead");
	scenario_store_all(s, 5);
	scenario_store_all(s, 14);
	rest_heal(s);
	rest_wait(s, s->now_us + 30 * SECOND);
	rest_check(s);
}

static void
rings_that_never_met(struct sim *s)
{
	static const unsigned one[] = {3, 40, 90, 200};
	static const unsigned other[] = {39, 41, 150};

	scenario_begin(s, 8, 3);
	scenario_ring(s, one, 4);
	scenario_ring(s, other, 3);
	rest_wait(s, s->now_us + 30 * SECOND);
	rest_check(s);
}

static void
one_hour_of_loss(struct sim *s)
{
	static const struct quality bad = {
	    200, 2 * MS, 0, 50000, 50000, 0, 300, 20 * MS};
	struct node *n;

	scenario_exercise(s);
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
	scenario_expect(s, s->false_deads == 0, "no false DEAD");
	scenario_expect(s, commands_done(s), "every operation ends");
	rest_heal(s);
	scenario_settle(s);
	rest_check(s);
}

/* Round trips of 90 ms where they took less than one. */
static void
long_round_trips(struct sim *s)
{
	unsigned suspicions = 0, was[NODES_MAX] = {0};

	scenario_exercise(s);
	sim_until(s, s->now_us + 5 * SECOND);
	s->calm = false;
	s->quality.delay_us = 45 * MS;
	for (unsigned i = 0; i < 60000 && !s->failed; i++) {
		sim_until(s, s->now_us + 1 * MS);
		for (unsigned j = 0; j < s->node_count; j++) {
			unsigned state = scenario_state(s, 2, s->nodes[j].id);

			if (state == MEMBER_SUSPECT && was[j] != state)
				suspicions++;
			was[j] = state;
		}
	}
	scenario_expect(s, suspicions <= 100, "suspicions end");
	for (unsigned j = 0; j < s->node_count; j++)
		scenario_expect(s, s->nodes[j].incarnation <= 20,
		    "nobody refutes for ever");
	scenario_expect(s, s->false_deads == 0, "no false DEAD");
	rest_heal(s);
	scenario_settle(s);
	rest_check(s);
}

/* The second request gets there when the first one made a member. */
static void
late_second_join(struct sim *s)
{
	static const unsigned ids[] = {0, 100};
	struct node *n;

	scenario_begin(s, 8, 3);
	s->ping_ms = 30000;
	scenario_ring(s, ids, 2);
	scenario_settle(s);
	s->quality.delay_us = 410 * MS;
	n = newcomer(s, 50, 0, 0);
	for (unsigned i = 0; i < 1000 && !s->failed; i++) {
		sim_until(s, s->now_us + 10 * MS);
		scenario_expect(s,
		    scenario_state(s, 0, 50) != MEMBER_DEAD &&
			scenario_state(s, 100, 50) != MEMBER_DEAD,
		    "nobody calls the newcomer dead");
	}
	scenario_expect(s, s->false_deads == 0, "no false DEAD");
	rest_heal(s);
	/* So far away it may have given up. */
	node_start(s, n, 0);
	scenario_settle(s);
	scenario_expect(s, n->running, "the newcomer is a member");
	rest_check(s);
}

static const struct scenario scenarios[] = {
    {"join-two-into-one-gap", "7: both members, disjoint ranges", join_two},
    {"join-live-duplicate", "8: refused, ring undisturbed", join_duplicate},
    {"leave-all-but-one", "12: the survivor holds all", leave_all_but_one},
    {"stop-an-owner", "14: the stale owner is fenced", stop_an_owner},
    {"stop-one-of-two", "it is called dead after 1.3 s", stop_one_of_two},
    {"stop-one-of-five", "it is called dead within 0.8 s", stop_one_of_five},
    {"one-way-loss", "16: no eviction", one_way_loss},
    {"partition-in-halves", "17: one ring again", partition_in_halves},
    {"rings-that-never-met", "18: one ring within 30 s", rings_that_never_met},
    {"one-hour-of-loss", "19: no false DEAD, every operation ends",
	one_hour_of_loss},
    {"long-round-trips", "they are learned, and suspicions end",
	long_round_trips},
    {"late-second-join", "nobody calls the newcomer dead", late_second_join},
    {"kills-one-by-one", "what nobody has is \"no such file\"",
	scenario_kills_one_by_one},
    {"heal-with-strays", "an acknowledged file is never denied",
	scenario_heal_with_strays},
    {"resume-overwritten", "a resumed owner never serves what is old",
	scenario_resume_overwritten},
    {"new-ring", "few messages, and soon one ring", scenario_new_ring},
    {"new-ring-of-some", "also without those that die in it",
	scenario_new_ring_of_some},
    {"wipe-at-start", "who lost its disk is remembered",
	scenario_wipe_at_start},
    {"quit-at-start", "who was told to go is gone", scenario_quit_at_start},
    {"disk-lost-at-start", "no incarnation is used again",
	scenario_disk_lost_at_start},
    {"quit-of-all-holders", "requests are served meanwhile",
	scenario_quit_of_all_holders},
    {"resume-download", "from what arrived, if its source is dead by news",
	scenario_resume_download},
    {"stored-on-both-sides", "17: the loser is named, and only that",
	scenario_stored_on_both_sides},
    {"many-files", "a wiped disk has them again soon", scenario_many_files},
    {"kill-two-adjacent", "1: nothing is lost", scenario_kill_two_adjacent},
    {"kill-in-a-store", "2: acknowledged survives", scenario_kill_in_a_store},
    {"kill-owner-in-upload", "3: the client succeeds, one version",
	scenario_kill_owner_in_upload},
    {"kill-owner-in-download", "4: a replica goes on",
	scenario_kill_owner_in_download},
    {"kill-joiner-in-import", "5: nothing is lost",
	scenario_kill_joiner_in_import},
    {"kill-admitter-in-import", "6: the joiner finishes from replicas",
	scenario_kill_admitter_in_import},
    {"old-disk", "9: nothing comes back to life", scenario_old_disk},
    {"kill-all-holders", "10: unavailable, then back",
	scenario_kill_all_holders},
    {"kill-everything", "11: one ring, every file", scenario_kill_everything},
    {"kill-in-a-leave", "13: nothing is lost", scenario_kill_in_a_leave},
    {"kill-half", "all of it is told in few messages", scenario_kill_half},
    {"kill-half-of-starved", "nobody suspects another of the rest",
	scenario_kill_half_of_starved},
    {"stop-a-replica", "15: the next successor takes its place",
	scenario_stop_a_replica},
    {"delayed-duplicate", "21: the newer stays", scenario_delayed_duplicate},
    {"ten-at-once", "22: one winner everywhere", scenario_ten_at_once},
    {"race-of-owners", "23: no read goes backwards", scenario_race_of_owners},
    {"bad-disk", "24: another member is used", scenario_bad_disk},
    {"flipped-bits", "25: found, fetched again, never served",
	scenario_flipped_bits},
    {"sizes", "26: every size under every key", scenario_sizes},
    {"power-off", "all power fails: acknowledged survives", scenario_power_off},
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
