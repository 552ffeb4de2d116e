#include <string.h>

#include "cli/options.h"
#include "unit.h"

enum { WORDS_MAX = 16 };

static char words[WORDS_MAX][32];
static char *argv[WORDS_MAX + 1];
static struct options o;

/* A command line of words separated by blanks. */
static int
parse(const char *line)
{
	int argc = 0;

	while (*line != '\0') {
		size_t len = strcspn(line, " ");

		assert_in_range(argc, 0, WORDS_MAX - 1);
		assert_true(len < sizeof(words[0]));
		memcpy(words[argc], line, len);
		words[argc][len] = '\0';
		argv[argc] = words[argc];
		argc++;
		line += len + strspn(line + len, " ");
	}
	argv[argc] = NULL;
	return options_parse(&o, argc, argv);
}

static void
args_are(int count, const char *first, const char *last)
{
	assert_int_equal(o.arg_count, count);
	if (count == 0)
		return;
	assert_string_equal(o.args[0], first);
	assert_string_equal(o.args[count - 1], last);
}

static void
options_before_the_verb(void **state)
{
	(void)state;
	assert_int_equal(
	    parse("ringctl -c lab --json -q --timeout 2.5 status 8"), 0);
	assert_string_equal(o.ring, "lab");
	assert_true(o.json && o.quiet);
	assert_int_equal(o.timeout_ms, 2500);
	assert_int_equal(o.verb->verb, VERB_STATUS);
	args_are(1, "8", "8");
}

static void
options_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(
	    parse("ringctl exec 4 request 2067 --json --timeout 3 -q"), 0);
	assert_true(o.json && o.quiet);
	assert_int_equal(o.timeout_ms, 3000);
	args_are(3, "4", "2067");
	assert_int_equal(parse("ringctl store 2067 --timeout=1m"), 0);
	assert_int_equal(o.timeout_ms, 60000);
	args_are(1, "2067", "2067");
}

/* What stands between a command's own words is the command's. */
static void
options_of_commands_are_words(void **state)
{
	(void)state;
	assert_int_equal(parse("ringctl exec 4 store -q 2067"), 0);
	assert_false(o.quiet);
	args_are(4, "4", "2067");
	assert_int_equal(parse("ringctl store 2067 -"), 0);
	args_are(2, "2067", "-");
	assert_int_equal(parse("ringctl store 2067 -- --json"), 0);
	assert_false(o.json);
	args_are(2, "2067", "--json");
}

static void
options_of_verbs(void **state)
{
	(void)state;
	assert_int_equal(parse("ringctl up -F -n ring.conf"), 0);
	assert_int_equal(o.flags, OPTION_FOREGROUND | OPTION_CHECK);
	args_are(1, "ring.conf", "ring.conf");
	assert_int_equal(
	    parse("ringctl events -f --kind dead --since=5m 8"), 0);
	assert_int_equal(o.flags, OPTION_FOLLOW | OPTION_KIND | OPTION_SINCE);
	assert_string_equal(o.kind, "dead");
	assert_string_equal(o.since, "5m");
	args_are(1, "8", "8");
	/* -f takes a value here, and none there. */
	assert_int_equal(parse("ringctl peer init -f x.conf 2 4 5 30 -q"), 0);
	assert_int_equal(o.flags, OPTION_CONFIG);
	assert_string_equal(o.config, "x.conf");
	assert_true(o.quiet);
	args_are(5, "init", "30");
}

static void
nothing_or_help(void **state)
{
	(void)state;
	assert_int_equal(parse("ringctl"), 0);
	assert_null(o.verb);
	assert_int_equal(o.arg_count, 0);
	assert_int_equal(parse("ringctl --version"), 0);
	assert_true(o.version);
	assert_int_equal(parse("ringctl --help"), 0);
	assert_true(o.help);
}

static void
bad_options(void **state)
{
	static const char *const bad[] = {
	    "ringctl -x status",
	    "ringctl status -F",
	    "ringctl -F up ring.conf",
	    "ringctl --timeout",
	    "ringctl --timeout 0 status",
	    "ringctl --timeout -1 status",
	    "ringctl --timeout x status",
	    "ringctl status --timeout x",
	    "ringctl -c",
	    "ringctl events --kind",
	    "ringctl peer init 2 4 5 -f",
	    "ringctl stauts",
	    "ringctl frobnicate",
	    "ringctl ring",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i]) != -1)
			fail_msg("%s: accepted", bad[i]);
	/* A bad identifier, not an option. */
	assert_int_equal(parse("ringctl kill -1"), 0);
	args_are(1, "-1", "-1");
}

static void
guesses(void **state)
{
	(void)state;
	assert_string_equal(verb_guess("stat")->word, "status");
	assert_string_equal(verb_guess("ev")->word, "events");
	assert_string_equal(verb_guess("stauts")->word, "status");
	assert_null(verb_guess("frobnicate"));
	assert_null(verb_guess("ping"));
}

UNIT_MAIN(TEST(options_before_the_verb), TEST(options_at_the_end),
    TEST(options_of_commands_are_words), TEST(options_of_verbs),
    TEST(nothing_or_help), TEST(bad_options), TEST(guesses))
