#include "core_files.h"
#include "core_test.h"

/* Who can tell what was acknowledged when others have died: peer 8 of seven. */
enum { SELF = 8, KEY = 6, FIRST = 100 };

static struct shelf shelf;
static struct message got;

static int
setup(void **state)
{
	(void)state;
	out = no_actions();
	p = core_ring(SELF, out);
	shelf = (struct shelf){.at = {record_of("0006", 5)}, .count = 1};
	shelf.at[0].acknowledged = 1;
	shelf_use(p, &shelf);
	view_derive(p);
	files_view_changed(p);
	return 0;
}

static void
becomes(unsigned id, unsigned incarnation, enum member_state state)
{
	struct member m = member_of(id, incarnation, state);

	view_merge(p, &m);
	view_derive(p);
	files_view_changed(p);
}

/* A death that is seen when the wall clock says so. */
static void
dies(unsigned id, uint64_t clock)
{
	p->wall_us = clock;
	becomes(id, 1, MEMBER_DEAD);
}

/* A request from 19; how it is refused, or none if the file is opened. */
static unsigned
requested(void)
{
	struct conn *c = conn_from(p, 19, CONN_FOR_LINK);
	struct msg_get in = {.exact = EXACT_NEWEST, .op = 1};

	name_set(&in.name, "0006", 4);
	forget_sent(out);
	serve_get(p, c, &in, true);
	for (unsigned i = 0; i < p->files.query_top; i++) {
		static struct msg_answer none;
		struct query *q = &p->files.queries[i];

		none.op = q->op;
		for (unsigned j = 0; j < q->count && q->kind != TIE_FREE; j++)
			query_answer(
			    p, conn_from(p, q->ids[j], CONN_FOR_LINK), &none);
	}
	if (done(out, ACT_OPEN_STORED) != NULL)
		return ERROR_none;
	assert_true(sent_to(p, out, 19, MSG_refuse, &got));
	return got.refuse.error;
}

/* Of 2, 4 and 5, one was dead before the others: 8 was in each later set. */
static void
as_many_dead_as_copies(void **state)
{
	(void)state;
	p->config.copies = 2;
	assert_int_equal(range_doubt(p, SELF, 3, false), UINT64_MAX);
	dies(4, FIRST);
	/* What is later than the first death, 8 was asked to hold. */
	assert_int_equal(range_doubt(p, SELF, 3, false), FIRST);
	dies(5, FIRST + 50);
	assert_int_equal(range_doubt(p, SELF, 3, false), FIRST);
	p->config.copies = 3;
	assert_int_equal(range_doubt(p, SELF, 3, false), 0);
}

/* What it was given in a life of which only the end is heard counts, too. */
static void
dead_again(void **state)
{
	(void)state;
	dies(4, FIRST);
	assert_int_equal(p->files.mended[4].since_us, FIRST);
	p->wall_us = FIRST + 50;
	becomes(4, 1, MEMBER_DEAD);
	assert_int_equal(p->files.mended[4].since_us, FIRST);
	becomes(4, 2, MEMBER_DEAD);
	assert_true(idset_has(&p->files.bereaved, 4));
	assert_int_equal(p->files.mended[4].since_us, FIRST + 50);
	assert_int_equal(p->files.mended[4].unseen_us, FIRST + 50);
}

/* One missed since long ago makes nothing surer that others died over. */
static void
missed_and_bereaved(void **state)
{
	struct missed missed;

	(void)state;
	p->config.copies = 3;
	idset_add(&p->files.sole, 19);
	p->files.mended[19].unseen_us = FIRST - 50;
	dies(19, FIRST);
	/* What it had before it came back; but it may have gone on. */
	assert_int_equal(range_doubt(p, SELF, KEY, false), FIRST - 50);
	assert_int_equal(p->files.mended[19].since_us, FIRST);
	dies(9, FIRST);
	dies(14, FIRST);
	dies(2, FIRST);
	p->files.unseen = p->files.bereaved;
	assert_int_equal(range_doubt(p, SELF, KEY, false), FIRST);
	mourn_tell(p, 5, 6, &missed);
	assert_int_equal(missed.least, 1);
	assert_int_equal(idset_count(&missed.away), 1);
	assert_int_equal(idset_count(&missed.dead), 4);
	assert_int_equal(missed.since.count, 4);
	assert_int_equal(missed.since.at[0], FIRST);
	assert_int_equal(missed.since.at[3], FIRST);
}

