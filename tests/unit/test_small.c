#include "core_test.h"
#include "ring/files_repair.h"

/* A small file from a client at 8 to its owner 19, in one message. */
enum { SELF = 8, OWNER = 19, SIZE = 4096, OP = 7 };

static int
one_key(void *ctx, const struct name *name)
{
	(void)ctx;
	(void)name;
	return OWNER;
}

static int
setup(void **state)
{
	(void)state;
	out = no_actions();
	p = core_ring(SELF, out);
	p->config.index.key = one_key;
	view_derive(p);
	return 0;
}

/* The last message that was sent, with the file that goes along. */
static struct message
last_sent(uint32_t *file)
{
	struct message m = {.type = MSG_ping};

	for (size_t i = out->count; i-- > 0;) {
		const struct action *a = &out->at[i];

		if (a->type != ACT_SEND)
			continue;
		*file = a->file;
		assert_true(
		    message_decode(&m, out->data + a->bytes, a->len) > 0);
		return m;
	}
	fail_msg("nothing was sent");
	return m;
}

/* The client's file is read: 4096 bytes, in memory. */
static struct op *
store(void)
{
	struct msg_command c = {.op = OP, .command = COMMAND_STORE};
	struct op *o = &p->files.ops[0];
	struct event ev = {.type = EV_FILE, .size = SIZE, .whole = true};

	name_set(&c.name, "2067", 4);
	path_set(&c.path, "/source");
	files_command(p, &c);
	assert_int_equal(o->state, OP_OPENING);
	ev.file = o->file;
	ev.digest.bytes[0] = 9;
	op_event(p, o, &ev);
	return o;
}

static struct conn *
link_open(unsigned id)
{
	struct conn *c = link_find(p, id);

	assert_non_null(c);
	c->open = true;
	return c;
}

static void
refuse(struct op *o, enum wire_error error, bool taken)
{
	struct message m = {.type = MSG_refuse};

	m.refuse.op = o->number;
	m.refuse.error = (uint8_t)error;
	m.refuse.taken = taken;
	files_link_message(p, link_open(OWNER), &m);
}

static void
again(struct op *o)
{
	assert_int_equal(o->state, OP_PAUSED);
	p->now_us = o->timer_us;
	op_tick(p);
}

static void
one_message_has_it_all(void **state)
{
	struct op *o = store();
	struct message m;
	uint32_t file;

	(void)state;
	m = last_sent(&file);
	assert_int_equal(m.type, MSG_give);
	assert_int_equal(file, o->file);
	assert_int_equal(m.give.record.size, SIZE);
	assert_int_equal(m.give.record.digest.bytes[0], 9);
	assert_int_equal(m.give.replica, 0);
	assert_int_equal(m.give.set, 0);
	m = (struct message){.type = MSG_stored};
	m.stored.op = o->number;
	files_link_message(p, link_open(OWNER), &m);
	assert_int_equal(o->state, OP_FREE);
}

/* An answer to an earlier try, or from elsewhere, is not for this one. */
static void
late_answers_are_not_heard(void **state)
{
	struct op *o = store();
	struct message m = {.type = MSG_stored};

	(void)state;
	m.stored.op = o->number - 1;
	files_link_message(p, link_open(OWNER), &m);
	assert_int_equal(o->state, OP_WAITING);
	m.stored.op = o->number;
	link_to(p, 14);
	files_link_message(p, link_open(14), &m);
	assert_int_equal(o->state, OP_WAITING);
}

/* The link is gone: who had it may have stored it. */
static void
a_lost_link_keeps_the_version(void **state)
{
	struct op *o = store();
	struct version v = o->record.version;
	struct message m;
	uint32_t file;

	(void)state;
	conn_forget(p, link_open(OWNER));
	files_link_lost(p, OWNER);
	again(o);
	m = last_sent(&file);
	assert_int_equal(m.give.set, 1);
	assert_int_equal(version_cmp(&m.give.record.version, &v), 0);
	m = (struct message){.type = MSG_answer};
	m.answer.op = o->number;
	m.answer.known = 1;
	m.answer.record = o->record;
	m.answer.record.version.clock += 100;
	files_link_message(p, link_open(OWNER), &m);
	assert_int_equal(version_cmp(&o->record.version, &v), 0);
}

/*
 * A link that was asked for in the owner's earlier life opens in that one: it
 * is dropped, and what was put on it goes on the one that stands.
 */
static void
a_dropped_link_says_it_again(void **state)
{
	struct op *o = store();
	uint32_t first = link_find(p, OWNER)->handle;
	struct member m = member_of(OWNER, 2, MEMBER_ALIVE);
	struct event ev = {.type = EV_CONN_OPEN,
	    .conn = first,
	    .from = OWNER,
	    .incarnation = 1,
	    .addr = m.addr};
	struct conn *c;

	(void)state;
	view_merge(p, &m);
	assert_int_equal(o->state, OP_WAITING);
	c = conn_new(p, CONN_FOR_LINK, CONN_LINK, OWNER, m.addr);
	c->open = true;
	p->begun = true;
	peer_step(p, p->now_us, &ev, out);
	assert_null(conn_find(p, first));
	assert_ptr_equal(link_find(p, OWNER), c);
	assert_int_equal(o->state, OP_PAUSED);
}

/* Only what nobody can have stored gets another version. */
static void
a_newer_one_raises_the_first_version(void **state)
{
	struct op *o = store();
	struct version v = o->record.version;
	struct message m = {.type = MSG_answer};
	uint32_t file;

	(void)state;
	m.answer.op = o->number;
	m.answer.known = 1;
	m.answer.record = o->record;
	m.answer.record.version.clock += 100;
	files_link_message(p, link_open(OWNER), &m);
	again(o);
	m = last_sent(&file);
	assert_true(m.give.record.version.clock > v.clock + 100);
	assert_int_equal(m.give.set, 0);
}

