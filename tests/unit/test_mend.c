#include "core_files.h"
#include "core_test.h"

/* Damaged copies: fetched again, read through, known, never denied. */
enum { OWNER = 8, NEXT = 9, LAST = 14, SECOND = 1000000 };

static struct shelf shelf;
static struct message got;

static void
begin_at(unsigned id)
{
	free(p);
	p = core_ring((uint16_t)id, out);
	shelf = (struct shelf){.at = {record_of("0006", 5)}, .count = 1};
	shelf.at[0].acknowledged = 1;
	shelf.at[0].size = 100000;
	shelf_use(p, &shelf);
	p->now_us = SECOND;
	forget_sent(out);
}

static int
setup(void **state)
{
	(void)state;
	out = no_actions();
	begin_at(OWNER);
	return 0;
}

/* The last message of that type on any connection. */
static bool
sent(enum message_type type)
{
	for (size_t i = out->count; i-- > 0;) {
		const struct action *a = &out->at[i];

		if (a->type != ACT_SEND)
			continue;
		message_decode(&got, out->data + a->bytes, a->len);
		if (got.type == type)
			return true;
	}
	return false;
}

/* The driver found it, and has set it aside. */
static void
damage(void)
{
	struct record r = shelf.at[0];

	shelf.lost[0] = r;
	shelf.lost_count = 1;
	shelf.count = 0;
	files_damaged(p, &r);
	mend_tick(p);
}

/* Who was asked for the content last, and has not answered. */
static struct pull *
pulls_from(unsigned id)
{
	struct pull *l = &p->files.pulls[0];

	assert_int_equal(l->state, PULL_ASKING);
	assert_int_equal(l->from, id);
	return l;
}

/* One after the other, and in the end nobody: the comparison may help. */
static void
others_are_asked(void **state)
{
	(void)state;
	damage();
	pull_end(p, pulls_from(NEXT), PULLED_NOT);
	p->now_us += SECOND;
	mend_tick(p);
	pull_end(p, pulls_from(LAST), PULLED_NOT);
	p->now_us += SECOND;
	assert_int_equal(mend_tick(p), UINT64_MAX);
	begin_at(LAST);
	damage();
	pulls_from(OWNER);
}

static void
no_replica_any_more(void **state)
{
	(void)state;
	begin_at(19);
	damage();
	assert_int_equal(p->files.pulls[0].state, PULL_FREE);
}

/* What arrives is not the content: whoever sent it looks at its copy. */
static void
sender_is_told(void **state)
{
	struct event ev = {.type = EV_RAW_RECEIVED};
	struct pull *l;

	(void)state;
	shelf.at[0].size = SMALL_MAX + 1; /* comes on a stream */
	damage();
	l = pulls_from(NEXT);
	l->state = PULL_RECEIVING;
	pull_event(p, l, &ev);
	assert_true(sent(MSG_refuse));
	assert_int_equal(got.refuse.error, ERROR_damaged);
	assert_int_equal(l->state, PULL_FREE);
}

static void
sender_verifies(void **state)
{
	struct serve *s = &p->files.serves[0];
	struct message m = {.type = MSG_refuse};

	(void)state;
	s->state = SERVE_OFFERED;
	s->record = shelf.at[0];
	m.refuse.error = ERROR_damaged;
	serve_message(p, s, &m);
	assert_null(done(out, ACT_VERIFY));
	s->state = SERVE_SENT;
	serve_message(p, s, &m);
	assert_non_null(done(out, ACT_VERIFY));
	assert_int_equal(s->state, SERVE_FREE);
}