/* Of two that were never there together, no set was. */
static void
each_death_is_told(void **state)
{
	struct missed missed;

	(void)state;
	p->config.copies = 2;
	dies(4, FIRST);
	dies(5, FIRST + 50);
	mourn_tell(p, 2, 3, &missed);
	assert_int_equal(missed.since.count, 2);
	assert_int_equal(missed.since.at[0], FIRST);
	assert_int_equal(missed.since.at[1], FIRST + 50);
	missed.since.at[0] = FIRST - 9;
	missed.since.at[1] = FIRST - 1;
	mourn_with(p, &missed, 0, 0);
	assert_int_equal(p->files.mended[4].since_us, FIRST - 9);
	assert_int_equal(p->files.mended[5].since_us, FIRST - 1);
	/* Without a clock of its own, one died no earlier than all those. */
	missed.since.count = 1;
	missed.since.at[0] = FIRST - 20;
	mourn_with(p, &missed, 0, 0);
	assert_int_equal(p->files.mended[5].since_us, FIRST - 20);
	p->wall_us = FIRST + 60;
	for (unsigned id = 100; id <= 100 + CLOCKS_MAX; id++) {
		idset_add(&p->files.bereaved, id);
		p->files.mended[id].since_us = FIRST + id;
	}
	p->config.copies = 1;
	mourn_tell(p, 20, 21, &missed);
	assert_int_equal(idset_count(&missed.dead), CLOCKS_MAX + 1);
	assert_int_equal(missed.since.count, CLOCKS_MAX);
	assert_int_equal(
	    missed.since.at[CLOCKS_MAX - 1], FIRST + 100 + CLOCKS_MAX);
}

/* Missed whatever the key is but the one that may have served alone. */
static void
others_are_not_missed_with_it(void **state)
{
	struct missed missed;

	(void)state;
	p->config.copies = 3;
	dies(4, FIRST);
	dies(19, FIRST);
	memset(&missed, 0, sizeof(missed));
	idset_add(&missed.dead, 4);
	idset_add(&missed.dead, 19);
	idset_add(&missed.away, 19);
	p->phase = PHASE_SYNCING;
	mourn_with(p, &missed, 1, 0);
	p->phase = PHASE_SERVING;
	assert_int_equal(absent_count(p, NULL, NULL), 1);
	becomes(19, 2, MEMBER_ALIVE);
	assert_int_equal(absent_count(p, NULL, NULL), 0);
}

/* What is stored before a new ring has met may be later than a death. */
static void
death_while_they_meet(void **state)
{
	struct member m = member_of(4, 1, MEMBER_DEAD);

	(void)state;
	p->phase = PHASE_SYNCING;
	p->gather_us = 1;
	p->wall_us = FIRST;
	view_merge(p, &m);
	p->phase = PHASE_SERVING;
	p->gather_us = 0;
	p->wall_us = FIRST + 50;
	view_derive(p);
	files_view_changed(p);
	assert_true(idset_has(&p->files.bereaved, 4));
	assert_int_equal(p->files.mended[4].since_us, FIRST);
}

/* Who was away when it left calls it dead. */
static void
who_left_is_not_missed(void **state)
{
	(void)state;
	p->config.copies = 2;
	becomes(4, 1, MEMBER_LEFT);
	dies(4, FIRST);
	becomes(5, 1, MEMBER_LEFT);
	dies(5, FIRST);
	assert_int_equal(range_bereft(p, 3, NULL), 0);
}

/* 6 is 8's own key: nobody was before it. */
static void
own_key_is_not_doubted(void **state)
{
	(void)state;
	dies(2, FIRST);
	dies(4, FIRST);
	dies(5, FIRST);
	assert_int_equal(range_doubt(p, SELF, KEY, false), 0);
	assert_int_equal(range_doubt(p, SELF, 1, false), FIRST);
}

/* A stray copy is served only if no dead set can have had a later one. */
static void
older_copy_is_not_served(void **state)
{
	(void)state;
	assert_int_equal(requested(), ERROR_none);
	shelf.at[0].version.clock = FIRST - 1;
	p->config.copies = 1;
	becomes(7, 1, MEMBER_ALIVE);
	dies(7, FIRST);
	assert_int_equal(requested(), ERROR_unavailable);
	assert_int_equal(got.refuse.ids.count, 1);
	assert_int_equal(got.refuse.ids.at[0], 7);
	shelf.at[0].version.clock = FIRST + 1;
	assert_int_equal(requested(), ERROR_none);
}

