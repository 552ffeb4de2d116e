#include <stdio.h>

#include "core_files.h"
#include "core_test.h"

/* How a replica takes what the owner of a range lists. */
enum { SELF = 9, OWNER = 8, NUMBER = 5 << 12 | OWNER };

static struct conn *owner;
static struct shelf shelf;
static struct message m;

static int
setup(void **state)
{
	(void)state;
	out = no_actions();
	p = core_ring(SELF, out);
	shelf.count = 0;
	shelf_use(p, &shelf);
	owner = conn_from(p, OWNER, CONN_FOR_LINK);
	memset(&m, 0, sizeof(m));
	m.type = MSG_sync_ask;
	m.sync_ask.session = NUMBER;
	m.sync_ask.after = 5;
	m.sync_ask.upto = OWNER;
	m.sync_ask.view = range_hash(p, OWNER);
	m.sync_ask.buckets.count = 3;
	m.sync_ask.buckets.at[0] = 1;
	session_sync_ask(p, owner, &m.sync_ask);
	assert_non_null(session_of(p, OWNER, NUMBER));
	return 0;
}

/* The owner lists so many, from the first'th on. */
static void
lists(unsigned first, unsigned n, bool last)
{
	char name[8];

	memset(&m, 0, sizeof(m));
	m.type = MSG_sync_list;
	m.sync_list.session = NUMBER;
	m.sync_list.last = last;
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(
		    name, sizeof(name), "%04u", 6 + 256 * (first + i) % 9984);
		m.sync_list.records.at[i] = record_of(name, 1 + first + i);
	}
	m.sync_list.records.count = (uint16_t)n;
	forget_sent(out);
	session_sync_list(p, owner, &m.sync_list);
}

static bool
wants_more(void)
{
	return sent_to(p, out, OWNER, MSG_sync_done, &m);
}

static unsigned
under_way(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PULLS_MAX; i++)
		n += p->files.pulls[i].state != PULL_FREE;
	return n;
}

/* So many arrive. */
static void
arrive(unsigned n)
{
	forget_sent(out);
	for (unsigned i = 0; i < PULLS_MAX && n > 0; i++) {
		struct pull *l = &p->files.pulls[i];

		if (l->state == PULL_FREE)
			continue;
		pull_end(p, l, PULLED);
		n--;
	}
	assert_int_equal(n, 0);
}

static void
next_page_while_copies_come(void **state)
{
	(void)state;
	lists(0, PAGE_MAX, false);
	assert_int_equal(under_way(), PAGE_MAX);
	assert_true(wants_more());
	lists(PAGE_MAX, PAGE_MAX, false);
	assert_int_equal(under_way(), WINDOW_MAX);
	assert_false(wants_more());
	arrive(PAGE_MAX - 1);
	assert_false(wants_more());
	arrive(1);
	assert_true(wants_more());
}

static void
last_page_waits_for_all(void **state)
{
	(void)state;
	lists(0, PAGE_MAX, false);
	lists(PAGE_MAX, 1, true);
	assert_false(wants_more());
	arrive(PAGE_MAX);
	assert_false(wants_more());
	arrive(1);
	assert_true(wants_more());
	assert_true(session_of(p, OWNER, NUMBER)->in_done);
}

/* More than there is room for: it listed before it was asked to. */
static void
no_page_before_it_is_asked_for(void **state)
{
	(void)state;
	lists(0, PAGE_MAX, false);
	lists(PAGE_MAX, PAGE_MAX, false);
	lists(2 * PAGE_MAX, PAGE_MAX, false);
	assert_int_equal(under_way(), WINDOW_MAX);
}

