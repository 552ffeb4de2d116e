#include "core_files.h"
#include "core_test.h"

/* Stray copies: what an owner asks before it lets one go, and who may say. */
enum { OWNER = 8, NEXT = 9, LAST = 14, HOLDER = 2, NONCE = 77 };

static struct shelf shelf;
static struct message got;

static void
begin_at(unsigned id)
{
	free(p);
	p = core_ring((uint16_t)id, out);
	shelf = (struct shelf){.at = {record_of("0006", 5)}, .count = 1};
	shelf_use(p, &shelf);
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

/* HOLDER shows its copy of 0006. */
static void
offer(uint64_t clock)
{
	static struct msg_offer in;

	memset(&in, 0, sizeof(in));
	in.nonce = NONCE;
	in.records.count = 1;
	in.records.at[0] = record_of("0006", clock);
	release_offer(p, conn_from(p, HOLDER, CONN_FOR_LINK), &in);
}

/* The question that was sent to id. */
static struct msg_promise_ask
asked(unsigned id)
{
	assert_true(sent_to(p, out, id, MSG_promise_ask, &got));
	return got.promise_ask;
}

static void
promise(unsigned id, uint32_t incarnation, uint64_t nonce, uint64_t set)
{
	static struct msg_promise in;
	struct conn *c = conn_from(p, id, CONN_FOR_LINK);

	memset(&in, 0, sizeof(in));
	in.nonce = nonce;
	in.set = set;
	idset_add(&in.kept, 0);
	c->incarnation = incarnation;
	release_promise(p, c, &in);
}

/* May HOLDER drop it? false: no, or it was not answered. */
static bool
released(void)
{
	return sent_to(p, out, HOLDER, MSG_accept, &got) &&
	       got.accept.nonce == NONCE && idset_has(&got.accept.drop, 0);
}

static bool
answered(void)
{
	return sent_to(p, out, HOLDER, MSG_accept, &got);
}

static void
all_promise(void **state)
{
	struct msg_promise_ask ask;

	(void)state;
	offer(5);
	assert_false(answered());
	ask = asked(NEXT);
	assert_int_equal(asked(LAST).nonce, ask.nonce);
	promise(NEXT, 1, ask.nonce, ask.set);
	assert_false(answered());
	/* Twice is not two. */
	promise(NEXT, 1, ask.nonce, ask.set);
	assert_false(answered());
	promise(LAST, 1, ask.nonce, ask.set);
	assert_true(released());
}

/* Of another question, another set, an incarnation not in the view. */
static void
other_promises(void **state)
{
	struct msg_promise_ask ask;

	(void)state;
	offer(5);
	ask = asked(NEXT);
	promise(NEXT, 1, ask.nonce, ask.set);
	promise(LAST, 1, ask.nonce ^ 2, ask.set);
	assert_false(answered());
	promise(LAST, 1, ask.nonce, ask.set + 1);
	assert_false(answered());
	promise(LAST, 2, ask.nonce, ask.set);
	assert_false(answered());
	promise(5, 1, ask.nonce, ask.set);
	assert_false(answered());
}

/* Also one that leaves the set as it is: somebody may know more. */
static void
view_changes(void **state)
{
	struct msg_promise_ask ask;
	struct member m = member_of(19, 1, MEMBER_SUSPECT);

	(void)state;
	offer(5);
	ask = asked(NEXT);
	promise(NEXT, 1, ask.nonce, ask.set);
	assert_true(view_merge(p, &m));
	promise(LAST, 1, ask.nonce, ask.set);
	assert_false(answered());
}

static void
one_does_not_hold_it(void **state)
{
	static struct msg_promise in;
	struct msg_promise_ask ask;

	(void)state;
	offer(5);
	ask = asked(NEXT);
	in.nonce = ask.nonce;
	in.set = ask.set;
	release_promise(p, conn_from(p, NEXT, CONN_FOR_LINK), &in);
	assert_true(answered());
	assert_false(released());
}

/* What the owner itself lacks, or has lost, it does not ask others for. */
static void
owner_lacks_it(void **state)
{
	(void)state;
	offer(6);
	assert_true(answered());
	assert_false(released());
	assert_false(sent_to(p, out, NEXT, MSG_promise_ask, &got));
	begin_at(OWNER);
	offer(5);
	shelf.count = 0;
	files_damaged(p, &shelf.at[0]);
	promise(NEXT, 1, asked(NEXT).nonce, asked(NEXT).set);
	promise(LAST, 1, asked(LAST).nonce, asked(LAST).set);
	assert_false(released());
}

/* Views may differ: by the owner's, the holder is a replica. */
static void
holder_in_the_set(void **state)
{
	static struct msg_offer in;

	(void)state;
	in.nonce = NONCE;
	in.records.count = 1;
	in.records.at[0] = record_of("0006", 5);
	release_offer(p, conn_from(p, LAST, CONN_FOR_LINK), &in);
	assert_true(sent_to(p, out, LAST, MSG_accept, &got));
	assert_int_equal(idset_count(&got.accept.drop), 0);
	assert_false(sent_to(p, out, NEXT, MSG_promise_ask, &got));
}

/* At a replica: the answer to the owner's question; 0 or 1 kept. */
static unsigned
kept(unsigned asker, uint32_t incarnation, uint64_t set, uint64_t clock)
{
	static struct msg_promise_ask in;
	struct conn *c = conn_from(p, asker, CONN_FOR_LINK);

	in.nonce = 1;
	in.set = set;
	in.records.count = 1;
	in.records.at[0] = record_of("0006", clock);
	c->incarnation = incarnation;
	release_ask(p, c, &in);
	assert_true(sent_to(p, out, asker, MSG_promise, &got));
	return idset_count(&got.promise.kept);
}

static void
replica_answers(void **state)
{
	static const uint16_t ids[] = {8, 9, 14};
	uint64_t set;

	(void)state;
	begin_at(LAST);
	set = ring_set_hash(p, ids, 3);
	assert_int_equal(kept(OWNER, 1, set, 5), 1);
	assert_int_equal(kept(OWNER, 1, set, 4), 1);
	assert_int_equal(kept(OWNER, 1, set, 6), 0);
	assert_int_equal(kept(OWNER, 1, set + 1, 5), 0);
	assert_int_equal(kept(NEXT, 1, set, 5), 0);
	begin_at(19);
	assert_int_equal(kept(OWNER, 1, set, 5), 0);
}

/* At the holder: with its own nonce, and while its view stays. */
static void
holder_drops(void **state)
{
	static struct msg_accept in;
	struct conn *c;

	(void)state;
	begin_at(HOLDER);
	p->now_us = 1000000;
	offer_view_changed(p);
	p->now_us += 1000000;
	offer_tick(p);
	assert_true(sent_to(p, out, OWNER, MSG_offer, &got));
	idset_add(&in.drop, 0);
	c = conn_from(p, OWNER, CONN_FOR_LINK);
	in.nonce = got.offer.nonce + 1;
	offer_accept(p, c, &in);
	assert_null(done(out, ACT_DROP));
	in.nonce = got.offer.nonce;
	c->incarnation = 2;
	offer_accept(p, c, &in);
	assert_null(done(out, ACT_DROP));
	c->incarnation = 1;
	p->view_hash ^= 1;
	offer_accept(p, c, &in);
	assert_null(done(out, ACT_DROP));
	p->view_hash ^= 1;
	p->now_us += 1000000;
	offer_view_changed(p);
	p->now_us += 1000000;
	offer_tick(p);
	assert_true(sent_to(p, out, OWNER, MSG_offer, &got));
	in.nonce = got.offer.nonce;
	offer_accept(p, c, &in);
	assert_non_null(done(out, ACT_DROP));
}

#define RELEASE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(RELEASE_TEST(all_promise), RELEASE_TEST(other_promises),
    RELEASE_TEST(view_changes), RELEASE_TEST(one_does_not_hold_it),
    RELEASE_TEST(owner_lacks_it), RELEASE_TEST(holder_in_the_set),
    RELEASE_TEST(replica_answers), RELEASE_TEST(holder_drops))
