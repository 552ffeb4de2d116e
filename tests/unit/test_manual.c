#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "super/parse.h"
#include "unit.h"
#include "wire/command.h"

/* What is written about ringctl, against the tables that it works by. */
enum { LINES_MAX = 2000 };

static char text[256 * 1024];
static char *lines[LINES_MAX];
static size_t count;

/* Tests run at the root of the source. */
static void
load(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t len;

	if (f == NULL)
		fail_msg("%s: can't be read", path);
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	assert_true(len > 0 && len < sizeof(text) - 1);
	text[len] = '\0';
	count = 0;
	for (char *s = text; *s != '\0';) {
		size_t n = strcspn(s, "\n");

		assert_in_range(count, 0, LINES_MAX - 1);
		lines[count++] = s;
		s += n;
		if (*s == '\n')
			*s++ = '\0';
	}
}

/* Does line i begin an item of a section: `.It Cm WORD`? Its word. */
static const char *
item(size_t i, const char *section, const char *macro)
{
	static char word[64];
	size_t len = strlen(macro);
	const char *s;

	for (size_t j = i; j-- > 0;) {
		if (strncmp(lines[j], ".Sh ", 4) != 0)
			continue;
		if (strcmp(lines[j] + 4, section) != 0)
			return NULL;
		break;
	}
	if (strncmp(lines[i], ".It ", 4) != 0 ||
	    strncmp(lines[i] + 4, macro, len) != 0 || lines[i][4 + len] != ' ')
		return NULL;
	s = lines[i] + 4 + len + 1;
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(s, " "), s);
	return word;
}

/* The one line of such an item, or a failure. */
static const char *
item_line(const char *section, const char *macro, const char *word)
{
	const char *line = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *found = item(i, section, macro);

		if (found == NULL || strcmp(found, word) != 0)
			continue;
		if (line != NULL)
			fail_msg("%s: %s is there twice", section, word);
		line = lines[i];
	}
	if (line == NULL)
		fail_msg("%s: %s is missing", section, word);
	return line;
}

static size_t
words_of(const char *line, const char *word)
{
	size_t n = 0;

	for (const char *s = line; (s = strstr(s, word)) != NULL; s++)
		n++;
	return n;
}

static void
options_agree(const char *line, const struct command_info *info)
{
	static const struct {
		enum option option;
		const char *text;
	} options[] = {
	    {OPTION_FOREGROUND, "Fl F "},
	    {OPTION_CHECK, "Fl n "},
	    {OPTION_YES, "Fl -yes "},
	    {OPTION_FOLLOW, "Fl f "},
	    {OPTION_SINCE, "Fl -since "},
	    {OPTION_KIND, "Fl -kind "},
	    {OPTION_CONFIG, "Fl f "},
	};
	size_t want = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if ((info->options & options[i].option) == 0)
			continue;
		want++;
		if (words_of(line, options[i].text) != 1)
			fail_msg("%s: not '%s' once", line, options[i].text);
	}
	assert_int_equal(words_of(line, "Fl "), want);
}

static void
section_agrees(const char *section, bool peers)
{
	const struct command_info *info;

	for (info = command_table; info->word != NULL; info++) {
		if (peers ? info->command != COMMAND_NONE
			  : info->verb != VERB_NONE)
			options_agree(
			    item_line(section, "Cm", info->word), info);
	}
	for (size_t i = 0; i < count; i++) {
		const char *word = item(i, section, "Cm");

		if (word != NULL &&
		    command_find(word, strlen(word), peers) == NULL)
			fail_msg("%s: there is no %s", section, word);
	}
}

static void
manual_has_every_verb(void **state)
{
	(void)state;
	load("src/cli/ringctl.1");
	section_agrees("VERBS", false);
	section_agrees("COMMANDS", true);
}

static bool
section_says(const char *section, const char *macro, const char *word)
{
	bool inside = false;
	size_t len = strlen(word), skip = strlen(macro);

	for (size_t i = 0; i < count; i++) {
		const char *s = lines[i] + skip;

		if (strncmp(lines[i], ".Sh ", 4) == 0)
			inside = strcmp(lines[i] + 4, section) == 0;
		else if (inside && strncmp(lines[i], macro, skip) == 0 &&
			 strncmp(s, word, len) == 0 &&
			 (s[len] == ' ' || s[len] == '\0'))
			return true;
	}
	return false;
}

static void
manual_has_every_event(void **state)
{
	(void)state;
	load("src/cli/ringctl.1");
	for (unsigned kind = 0; kind < EVENT_KINDS; kind++)
		if (!section_says("EVENTS", ".Cm ", event_kind_name(kind)))
			fail_msg(
			    "EVENTS: %s is missing", event_kind_name(kind));
}

static void
manual_has_every_directive(void **state)
{
	const struct directive *d;

	(void)state;
	load("src/super/ring.conf.5");
	for (d = config_directives; d->word != NULL; d++)
		item_line("DESCRIPTION", "Ic", d->word);
	for (size_t i = 0; i < count; i++) {
		const char *word = item(i, "DESCRIPTION", "Ic");

		if (word == NULL)
			continue;
		for (d = config_directives;
		     d->word != NULL && strcmp(d->word, word) != 0; d++)
			;
		if (d->word == NULL)
			fail_msg("DESCRIPTION: there is no %s", word);
	}
}

/* The verb of `$ ringctl -c lab --json status`, or NULL: it has none. */
static const char *
verb_of(const char *line, char word[32])
{
	const char *s = strstr(line, "ringctl ");

	for (s += strlen("ringctl "); *s == '-';) {
		bool value = strncmp(s, "-c ", 3) == 0 ||
			     strncmp(s, "--timeout ", 10) == 0;

		s += strcspn(s, " ");
		s += strspn(s, " ");
		if (value) {
			s += strcspn(s, " ");
			s += strspn(s, " ");
		}
	}
	snprintf(word, 32, "%.*s", (int)strcspn(s, " \n"), s);
	return word[0] != '\0' ? word : NULL;
}

static void
readme_says_only_what_works(void **state)
{
	unsigned examples = 0;

	(void)state;
	load("README.md");
	for (size_t i = 0; i < count; i++) {
		const char *verb, *shown = lines[i] + strspn(lines[i], " ");
		char word[32];

		if (strncmp(shown, "$ ", 2) != 0 ||
		    strstr(lines[i], "ringctl ") == NULL)
			continue;
		examples++;
		verb = verb_of(lines[i], word);
		if (verb != NULL &&
		    command_find(verb, strlen(verb), false) == NULL)
			fail_msg("README.md: %s: no such verb", lines[i]);
	}
	assert_true(examples > 0);
}

UNIT_MAIN(TEST(manual_has_every_verb), TEST(manual_has_every_event),
    TEST(manual_has_every_directive), TEST(readme_says_only_what_works))