/* A holder that has too much to do is asked again: nothing has failed. */
static void
busy_holder(void **state)
{
	struct session *s;

	(void)state;
	lists(0, 2, true);
	m.type = MSG_refuse;
	memset(&m.refuse, 0, sizeof(m.refuse));
	m.refuse.error = ERROR_busy;
	pull_message(p, &p->files.pulls[0], &m);
	assert_int_equal(under_way(), 1);
	s = session_of(p, OWNER, NUMBER);
	assert_int_equal(s->state, SESSION_LISTING);
	p->now_us = s->timer_us;
	forget_sent(out);
	session_tick(p);
	assert_int_equal(under_way(), 2);
	assert_true(sent_to(p, out, OWNER, MSG_get, &m));
	arrive(2);
	assert_true(wants_more());
}

/* The disk is full in the middle of what comes. */
static void
no_room_for_all(void **state)
{
	struct pull *l = &p->files.pulls[0];
	struct event ev = {.type = EV_FILE, .error = ERROR_disk};

	(void)state;
	lists(0, 1, true);
	l->state = PULL_RECEIVING;
	pull_event(p, l, &ev);
	assert_int_equal(under_way(), 0);
	assert_false(member_writable(p, SELF));
}

static void
failed_copy(void **state)
{
	(void)state;
	lists(0, 2, true);
	forget_sent(out);
	pull_end(p, &p->files.pulls[0], PULLED_NOT);
	assert_false(sent_to(p, out, OWNER, MSG_sync_diff, &m));
	arrive(1);
	assert_false(wants_more());
	/* All differs: the owner begins anew. */
	assert_true(sent_to(p, out, OWNER, MSG_sync_diff, &m));
}

/* It was replaced where it is: what replaced it comes, and nothing failed. */
static void
replaced_at_its_holder(void **state)
{
	struct pull *l = &p->files.pulls[0];
	struct record newer;

	(void)state;
	lists(0, 1, true);
	newer = l->record;
	newer.version.clock++;
	m.type = MSG_answer;
	m.answer.known = 1;
	m.answer.record = newer;
	forget_sent(out);
	pull_message(p, l, &m);
	assert_true(sent_to(p, out, OWNER, MSG_get, &m));
	assert_int_equal(version_cmp(&m.get.version, &newer.version), 0);
	arrive(1);
	assert_true(wants_more());
	assert_true(session_of(p, OWNER, NUMBER)->in_done);
}

/* A copy of what this peer has replaced: it tells by what. */
static void
replaced_here(void **state)
{
	(void)state;
	shelf.at[shelf.count++] = record_of("0006", 7);
	m.type = MSG_get;
	m.get.op = 1;
	m.get.name = shelf.at[0].name;
	m.get.exact = EXACT_COPY;
	m.get.version = record_of("0006", 6).version;
	m.get.offset = 0;
	serve_get(p, owner, &m.get, true);
	assert_true(sent_to(p, out, OWNER, MSG_answer, &m));
	assert_int_equal(m.answer.record.version.clock, 7);
}

/* What waits for a write is looked at soon, whatever else is said. */
static void
listing_while_one_waits(void **state)
{
	struct session *s = session_of(p, OWNER, NUMBER);

	(void)state;
	s->todo = 1;
	session_list(p, s);
	assert_true(s->timer_us < p->now_us + RTO_US);
}

/* A write under way keeps nobody from what is held already. */
static void
held_while_written(void **state)
{
	struct write *w = &p->files.writes[0];

	(void)state;
	shelf.at[shelf.count++] = record_of("0006", 7);
	w->state = WRITE_ASKING;
	w->record = record_of("0006", 8);
	p->files.write_top = 1;
	lists(0, 1, true);
	assert_int_equal(under_way(), 0);
	assert_true(wants_more());
}

