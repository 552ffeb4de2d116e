#include <stdio.h>

#include "core_test.h"

/* What a peer tells of its neighbourhood, and its pings, by the notes. */
enum { SELF = 8, SECOND = 1000000, STEPS_MAX = 100000 };

static char said[4096];

static int
setup(void **state)
{
	(void)state;
	out = no_actions();
	p = core_ring(SELF, out);
	tell_step(p);
	out->count = out->used = 0;
	return 0;
}

static void
changes(unsigned id, enum member_state state, uint8_t flags)
{
	struct member m = member_of(id, 1, state);

	m.flags = flags;
	assert_true(view_merge(p, &m));
}

/* It answers whatever it was sent so far. */
static void
answers(unsigned id)
{
	p->watch[id].pong_seq = p->next_seq;
}

/* Notes of neighbours since the last call, after the end of a step. */
static const char *
told(void)
{
	struct message m;

	tell_step(p);
	said[0] = '\0';
	for (size_t i = 0; i < out->count; i++) {
		const struct action *a = &out->at[i];
		size_t used = strlen(said);

		if (a->type != ACT_NOTE)
			continue;
		message_decode(&m, out->data + a->bytes, a->len);
		if (m.event.kind == EVENT_neighbour)
			snprintf(said + used, sizeof(said) - used,
			    "%s %u: %u %u\n", m.event.reason.text,
			    m.event.about, m.event.other,
			    (unsigned)m.event.value);
	}
	out->count = out->used = 0;
	return said;
}

static void
one_change(void **state)
{
	(void)state;
	changes(9, MEMBER_DEAD, 0);
	assert_string_equal(told(), "dead 9: 14 19\n");
	changes(12, MEMBER_ALIVE, MEMBER_JOINED | MEMBER_SYNCING);
	assert_string_equal(told(), "joined 12: 12 14\n");
	changes(13, MEMBER_ALIVE, MEMBER_JOINED | MEMBER_SYNCING);
	assert_string_equal(told(), "joined 13: 12 13\n");
	changes(12, MEMBER_LEAVING, 0);
	assert_string_equal(told(), "leaving 12: 13 14\n");
	changes(12, MEMBER_LEFT, 0);
	changes(4, MEMBER_DEAD, 0);
	changes(200, MEMBER_ALIVE, MEMBER_JOINED);
	assert_string_equal(told(), "");
}

/* Both died at once, and the farther one was found first. */
static void
clockwise(void **state)
{
	(void)state;
	changes(14, MEMBER_DEAD, 0);
	assert_string_equal(told(), "");
	changes(9, MEMBER_DEAD, 0);
	assert_string_equal(told(), "dead 9: 14 19\ndead 14: 19 2\n");
	/* One message told of both. */
	changes(2, MEMBER_LEAVING, 0);
	changes(19, MEMBER_DEAD, 0);
	assert_string_equal(told(), "dead 19: 2 4\nleaving 2: 4 5\n");
}

/* The nearer one shows that it has lived on, or is awaited in vain. */
static void
patience(void **state)
{
	uint64_t until;

	(void)state;
	changes(14, MEMBER_DEAD, 0);
	answers(9);
	changes(19, MEMBER_DEAD, 0);
	/* That answer was from before the second death. */
	assert_string_equal(told(), "");
	answers(9);
	assert_string_equal(told(), "dead 14: 9 19\ndead 19: 9 2\n");
	changes(2, MEMBER_DEAD, 0);
	assert_string_equal(told(), "");
	until = tell_deadline(p);
	assert_true(until < UINT64_MAX);
	p->now_us = until;
	assert_string_equal(told(), "dead 2: 9 4\n");
	assert_true(tell_deadline(p) == UINT64_MAX);
}

/* What comes back before its end was told never went. */
static void
silence(void **state)
{
	struct member again = member_of(14, 2, MEMBER_ALIVE);
	struct member heard = member_of(11, 1, MEMBER_ALIVE);

	(void)state;
	changes(14, MEMBER_DEAD, 0);
	assert_string_equal(told(), "");
	assert_true(view_merge(p, &again));
	answers(9);
	assert_string_equal(told(), "");
	/* Found, not joined; and one that first is heard, then speaks. */
	changes(12, MEMBER_ALIVE, 0);
	heard.revision = 0;
	assert_true(view_merge(p, &heard));
	assert_string_equal(told(), "");
	changes(11, MEMBER_ALIVE, MEMBER_JOINED);
	assert_string_equal(told(), "joined 11: 9 11\n");
	/* Nothing while it does not serve, nor of that time later. */
	p->phase = PHASE_SYNCING;
	changes(9, MEMBER_DEAD, 0);
	assert_string_equal(told(), "");
	p->phase = PHASE_SERVING;
	assert_string_equal(told(), "");
}

/* Who joined, serves and went again before its turn came was never told of. */
static void
newcomer_waits(void **state)
{
	struct member serves = member_of(200, 1, MEMBER_ALIVE);

	(void)state;
	serves.revision = 2;
	changes(14, MEMBER_DEAD, 0);
	assert_string_equal(told(), "");
	changes(200, MEMBER_ALIVE, MEMBER_JOINED | MEMBER_SYNCING);
	assert_string_equal(told(), "");
	assert_true(view_merge(p, &serves));
	assert_string_equal(told(), "");
	changes(200, MEMBER_DEAD, 0);
	answers(9);
	assert_string_equal(told(), "dead 14: 9 19\n");
	changes(9, MEMBER_LEAVING, 0);
	assert_string_equal(told(), "leaving 9: 19 2\n");
}

