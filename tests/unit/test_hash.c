#include <string.h>

#include "base/hash.h"
#include "unit.h"

/* Published values of XXH3-64 with seed 0. */
static void
bytes_are_xxh3(void **state)
{
	(void)state;
	assert_true(hash_bytes("", 0) == 0x2d06800538d394c2u);
	assert_true(hash_bytes("abc", 3) == 0x78af5f94892f3950u);
}

static void
one_bit_matters(void **state)
{
	unsigned char data[300];
	uint64_t whole;

	(void)state;
	memset(data, 0x5a, sizeof(data));
	whole = hash_bytes(data, sizeof(data));
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] ^= 1;
		assert_true(hash_bytes(data, sizeof(data)) != whole);
		data[i] ^= 1;
	}
	assert_true(hash_bytes(data, sizeof(data)) == whole);
	assert_true(hash_bytes(data, sizeof(data) - 1) != whole);
}

static void
pair_is_ordered(void **state)
{
	(void)state;
	assert_true(hash_pair(1, 2) == hash_pair(1, 2));
	assert_true(hash_pair(1, 2) != hash_pair(2, 1));
	assert_true(hash_pair(0, 0) != 0);
	assert_true(hash_pair(0, 1) != hash_pair(1, 0));
}

/* Views are XORs of such hashes: small ones must not cancel out. */
static void
pair_survives_xor(void **state)
{
	(void)state;
	for (uint64_t a = 0; a < 64; a++) {
		for (uint64_t b = 0; b < 64; b++) {
			uint64_t x = hash_pair(a, 1) ^ hash_pair(b, 1);
			uint64_t y = hash_pair(a, 2) ^ hash_pair(b, 2);

			assert_true((x == y) == (a == b));
		}
	}
}

UNIT_MAIN(TEST(bytes_are_xxh3), TEST(one_bit_matters), TEST(pair_is_ordered),
    TEST(pair_survives_xor))
