#include "core_test.h"

/* A join's way through a peer that is itself still coming in. */
enum { SELF = 8, OWNED = 7, FOREIGN = 12 };

static struct conn link_from_5 = {.id = 5, .handle = 1, .open = true};

static int
setup(void **state)
{
	(void)state;
	out = no_actions();
	p = core_ring(SELF, out);
	p->phase = PHASE_SYNCING;
	out->count = out->used = 0;
	return 0;
}

static void
passed_on(unsigned id)
{
	struct msg_join join = {.op = 1,
	    .id = (uint16_t)id,
	    .addr = {0x7f000001, (uint16_t)(12000 + id)}};

	join.route.count = 1;
	join.route.at[0] = 5;
	admit_join(p, &link_from_5, &join);
}

static unsigned
done(enum action_type type)
{
	unsigned n = 0;

	for (size_t i = 0; i < out->count; i++)
		n += out->at[i].type == type;
	return n;
}

/* It waits, without a deadline of its own, and is admitted then. */
static void
own_range(void **state)
{
	(void)state;
	passed_on(OWNED);
	passed_on(OWNED);
	admit_tick(p);
	assert_int_equal(out->count, 0);
	assert_true(admit_deadline(p) == UINT64_MAX);
	p->phase = PHASE_SERVING;
	assert_true(admit_deadline(p) <= p->now_us);
	admit_tick(p);
	assert_int_equal(p->admission_count, 1);
	assert_int_equal(done(ACT_CONNECT), 1);
	assert_true(admit_deadline(p) > p->now_us);
}

/* It goes on to whom it belongs to: asked, and forwarded. */
static void
foreign_range(void **state)
{
	(void)state;
	passed_on(FOREIGN);
	assert_int_equal(p->admission_count, 1);
	p->phase = PHASE_SERVING;
	admit_tick(p);
	assert_int_equal(p->admission_count, 0);
	assert_int_equal(done(ACT_NOTE), 2);
}

/* Who asks at first hand is told at once to ask again. */
static void
first_hand(void **state)
{
	struct msg_join join = {.op = 1, .id = OWNED, .addr = {1, 1}};
	struct conn *c =
	    conn_new(p, CONN_FOR_JOIN, CONN_LINK, OWNED, join.addr);

	(void)state;
	admit_join(p, c, &join);
	assert_int_equal(p->admission_count, 0);
}

/* This peer has not heard yet of an earlier life that another knows of. */
static void
remembered_on_the_way(void **state)
{
	struct msg_join join = {.op = 1, .id = OWNED, .addr = {1, 1}};

	(void)state;
	join.incarnation = 3;
	p->phase = PHASE_SERVING;
	p->watch[OWNED].floor = 2;
	admit_join(p, &link_from_5, &join);
	admit_tick(p);
	assert_int_equal(p->admission_count, 1);
	assert_int_equal(p->admissions[0].highest, 3);
}

#define ADMIT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(ADMIT_TEST(own_range), ADMIT_TEST(foreign_range),
    ADMIT_TEST(first_hand), ADMIT_TEST(remembered_on_the_way))
