#include <assert.h>
#include <string.h>

#include "wire/command.h"

enum {
	WORD_LEN_MAX = 16, /* bytes of a word worth comparing */
	NEAR_MAX = 2, /* edits to the nearest word */
};

const struct command_info *
verb_info(enum verb verb)
{
	const struct command_info *info;

	for (info = command_table; info->word; info++) {
		if (verb != VERB_NONE && info->verb == verb)
			return info;
	}
	return NULL;
}

const struct command_info *
command_info(enum command command)
{
	const struct command_info *info;

	for (info = command_table; info->word; info++) {
		if (command != COMMAND_NONE && info->command == command)
			return info;
	}
	return NULL;
}

static bool
row_is(const struct command_info *info, bool peers)
{
	return peers ? info->command != COMMAND_NONE : info->verb != VERB_NONE;
}

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool
word_equal(const char *word, const char *text, size_t len)
{
	if (strlen(word) != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (lower(text[i]) != word[i])
			return false;
	}
	return true;
}

const struct command_info *
command_find(const char *word, size_t len, bool peers)
{
	const struct command_info *info;

	for (info = command_table; info->word; info++) {
		if (row_is(info, peers) && word_equal(info->word, word, len))
			return info;
	}
	return NULL;
}

/*
 * Insertions, deletions, changes and swaps of neighbours that make a of b
 * (optimal string alignment).
 */
static unsigned
edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned d[WORD_LEN_MAX + 1][WORD_LEN_MAX + 1];

	assert(a_len <= WORD_LEN_MAX && b_len <= WORD_LEN_MAX);
	for (size_t i = 0; i <= a_len; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= b_len; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			char x = lower(a[i - 1]), y = b[j - 1];
			unsigned best = d[i - 1][j - 1] + (x != y);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && x == b[j - 2] &&
			    lower(a[i - 2]) == y && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[a_len][b_len];
}

const struct command_info *
command_nearest(const char *word, size_t len, bool peers)
{
	const struct command_info *info, *nearest = NULL;
	unsigned fewest = NEAR_MAX + 1;

	if (len > WORD_LEN_MAX)
		return NULL;
	for (info = command_table; info->word; info++) {
		size_t info_len = strlen(info->word);
		unsigned n;

		if (!row_is(info, peers))
			continue;
		n = edits(word, len, info->word, info_len);
		/* A word of which nothing is left is not near. */
		if (n < fewest && n < info_len && n < len) {
			fewest = n;
			nearest = info;
		}
	}
	return nearest;
}

void
command_suffix(
    struct suffix *out, const struct name *name, const char *path, size_t len)
{
	const char *base = path + len, *dot = NULL;
	size_t base_len, suffix_len;

	memset(out, 0, sizeof(*out));
	while (base > path && base[-1] != '/')
		base--;
	base_len = (size_t)(path + len - base);
	if (base_len >= name->len && memcmp(base, name->text, name->len) == 0 &&
	    (base_len == name->len || base[name->len] == '.')) {
		dot = base + name->len;
	} else {
		/* A dot in front hides a file and begins no suffix. */
		for (size_t i = 1; i < base_len; i++)
			if (base[i] == '.')
				dot = base + i;
	}
	if (!dot)
		return;
	suffix_len = (size_t)(path + len - dot);
	if (suffix_len < 2 || suffix_len > SUFFIX_LEN_MAX)
		return;
	memcpy(out->text, dot, suffix_len);
	out->len = (uint8_t)suffix_len;
}

static int
path_parse(struct path *out, struct word w, struct text *error)
{
	if (w.len > 0 && w.len <= PATH_LEN_MAX &&
	    !memchr(w.text, '\0', w.len)) {
		memcpy(out->text, w.text, w.len);
		out->len = (uint16_t)w.len;
		return 0;
	}
	text_add(error, "file ");
	text_add_word(error, w);
	text_add(error, ": a path is 1 to 4095 bytes");
	return -1;
}