/* Nor is anything acknowledged that is older than what they may have had. */
static void
older_store_gets_a_later_version(void **state)
{
	struct msg_give in = {.op = 3, .record = record_of("0006", FIRST - 1)};

	(void)state;
	shelf.count = 0;
	p->config.copies = 1;
	becomes(7, 1, MEMBER_ALIVE);
	dies(7, FIRST);
	p->files.brought = in.record.digest;
	forget_sent(out);
	write_give(p, conn_from(p, 19, CONN_FOR_LINK), &in);
	assert_true(sent_to(p, out, 19, MSG_answer, &got));
	assert_true(got.answer.record.version.clock >= FIRST);
	assert_int_equal(p->files.write_top, 0);
	/* One that was given before may be stored: then it can't be told. */
	in.set = 1;
	forget_sent(out);
	write_give(p, conn_from(p, 19, CONN_FOR_LINK), &in);
	assert_true(sent_to(p, out, 19, MSG_refuse, &got));
	assert_int_equal(got.refuse.error, ERROR_unavailable);
	/* What is later than all of them is taken. */
	in.set = 0;
	in.record.version.clock = FIRST + 1;
	write_give(p, conn_from(p, 19, CONN_FOR_LINK), &in);
	assert_int_equal(p->files.write_top, 1);
}

/* Made good in one range, a death still counts in another. */
static void
each_range_is_mended_by_itself(void **state)
{
	static const struct missed nobody;

	(void)state;
	p->config.copies = 1;
	dies(5, FIRST);
	assert_int_equal(range_doubt(p, SELF, 3, false), UINT64_MAX);
	assert_int_equal(range_doubt(p, SELF, 5, false), FIRST);
	mourn_told(p, 4, 8, &nobody);
	assert_int_equal(range_doubt(p, SELF, 5, false), 0);
	dies(4, FIRST + 9);
	assert_int_equal(range_doubt(p, SELF, 3, false), FIRST + 9);
	mourn_told(p, 2, 8, &nobody);
	assert_int_equal(range_doubt(p, SELF, 3, false), 0);
	assert_int_equal(range_doubt(p, SELF, 1, false), UINT64_MAX);
}

/* Who comes back speaks for nobody before it met one who was there. */
static void
nobody_there_yet(void **state)
{
	(void)state;
	free(p);
	p = core_new(SELF, out);
	shelf_use(p, &shelf);
	p->phase = PHASE_SYNCING;
	view_derive(p);
	assert_false(owns(p, KEY));
	/* Another one that comes back knows no more. */
	struct member m = member_of(9, 1, MEMBER_ALIVE);

	m.flags = MEMBER_SYNCING;
	view_merge(p, &m);
	assert_false(owns(p, KEY));
	m = member_of(14, 1, MEMBER_ALIVE);
	view_merge(p, &m);
	assert_true(owns(p, KEY));
}

/* Who was away before this peer came is asked for what nobody has. */
static void
stranger_with_a_disk(void **state)
{
	struct member m = member_of(21, 2, MEMBER_ALIVE);
	struct msg_ask in = {.op = 3};

	(void)state;
	shelf.count = 0;
	p->now_us = 1;
	becomes(20, 1, MEMBER_ALIVE);
	assert_false(idset_has(&p->files.reunited, 20));
	m.flags = MEMBER_SYNCING;
	view_merge(p, &m);
	files_view_changed(p);
	assert_true(idset_has(&p->files.reunited, 21));
	assert_int_equal(requested(), ERROR_not_serving);
	/* Nor does it deny anything to others that have not heard of it. */
	name_set(&in.name, "0006", 4);
	query_ask(p, conn_from(p, 14, CONN_FOR_LINK), &in);
	assert_true(sent_to(p, out, 14, MSG_answer, &got));
	assert_int_equal(got.answer.known & KNOWN_MASK, KNOWN_SOON);
}

/* How the disk remembers it. */
static unsigned
remembered(unsigned id)
{
	struct members list;
	unsigned next = 0;
	bool more;

	do {
		more = peer_remembers(p, &next, &list);
		for (unsigned i = 0; i < list.count; i++)
			if (list.at[i].id == id)
				return list.at[i].state;
	} while (more);
	return MEMBER_NONE;
}

/* If all die now, it is one of many that may have gone on. */
static void
suspected_is_not_missed(void **state)
{
	(void)state;
	becomes(14, 1, MEMBER_SUSPECT);
	assert_int_equal(remembered(14), MEMBER_ALIVE);
	idset_add(&p->files.sole, 19);
	dies(19, 100);
	assert_int_equal(remembered(19), MEMBER_SUSPECT);
}

/* Nobody was there all the time; one was leaving when this peer ended. */
static void
who_was_leaving_is_not_missed(void **state)
{
	const struct member known[] = {
	    member_of(30, 1, MEMBER_LEAVING), member_of(31, 1, MEMBER_ALIVE)};

	(void)state;
	p->config.remembered = known;
	p->config.remembered_count = 2;
	p->watch[30].floor = p->watch[31].floor = 1;
	absent_init(p);
	assert_false(absent_has(p, 30));
	assert_true(absent_has(p, 31));
}

