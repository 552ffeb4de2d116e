#include <string.h>

#include "unit.h"
#include "wire/words.h"

static struct text error;

static struct word
word(const char *s)
{
	return (struct word){s, strlen(s)};
}

static int
name_of(const char *s, size_t len, bool any)
{
	struct name name;
	int rc;

	memset(&error, 0, sizeof(error));
	rc = name_parse(&name, (struct word){s, len}, any, &error);
	if (rc == 0) {
		assert_int_equal(name.len, len);
		assert_memory_equal(name.text, s, len);
		assert_int_equal(name.text[len], '\0');
	} else {
		assert_non_null(strstr(error.text, ": a name is "));
	}
	return rc;
}

static void
names_of_digits(void **state)
{
	(void)state;
	assert_int_equal(name_of("0000", 4, false), 0);
	assert_int_equal(name_of("9999", 4, false), 0);
	assert_int_equal(name_of("2067", 4, false), 0);
	assert_int_equal(name_of("a912", 4, false), -1);
	assert_string_equal(error.text,
	    "name 'a912': a name is exactly four decimal digits, 0000 to 9999");
	assert_int_equal(name_of("32134", 5, false), -1);
	assert_int_equal(name_of("-1", 2, false), -1);
	assert_int_equal(name_of("-001", 4, false), -1);
	assert_int_equal(name_of(" 067", 4, false), -1);
	assert_int_equal(name_of("", 0, false), -1);
	assert_int_equal(name_of("20\0007", 4, false), -1);
	assert_int_equal(name_of("/tmp", 4, false), -1);
}

static void
names_of_any_kind(void **state)
{
	char longest[NAME_LEN_MAX + 1];

	(void)state;
	memset(longest, 'n', sizeof(longest));
	assert_int_equal(name_of(longest, NAME_LEN_MAX, true), 0);
	assert_int_equal(name_of(longest, NAME_LEN_MAX + 1, true), -1);
	assert_true(error.len < 200);
	assert_int_equal(name_of("...", 3, true), 0);
	assert_int_equal(name_of(".profile", 8, true), 0);
	assert_int_equal(name_of(".", 1, true), -1);
	assert_int_equal(name_of("..", 2, true), -1);
	assert_int_equal(name_of("", 0, true), -1);
	assert_int_equal(name_of("a/b", 3, true), -1);
	assert_int_equal(name_of("a\0b", 3, true), -1);
	assert_int_equal(name_of("\x1b[31m", 5, true), 0);
}

static void
numbers_are_digits(void **state)
{
	uint64_t n = 77;

	(void)state;
	assert_int_equal(number_parse(&n, word("-1"), 9), -1);
	assert_int_equal(number_parse(&n, word("+1"), 9), -1);
	assert_int_equal(number_parse(&n, word(" 1"), 9), -1);
	assert_int_equal(number_parse(&n, word("1x"), 9), -1);
	assert_int_equal(number_parse(&n, word("10"), 9), -1);
	assert_int_equal(number_parse(&n, word(""), 9), -1);
	assert_int_equal(
	    number_parse(&n, word("18446744073709551616"), UINT64_MAX), -1);
	assert_true(n == 77);
	assert_int_equal(
	    number_parse(&n, word("18446744073709551615"), UINT64_MAX), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(number_parse(&n, word("009"), 9), 0);
	assert_true(n == 9);
}

static void
identifiers_are_in_the_space(void **state)
{
	uint16_t id;

	(void)state;
	assert_int_equal(id_parse(&id, word("255"), 8, &error), 0);
	assert_int_equal(id, 255);
	assert_int_equal(id_parse(&id, word("256"), 8, &error), -1);
	assert_string_equal(error.text, "peer '256': not in 0..255");
	assert_int_equal(id_parse(&id, word("4095"), 12, &error), 0);
	assert_int_equal(id_parse(&id, word("-1"), 8, &error), -1);
	assert_int_equal(id_parse(&id, word("x"), 8, &error), -1);
	assert_int_equal(id_parse(&id, word("2"), 1, &error), -1);
	assert_int_equal(id_parse(&id, word("\n"), 8, &error), -1);
	assert_string_equal(error.text, "peer '?': not in 0..255");
}

static void
intervals_have_units(void **state)
{
	static const struct {
		const char *text;
		uint32_t ms; /* 0: refused */
	} table[] = {
	    {"50ms", 50},
	    {"2s", 2000},
	    {"30", 30000},
	    {"1m", 60000},
	    {"1h", 3600000},
	    {"1.5s", 1500},
	    {"0.001", 1},
	    {"2.5", 2500},
	    {"0.0001", 0},
	    {"0", 0},
	    {"61m", 0},
	    {"3600001ms", 0},
	    {"1.", 0},
	    {".5", 0},
	    {"-1s", 0},
	    {"1 s", 0},
	    {"1d", 0},
	    {"1S", 0},
	    {"", 0},
	    {"s", 0},
	    {"1.1234567s", 0},
	    {"99999999999999999999h", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint32_t ms = 0;
		int rc = interval_parse(&ms, word(table[i].text), 1, 3600000);

		if (rc != (table[i].ms != 0 ? 0 : -1) || ms != table[i].ms)
			fail_msg("%s: %d, %u ms", table[i].text, rc, ms);
	}
}

static void
peers_of(const char *s, enum which want, unsigned count)
{
	struct idset set;
	enum which which;

	if (peers_parse(&which, &set, word(s), 8, &error) != 0)
		fail_msg("%s: %s", s, error.text);
	assert_int_equal(which, want);
	assert_int_equal(idset_count(&set), count);
}

static void
sets_of_peers(void **state)
{
	static const char *const bad[] = {"", ",", "4,", ",4", "4-", "-4",
	    "20-4", "4-256", "256", "x", "4 5", "All", "4--5", "1-2-3"};
	struct idset set;
	enum which which;

	(void)state;
	peers_of("8", WHICH_LIST, 1);
	peers_of("4-20,30", WHICH_LIST, 18);
	peers_of("4-20,5,4", WHICH_LIST, 17);
	peers_of("0-255", WHICH_LIST, 256);
	peers_of("7-7", WHICH_LIST, 1);
	peers_of("all", WHICH_ALL, 0);
	peers_of("random", WHICH_RANDOM, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error.len = 0;
		if (peers_parse(&which, &set, word(bad[i]), 8, &error) == 0)
			fail_msg("%s: accepted", bad[i]);
		assert_true(error.len > 0);
	}
}

static void
texts_grow_to_their_end(void **state)
{
	struct text t = {0, ""};

	(void)state;
	for (int i = 0; i < 200; i++)
		text_add(&t, "abc");
	assert_int_equal(t.len, TEXT_LEN_MAX);
	assert_int_equal(strlen(t.text), TEXT_LEN_MAX);
	text_add_number(&t, 1);
	assert_int_equal(t.len, TEXT_LEN_MAX);
	t = (struct text){0, ""};
	text_add_number(&t, 0);
	text_add(&t, " ");
	text_add_number(&t, UINT64_MAX);
	assert_string_equal(t.text, "0 18446744073709551615");
}

UNIT_MAIN(TEST(names_of_digits), TEST(names_of_any_kind),
    TEST(numbers_are_digits), TEST(identifiers_are_in_the_space),
    TEST(intervals_have_units), TEST(sets_of_peers),
    TEST(texts_grow_to_their_end))
