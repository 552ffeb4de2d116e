#include "core_files.h"
#include "core_test.h"

/* What the owner, 8, reads when its set, 8, 9 and 14, does not agree. */
enum { SELF = 8, CLIENT = 19, SOURCE = 4, NEWER = 9, OLDER = 5 };

static struct shelf shelf;
static struct message got;

static int
setup(void **state)
{
	(void)state;
	out = no_actions();
	p = core_ring(SELF, out);
	shelf = (struct shelf){.count = 1};
	shelf_use(p, &shelf);
	return 0;
}

static void
view_changed(void)
{
	view_derive(p);
	files_view_changed(p);
}

/* The client requests it. */
static void
requests(void)
{
	struct msg_get in = {.exact = EXACT_NEWEST, .op = 1};

	name_set(&in.name, "0006", 4);
	forget_sent(out);
	serve_get(p, conn_from(p, CLIENT, CONN_FOR_LINK), &in, true);
}

static void
knows(unsigned id, enum known known, const struct record *r)
{
	struct message m = {.type = MSG_answer};

	m.answer.op = p->files.queries[0].op;
	m.answer.known = (uint8_t)known;
	m.answer.record = *r;
	query_answer(p, conn_from(p, id, CONN_FOR_LINK), &m.answer);
}

static void
answers(unsigned id, const struct record *r)
{
	knows(id, KNOWN_YES, r);
}

/* Two of three hold the tombstone: both may end, and the file be left. */
static void
majority_is_written_back(void **state)
{
	struct record newer = record_of("0006", NEWER);
	struct record older = record_of("0006", OLDER);

	(void)state;
	newer.deleted = 1;
	newer.size = 0;
	older.acknowledged = 1;
	shelf.at[0] = newer;
	view_changed();
	requests();
	assert_true(sent_to(p, out, 9, MSG_ask, &got));
	answers(9, &newer);
	answers(14, &older);
	assert_false(sent_to(p, out, CLIENT, MSG_refuse, &got));
	(void)write_tick(p);
	assert_true(sent_to(p, out, 14, MSG_give, &got));
	assert_int_equal(got.give.record.version.clock, NEWER);
}

/* All have come back, and what one holds for others may be newer. */
static void
more_than_can_be_asked(void **state)
{
	struct record older = record_of("0006", OLDER);
	unsigned rest = ASKED_MAX + 10;

	(void)state;
	older.acknowledged = 1;
	shelf.at[0] = older;
	for (unsigned id = 100; id < 100 + rest; id++) {
		struct member m = member_of(id, 2, MEMBER_ALIVE);

		view_merge(p, &m);
		idset_add(&p->files.reunited, id);
		idset_add(&p->files.elders, id);
	}
	view_changed();
	requests();
	assert_true(sent_to(p, out, 9, MSG_ask, &got));
	answers(9, &older);
	answers(14, &older);
	for (unsigned id = 100; id < 100 + rest; id++) {
		older.version.clock = id == 100 + rest - 1 ? NEWER : OLDER;
		answers(id, &older);
	}
	assert_null(done(out, ACT_OPEN_STORED));
	assert_true(sent_to(p, out, CLIENT, MSG_refuse, &got));
	assert_int_equal(got.refuse.error, ERROR_not_serving);
}

/* What comes from a peer that dies as it is written: nobody can be asked. */
static void
source_dies(void **state)
{
	struct member dead = member_of(SOURCE, 1, MEMBER_DEAD);
	struct record fetched = record_of("0006", NEWER);
	struct event ev = {.type = EV_FILE};

	(void)state;
	shelf.at[0] = record_of("0006", OLDER);
	fetched.deleted = 1;
	view_changed();
	assert_true(pull_start(p, SOURCE, &fetched, NOBODY, 0));
	assert_int_equal(p->files.pulls[0].state, PULL_COMMITTING);
	requests();
	assert_true(sent_to(p, out, SOURCE, MSG_ask, &got));
	view_merge(p, &dead);
	forget_sent(out);
	view_changed();
	/* Not the older one, either: it asks again. */
	assert_true(sent_to(p, out, CLIENT, MSG_refuse, &got));
	assert_int_equal(got.refuse.error, ERROR_not_serving);
	shelf.at[0] = fetched;
	pull_event(p, &p->files.pulls[0], &ev);
	requests();
	assert_true(sent_to(p, out, 9, MSG_ask, &got));
	assert_false(sent_to(p, out, SOURCE, MSG_ask, &got));
}

/* The whole set, 8, 9 and 14, found it damaged; many others are alive. */
static struct record
all_lost(unsigned rest)
{
	struct record r = record_of("0006", NEWER);

	r.acknowledged = 1;
	shelf = (struct shelf){.lost = {r}, .lost_count = 1};
	for (unsigned id = 100; id < 100 + rest; id++) {
		struct member m = member_of(id, 1, MEMBER_ALIVE);

		view_merge(p, &m);
	}
	view_changed();
	requests();
	knows(9, KNOWN_LOST, &r);
	assert_false(sent_to(p, out, SOURCE, MSG_ask, &got));
	knows(14, KNOWN_LOST, &r);
	return r;
}

/* One that need not hold it does: nobody else would say so. */
static void
stray_is_found(void **state)
{
	unsigned rest = ASKED_MAX + 10, last = 100 + rest - 1;
	struct record r = all_lost(rest);

	(void)state;
	for (unsigned id = 0; id < last; id++) {
		assert_false(sent_to(p, out, CLIENT, MSG_refuse, &got));
		knows(id, id == OLDER ? KNOWN_BEREFT : KNOWN_NO, &r);
	}
	assert_true(sent_to(p, out, last, MSG_ask, &got));
	answers(last, &r);
	assert_true(sent_to(p, out, CLIENT, MSG_refuse, &got));
	assert_int_equal(got.refuse.error, ERROR_not_owner);
	assert_int_equal(got.refuse.ids.count, 1);
	assert_int_equal(got.refuse.ids.at[0], last);
}

/* So many are asked first that there is no room for the others. */
static void
nobody_else_can_be_asked(void **state)
{
	struct record r;

	(void)state;
	for (unsigned id = 100; id < 100 + ASKED_MAX - 2; id++)
		idset_add(&p->files.reunited, id);
	r = all_lost(ASKED_MAX);
	for (unsigned id = 100; id < 100 + ASKED_MAX - 2; id++)
		knows(id, KNOWN_NO, &r);
	assert_true(sent_to(p, out, CLIENT, MSG_refuse, &got));
	assert_int_equal(got.refuse.error, ERROR_not_serving);
}

static void
none_has_it(void **state)
{
	struct record r = all_lost(0);

	(void)state;
	for (unsigned id = 0; id < p->space; id++)
		knows(id, KNOWN_NO, &r);
	assert_true(sent_to(p, out, CLIENT, MSG_refuse, &got));
	assert_int_equal(got.refuse.error, ERROR_damaged);
	assert_int_equal(got.refuse.ids.count, 3);
}

#define QUERY_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(QUERY_TEST(more_than_can_be_asked),
    QUERY_TEST(majority_is_written_back), QUERY_TEST(source_dies),
    QUERY_TEST(stray_is_found), QUERY_TEST(nobody_else_can_be_asked),
    QUERY_TEST(none_has_it))
