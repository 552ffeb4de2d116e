#include <string.h>

#include "peer/catalog.h"
#include "unit.h"
#include "wire/message.h"

static struct catalog catalog;
static struct index queries;

static int
setup(void **state)
{
	(void)state;
	if (catalog_init(&catalog, 8, false) != 0)
		return -1;
	queries = catalog_index(&catalog);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	catalog_free(&catalog);
	return 0;
}

static struct name
named(const char *s)
{
	struct name name;

	assert_int_equal(name_set(&name, s, strlen(s)), 0);
	return name;
}

static struct record
record_of(const char *name, uint64_t clock, uint64_t size)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.name = named(name);
	r.version.clock = clock;
	r.size = size;
	assert_int_equal(suffix_set(&r.suffix, ".pdf", 4), 0);
	return r;
}

static int
key_of(unsigned bits, bool any, const char *text)
{
	struct catalog c;
	struct name name = named(text);
	int key;

	assert_int_equal(catalog_init(&c, bits, any), 0);
	key = catalog_key(&c, &name);
	catalog_free(&c);
	return key;
}

static void
keys_of_digits(void **state)
{
	(void)state;
	assert_int_equal(key_of(8, false, "2067"), 19);
	assert_int_equal(key_of(8, false, "0000"), 0);
	assert_int_equal(key_of(8, false, "9999"), 15);
	assert_int_equal(key_of(12, false, "9999"), 9999 % 4096);
	assert_int_equal(key_of(1, false, "4103"), 1);
	assert_int_equal(key_of(8, false, "a912"), -1);
	assert_int_equal(key_of(8, false, "206"), -1);
	assert_int_equal(key_of(8, false, "20670"), -1);
}

/* The first bits of SHA-256: that of "abc" begins with ba78. */
static void
keys_of_any_names(void **state)
{
	(void)state;
	assert_int_equal(key_of(8, true, "abc"), 0xba);
	assert_int_equal(key_of(12, true, "abc"), 0xba7);
	assert_int_equal(key_of(1, true, "abc"), 1);
	assert_int_equal(key_of(4, true, ".abc") >= 0, 1);
	assert_int_equal(key_of(8, true, "."), -1);
	assert_int_equal(key_of(8, true, ".."), -1);
	assert_int_equal(key_of(8, true, "a/b"), -1);
}

static void
one_record_a_name(void **state)
{
	struct record r = record_of("2067", 1, 100), out;

	(void)state;
	assert_false(catalog_find(&catalog, &r.name, &out));
	assert_int_equal(catalog_put(&catalog, &r), 0);
	assert_true(catalog_find(&catalog, &r.name, &out));
	assert_memory_equal(&out, &r, sizeof(r));
	assert_int_equal(catalog.files, 1);
	assert_int_equal(catalog.bytes, 100);
	r.version.clock = 2;
	r.size = 70;
	assert_int_equal(catalog_put(&catalog, &r), 0);
	assert_true(catalog_find(&catalog, &r.name, &out));
	assert_int_equal(out.version.clock, 2);
	assert_int_equal(catalog.files, 1);
	assert_int_equal(catalog.bytes, 70);
	r.deleted = 1;
	r.size = 0;
	assert_int_equal(catalog_put(&catalog, &r), 0);
	assert_int_equal(catalog.files, 0);
	assert_int_equal(catalog.bytes, 0);
	assert_true(catalog_find(&catalog, &r.name, &out));
	assert_int_equal(out.deleted, 1);
}

static void
mark_and_drop_know_the_version(void **state)
{
	struct record r = record_of("2067", 1, 100), other = r, out;

	(void)state;
	other.version.clock = 2;
	assert_int_equal(catalog_put(&catalog, &r), 0);
	assert_false(catalog_mark(&catalog, &other));
	assert_false(catalog_drop(&catalog, &other));
	assert_true(catalog_find(&catalog, &r.name, &out));
	assert_int_equal(out.acknowledged, 0);
	assert_true(catalog_mark(&catalog, &r));
	assert_true(catalog_find(&catalog, &r.name, &out));
	assert_int_equal(out.acknowledged, 1);
	assert_true(catalog_drop(&catalog, &r));
	assert_false(catalog_find(&catalog, &r.name, &out));
	assert_false(catalog_drop(&catalog, &r));
	assert_int_equal(catalog.files, 0);
	assert_int_equal(catalog.bytes, 0);
}

