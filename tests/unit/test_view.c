#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "unit.h"

enum { SELF = 4, IDS = 16, NEWS = 400 };

static struct peer *one, *two;
static struct actions *out;
static struct random r;

static int
setup(void **state)
{
	(void)state;
	out = calloc(1, sizeof(*out));
	if (out == NULL)
		return -1;
	random_seed(&r, 1);
	one = core_new(SELF, out);
	two = core_new(SELF, out);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(one);
	free(two);
	free(out);
	return 0;
}

static bool
merge(struct peer *p, const struct member *m)
{
	out->count = out->used = out->ids_used = 0;
	return view_merge(p, m);
}

/* Flags are the peer's own word: one revision of them says one thing. */
static struct member
random_member(void)
{
	unsigned id = (unsigned)random_below(&r, IDS) * 16;
	struct member m = member_of(id, 1 + (uint32_t)random_below(&r, 3),
	    MEMBER_ALIVE + (enum member_state)random_below(&r, MEMBER_DEAD));

	m.revision = (uint32_t)random_below(&r, 4);
	m.flags = (uint8_t)(m.revision % 4);
	return m;
}

static int
rank_cmp(const struct member *a, const struct member *b)
{
	if (a->incarnation != b->incarnation)
		return a->incarnation < b->incarnation ? -1 : 1;
	return (a->state > b->state) - (a->state < b->state);
}

static void
any_order_gives_one_view(void **state)
{
	static struct member news[NEWS];

	(void)state;
	for (int i = 0; i < NEWS; i++)
		news[i] = random_member();
	for (int i = 0; i < NEWS; i++)
		merge(one, &news[i]);
	for (int i = NEWS; i > 0; i--) {
		struct member *last = &news[i - 1];
		struct member *m = &news[random_below(&r, (uint64_t)i)];
		struct member drawn = *m;

		merge(two, &drawn);
		*m = *last;
	}
	assert_true(one->view_hash == two->view_hash);
	assert_memory_equal(one->view, two->view, sizeof(one->view));
	assert_int_equal(one->successor_count, two->successor_count);
	for (unsigned i = 0; i < one->successor_count; i++)
		assert_int_equal(one->successors[i], two->successors[i]);
	assert_int_equal(one->predecessor, two->predecessor);
}

static void
entries_never_go_down(void **state)
{
	(void)state;
	for (int i = 0; i < NEWS; i++) {
		struct member m = random_member();
		struct member old = one->view[m.id];
		uint64_t hash = one->view_hash;
		bool changed = merge(one, &m);
		const struct member *new = &one->view[m.id];

		assert_true(rank_cmp(new, &old) >= 0);
		assert_true(rank_cmp(new, &m) >= 0 || m.id == SELF);
		assert_int_equal(changed, one->view_hash != hash);
		assert_false(merge(one, &m));
	}
}

static bool
counts(const struct peer *p, unsigned id)
{
	return p->view[id].state == MEMBER_ALIVE ||
	       p->view[id].state == MEMBER_SUSPECT;
}

/* (I1): clockwise, no repeats, no self unless alone, as the view says. */
static void
check_derived(const struct peer *p)
{
	unsigned found = 0, members = 0, back = SELF;
	uint64_t hash = 0;

	for (unsigned i = 0; i < p->space; i++) {
		members += counts(p, i);
		hash ^= view_member_hash(&p->view[i]);
	}
	assert_int_equal(p->member_count, members);
	assert_true(p->view_hash == hash);
	for (unsigned i = 1; i < p->space; i++) {
		unsigned id = (SELF + i) % p->space;

		if (!counts(p, id))
			continue;
		if (found < p->successor_count)
			assert_int_equal(p->successors[found], id);
		found++;
		back = id;
	}
	assert_int_equal(p->predecessor, back);
	assert_int_equal(p->successor_count, found < 3 ? found : 3);
	if (found == 0)
		assert_int_equal(p->successors[0], SELF);
}

static void
neighbours_follow_the_view(void **state)
{
	(void)state;
	check_derived(one);
	for (int i = 0; i < NEWS; i++) {
		struct member m = random_member();

		merge(one, &m);
		check_derived(one);
	}
}

/* (Q2): the owners' ranges cut the identifier space exactly. */
static void
every_key_has_one_owner(void **state)
{
	unsigned sum = 0;

	(void)state;
	for (unsigned id = 8; id < 200; id += 24) {
		struct member m = member_of(id, 1, MEMBER_ALIVE);

		assert_true(merge(one, &m));
	}
	for (unsigned key = 0; key < one->space; key++) {
		unsigned owner = key, got = ring_owner(one, key);

		while (!counts(one, owner))
			owner = (owner + 1) % one->space;
		assert_int_equal(got, owner);
		assert_int_equal(ring_owner(one, owner), owner);
	}
	for (unsigned id = 0; id < one->space; id++)
		if (counts(one, id))
			sum += ring_distance(
			    one, ring_predecessor_of(one, id), id);
	assert_int_equal(sum, one->space);
}