static void
refused_before_it_was_taken(void **state)
{
	struct op *o = store();
	struct message m;
	uint32_t file;

	(void)state;
	refuse(o, ERROR_busy, false);
	again(o);
	m = last_sent(&file);
	assert_int_equal(m.give.set, 0);
}

static void
refused_after_it_was_taken(void **state)
{
	struct op *o = store();
	struct message m;
	uint32_t file;

	(void)state;
	refuse(o, ERROR_busy, true);
	again(o);
	m = last_sent(&file);
	assert_int_equal(m.give.set, 1);
	/* And no later refusal makes that undone. */
	refuse(o, ERROR_busy, false);
	again(o);
	m = last_sent(&file);
	assert_int_equal(m.give.set, 1);
}

/* What arrives must be what was sent: here, at its owner. */
static void
another_content_is_refused(void **state)
{
	struct message m = {.type = MSG_give};
	uint32_t file;

	(void)state;
	p->config.id = OWNER;
	view_derive(p);
	name_set(&m.give.record.name, "2067", 4);
	m.give.op = 5;
	m.give.record.size = SIZE;
	m.give.record.digest.bytes[0] = 9;
	p->files.brought.bytes[0] = 8;
	link_to(p, 14);
	files_link_message(p, link_open(14), &m);
	m = last_sent(&file);
	assert_int_equal(m.type, MSG_refuse);
	assert_int_equal(m.refuse.error, ERROR_damaged);
	assert_int_equal(p->files.write_top, 0);
}

static void
give(unsigned from, uint64_t op)
{
	struct message m = {.type = MSG_give};
	struct conn *c;

	link_to(p, from);
	c = link_open(from);
	c->incarnation = 1;
	name_set(&m.give.record.name, "2067", 4);
	m.give.record.version.clock = 3;
	m.give.record.size = SIZE;
	m.give.op = op;
	memset(&p->files.brought, 0, sizeof(p->files.brought));
	files_link_message(p, c, &m);
}

/* Two tries over two links come in any order: the last one is answered. */
static void
an_earlier_try_may_come_later(void **state)
{
	const struct write *w = &p->files.writes[0];

	(void)state;
	p->config.id = OWNER;
	view_derive(p);
	give(14, 5);
	assert_int_equal(w->state, WRITE_COMMITTING);
	give(14, 6);
	assert_int_equal(w->from_op, 6);
	give(14, 5);
	assert_int_equal(w->from_op, 6);
	/* The numbers of another peer are others. */
	give(9, 5);
	assert_int_equal(w->from_op, 5);
}

/* Before it is stored, too: the owner still asks what others know. */
static void
an_earlier_try_may_come_while_asking(void **state)
{
	const struct write *w = &p->files.writes[0];

	(void)state;
	p->config.id = OWNER;
	view_derive(p);
	p->phase = PHASE_SYNCING;
	give(14, 6);
	assert_int_equal(w->state, WRITE_ASKING);
	give(14, 5);
	assert_int_equal(w->state, WRITE_ASKING);
	assert_int_equal(w->from_op, 6);
	give(14, 7);
	assert_int_equal(w->from_op, 7);
}

/* A target that was made for one version takes no other one's bytes. */
static void
replaced_by_a_large_one(void **state)
{
	struct msg_command c = {.op = OP, .command = COMMAND_REQUEST};
	struct op *o = &p->files.ops[0];
	struct record r = {.version.clock = 2, .size = SIZE};

	(void)state;
	name_set(&c.name, "2067", 4);
	path_set(&c.path, "/folder/");
	files_command(p, &c);
	assert_int_equal(o->state, OP_ASKING);
	assert_true(o->linked);
	o->record.version.clock = 1;
	o->versioned = o->created = true;
	o->file = file_new(p, TIE_OP, op_index(p, o));
	r.name = c.name;
	fetch_found(p, o, &r);
	assert_false(o->linked);
	assert_int_equal(o->file, 0);
	assert_false(o->created);
}

/* The other end of the link on which it came may have been closed. */
static void
a_lost_answer_is_asked_for_again(void **state)
{
	struct op *o = store();
	uint32_t file;
	uint64_t first = last_sent(&file).give.op;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(o->state, OP_WAITING);
		assert_int_equal(last_sent(&file).give.op, first);
		p->now_us = o->timer_us;
		(void)op_tick(p);
	}
	p->now_us = o->timer_us;
	(void)op_tick(p);
	assert_int_equal(o->state, OP_WAITING);
	assert_true(last_sent(&file).give.op > first);
	assert_true(p->now_us < LIMIT_US / 4);
}

#define SMALL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(SMALL_TEST(one_message_has_it_all),
    SMALL_TEST(late_answers_are_not_heard),
    SMALL_TEST(a_lost_link_keeps_the_version),
    SMALL_TEST(a_dropped_link_says_it_again),
    SMALL_TEST(a_lost_answer_is_asked_for_again),
    SMALL_TEST(a_newer_one_raises_the_first_version),
    SMALL_TEST(refused_before_it_was_taken),
    SMALL_TEST(refused_after_it_was_taken),
    SMALL_TEST(another_content_is_refused),
    SMALL_TEST(an_earlier_try_may_come_later),
    SMALL_TEST(an_earlier_try_may_come_while_asking),
    SMALL_TEST(replaced_by_a_large_one))