/* Told of one before its death is heard of; and of whom only a ping came. */
static void
news_take_nobody_back(void **state)
{
	struct missed missed = {0};
	struct member m = member_of(31, 2, MEMBER_ALIVE);

	(void)state;
	p->phase = PHASE_SYNCING;
	idset_add(&missed.dead, 30);
	mourn_with(p, &missed, 0, 0);
	becomes(30, 1, MEMBER_DEAD);
	assert_true(idset_has(&p->files.bereaved, 30));
	becomes(30, 2, MEMBER_LEFT);
	idset_add(&p->files.bereaved, 31);
	m.flags = MEMBER_SYNCING;
	m.revision = 0;
	view_merge(p, &m);
	files_view_changed(p);
	assert_true(idset_has(&p->files.bereaved, 31));
	assert_false(idset_has(&p->files.bare, 31));
}

/* One of three is there again, and may not have served with the others. */
static void
back_when_it_has_handed_over(void **state)
{
	static const unsigned ids[] = {21, 19, 31};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		idset_add(&p->files.then, ids[i]);
		idset_add(&p->files.absent, ids[i]);
	}
	idset_add(&p->files.elders, 19);
	becomes(19, 2, MEMBER_ALIVE);
	assert_int_equal(absent_count(p, NULL, NULL), 0);
	assert_true(absent_soon(p, NULL));
	/* One that died unseen hides no more than that. */
	p->files.mended[31].unseen_us = FIRST;
	idset_add(&p->files.unseen, 31);
	assert_int_equal(range_doubt(p, SELF, KEY, false), FIRST);
	absent_settled(p, 19);
	assert_false(absent_soon(p, NULL));
}

/* Is 19 asked whether it has handed over? */
static bool
is_asked(void)
{
	forget_sent(out);
	p->now_us = p->files.settled_us;
	(void)absent_tick(p);
	return done(out, ACT_DATAGRAM) != NULL &&
	       message_decode(
		   &got, out->data + out->at[0].bytes, out->at[0].len) > 0 &&
	       got.type == MSG_ping && got.ping.target == 19;
}

/* It may have served last, and leaves: then it is asked, too. */
static void
missed_while_it_leaves(void **state)
{
	(void)state;
	idset_add(&p->files.sole, 19);
	assert_false(is_asked());
	becomes(19, 1, MEMBER_LEAVING);
	assert_true(absent_has(p, 19));
	assert_true(is_asked());
	absent_settled(p, 19);
	assert_false(absent_has(p, 19));
	assert_false(is_asked());
}

/* It served last, comes back, and has things for this peer: then it dies. */
static void
missed_until_it_has_handed_over(void **state)
{
	(void)state;
	idset_add(&p->files.sole, 19);
	idset_add(&p->files.elders, 19);
	becomes(19, 2, MEMBER_ALIVE);
	assert_true(absent_has(p, 19));
	assert_int_equal(absent_count(p, NULL, NULL), 0);
	idset_add(&p->files.reunited, 19);
	assert_true(is_asked());
	becomes(19, 2, MEMBER_DEAD);
	assert_int_equal(absent_count(p, NULL, NULL), 1);
	becomes(19, 3, MEMBER_ALIVE);
	absent_settled(p, 19);
	assert_false(absent_has(p, 19));
	becomes(19, 3, MEMBER_DEAD);
	assert_int_equal(absent_count(p, NULL, NULL), 0);
}

#define MOURN_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(MOURN_TEST(as_many_dead_as_copies), MOURN_TEST(dead_again),
    MOURN_TEST(missed_and_bereaved), MOURN_TEST(each_death_is_told),
    MOURN_TEST(others_are_not_missed_with_it),
    MOURN_TEST(death_while_they_meet), MOURN_TEST(who_left_is_not_missed),
    MOURN_TEST(suspected_is_not_missed),
    MOURN_TEST(who_was_leaving_is_not_missed),
    MOURN_TEST(missed_until_it_has_handed_over),
    MOURN_TEST(missed_while_it_leaves), MOURN_TEST(news_take_nobody_back),
    MOURN_TEST(back_when_it_has_handed_over),
    MOURN_TEST(own_key_is_not_doubted), MOURN_TEST(older_copy_is_not_served),
    MOURN_TEST(older_store_gets_a_later_version),
    MOURN_TEST(each_range_is_mended_by_itself), MOURN_TEST(nobody_there_yet),
    MOURN_TEST(stranger_with_a_disk))
