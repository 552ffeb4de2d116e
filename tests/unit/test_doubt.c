#include "core_files.h"
#include "core_test.h"

/* Who can tell what is newest, if others of its set are asked, too. */
enum { SELF = 8, FIRST = 100 };

static struct shelf shelf;
static struct message got;

static int
setup(void **state)
{
	(void)state;
	out = no_actions();
	p = core_ring(SELF, out);
	p->config.copies = 2;
	shelf =
	    (struct shelf){.at = {record_of("0003", FIRST - 1)}, .count = 1};
	shelf_use(p, &shelf);
	view_derive(p);
	files_view_changed(p);
	return 0;
}

static void
becomes(unsigned id, unsigned incarnation, enum member_state state,
    unsigned flags, uint64_t clock)
{
	struct member m = member_of(id, incarnation, state);

	m.flags = (uint8_t)flags;
	p->wall_us = clock;
	view_merge(p, &m);
	view_derive(p);
	files_view_changed(p);
}

static void
dies(unsigned id, uint64_t clock)
{
	becomes(id, p->view[id].incarnation, MEMBER_DEAD, 0, clock);
}

/* Who is asked, too, was in no set that hides, but for what it has lost. */
static void
who_is_asked_hides_nothing(void **state)
{
	(void)state;
	assert_int_equal(range_doubt(p, SELF, 3, true), UINT64_MAX);
	dies(4, FIRST);
	assert_int_equal(range_doubt(p, SELF, 3, true), 0);
	becomes(5, 2, MEMBER_ALIVE, MEMBER_KEPT, FIRST + 1);
	assert_int_equal(range_doubt(p, SELF, 3, true), 0);
	/* One that came after all deaths was in no set with them. */
	becomes(3, 1, MEMBER_ALIVE, 0, FIRST + 2);
	dies(5, FIRST + 3);
	assert_int_equal(range_doubt(p, SELF, 3, true), FIRST);
	p->config.copies = 3;
	assert_int_equal(range_doubt(p, SELF, 3, true), 0);
	assert_int_equal(range_doubt(p, SELF, 3, false), FIRST);
	/* It comes back without its disk. */
	becomes(3, 2, MEMBER_ALIVE, 0, FIRST + 4);
	assert_int_equal(range_doubt(p, SELF, 3, true), FIRST);
	/* Lives of which this peer has not heard may have ended so. */
	becomes(7, 9, MEMBER_ALIVE, MEMBER_KEPT, FIRST + 5);
	assert_int_equal(range_doubt(p, SELF, 3, true), FIRST + 3);
}

/* Of a set that is not asked, each may hide what it has. */
static void
who_asks_another_set_is_not_sure(void **state)
{
	struct msg_ask in = {.op = 1};
	uint16_t ids[COPIES_MAX + 1];
	unsigned n;

	(void)state;
	dies(4, FIRST);
	name_set(&in.name, "0003", 4);
	forget_sent(out);
	query_ask(p, conn_from(p, 5, CONN_FOR_LINK), &in);
	assert_true(sent_to(p, out, 5, MSG_answer, &got));
	assert_true(got.answer.known & KNOWN_UNSURE);
	n = ring_replicas(p, 3, ids);
	in.set = ring_set_hash(p, ids, n);
	forget_sent(out);
	query_ask(p, conn_from(p, 5, CONN_FOR_LINK), &in);
	assert_true(sent_to(p, out, 5, MSG_answer, &got));
	assert_false(got.answer.known & KNOWN_UNSURE);
}

/* One that died long before says nothing of those who died after it. */
static void
who_was_away_goes_by_the_last(void **state)
{
	struct missed missed = {.since = {3, {FIRST + 2, FIRST + 1, FIRST}}};

	(void)state;
	p->wall_us = FIRST + 3;
	p->phase = PHASE_SYNCING;
	view_set_self(p, MEMBER_ALIVE, MEMBER_SYNCING);
	idset_add(&missed.dead, 7);
	idset_add(&missed.dead, 10);
	idset_add(&missed.dead, 30);
	/* 30 is no neighbour now; who owned key 6 then missed it there. */
	mourn_with(p, &missed, 0, 200);
	p->phase = PHASE_SERVING;
	view_set_self(p, MEMBER_ALIVE, 0);
	files_view_changed(p);
	assert_int_equal(range_doubt(p, SELF, 6, false), FIRST + 1);
}

/* The last of all that may have served without this peer counts. */
static void
missed_for_two_reasons(void **state)
{
	uint64_t since_us = 0;

	(void)state;
	idset_add(&p->files.sole, 30);
	p->files.mended[30].unseen_us = FIRST;
	idset_add(&p->files.then, 31);
	idset_add(&p->files.absent, 31);
	p->files.mended[31].unseen_us = FIRST + 9;
	assert_true(absent_soon(p, &since_us));
	assert_int_equal(since_us, FIRST + 9);
	/* Fewer than those that were there then were no whole set. */
	since_us = 0;
	idset_add(&p->files.then, 29);
	assert_true(absent_soon(p, &since_us));
	assert_int_equal(since_us, FIRST);
}