/* Only a write that has all of this version, or a later one, is waited for. */
static void
lacked_while_written(void **state)
{
	struct write *w = &p->files.writes[0];
	struct session *s;

	(void)state;
	p->files.write_top = 1;
	w->state = WRITE_FEEDING;
	w->record = record_of("0006", 1);
	lists(0, 1, true);
	assert_int_equal(under_way(), 0);
	w->state = WRITE_COMMITTING;
	w->record = record_of("0006", 2);
	w->sealed = true;
	s = session_of(p, OWNER, NUMBER);
	session_step(p, s);
	assert_int_equal(under_way(), 0);
	w->state = WRITE_FEEDING;
	w->sealed = false;
	session_step(p, s);
	assert_int_equal(under_way(), 1);
	pull_end(p, &p->files.pulls[0], PULLED_NOT_NOW);
	w->state = WRITE_COMMITTING;
	w->sealed = true;
	w->record = record_of("0006", 0);
	session_step(p, s);
	assert_int_equal(under_way(), 1);
}

/* What was said on a link that is closed for a better one is said again. */
static void
spare_link(void **state)
{
	struct event ev = {.type = EV_CONN_OPEN,
	    .conn = CONN_INBOUND | 1,
	    .from = OWNER,
	    .incarnation = 1,
	    .role = CONN_LINK};

	(void)state;
	lists(0, 1, false);
	assert_int_equal(session_of(p, OWNER, NUMBER)->state, SESSION_LISTING);
	forget_sent(out);
	link_opened(p, conn_accept(p, &ev));
	assert_true(sent_to(p, out, OWNER, MSG_sync_diff, &m));
	assert_int_equal(session_of(p, OWNER, NUMBER)->state, SESSION_PAUSED);
	assert_int_equal(under_way(), 0);
}

/* Of who opens one anew the earlier one is over, before its hang-up comes. */
static void
late_hang_up(void **state)
{
	struct event ev = {.type = EV_CONN_OPEN,
	    .from = OWNER,
	    .incarnation = 1,
	    .role = CONN_LINK};

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		ev.conn = CONN_INBOUND | i;
		link_opened(p, conn_accept(p, &ev));
		assert_int_equal(link_find(p, OWNER)->handle, ev.conn);
		assert_null(conn_find(p, ev.conn - 1));
	}
}

/* One that this end made before it refuted its death is over, too. */
static void
late_hang_up_of_refuted(void **state)
{
	struct event ev = {.type = EV_CONN_OPEN,
	    .conn = CONN_INBOUND | 1,
	    .from = 14,
	    .incarnation = 1,
	    .role = CONN_LINK};
	struct conn *c = conn_from(p, 14, CONN_FOR_LINK);
	uint32_t handle = c->handle;

	(void)state;
	link_opened(p, c);
	p->incarnation++;
	link_opened(p, conn_accept(p, &ev));
	assert_int_equal(link_find(p, 14)->handle, ev.conn);
	assert_null(conn_find(p, handle));
}

/* Another comparison that lists the same waits for it. */
static void
copies_are_this_comparisons(void **state)
{
	(void)state;
	lists(0, PAGE_MAX, false);
	lists(PAGE_MAX, PAGE_MAX, false);
	arrive(PAGE_MAX);
	for (unsigned i = PAGE_MAX; i < WINDOW_MAX; i++)
		assert_false(pull_start(
		    p, OWNER, &p->files.pulls[i].record, SESSIONS_MAX - 1, 0));
}

#define PAGE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(PAGE_TEST(next_page_while_copies_come),
    PAGE_TEST(last_page_waits_for_all),
    PAGE_TEST(no_page_before_it_is_asked_for), PAGE_TEST(busy_holder),
    PAGE_TEST(failed_copy), PAGE_TEST(no_room_for_all),
    PAGE_TEST(copies_are_this_comparisons), PAGE_TEST(replaced_at_its_holder),
    PAGE_TEST(replaced_here), PAGE_TEST(listing_while_one_waits),
    PAGE_TEST(held_while_written), PAGE_TEST(lacked_while_written),
    PAGE_TEST(spare_link), PAGE_TEST(late_hang_up),
    PAGE_TEST(late_hang_up_of_refuted))
