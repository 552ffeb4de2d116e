#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/command.h"

static const struct command_rules digits = {false, 8};
static const struct command_rules any = {true, 8};

static struct word
word(const char *text)
{
	return (struct word){text, strlen(text)};
}

static int
parse_as(struct command_line *line, const char *text,
    const struct command_rules *rules)
{
	struct text error;
	int status =
	    command_parse_line(line, text, strlen(text), rules, &error);

	assert_true(status == 0 || error.len > 0);
	assert_int_equal(error.len, strlen(error.text));
	return status;
}

static int
parse(struct command_line *line, const char *text)
{
	return parse_as(line, text, &digits);
}

static void
refused(const char *text, const char *why)
{
	struct command_line line;
	struct text error;

	assert_int_equal(
	    command_parse_line(&line, text, strlen(text), &digits, &error), -1);
	if (!strstr(error.text, why))
		fail_msg("'%s': no '%s' in '%s'", text, why, error.text);
}

static void
test_commands(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(parse(&line, "store 2067"), 0);
	assert_int_equal(line.command, COMMAND_STORE);
	assert_string_equal(line.name.text, "2067");
	assert_int_equal(line.path.len, 0);
	assert_int_equal(line.suffix.len, 0);
	assert_int_equal(parse(&line, "  REQUEST\t2067  out/x.pdf "), 0);
	assert_int_equal(line.command, COMMAND_REQUEST);
	assert_string_equal(line.path.text, "out/x.pdf");
	assert_int_equal(line.suffix.len, 0);
	assert_int_equal(parse(&line, "Store 2067 \"my report.pdf\""), 0);
	assert_string_equal(line.path.text, "my report.pdf");
	assert_string_equal(line.suffix.text, ".pdf");
	assert_int_equal(parse(&line, "pInG 255"), 0);
	assert_int_equal(line.id, 255);
	assert_int_equal(parse(&line, "files"), 0);
	assert_int_equal(parse(&line, "ring"), 0);
	assert_int_equal(parse(&line, "quit"), 0);
	assert_int_equal(line.command, COMMAND_QUIT);
	assert_int_equal(parse(&line, "remove 0000"), 0);
	assert_int_equal(parse(&line, "owner 9999"), 0);
}

static void
test_refused(void **state)
{
	(void)state;
	refused("", "no command");
	refused("   ", "no command");
	refused("stor 2067", "did you mean store?");
	refused("steal 2067", "no such command");
	refused("store", "usage: store NAME [FILE]");
	refused("store 2067 a b", "usage: store");
	refused("files 8", "usage: files");
	refused("up", "no such command");
	refused("ping 256", "0..255");
	refused("ping -1", "0..255");
	refused("ping x", "0..255");
	refused("store 2067 \"a", "quote");
	refused("store 2067 \"\"", "path");
	refused("a b c d e f g h i j", "too many words");
	refused("\033[2J", "'?[2J'");
}

static void
test_names_digits(void **state)
{
	static const char *const bad[] = {"a912", "32134", "-1", "", "206",
	    "a/b", " 2067", "2067 ", "+067", "0x10", "²067", "."};
	struct text error;
	struct name name;
	char long_name[301];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    name_parse(&name, word(bad[i]), false, &error), -1);
		assert_non_null(strstr(error.text, "four decimal digits"));
	}
	memset(long_name, '7', 300);
	long_name[300] = '\0';
	assert_int_equal(name_parse(&name, word(long_name), false, &error), -1);
	assert_int_equal(
	    name_parse(&name, (struct word){"20\0007", 4}, false, &error), -1);
	assert_int_equal(name_parse(&name, word("0000"), false, &error), 0);
	assert_int_equal(name.len, 4);
}

static void
test_names_any(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "/"};
	struct text error;
	struct name name;
	char long_name[301];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    name_parse(&name, word(bad[i]), true, &error), -1);
		assert_non_null(strstr(error.text, "1 to 255 bytes"));
	}
	memset(long_name, '7', 300);
	long_name[300] = '\0';
	assert_int_equal(name_parse(&name, word(long_name), true, &error), -1);
	long_name[255] = '\0';
	assert_int_equal(name_parse(&name, word(long_name), true, &error), 0);
	assert_int_equal(
	    name_parse(&name, (struct word){"a\0b", 3}, true, &error), -1);
	assert_int_equal(name_parse(&name, word("..."), true, &error), 0);
	assert_int_equal(name_parse(&name, word("-x y"), true, &error), 0);
}