static int
arg_parse(struct command_line *line, enum arg arg, struct word w,
    const struct command_rules *rules, struct text *error)
{
	switch (arg) {
	case ARG_NAME:
		return name_parse(&line->name, w, rules->any_names, error);
	case ARG_FILE:
		return path_parse(&line->path, w, error);
	case ARG_ID:
		return id_parse(&line->id, w, rules->bits, error);
	case ARG_NONE:
	case ARG_CONFIG:
	case ARG_PEERS:
	case ARG_COMMAND:
	case ARG_INTERVAL:
	case ARG_GOAL:
	case ARG_WORD:
	case ARG_START:
		break;
	}
	/* No row of a peer's own command has such an argument. */
	assert(false);
	return -1;
}

static int
unknown(struct word w, struct text *error)
{
	const struct command_info *near = command_nearest(w.text, w.len, true);

	text_add(error, "command ");
	text_add_word(error, w);
	text_add(error, ": no such command");
	if (near) {
		text_add(error, "; did you mean ");
		text_add(error, near->word);
		text_add(error, "?");
	}
	return -1;
}

static int
usage(const struct command_info *info, struct text *error)
{
	text_add(error, "usage: ");
	text_add(error, info->word);
	text_add(error, info->syntax[0] ? " " : "");
	text_add(error, info->syntax);
	return -1;
}

static unsigned
args_max(const struct command_info *info)
{
	unsigned n = 0;

	while (n < ARGS_MAX && info->args[n] != ARG_NONE)
		n++;
	return n;
}

int
command_parse(struct command_line *out, const struct word *words, size_t count,
    const struct command_rules *rules, struct text *error)
{
	const struct command_info *info;
	struct command_line line;

	memset(&line, 0, sizeof(line));
	memset(error, 0, sizeof(*error));
	if (count == 0) {
		text_add(error, "no command given");
		return -1;
	}
	info = command_find(words[0].text, words[0].len, true);
	if (!info)
		return unknown(words[0], error);
	if (count - 1 < info->required || count - 1 > args_max(info))
		return usage(info, error);
	for (size_t i = 1; i < count; i++) {
		if (arg_parse(
			&line, info->args[i - 1], words[i], rules, error) != 0)
			return -1;
	}
	line.command = info->command;
	if (line.command == COMMAND_STORE)
		command_suffix(
		    &line.suffix, &line.name, line.path.text, line.path.len);
	*out = line;
	return 0;
}

/* The next word at *at; *at moves behind it. 0: no more, -1: no end quote. */
static int
word_next(struct word *w, const char *line, size_t len, size_t *at)
{
	size_t i = *at;
	const char *end;

	while (i < len && (line[i] == ' ' || line[i] == '\t'))
		i++;
	if (i == len)
		return 0;
	if (line[i] == '"') {
		w->text = line + i + 1;
		end = memchr(w->text, '"', len - i - 1);
		if (!end)
			return -1;
		w->len = (size_t)(end - w->text);
		*at = i + w->len + 2;
		return 1;
	}
	w->text = line + i;
	while (i < len && line[i] != ' ' && line[i] != '\t')
		i++;
	w->len = (size_t)(line + i - w->text);
	*at = i;
	return 1;
}

int
command_parse_line(struct command_line *out, const char *line, size_t len,
    const struct command_rules *rules, struct text *error)
{
	struct word words[COMMAND_WORDS_MAX];
	size_t count = 0, at = 0;

	memset(error, 0, sizeof(*error));
	for (;;) {
		struct word w;
		int got = word_next(&w, line, len, &at);

		if (got < 0) {
			text_add(error, "a quote is opened and not closed");
			return -1;
		}
		if (got == 0)
			break;
		if (count == COMMAND_WORDS_MAX) {
			text_add(error, "too many words");
			return -1;
		}
		words[count++] = w;
	}
	return command_parse(out, words, count, rules, error);
}
