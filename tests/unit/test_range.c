#include "core_files.h"
#include "core_test.h"

/* Whom a newcomer asks before it serves, if those after it can't write. */
enum { SELF = 50, FULL = 60, NEXT = 100, WRITERS = 20 };

static struct shelf shelf;

static int
setup(void **state)
{
	(void)state;
	out = no_actions();
	p = core_new(SELF, out);
	shelf_use(p, &shelf);
	p->phase = PHASE_SYNCING;
	return 0;
}

/* So many whose disks are full come first, then those that can write. */
static void
joins(unsigned copies, unsigned full)
{
	p->config.copies = (uint8_t)copies;
	for (unsigned i = 0; i < full; i++) {
		struct member m = member_of(FULL + i, 1, MEMBER_ALIVE);

		m.flags = MEMBER_READONLY;
		view_merge(p, &m);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		struct member m = member_of(NEXT + i, 1, MEMBER_ALIVE);

		view_merge(p, &m);
	}
	view_derive(p);
	files_view_changed(p);
	p->now_us = p->files.settle_us;
	(void)range_tick(p);
}

/* All that are asked agree, and so do the owners before. */
static void
all_agree(void)
{
	for (unsigned at = SELF, i = 0; i < p->config.copies; i++) {
		struct session *s;

		at = ring_owner_before(p, at);
		s = session_new(p, SESSION_THEIRS, at);
		assert_non_null(s);
		s->agreed_set = range_hash(p, at);
		s->incarnation = 1;
		s->served = true;
	}
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		if (p->files.sessions[i].role == SESSION_MINE)
			p->files.sessions[i].agreed_set =
			    range_hash(p, p->config.id);
}

static void
all_are_asked(void **state)
{
	(void)state;
	joins(COPIES_MAX, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_non_null(range_session(p, SESSION_MINE, FULL + i));
	for (unsigned i = 0; i + 1 < COPIES_MAX; i++)
		assert_non_null(range_session(p, SESSION_MINE, NEXT + i));
	assert_false(range_synced(p));
	all_agree();
	assert_true(range_synced(p));
}

/* More than can be asked at a time are asked one after the other. */
static void
one_after_the_other(void **state)
{
	struct idset asked = {0};
	unsigned full = 2 * COPIES_MAX + 3;

	(void)state;
	joins(2, full);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned id = 0; id < p->space; id++)
			if (range_session(p, SESSION_MINE, id) != NULL)
				idset_add(&asked, id);
		all_agree();
		assert_int_equal(range_synced(p), round == 2);
		range_agreed(p);
		p->now_us = p->files.settle_us;
		(void)range_tick(p);
	}
	assert_int_equal(idset_count(&asked), full + 1);
	assert_true(range_complete(p));
}

/* What was heard holds for this set alone. */
static void
set_changes(void **state)
{
	struct member m = member_of(NEXT, 1, MEMBER_DEAD);

	(void)state;
	joins(2, COPIES_MAX + 3);
	all_agree();
	range_agreed(p);
	assert_true(idset_has(&p->files.heard, FULL));
	view_merge(p, &m);
	view_derive(p);
	files_view_changed(p);
	assert_false(idset_has(&p->files.heard, FULL));
}

/* Nor is a question answered before all were asked. */
static void
asked_too_early(void **state)
{
	struct msg_get in = {.exact = EXACT_NEWEST, .op = 1};
	struct conn *c;
	struct message got = {0};

	(void)state;
	joins(2, COPIES_MAX);
	c = conn_from(p, NEXT + 5, CONN_FOR_LINK);
	name_set(&in.name, "0040", 4);
	forget_sent(out);
	serve_get(p, c, &in, true);
	for (unsigned id = 0; id < p->space; id++) {
		struct msg_answer none = {.op = p->files.queries[0].op};

		if (p->files.queries[0].kind != TIE_FREE)
			query_answer(p, conn_from(p, id, CONN_FOR_LINK), &none);
	}
	assert_true(sent_to(p, out, NEXT + 5, MSG_refuse, &got));
	assert_int_equal(got.refuse.error, ERROR_not_serving);
}

/* What was a stray is to be kept here, and others of that set lack it. */
static void
not_settled_before_all_agree(void **state)
{
	struct member m = member_of(NEXT, 1, MEMBER_DEAD);

	(void)state;
	joins(2, 0);
	p->phase = PHASE_SERVING;
	view_merge(p, &m);
	p->files.offer.passed = true;
	assert_false(files_settled(p));
	p->sets_changed = false;
	view_derive(p);
	files_view_changed(p);
	p->now_us = p->files.offer.timer_us;
	(void)range_tick(p);
	(void)offer_tick(p);
	assert_true(p->files.offer.passed);
	assert_false(files_settled(p));
	all_agree();
	assert_true(files_settled(p));
}

#define RANGE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(RANGE_TEST(all_are_asked), RANGE_TEST(one_after_the_other),
    RANGE_TEST(set_changes), RANGE_TEST(asked_too_early),
    RANGE_TEST(not_settled_before_all_agree))
