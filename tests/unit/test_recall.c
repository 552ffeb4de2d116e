#include "core_test.h"

/* A peer without an incarnation, which asks what others remember. */
enum { SELF = 8, LOW = 2, HIGH = 19 };

static int
setup(void **state)
{
	(void)state;
	out = no_actions();
	p = core_new(SELF, out);
	memset(&p->view[SELF], 0, sizeof(p->view[SELF]));
	p->view[SELF].id = SELF;
	p->incarnation = 0;
	p->member_count = 0;
	p->phase = PHASE_RECALLING;
	out->count = out->used = 0;
	return 0;
}

static void
contact(unsigned id, uint16_t port)
{
	p->watch[id].contact = true;
	p->view[id].addr = (struct addr){0x7f000001, port};
}

static void
begin_with_two(void)
{
	contact(LOW, 12000 + LOW);
	contact(HIGH, 12000 + HIGH);
	recall_begin(p, 2);
}

/* From an answer: id remembers nothing, and heard so much of the others. */
static void
answer(unsigned id, uint32_t incarnation, uint32_t met)
{
	struct message m = {
	    .type = MSG_recall, .recall = {.life = id, .met = met}};
	struct event ev = {.type = EV_DATAGRAM,
	    .from = (uint16_t)id,
	    .incarnation = incarnation,
	    .message = &m};

	idset_add(&m.recall.heard, LOW);
	idset_add(&m.recall.heard, SELF);
	idset_add(&m.recall.heard, HIGH);
	recall_message(p, &ev);
}

static void
blank_answer(unsigned id, uint32_t incarnation)
{
	answer(id, incarnation, 0);
}

/* Who has not spoken was heard of in an earlier life: all must answer. */
static void
word_of_an_earlier_life(void **state)
{
	(void)state;
	begin_with_two();
	blank_answer(LOW, 0);
	assert_int_equal(p->phase, PHASE_RECALLING);
	assert_true(p->recall_told);
}

static void
word_of_this_life(void **state)
{
	(void)state;
	begin_with_two();
	recall_tick(p);
	recall_tick(p);
	blank_answer(LOW, 0);
	assert_int_equal(p->phase, PHASE_PERSISTING);
	assert_int_equal(p->wanted, 1);
	assert_true(p->fresh);
}

/* A member that does not know this peer may well know others. */
static void
word_of_a_member(void **state)
{
	(void)state;
	begin_with_two();
	recall_tick(p);
	recall_tick(p);
	blank_answer(LOW, 1);
	assert_int_equal(p->phase, PHASE_RECALLING);
	assert_false(idset_has(&p->blank, LOW));
	blank_answer(HIGH, 1);
	assert_int_equal(p->phase, PHASE_PERSISTING);
	assert_true(p->fresh);
}

/* It may have been a member since the one who was met vouched for others. */
static void
met_in_an_earlier_life(void **state)
{
	(void)state;
	begin_with_two();
	recall_tick(p);
	recall_tick(p);
	answer(LOW, 0, 2); /* a life's number is odd */
	assert_int_equal(p->phase, PHASE_RECALLING);
	assert_true(p->recall_told);
	assert_false(idset_has(&p->blank, HIGH));
	blank_answer(HIGH, 0);
	assert_int_equal(p->phase, PHASE_PERSISTING);
	assert_int_equal(p->wanted, 1);
}

/* It is asked first, and so knows whether there was an earlier life. */
static void
own_word_of_the_lowest(void **state)
{
	(void)state;
	begin_with_two();
	recall_tick(p);
	recall_tick(p);
	blank_answer(HIGH, 0);
	assert_int_equal(p->phase, PHASE_RECALLING);
	blank_answer(LOW, 0);
	assert_int_equal(p->phase, PHASE_PERSISTING);
	assert_true(p->fresh);
}

/* A member may remember it; it knew of none when it chose its number. */
static void
heard_of_while_written(void **state)
{
	struct event ev = {.type = EV_PERSISTED, .incarnation = 1};

	(void)state;
	recall_begin(p, 0);
	assert_int_equal(p->phase, PHASE_PERSISTING);
	p->view[LOW] = (struct member){.id = LOW,
	    .incarnation = 1,
	    .state = MEMBER_ALIVE,
	    .addr = {0x7f000001, 12000 + LOW}};
	start_persisted(p, &ev);
	assert_int_equal(p->phase, PHASE_RECALLING);
	p->watch[SELF].floor = 3;
	blank_answer(LOW, 1);
	assert_int_equal(p->phase, PHASE_PERSISTING);
	assert_int_equal(p->wanted, 4);
	assert_false(recall_anew(p));
}

/* What is remembered of it may lack an address. */
static void
contact_without_address(void **state)
{
	(void)state;
	p->space = SPACE_MAX;
	contact(HIGH, 0);
	recall_begin(p, 1);
	recall_tick(p);
	assert_int_equal(out->count, 0);
	assert_int_equal(p->phase, PHASE_RECALLING);
	p->now_us = p->recall_end_us;
	recall_tick(p);
	assert_int_equal(p->wanted, 1);
	assert_false(p->fresh);
}

#define RECALL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(RECALL_TEST(word_of_an_earlier_life), RECALL_TEST(word_of_this_life),
    RECALL_TEST(word_of_a_member), RECALL_TEST(met_in_an_earlier_life),
    RECALL_TEST(own_word_of_the_lowest), RECALL_TEST(heard_of_while_written),
    RECALL_TEST(contact_without_address))