/* It can't be brought as it is damaged there: here it is known as lost, too. */
static void
known_where_it_lacks(void **state)
{
	struct message m = {.type = MSG_refuse};
	struct record r = shelf.at[0], lost;

	(void)state;
	shelf.count = 0;
	assert_true(pull_start(p, NEXT, &r, NOBODY, 0));
	m.refuse.error = ERROR_older;
	pull_message(p, pulls_from(NEXT), &m);
	assert_false(files_lost(p, &r.name, &lost));
	pull_start(p, NEXT, &r, NOBODY, 0);
	m.refuse.error = ERROR_damaged;
	pull_message(p, pulls_from(NEXT), &m);
	assert_true(files_lost(p, &r.name, &lost));
	assert_int_equal(lost.version.clock, 5);
	/* Until it comes, or what is newer; an older one does not count. */
	shelf.count = 1;
	shelf.at[0] = record_of("0006", 4);
	assert_true(files_lost(p, &r.name, &lost));
	shelf.at[0] = r;
	assert_false(files_lost(p, &r.name, &lost));
}

/* Those that came make place for others, and none that is lacked does. */
static void
lacked_ones_stay(void **state)
{
	struct record r = shelf.at[0], came = record_of("0007", 5), lost;

	(void)state;
	shelf.at[0] = came;
	came.acknowledged = 1;
	files_lacked(p, &r);
	for (unsigned i = 0; i < 2 * LACKED_MAX; i++)
		files_lacked(p, &came);
	assert_true(files_lost(p, &r.name, &lost));
}

/* Who wants a copy hears that it was lost, and not only that it is not here. */
static void
copy_was_lost(void **state)
{
	struct msg_get in = {.exact = EXACT_COPY};

	(void)state;
	damage();
	in.name = shelf.lost[0].name;
	in.version = shelf.lost[0].version;
	forget_sent(out);
	serve_get(p, conn_from(p, NEXT, CONN_FOR_LINK), &in, true);
	assert_true(sent(MSG_refuse));
	assert_int_equal(got.refuse.error, ERROR_damaged);
}

static void
answer(unsigned id, unsigned known, uint64_t clock)
{
	struct msg_answer in = {.op = p->files.queries[0].op,
	    .known = (uint8_t)known,
	    .record = record_of("0006", clock)};

	query_answer(p, conn_from(p, id, CONN_FOR_LINK), &in);
}

/* A request at the owner, from 19. */
static void
request(void)
{
	struct conn *c = conn_from(p, 19, CONN_FOR_STREAM);
	struct msg_get in = {.exact = EXACT_NEWEST};

	c->inbound = true;
	files_opened(p, c);
	name_set(&in.name, "0006", 4);
	forget_sent(out);
	serve_get(p, c, &in, false);
}

/* All who are no holders are asked before it is said. */
static void
others_lack_it(void)
{
	static const uint16_t others[] = {2, 4, 5, 19};

	for (unsigned i = 0; i < 4; i++) {
		assert_false(sent(MSG_refuse));
		answer(others[i], 0, 5);
	}
	assert_true(sent(MSG_refuse));
	assert_int_equal(got.refuse.error, ERROR_damaged);
}

/* The answers as on the wire: 0 no, 1 held, 3 lost there. */
static void
lost_everywhere(void **state)
{
	(void)state;
	damage();
	request();
	answer(NEXT, 0, 5);
	answer(LAST, 3, 5);
	others_lack_it();
	assert_int_equal(got.refuse.ids.count, 2);
}

static void
query_results(void **state)
{
	static struct query q;
	static struct ids ids;

	(void)state;
	q.key = 6;
	q.was_lost = true;
	q.lost = record_of("0006", 5);
	q.losers[0] = NEXT;
	q.loser_count = 1;
	assert_int_equal(query_silence(p, &q, &ids), ERROR_damaged);
	assert_int_equal(ids.count, 1);
	assert_int_equal(ids.at[0], NEXT);
	/* What is older does not come back in its place. */
	q.known = true;
	q.best = record_of("0006", 4);
	assert_true(query_lost(&q));
	q.best.deleted = 1;
	assert_int_equal(query_silence(p, &q, &ids), ERROR_damaged);
	q.best.version.clock = 6;
	assert_int_equal(query_silence(p, &q, &ids), ERROR_no_such_file);
	q.best = record_of("0006", 5);
	assert_false(query_lost(&q));
	q.known = false;
	q.blind = true;
	assert_int_equal(query_silence(p, &q, &ids), ERROR_not_serving);
}