/* 0019, 0275, ... have the key 19. */
static void
keys_are_walked_in_order(void **state)
{
	static const char *const names[] = {
	    "2067", "0019", "0275", "0020", "9747", "0018"};
	static const char *const want[] = {"0019", "0275", "2067", "9747"};
	struct record r, out;
	struct name after;
	size_t n = 0;
	bool more;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		r = record_of(names[i], 1, 1);
		assert_int_equal(catalog_put(&catalog, &r), 0);
	}
	for (more = queries.next(queries.ctx, 19, NULL, &out); more;
	     more = queries.next(queries.ctx, 19, &after, &out)) {
		assert_in_range(n, 0, 3);
		assert_string_equal(out.name.text, want[n++]);
		after = out.name;
	}
	assert_int_equal(n, 4);
	after = named("0100");
	assert_true(queries.next(queries.ctx, 19, &after, &out));
	assert_string_equal(out.name.text, "0275");
	assert_false(queries.next(queries.ctx, 21, NULL, &out));
}

/* What anti-entropy compares: the same records, the same digest. */
static void
digests_are_sums(void **state)
{
	struct record a = record_of("2067", 1, 1);
	struct record b = record_of("0019", 1, 1);
	struct record newer = record_of("2067", 2, 1);

	(void)state;
	assert_true(record_hash(&a) != record_hash(&b));
	assert_true(record_hash(&a) != record_hash(&newer));
	assert_true(queries.digest(queries.ctx, 19) == 0);
	assert_int_equal(catalog_put(&catalog, &a), 0);
	assert_true(queries.digest(queries.ctx, 19) == record_hash(&a));
	assert_int_equal(catalog_put(&catalog, &b), 0);
	assert_true(queries.digest(queries.ctx, 19) ==
		    (record_hash(&a) ^ record_hash(&b)));
	assert_true(queries.digest(queries.ctx, 20) == 0);
	assert_true(catalog_mark(&catalog, &a));
	assert_int_equal(catalog_put(&catalog, &newer), 0);
	assert_true(queries.digest(queries.ctx, 19) ==
		    (record_hash(&newer) ^ record_hash(&b)));
	assert_true(catalog_drop(&catalog, &newer));
	assert_true(catalog_drop(&catalog, &b));
	assert_true(queries.digest(queries.ctx, 19) == 0);
}

static void
counts_are_of_files(void **state)
{
	struct record a = record_of("2067", 1, 1);
	struct record b = record_of("0019", 1, 1);
	struct record removed = record_of("2067", 2, 0);

	(void)state;
	removed.deleted = 1;
	assert_int_equal(queries.count(queries.ctx, 19), 0);
	assert_int_equal(catalog_put(&catalog, &a), 0);
	assert_int_equal(catalog_put(&catalog, &b), 0);
	assert_int_equal(queries.count(queries.ctx, 19), 2);
	assert_int_equal(queries.count(queries.ctx, 20), 0);
	assert_int_equal(catalog_put(&catalog, &removed), 0);
	assert_int_equal(queries.count(queries.ctx, 19), 1);
	assert_true(catalog_drop(&catalog, &removed));
	assert_true(catalog_drop(&catalog, &b));
	assert_int_equal(queries.count(queries.ctx, 19), 0);
}

#define CATALOG_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(TEST(keys_of_digits), TEST(keys_of_any_names),
    CATALOG_TEST(one_record_a_name),
    CATALOG_TEST(mark_and_drop_know_the_version),
    CATALOG_TEST(keys_are_walked_in_order), CATALOG_TEST(digests_are_sums),
    CATALOG_TEST(counts_are_of_files))
