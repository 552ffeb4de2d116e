#include <stdlib.h>

#include "base/random.h"
#include "peer/handle.h"
#include "unit.h"

enum { MANY = 3000 };

static struct handle_table table;
static struct handle handles[MANY];

static void
handles_are_found(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		handle_add(&table, &handles[i], i * 77 + 1);
	assert_int_equal(table.count, MANY);
	for (uint32_t i = 0; i < MANY; i++)
		assert_ptr_equal(handle_find(&table, i * 77 + 1), &handles[i]);
	assert_null(handle_find(&table, 0));
	assert_null(handle_find(&table, UINT32_MAX));
}

static void
handles_are_removed_from_chains(void **state)
{
	struct random r;
	uint32_t left = MANY;

	(void)state;
	random_seed(&r, 1);
	while (left > 0) {
		uint32_t i = (uint32_t)random_below(&r, MANY);

		if (handle_find(&table, i * 77 + 1) == NULL)
			continue;
		handle_del(&table, &handles[i]);
		assert_null(handle_find(&table, i * 77 + 1));
		assert_int_equal(table.count, --left);
	}
	for (unsigned i = 0; i < HANDLE_BUCKETS; i++)
		assert_null(table.bucket[i]);
}

UNIT_MAIN(TEST(handles_are_found), TEST(handles_are_removed_from_chains))