static void
suffix_is(const char *name_text, const char *path, const char *wanted)
{
	struct suffix suffix;
	struct name name;

	assert_int_equal(name_set(&name, name_text, strlen(name_text)), 0);
	command_suffix(&suffix, &name, path, strlen(path));
	assert_string_equal(suffix.text, wanted);
	assert_int_equal(suffix.len, strlen(wanted));
}

static void
test_suffix(void **state)
{
	char path[128] = "2067.";

	(void)state;
	suffix_is("2067", "2067", "");
	suffix_is("2067", "2067.pdf", ".pdf");
	suffix_is("2067", "/tmp/x.y/2067.tar.gz", ".tar.gz");
	suffix_is("2067", "report.pdf", ".pdf");
	suffix_is("2067", "a.b/report.tar.gz", ".gz");
	suffix_is("2067", "a.b/report", "");
	suffix_is("2067", ".profile", "");
	suffix_is("2067", "report.", "");
	suffix_is("2067", "2067.", "");
	suffix_is("2067", "20671.txt", ".txt");
	suffix_is("2067", "", "");
	suffix_is("report.pdf", "report.pdf", "");
	memset(path + 5, 'x', SUFFIX_LEN_MAX);
	suffix_is("2067", path, "");
	path[5 + SUFFIX_LEN_MAX - 1] = '\0';
	suffix_is("2067", path, path + 4);
}

static void
test_any_names_with_blanks(void **state)
{
	struct command_line line;

	(void)state;
	assert_int_equal(
	    parse_as(&line, "store \"my file\" \"\x01\"", &any), 0);
	assert_string_equal(line.name.text, "my file");
}

