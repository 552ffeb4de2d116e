#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "wire/command.h"
#include "wire/words.h"

enum { LINE_MAX_BYTES = 2 * PATH_LEN_MAX };

/* A line of its own making, to be read back. */
struct line {
	size_t len;
	char text[LINE_MAX_BYTES + 32];
};

static void
line_add(struct line *l, const char *s, size_t len)
{
	assert(l->len + len <= sizeof(l->text));
	memcpy(l->text + l->len, s, len);
	l->len += len;
}

static void
line_word(struct line *l, const char *s, size_t len)
{
	int quote = len == 0 || memchr(s, ' ', len) != NULL ||
		    memchr(s, '\t', len) != NULL;

	line_add(l, " ", l->len > 0);
	line_add(l, "\"", quote ? 1 : 0);
	line_add(l, s, len);
	line_add(l, "\"", quote ? 1 : 0);
}

static void
line_number(struct line *l, uint64_t value)
{
	struct text digits = {0, ""};

	text_add_number(&digits, value);
	line_add(l, digits.text, digits.len);
}

static void
check_error(const struct text *error)
{
	assert(error->len > 0 && error->len <= TEXT_LEN_MAX);
	assert(strlen(error->text) == error->len);
	for (const char *s = error->text; *s != '\0'; s++)
		assert((unsigned char)*s >= ' ' && *s != 0x7f);
}

static void
check_values(const struct command_line *c, const struct command_rules *rules)
{
	const struct suffix *suffix = &c->suffix;
	struct text error;
	struct name name;

	assert(command_info(c->command) != NULL);
	assert(c->id < 1u << rules->bits);
	assert(strlen(c->path.text) == c->path.len);
	if (c->name.len > 0) {
		struct word w = {c->name.text, c->name.len};

		assert(name_parse(&name, w, rules->any_names, &error) == 0);
		assert(name_cmp(&name, &c->name) == 0);
	}
	if (suffix->len > 0) {
		assert(c->command == COMMAND_STORE);
		assert(suffix->text[0] == '.' && suffix->len > 1);
		assert(suffix->len <= c->path.len);
		assert(memcmp(c->path.text + c->path.len - suffix->len,
			   suffix->text, suffix->len) == 0);
	}
}

/* What was understood, written down and read again, is the same. */
static void
check_reads_back(
    const struct command_line *c, const struct command_rules *rules)
{
	static struct command_line back;
	const struct command_info *info = command_info(c->command);
	struct line line = {0, ""};
	struct text error;

	line_word(&line, info->word, strlen(info->word));
	if (info->args[0] == ARG_ID) {
		line_add(&line, " ", 1);
		line_number(&line, c->id);
	}
	if (c->name.len > 0)
		line_word(&line, c->name.text, c->name.len);
	if (c->path.len > 0)
		line_word(&line, c->path.text, c->path.len);
	assert(
	    command_parse_line(&back, line.text, line.len, rules, &error) == 0);
	assert(back.command == c->command);
	assert(back.id == c->id);
	assert(name_cmp(&back.name, &c->name) == 0);
	assert(strcmp(back.path.text, c->path.text) == 0);
	assert(strcmp(back.suffix.text, c->suffix.text) == 0);
}

static void
check_command(struct word w, const struct command_rules *rules)
{
	static struct command_line got, before;
	struct text error;

	memset(&before, 0xa5, sizeof(before));
	memcpy(&got, &before, sizeof(got));
	if (command_parse_line(&got, w.text, w.len, rules, &error) != 0) {
		check_error(&error);
		assert(same(&got, &before, sizeof(got)));
		return;
	}
	check_values(&got, rules);
	check_reads_back(&got, rules);
}

static void
check_peers(struct word w, unsigned bits)
{
	static char text[SPACE_MAX * 6];
	struct idset set, back;
	struct text error;
	enum which which;
	size_t len = 0;
	int id;

	if (peers_parse(&which, &set, w, bits, &error) != 0) {
		check_error(&error);
		return;
	}
	if (which != WHICH_LIST) {
		assert(which == WHICH_ALL || which == WHICH_RANDOM);
		return;
	}
	for (id = idset_next(&set, 0); id >= 0;
	     id = idset_next(&set, (unsigned)id + 1)) {
		struct line one = {0, ""};

		assert(id < 1 << bits);
		line_number(&one, (uint64_t)id);
		line_add(&one, ",", 1);
		memcpy(text + len, one.text, one.len);
		len += one.len;
	}
	assert(len > 0);
	w = (struct word){text, len - 1};
	assert(peers_parse(&which, &back, w, bits, &error) == 0);
	assert(memcmp(&set, &back, sizeof(set)) == 0);
}

static void
check_interval(struct word w)
{
	enum { HOUR_MS = 3600000 };
	struct line line = {0, ""};
	uint32_t ms, back;

	if (interval_parse(&ms, w, 1, HOUR_MS) != 0)
		return;
	assert(ms >= 1 && ms <= HOUR_MS);
	line_number(&line, ms);
	line_add(&line, "ms", 2);
	w = (struct word){line.text, line.len};
	assert(interval_parse(&back, w, 1, HOUR_MS) == 0);
	assert(back == ms);
}

/* The first byte says which rules hold. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct command_rules rules;
	struct word w;

	if (len == 0 || len > LINE_MAX_BYTES)
		return 0;
	rules.any_names = (data[0] & 1) != 0;
	rules.bits = (uint8_t)(1 + (data[0] >> 1) % BITS_MAX);
	w = (struct word){(const char *)data + 1, len - 1};
	check_command(w, &rules);
	check_peers(w, rules.bits);
	check_interval(w);
	return 0;
}