/* One of those who are missed comes back without its disk. */
static void
bare_is_not_back(void **state)
{
	struct missed missed;

	(void)state;
	p->config.copies = 3;
	for (unsigned id = 4; id <= 5; id++) {
		idset_add(&p->files.then, id);
		idset_add(&p->files.absent, id);
		dies(id, FIRST);
	}
	assert_int_equal(absent_count(p, NULL, NULL), 2);
	becomes(5, 2, MEMBER_ALIVE, MEMBER_SYNCING, FIRST + 1);
	becomes(5, 2, MEMBER_ALIVE, 0, FIRST + 1);
	absent_settled(p, 5);
	mourn_tell(p, 5, 8, &missed);
	assert_int_equal(missed.least, 1);
	assert_int_equal(idset_count(&missed.away), 1);
	assert_true(idset_has(&missed.away, 4));
	becomes(4, 2, MEMBER_ALIVE, MEMBER_KEPT, FIRST + 2);
	absent_settled(p, 4);
	assert_false(absent_has(p, 4) || absent_has(p, 5));
}

/* Called dead while it was stopped, it can't tell which of them died last. */
static void
fenced_misses_all_who_die(void **state)
{
	struct member self = member_of(SELF, 1, MEMBER_DEAD);

	(void)state;
	p->config.copies = 3;
	for (unsigned id = 9; id <= 19; id++)
		becomes(id, 1, MEMBER_LEFT, 0, FIRST);
	becomes(2, 1, MEMBER_LEFT, 0, FIRST);
	view_merge(p, &self);
	assert_true(p->fenced);
	/* Of this one it hears only now. */
	becomes(30, 1, MEMBER_ALIVE, 0, FIRST);
	dies(4, FIRST + 1);
	dies(5, FIRST + 2);
	assert_int_equal(absent_count(p, NULL, NULL), 0);
	dies(30, FIRST + 3);
	p->fenced = false;
	p->files.sole = (struct idset){0};
	assert_int_equal(absent_count(p, NULL, NULL), 3);
}

/* While it can't write, others acknowledge without it. */
static void
who_cannot_write_was_in_no_set(void **state)
{
	(void)state;
	dies(9, FIRST);
	dies(14, FIRST + 1);
	assert_int_equal(range_doubt(p, SELF, 6, false), 0);
	becomes(9, 2, MEMBER_ALIVE, MEMBER_KEPT, FIRST + 2);
	becomes(14, 2, MEMBER_ALIVE, MEMBER_KEPT, FIRST + 2);
	view_set_self(p, MEMBER_ALIVE, MEMBER_READONLY);
	dies(9, FIRST + 3);
	assert_int_equal(range_doubt(p, SELF, 6, false), 0);
	dies(14, FIRST + 4);
	assert_int_equal(range_doubt(p, SELF, 6, false), FIRST + 3);
	view_set_self(p, MEMBER_ALIVE, 0);
	files_view_changed(p);
	assert_int_equal(range_doubt(p, SELF, 6, false), FIRST + 3);
	becomes(9, 3, MEMBER_ALIVE, MEMBER_KEPT, FIRST + 5);
	assert_int_equal(range_doubt(p, SELF, 6, false), 0);
}

static unsigned
refutes(unsigned incarnation)
{
	struct member m = member_of(SELF, incarnation, MEMBER_DEAD);
	struct event ev = {.type = EV_PERSISTED};

	view_merge(p, &m);
	ev.incarnation = p->wanted;
	assert_int_equal(p->wanted, incarnation + 1);
	start_persisted(p, &ev);
	return p->view[SELF].flags & MEMBER_KEPT;
}

/* Its disk was away, and came back after a life on another one. */
static void
another_disk_kept_the_rest(void **state)
{
	(void)state;
	p->config.kept = true;
	view_set_self(p, MEMBER_ALIVE, MEMBER_KEPT);
	assert_true(refutes(1));
	assert_true(refutes(2));
	assert_false(refutes(5));
	assert_false(refutes(6));
}

/* Was it told that one of two versions had lost, both made before that? */
static bool
told_of_a_loser(uint64_t died, uint64_t back)
{
	struct version loser = {.clock = died - 10}, winner = {.clock = died};
	struct name name;

	name_set(&name, "0006", 4);
	dies(19, died);
	becomes(19, 2, MEMBER_ALIVE, 0, back);
	apart_won(p, 19, &name, &loser, &winner);
	p->now_us += 10000000;
	forget_sent(out);
	(void)apart_tick(p);
	return done(out, ACT_NOTE) != NULL;
}

/* Who was stopped hears of a death only when the dead one is back. */
static void
stopped_is_not_apart(void **state)
{
	(void)state;
	assert_false(told_of_a_loser(20000000, 20000100));
	teardown(state);
	setup(state);
	assert_true(told_of_a_loser(20000000, 21000000));
}

UNIT_MAIN(cmocka_unit_test_setup_teardown(
	      who_is_asked_hides_nothing, setup, teardown),
    cmocka_unit_test_setup_teardown(
	who_asks_another_set_is_not_sure, setup, teardown),
    cmocka_unit_test_setup_teardown(
	who_was_away_goes_by_the_last, setup, teardown),
    cmocka_unit_test_setup_teardown(missed_for_two_reasons, setup, teardown),
    cmocka_unit_test_setup_teardown(bare_is_not_back, setup, teardown),
    cmocka_unit_test_setup_teardown(fenced_misses_all_who_die, setup, teardown),
    cmocka_unit_test_setup_teardown(
	who_cannot_write_was_in_no_set, setup, teardown),
    cmocka_unit_test_setup_teardown(
	another_disk_kept_the_rest, setup, teardown),
    cmocka_unit_test_setup_teardown(stopped_is_not_apart, setup, teardown))