static void
test_numbers(void **state)
{
	struct text error;
	uint64_t value;
	uint16_t id;

	(void)state;
	assert_int_equal(
	    number_parse(&value, word("18446744073709551615"), UINT64_MAX), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(
	    number_parse(&value, word("18446744073709551616"), UINT64_MAX), -1);
	assert_int_equal(number_parse(&value, word(""), 9), -1);
	assert_int_equal(number_parse(&value, word("9"), 9), 0);
	assert_int_equal(number_parse(&value, word("10"), 9), -1);
	assert_int_equal(number_parse(&value, word("1 "), 9), -1);
	assert_int_equal(id_parse(&id, word("4095"), 12, &error), 0);
	assert_int_equal(id, 4095);
	assert_int_equal(id_parse(&id, word("4096"), 12, &error), -1);
	assert_non_null(strstr(error.text, "0..4095"));
}

static void
interval_is(const char *text, int status, uint32_t wanted)
{
	uint32_t ms = 0;

	assert_int_equal(interval_parse(&ms, word(text), 1, 3600000), status);
	assert_int_equal(ms, wanted);
}

static void
test_intervals(void **state)
{
	(void)state;
	interval_is("30", 0, 30000);
	interval_is("0.5", 0, 500);
	interval_is("50ms", 0, 50);
	interval_is("1.5m", 0, 90000);
	interval_is("1h", 0, 3600000);
	interval_is("0", -1, 0);
	interval_is("2h", -1, 0);
	interval_is("", -1, 0);
	interval_is("-1", -1, 0);
	interval_is("1.", -1, 0);
	interval_is("5 s", -1, 0);
	interval_is("5S", -1, 0);
	interval_is("99999999999h", -1, 0);
}

static unsigned
peers_of(const char *text, enum which *which, struct idset *set)
{
	struct text error = {0};
	int status = peers_parse(which, set, word(text), 8, &error);

	assert_true(status == 0 || error.len > 0);
	return status == 0 ? idset_count(set) : 999;
}

static void
test_peers(void **state)
{
	static const char *const bad[] = {"", ",", "4,", "4,,5", "4-", "-4",
	    "5-4", "256", "4-256", "x", "4 5", "ALL", "4-5-6"};
	enum which which;
	struct idset set;

	(void)state;
	assert_int_equal(peers_of("8", &which, &set), 1);
	assert_int_equal(which, WHICH_LIST);
	assert_true(idset_has(&set, 8));
	assert_int_equal(peers_of("4-20,30,5", &which, &set), 18);
	assert_true(idset_has(&set, 4) && idset_has(&set, 20));
	assert_int_equal(peers_of("0-255", &which, &set), 256);
	assert_int_equal(peers_of("all", &which, &set), 0);
	assert_int_equal(which, WHICH_ALL);
	assert_int_equal(peers_of("random", &which, &set), 0);
	assert_int_equal(which, WHICH_RANDOM);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(peers_of(bad[i], &which, &set), 999);
}

static void
test_table(void **state)
{
	const struct command_info *info;
	bool verbs[64] = {false}, commands[64] = {false};

	(void)state;
	for (info = command_table; info->word; info++) {
		assert_true(info->verb || info->command);
		assert_non_null(info->syntax);
		assert_true(strlen(info->help) > 0 && strlen(info->help) <= 50);
		/* An example that names the word itself. */
		assert_non_null(strstr(info->more, "\n  ringctl "));
		assert_non_null(strstr(info->more, info->word));
		assert_false(info->verb && verbs[info->verb]);
		assert_false(info->command && commands[info->command]);
		verbs[info->verb] = true;
		commands[info->command] = true;
		if (info->verb)
			assert_ptr_equal(
			    command_find(info->word, strlen(info->word), false),
			    info);
		if (info->command)
			assert_ptr_equal(
			    command_find(info->word, strlen(info->word), true),
			    info);
	}
	for (int verb = VERB_UP; verb <= VERB_HELP; verb++)
		assert_non_null(verb_info((enum verb)verb));
	for (int c = COMMAND_STORE; c <= COMMAND_QUIT; c++)
		assert_non_null(command_info((enum command)c));
	assert_null(verb_info(VERB_NONE));
	assert_null(command_info(COMMAND_NONE));
}

static void
nearest_is(const char *text, const char *wanted)
{
	const struct command_info *info;

	info = command_nearest(text, strlen(text), false);
	if (!wanted) {
		assert_null(info);
		return;
	}
	assert_non_null(info);
	assert_string_equal(info->word, wanted);
}

static void
test_nearest(void **state)
{
	(void)state;
	nearest_is("stauts", "status");
	nearest_is("KIL", "kill");
	nearest_is("stor", "store");
	nearest_is("requests", "request");
	nearest_is("xyzzy", NULL);
	nearest_is("", NULL);
	nearest_is("averyveryverylongword", NULL);
}

static char *
slurp(const char *path)
{
	char *text = calloc(1, 1 << 17);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 17) - 1, f) > 0);
	fclose(f);
	return text;
}

/* Every word with its syntax is in the manual page, as mdoc. */
static void
test_manual(void **state)
{
	const char *root = getenv("ROOT");
	const struct command_info *info;
	char path[4096], *text;

	(void)state;
	snprintf(path, sizeof(path), "%s/src/cli/ringctl.1", root ? root : ".");
	text = slurp(path);
	for (info = command_table; info->word; info++) {
		char item[64];

		snprintf(item, sizeof(item), "\n.It Cm %s", info->word);
		if (!strstr(text, item))
			fail_msg("ringctl.1 has no '.It Cm %s'", info->word);
	}
	free(text);
}

/* Every verb is in the README. */
static void
test_readme(void **state)
{
	const char *root = getenv("ROOT");
	const struct command_info *info;
	char path[4096], *text;

	(void)state;
	snprintf(path, sizeof(path), "%s/README.md", root ? root : ".");
	text = slurp(path);
	for (info = command_table; info->word; info++) {
		char item[64];

		snprintf(item, sizeof(item), "%s", info->word);
		if (info->verb && !strstr(text, item))
			fail_msg("README.md does not mention %s", info->word);
	}
	free(text);
}

UNIT_MAIN(TEST(test_commands), TEST(test_refused), TEST(test_names_digits),
    TEST(test_names_any), TEST(test_suffix), TEST(test_any_names_with_blanks),
    TEST(test_numbers), TEST(test_intervals), TEST(test_peers),
    TEST(test_table), TEST(test_nearest), TEST(test_manual), TEST(test_readme))
