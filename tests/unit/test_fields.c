#include <string.h>

#include "unit.h"
#include "wire/message.h"

static void
sets_add_and_delete(void **state)
{
	struct idset set = {{0}};

	(void)state;
	assert_int_equal(idset_count(&set), 0);
	for (unsigned id = 0; id < SPACE_MAX; id += 7)
		idset_add(&set, id);
	idset_add(&set, 7);
	assert_int_equal(idset_count(&set), (SPACE_MAX + 6) / 7);
	for (unsigned id = 0; id < SPACE_MAX; id++)
		assert_int_equal(idset_has(&set, id), id % 7 == 0);
	idset_del(&set, 7);
	idset_del(&set, 8);
	assert_false(idset_has(&set, 7));
	assert_int_equal(idset_count(&set), (SPACE_MAX + 6) / 7 - 1);
	assert_false(idset_has(&set, SPACE_MAX));
	assert_false(idset_has(&set, UINT16_MAX));
}

static void
sets_walk_in_order(void **state)
{
	static const unsigned ids[] = {0, 1, 8, 15, 16, 255, 4095};
	struct idset set = {{0}};
	int id;
	size_t n = 0;

	(void)state;
	assert_int_equal(idset_next(&set, 0), -1);
	for (size_t i = 0; i < 7; i++)
		idset_add(&set, ids[i]);
	for (id = idset_next(&set, 0); id >= 0;
	     id = idset_next(&set, (unsigned)id + 1))
		assert_int_equal(id, ids[n++]);
	assert_int_equal(n, 7);
	assert_int_equal(idset_next(&set, 2), 8);
	assert_int_equal(idset_next(&set, 256), 4095);
	assert_int_equal(idset_next(&set, SPACE_MAX), -1);
}

static void
texts_are_cut(void **state)
{
	char longer[PATH_LEN_MAX + 10];
	struct text text;
	struct path path;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	text_set(&text, longer);
	assert_int_equal(text.len, TEXT_LEN_MAX);
	assert_int_equal(strlen(text.text), TEXT_LEN_MAX);
	path_set(&path, longer);
	assert_int_equal(path.len, PATH_LEN_MAX);
	assert_int_equal(strlen(path.text), PATH_LEN_MAX);
	text_set(&text, "");
	assert_int_equal(text.len, 0);
	assert_string_equal(text.text, "");
	path_set(&path, "/tmp");
	assert_int_equal(path.len, 4);
	assert_string_equal(path.text, "/tmp");
}

static void
names_have_bounds(void **state)
{
	char text[NAME_LEN_MAX + 2];
	struct suffix suffix;
	struct name name;

	(void)state;
	memset(text, 'n', sizeof(text));
	assert_int_equal(name_set(&name, text, NAME_LEN_MAX), 0);
	assert_int_equal(name.len, NAME_LEN_MAX);
	assert_int_equal(name.text[NAME_LEN_MAX], '\0');
	assert_int_equal(name_set(&name, text, NAME_LEN_MAX + 1), -1);
	assert_int_equal(name_set(&name, text, 0), -1);
	assert_int_equal(name_set(&name, "20\0007", 4), -1);
	assert_int_equal(suffix_set(&suffix, text, SUFFIX_LEN_MAX), 0);
	assert_int_equal(suffix_set(&suffix, text, SUFFIX_LEN_MAX + 1), -1);
	assert_int_equal(suffix_set(&suffix, "", 0), 0);
	assert_int_equal(suffix.len, 0);
}

static int
order(const char *a, const char *b)
{
	struct name x, y;
	int cmp;

	assert_int_equal(name_set(&x, a, strlen(a)), 0);
	assert_int_equal(name_set(&y, b, strlen(b)), 0);
	cmp = name_cmp(&x, &y);
	return (cmp > 0) - (cmp < 0);
}

static void
names_have_an_order(void **state)
{
	(void)state;
	assert_int_equal(order("2067", "2067"), 0);
	assert_int_equal(order("2067", "2068"), -1);
	assert_int_equal(order("206", "2067"), -1);
	assert_int_equal(order("2067", "206"), 1);
	assert_int_equal(order("\xff", "a"), 1);
}

static void
versions_have_an_order(void **state)
{
	static const struct version rising[] = {{0, 0, 0}, {0, 0, 1}, {0, 1, 0},
	    {1, 0, 0}, {1, 0, 9}, {1, 4, 0}, {1, 4, UINT64_MAX},
	    {UINT64_MAX, 0, 0}};

	(void)state;
	for (int i = 0; i < 8; i++) {
		for (int j = 0; j < 8; j++) {
			int cmp = version_cmp(&rising[i], &rising[j]);

			assert_int_equal(
			    (cmp > 0) - (cmp < 0), (i > j) - (i < j));
		}
	}
}

UNIT_MAIN(TEST(sets_add_and_delete), TEST(sets_walk_in_order),
    TEST(texts_are_cut), TEST(names_have_bounds), TEST(names_have_an_order),
    TEST(versions_have_an_order))