static void
only_suspicion_moves_nothing(void **state)
{
	struct member m = member_of(32, 1, MEMBER_ALIVE);

	(void)state;
	merge(one, &m);
	assert_int_equal(ring_owner(one, 20), 32);
	m.state = MEMBER_SUSPECT;
	assert_true(merge(one, &m));
	assert_int_equal(ring_owner(one, 20), 32);
	m.state = MEMBER_LEAVING;
	assert_true(merge(one, &m));
	assert_int_equal(ring_owner(one, 20), SELF);
	/* Not back by hearsay; by a new life. */
	m.state = MEMBER_ALIVE;
	assert_false(merge(one, &m));
	m.incarnation = 2;
	assert_true(merge(one, &m));
	assert_int_equal(ring_owner(one, 20), 32);
}

static void
replicas_are_those_who_can_write(void **state)
{
	uint16_t set[COPIES_MAX + 1];
	struct member m;

	(void)state;
	assert_int_equal(ring_replicas(one, 0, set), 1);
	for (unsigned id = 32; id <= 160; id += 32) {
		m = member_of(id, 1, MEMBER_ALIVE);
		merge(one, &m);
	}
	assert_int_equal(ring_replicas(one, 33, set), 3);
	assert_int_equal(set[0], 64);
	assert_int_equal(set[1], 96);
	assert_int_equal(set[2], 128);
	m = member_of(96, 1, MEMBER_ALIVE);
	m.flags = MEMBER_READONLY;
	m.revision = 2;
	assert_true(merge(one, &m));
	assert_int_equal(ring_replicas(one, 33, set), 3);
	assert_int_equal(set[1], 128);
	assert_int_equal(set[2], 160);
	/* Who can't write owns nothing: its keys are its successor's. */
	assert_int_equal(ring_owner(one, 70), 128);
	assert_int_equal(ring_owner_before(one, 128), 64);
	assert_int_equal(ring_replicas(one, 70, set), 3);
	assert_int_equal(set[0], 128);
	assert_int_equal(set[2], SELF);
}

static void
sets_are_known_by_order_and_incarnation(void **state)
{
	const uint16_t set[] = {32, 64}, turned[] = {64, 32};
	struct member m = member_of(32, 1, MEMBER_ALIVE);
	uint64_t hash;

	(void)state;
	merge(one, &m);
	hash = ring_set_hash(one, set, 2);
	assert_true(hash != ring_set_hash(one, turned, 2));
	assert_true(hash != ring_set_hash(one, set, 1));
	m.incarnation = 2;
	merge(one, &m);
	assert_true(hash != ring_set_hash(one, set, 2));
}

/* Others don't decide what this peer is: it raises its incarnation. */
static void
slander_is_refuted(void **state)
{
	struct member m = member_of(SELF, 1, MEMBER_DEAD);

	(void)state;
	assert_false(merge(one, &m));
	assert_int_equal(one->view[SELF].state, MEMBER_ALIVE);
	assert_int_equal(one->wanted, 2);
	assert_true(out->count > 0);
	assert_int_equal(out->at[out->count - 1].type, ACT_PERSIST);
	assert_int_equal(out->at[out->count - 1].incarnation, 2);
	/* Once is enough. */
	merge(one, &m);
	assert_int_equal(out->count, 0);
}

static void
nonsense_is_ignored(void **state)
{
	uint64_t hash = one->view_hash;
	struct member m = member_of(256, 1, MEMBER_ALIVE);

	(void)state;
	assert_false(merge(one, &m));
	m = member_of(9, 0, MEMBER_ALIVE);
	assert_false(merge(one, &m));
	m = member_of(9, 1, MEMBER_NONE);
	assert_false(merge(one, &m));
	m = member_of(9, UINT32_MAX, MEMBER_ALIVE);
	assert_false(merge(one, &m));
	assert_true(one->view_hash == hash);
}

/* Does it connect to id, whose port refused what it sent? */
static bool
connects_to(unsigned id)
{
	struct event ev = {.type = EV_UNREACHABLE,
	    .addr = member_of(id, 1, MEMBER_ALIVE).addr};

	peer_step(one, one->now_us, &ev, out);
	for (size_t i = 0; i < out->count; i++)
		if (out->at[i].type == ACT_CONNECT && out->at[i].id == id)
			return true;
	return false;
}

/* Who is told of 128 deaths would connect to all of them. */
static void
only_neighbours_are_looked_after(void **state)
{
	(void)state;
	for (unsigned id = 0; id < IDS; id++) {
		struct member m = member_of(id, 1, MEMBER_ALIVE);

		if (id != SELF)
			view_merge(one, &m);
	}
	one->begun = true;
	one->links_us = UINT64_MAX;
	assert_false(connects_to(SELF + 4));
	assert_false(connects_to((SELF - 4) & (IDS - 1)));
	assert_true(connects_to(SELF + 3));
	assert_true(connects_to(SELF - 3));
}

#define VIEW_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(VIEW_TEST(any_order_gives_one_view), VIEW_TEST(entries_never_go_down),
    VIEW_TEST(neighbours_follow_the_view), VIEW_TEST(every_key_has_one_owner),
    VIEW_TEST(only_suspicion_moves_nothing),
    VIEW_TEST(replicas_are_those_who_can_write),
    VIEW_TEST(sets_are_known_by_order_and_incarnation),
    VIEW_TEST(slander_is_refuted), VIEW_TEST(nonsense_is_ignored),
    VIEW_TEST(only_neighbours_are_looked_after))
