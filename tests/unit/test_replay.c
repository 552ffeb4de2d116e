#include "peer/replay.h"
#include "unit.h"

static void
heard_once(void **state)
{
	struct replay r = {.incarnation = 0};

	(void)state;
	assert_true(replay_fresh(&r, 7, 1000));
	assert_false(replay_fresh(&r, 7, 1000));
	assert_true(replay_fresh(&r, 7, 1002));
	assert_true(replay_fresh(&r, 7, 1001));
	assert_false(replay_fresh(&r, 7, 1001));
	assert_false(replay_fresh(&r, 7, 1002));
}

static void
late_within_the_window(void **state)
{
	struct replay r = {.incarnation = 0};

	(void)state;
	assert_true(replay_fresh(&r, 7, 1000));
	assert_true(replay_fresh(&r, 7, 1000 + REPLAY_WINDOW));
	assert_false(replay_fresh(&r, 7, 1000));
	assert_true(replay_fresh(&r, 7, 1001));
	assert_false(replay_fresh(&r, 7, 1001));
	/* Far ahead, all of the window is new. */
	assert_true(replay_fresh(&r, 7, UINT64_MAX));
	assert_false(replay_fresh(&r, 7, UINT64_MAX));
	for (uint64_t back = 1; back < REPLAY_WINDOW; back++) {
		assert_true(replay_fresh(&r, 7, UINT64_MAX - back));
		assert_false(replay_fresh(&r, 7, UINT64_MAX - back));
	}
	assert_false(replay_fresh(&r, 7, UINT64_MAX - REPLAY_WINDOW));
}

static void
lives_are_apart(void **state)
{
	struct replay r = {.incarnation = 0};

	(void)state;
	assert_true(replay_fresh(&r, 7, 1000));
	/* Its next life may count from anywhere. */
	assert_true(replay_fresh(&r, 8, 3));
	assert_false(replay_fresh(&r, 8, 3));
	/* Who is behind must still be told so; nobody yet is not kept. */
	assert_true(replay_fresh(&r, 7, 1000));
	assert_true(replay_fresh(&r, 0, 5));
	assert_true(replay_fresh(&r, 0, 5));
	assert_false(replay_fresh(&r, 8, 3));
}

UNIT_MAIN(cmocka_unit_test(heard_once),
    cmocka_unit_test(late_within_the_window), cmocka_unit_test(lives_are_apart))
