#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "super/check.h"
#include "unit.h"
#include "wire/codes.h"

/* What check says of views and neighbours, by what peers have answered. */
static const uint16_t ids[] = {2, 4, 5, 8, 9};

enum { PEERS = sizeof(ids) / sizeof(ids[0]) };

static struct super *super;
static struct check *check;
static struct msg_members answer;

static struct member
member(unsigned id, enum member_state state)
{
	return (struct member){.id = (uint16_t)id,
	    .incarnation = 1,
	    .state = (uint8_t)state,
	    .revision = 1};
}

static void
never(struct timer *t)
{
	(void)t;
	fail();
}

static int
setup(void **state)
{
	(void)state;
	super = calloc(1, sizeof(*super));
	check = calloc(1, sizeof(*check));
	assert_true(super != NULL && check != NULL);
	super->config.bits = 8;
	super->config.copies = 3;
	assert_int_equal(loop_init(&super->loop), 0);
	timer_init(&check->timer, never);
	check->super = super;
	check->phase = CHECK_VIEWS;
	check->reference = ids[0];
	for (unsigned i = 0; i < PEERS; i++) {
		struct child *c = child_new(super, ids[i], 0);
		struct witness *w = calloc(1, sizeof(*w));

		assert_non_null(w);
		/* Nothing is sent to it. */
		c->pid = 1;
		c->reported = true;
		c->report.state = PEER_UP;
		c->report.incarnation = 1;
		c->report.hash = 77;
		c->report.first = ids[(i + 1) % PEERS];
		c->report.second = ids[(i + 2) % PEERS];
		c->report.predecessor = ids[(i + PEERS - 1) % PEERS];
		w->check = check;
		w->id = ids[i];
		w->to_fd = w->from_fd = w->from.fd = -1;
		w->hash = 77;
		check->all[check->count++] = w;
		check->view[ids[i]] = member(ids[i], MEMBER_ALIVE);
	}
	check->view[200] = member(200, MEMBER_DEAD);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	timer_stop(&super->loop, &check->timer);
	findings_free(&check->found);
	while (check->count > 0)
		witness_free(check->all[--check->count]);
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (super->children[id] != NULL) {
			super->children[id]->pid = 0;
			child_free(super->children[id]);
		}
	loop_free(&super->loop);
	free(check);
	free(super);
	return 0;
}

/* The view of 5, in two parts, as it was set up but for one entry. */
static void
answers(const struct member *other)
{
	struct witness *w = check_witness(check, 5);
	struct member view[SPACE_MAX];

	memcpy(view, check->view, sizeof(view));
	if (other != NULL)
		view[other->id] = *other;
	w->asked = true;
	w->op = answer.op = 9;
	answer.hash = 77;
	for (unsigned part = 0; part < 2; part++) {
		answer.last = part == 1;
		answer.list.count = 0;
		for (unsigned id = part * 8; id < (part ? 256 : 8); id++)
			if (view[id].state != MEMBER_NONE)
				answer.list.at[answer.list.count++] = view[id];
		views_members(check, w, &answer);
		/* The others have still to answer. */
		check_witness(check, 4)->asked = true;
	}
}

/* All that was found, a line each. */
static void
says(const char *text)
{
	static char said[4096];
	static struct message m;
	size_t at = 0;

	views_judge(check);
	said[0] = '\0';
	while (findings_next(&check->found, &at, &m))
		snprintf(said + strlen(said), sizeof(said) - strlen(said),
		    "%s of %u: %s\n", finding_name(m.finding.kind),
		    m.finding.peer, m.finding.text.text);
	assert_string_equal(said, text);
}

static void
right(void **state)
{
	(void)state;
	check_witness(check, 4)->asked = true;
	answers(NULL);
	assert_int_equal(check_witness(check, 5)->differs, 0);
	says("");
	assert_int_equal(check->phase, CHECK_VIEWS);
	assert_int_equal(idset_count(&check->situation.members), PEERS);
	assert_int_equal(idset_count(&check->situation.asked), PEERS);
	assert_false(check->situation.blind);
}

static void
views_differ(void **state)
{
	struct member dead = member(8, MEMBER_DEAD);

	(void)state;
	check_witness(check, 4)->asked = true;
	answers(&dead);
	says("view of 5: view of 5 differs from that of 2: peer 8 is dead "
	     "there, and not alive\n");
}

static void
one_is_missing(void **state)
{
	struct member none = member(200, MEMBER_NONE);

	(void)state;
	check_witness(check, 4)->asked = true;
	answers(&none);
	says("view of 5: view of 5 differs from that of 2: peer 200 is "
	     "unknown there, and not dead\n");
}

static void
another_incarnation(void **state)
{
	struct member m = member(9, MEMBER_ALIVE);

	(void)state;
	m.incarnation = 3;
	check_witness(check, 4)->asked = true;
	answers(&m);
	says("view of 5: view of 5 differs from that of 2: peer 9 has "
	     "incarnation 3 there, and not 1\n");
}

static void
views_are_not_true(void **state)
{
	(void)state;
	check->view[8].state = MEMBER_DEAD;
	super->children[4]->report.incarnation = 2;
	super->children[9]->pid = 0;
	super->children[9]->ended = PEER_KILLED;
	witness_free(check->all[--check->count]);
	super->children[5]->report.first = 9;
	super->children[5]->report.second = 2;
	super->children[4]->report.second = 9;
	super->children[8]->report.predecessor = 5;
	says("view of 2: view of 2: peer 4 has incarnation 1, but it is 2\n"
	     "view of 2: view of 2: peer 8 is dead, but it is up\n"
	     "view of 2: view of 2: peer 9 is alive, but its process is "
	     "killed\n");
}

static void
wrong_neighbours(void **state)
{
	(void)state;
	super->children[9]->report.first = 4;
	super->children[9]->report.second = 5;
	super->children[2]->report.predecessor = 8;
	says("predecessor of 2: peer 2 has predecessor 8, should be 9\n"
	     "first_successor of 9: peer 9 has first successor 4, should be "
	     "2\n"
	     "second_successor of 9: peer 9 has second successor 5, should be "
	     "4\n");
	assert_true(check->found.heals);
}

/* Its neighbours are of another view than its answer: too early to judge. */
static void
not_at_rest(void **state)
{
	(void)state;
	super->children[5]->report.hash = 78;
	says("");
	assert_int_equal(check->phase, CHECK_PAUSED);
	assert_string_equal(check->why, "the view of peer 5 changes");
}

/* Paused, and not fenced yet: a member nobody can ask. */
static void
paused(void **state)
{
	(void)state;
	super->children[9]->stopped = true;
	witness_free(check->all[--check->count]);
	says("");
	assert_true(check->situation.blind);
	assert_true(idset_has(&check->situation.members, 9));
	assert_false(idset_has(&check->situation.asked, 9));
}

static void
remote(void **state)
{
	(void)state;
	check->view[100] = member(100, MEMBER_ALIVE);
	super->children[9]->report.first = 100;
	super->children[9]->report.second = 2;
	super->children[8]->report.second = 100;
	super->children[2]->report.predecessor = 100;
	says("");
	assert_true(check->situation.blind);
}

#define VIEWS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(VIEWS_TEST(right), VIEWS_TEST(views_differ),
    VIEWS_TEST(one_is_missing), VIEWS_TEST(another_incarnation),
    VIEWS_TEST(views_are_not_true), VIEWS_TEST(wrong_neighbours),
    VIEWS_TEST(not_at_rest), VIEWS_TEST(paused), VIEWS_TEST(remote))