/* A successor that has but greeted is asked; what is told of it waits. */
static void
greeting(void **state)
{
	struct member heard = member_of(11, 1, MEMBER_ALIVE);
	unsigned asked = 0;
	struct message m;

	(void)state;
	heard.revision = 0;
	assert_true(view_merge(p, &heard));
	tell_step(p);
	for (size_t i = 0; i < out->count; i++) {
		const struct action *a = &out->at[i];

		asked += a->type == ACT_DATAGRAM &&
			 message_decode(&m, out->data + a->bytes, a->len) > 0 &&
			 m.type == MSG_summary && m.summary.asks;
	}
	assert_int_equal(asked, 1);
	assert_true(tell_deadline(p) > p->now_us);
	p->now_us = tell_deadline(p);
	changes(9, MEMBER_DEAD, 0);
	assert_string_equal(told(), "");
	changes(11, MEMBER_ALIVE, 0);
	assert_string_equal(told(), "dead 9: 11 14\n");
	assert_true(tell_deadline(p) == UINT64_MAX);
}

static void
small_rings(void **state)
{
	static const unsigned gone[] = {2, 4, 5, 19};

	(void)state;
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		changes(gone[i], MEMBER_DEAD, 0);
		assert_string_equal(told(), "");
		answers(9);
		answers(14);
		assert_string_equal(told(), "");
	}
	changes(14, MEMBER_DEAD, 0);
	assert_string_equal(told(), "");
	answers(9);
	assert_string_equal(told(), "dead 14: 9 8\n");
	changes(9, MEMBER_LEAVING, 0);
	assert_string_equal(told(), "leaving 9: 8 8\n");
	changes(20, MEMBER_ALIVE, MEMBER_JOINED);
	assert_string_equal(told(), "joined 20: 20 8\n");
}

/* Every ping of the last step is answered. */
static void
answer_pings(void)
{
	static struct message pings[64];
	unsigned count = 0;

	for (size_t i = 0; i < out->count && count < 64; i++) {
		const struct action *a = &out->at[i];

		if (a->type == ACT_DATAGRAM &&
		    message_decode(
			&pings[count], out->data + a->bytes, a->len) > 0)
			count += pings[count].type == MSG_ping;
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned id = pings[i].ping.target;
		struct message m = {.type = MSG_pong};
		struct event ev = {.type = EV_DATAGRAM,
		    .from = (uint16_t)id,
		    .incarnation = 1,
		    .addr = p->view[id].addr,
		    .message = &m};

		m.pong.seq = pings[i].ping.seq;
		m.pong.hash = p->view_hash;
		m.pong.marked = pings[i].ping.marked;
		if (p->view[id].state == MEMBER_ALIVE)
			peer_step(p, p->now_us, &ev, out);
	}
}

/* Steps until then; counts the interval's pings and when each was sent. */
static unsigned
pings_until(uint64_t until_us, uint64_t *last_us, uint64_t interval_us)
{
	struct event tick = {.type = EV_TICK};
	unsigned sent = 0;

	for (int i = 0; i < STEPS_MAX && peer_deadline(p) < until_us; i++) {
		struct message m;
		uint64_t at = peer_deadline(p);

		peer_step(p, at > p->now_us ? at : p->now_us, &tick, out);
		for (size_t j = 0; j < out->count; j++) {
			const struct action *a = &out->at[j];

			if (a->type != ACT_NOTE ||
			    message_decode(&m, out->data + a->bytes, a->len) <=
				0 ||
			    m.event.kind != EVENT_ping_sent)
				continue;
			assert_int_equal(m.event.about, 9);
			assert_int_equal(m.event.other, 14);
			if (*last_us != 0)
				assert_true(
				    p->now_us - *last_us == interval_us);
			*last_us = p->now_us;
			sent++;
		}
		answer_pings();
	}
	return sent;
}

/* One line for each interval, whatever else is sent. */
static void
pings(uint32_t interval_ms)
{
	uint64_t us = interval_ms * 1000ull, last_us = 0;

	p->begun = true;
	p->config.ping_ms = interval_ms;
	p->incarnation = 1;
	p->sets_changed = false;
	p->ping_us = us;
	p->deadline_us = us;
	assert_int_equal(pings_until(10 * us + 1, &last_us, us), 10);
	/* Two that are in doubt are pinged; the interval goes on. */
	p->out = out;
	detect_doubt(p, 9);
	assert_int_equal(pings_until(20 * us + 1, &last_us, us), 10);
}

static void
pings_10ms(void **state)
{
	(void)state;
	pings(10);
}

static void
pings_1s(void **state)
{
	(void)state;
	pings(1000);
}

static void
pings_30s(void **state)
{
	(void)state;
	pings(30000);
}

#define TELL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(TELL_TEST(one_change), TELL_TEST(clockwise), TELL_TEST(patience),
    TELL_TEST(silence), TELL_TEST(newcomer_waits), TELL_TEST(greeting),
    TELL_TEST(small_rings), TELL_TEST(pings_10ms), TELL_TEST(pings_1s),
    TELL_TEST(pings_30s))
