#include "base/random.h"
#include "unit.h"

/* Published values of splitmix64 from the seed 1234567. */
static void
seeding_is_splitmix64(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 1234567);
	assert_true(r.s[0] == 6457827717110365317u);
	assert_true(r.s[1] == 3203168211198807973u);
	assert_true(r.s[2] == 9817491932198370423u);
	assert_true(r.s[3] == 4593380528125082431u);
}

/* Published values of xoshiro256** from the state 1, 2, 3, 4. */
static void
values_are_xoshiro256(void **state)
{
	static const uint64_t want[] = {11520, 0, 1509978240,
	    1215971899390074240u, 1216172134540287360u, 607988272756665600u,
	    16172922978634559625u, 8476171486693032832u};
	struct random r = {{1, 2, 3, 4}};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_true(random_u64(&r) == want[i]);
}

static void
seeds_repeat_and_differ(void **state)
{
	struct random a, b, c;

	(void)state;
	random_seed(&a, 7);
	random_seed(&b, 7);
	random_seed(&c, 8);
	for (int i = 0; i < 100; i++) {
		uint64_t x = random_u64(&a);

		assert_true(x == random_u64(&b));
		assert_true(x != random_u64(&c));
	}
}

static void
below_is_uniform(void **state)
{
	struct random r;
	unsigned counts[7] = {0};

	(void)state;
	random_seed(&r, 1);
	for (int i = 0; i < 70000; i++)
		counts[random_below(&r, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(counts[i], 9600, 10400);
}

/* Plain modulo would return the lower third twice as often. */
static void
below_has_no_bias(void **state)
{
	uint64_t bound = (UINT64_MAX / 4) * 3;
	struct random r;
	unsigned low = 0;

	(void)state;
	random_seed(&r, 2);
	for (int i = 0; i < 30000; i++) {
		uint64_t x = random_below(&r, bound);

		assert_true(x < bound);
		low += x < bound / 3;
	}
	assert_in_range(low, 9600, 10400);
}

static void
below_one_is_zero(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 3);
	for (int i = 0; i < 100; i++)
		assert_true(random_below(&r, 1) == 0);
}

UNIT_MAIN(TEST(seeding_is_splitmix64), TEST(values_are_xoshiro256),
    TEST(seeds_repeat_and_differ), TEST(below_is_uniform),
    TEST(below_has_no_bias), TEST(below_one_is_zero))