/* An ask is answered with what was lost, not with what is older. */
static void
asked_for_lost(void **state)
{
	struct msg_ask in = {.op = 3};

	(void)state;
	begin_at(LAST);
	damage();
	shelf.at[0] = record_of("0006", 4);
	shelf.count = 1;
	name_set(&in.name, "0006", 4);
	query_ask(p, conn_from(p, OWNER, CONN_FOR_LINK), &in);
	assert_true(sent_to(p, out, OWNER, MSG_answer, &got));
	assert_int_equal(got.answer.known & 15, 3);
	assert_int_equal(got.answer.record.version.clock, 5);
}

/* A client's store of version 4, from 19. */
static void
put(bool again)
{
	struct msg_put in = {
	    .op = 4, .record = record_of("0006", 4), .set = again};
	struct conn *c = conn_from(p, 19, CONN_FOR_STREAM);

	c->inbound = true;
	files_opened(p, c);
	forget_sent(out);
	write_put(p, c, &in);
}

/* A later version lost here makes an older store take a new version. */
static void
older_is_not_stored(void **state)
{
	(void)state;
	damage();
	put(false);
	assert_true(sent(MSG_answer));
	assert_int_equal(got.answer.record.version.clock, 5);
	assert_null(done(out, ACT_CREATE_TEMP));
}

/* Tried again it can't: it may have been stored, read and replaced. */
static void
older_again_ends(void **state)
{
	(void)state;
	damage();
	put(true);
	answer(NEXT, 0, 5);
	answer(LAST, 3, 5);
	others_lack_it();
	assert_int_equal(got.refuse.ids.count, 2);
	assert_null(done(out, ACT_CREATE_TEMP));
}

/* What replaced it comes back: the next try finds that it is held. */
static void
older_again_goes_on(void **state)
{
	(void)state;
	damage();
	put(true);
	answer(NEXT, 1, 5);
	answer(LAST, 3, 5);
	assert_false(sent(MSG_refuse));
	assert_true(sent(MSG_answer));
	assert_int_equal(got.answer.record.version.clock, 5);
}

/* The owner never had it; a replica did, and has lost it. */
static void
lost_at_replica(void **state)
{
	struct write *w = &p->files.writes[0];
	struct event ev = {.type = EV_FILE, .whole = true};
	struct message m = {.type = MSG_answer};

	(void)state;
	shelf.at[0] = record_of("0006", 4);
	put(true);
	assert_int_equal(w->state, WRITE_OPENING);
	write_event(p, w, &ev);
	spread_start(p, w);
	m.answer.known = KNOWN_LOST;
	m.answer.record = record_of("0006", 5);
	m.answer.record.acknowledged = 1;
	spread_answer(p, w, LAST, &m);
	assert_int_equal(w->state, WRITE_ASKING);
	answer(NEXT, 1, 4);
	m.answer.op = p->files.queries[0].op;
	query_answer(p, conn_from(p, LAST, CONN_FOR_LINK), &m.answer);
	others_lack_it();
	assert_int_equal(got.refuse.ids.count, 1);
	assert_int_equal(got.refuse.ids.at[0], LAST);
	assert_int_equal(w->state, WRITE_FREE);
}

#define MEND_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(MEND_TEST(others_are_asked), MEND_TEST(no_replica_any_more),
    MEND_TEST(sender_is_told), MEND_TEST(sender_verifies),
    MEND_TEST(known_where_it_lacks), MEND_TEST(lacked_ones_stay),
    MEND_TEST(copy_was_lost), MEND_TEST(lost_everywhere),
    MEND_TEST(query_results), MEND_TEST(asked_for_lost),
    MEND_TEST(older_is_not_stored), MEND_TEST(older_again_ends),
    MEND_TEST(older_again_goes_on), MEND_TEST(lost_at_replica))
