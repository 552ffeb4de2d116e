#include <assert.h>
#include <string.h>

#include "cli/options.h"
#include "cli/say.h"

enum setting {
	SET_RING,
	SET_JSON,
	SET_QUIET,
	SET_TIMEOUT,
	SET_HELP,
	SET_VERSION,
	SET_FLAG,
};

/* Every option there is. One of a single verb has its flag. */
static const struct option_info {
	const char *name;
	enum setting set;
	unsigned flag; /* enum option */
	const char *value; /* what follows it, or NULL */
	bool last; /* allowed behind a command's arguments too */
} option_table[] = {
    {"-c", SET_RING, 0, "RING", false},
    {"--json", SET_JSON, 0, NULL, true},
    {"-q", SET_QUIET, 0, NULL, true},
    {"--timeout", SET_TIMEOUT, 0, "SECONDS", true},
    {"-h", SET_HELP, 0, NULL, false},
    {"--help", SET_HELP, 0, NULL, false},
    {"--version", SET_VERSION, 0, NULL, false},
    {"-F", SET_FLAG, OPTION_FOREGROUND, NULL, false},
    {"-n", SET_FLAG, OPTION_CHECK, NULL, false},
    {"--yes", SET_FLAG, OPTION_YES, NULL, false},
    {"-f", SET_FLAG, OPTION_FOLLOW, NULL, false},
    {"-f", SET_FLAG, OPTION_CONFIG, "FILE", false},
    {"--since", SET_FLAG, OPTION_SINCE, "T", false},
    {"--kind", SET_FLAG, OPTION_KIND, "KIND", false},
    {NULL, SET_FLAG, 0, NULL, false},
};

static bool
looks_like_option(const char *arg)
{
	/* "-" is a file, "-1" a bad identifier. */
	return arg[0] == '-' && arg[1] != '\0' &&
	       !(arg[1] >= '0' && arg[1] <= '9');
}

/*
 * The option of this word, if a verb may have it the verb's own (verb may be
 * NULL); *value: what follows its '=', or NULL.
 */
static const struct option_info *
option_find(
    const struct command_info *verb, const char *arg, const char **value)
{
	const struct option_info *info;

	for (info = option_table; info->name; info++) {
		size_t len = strlen(info->name);

		if (strncmp(arg, info->name, len) != 0 ||
		    (info->flag == OPTION_FOLLOW && verb &&
			(verb->options & OPTION_CONFIG)))
			continue;
		if (arg[len] == '\0') {
			*value = NULL;
			return info;
		}
		if (arg[len] == '=' && info->value && arg[1] == '-') {
			*value = arg + len + 1;
			return info;
		}
	}
	return NULL;
}

static int
option_set(struct options *o, const struct option_info *info, const char *value)
{
	struct word w = {value, value ? strlen(value) : 0};

	switch (info->set) {
	case SET_RING:
		o->ring = value;
		return 0;
	case SET_JSON:
		o->json = true;
		return 0;
	case SET_QUIET:
		o->quiet = true;
		return 0;
	case SET_TIMEOUT:
		if (interval_parse(&o->timeout_ms, w, 1, UINT32_MAX / 2) == 0)
			return 0;
		complain("--timeout %s: seconds above 0 are wanted, as in 2.5",
		    value);
		return -1;
	case SET_HELP:
		o->help = true;
		return 0;
	case SET_VERSION:
		o->version = true;
		return 0;
	case SET_FLAG:
		o->flags |= info->flag;
		if (info->flag == OPTION_SINCE)
			o->since = value;
		if (info->flag == OPTION_KIND)
			o->kind = value;
		if (info->flag == OPTION_CONFIG)
			o->config = value;
		return 0;
	}
	assert(false);
	return -1;
}

/* Takes the option at argv[*at] and moves *at behind it. */
static int
option_take(struct options *o, int argc, char **argv, int *at)
{
	const char *value, *arg = argv[*at];
	const struct option_info *info = option_find(o->verb, arg, &value);

	if (!info ||
	    (info->flag && o->verb && !(o->verb->options & info->flag))) {
		complain("%s: no such option%s%s; see `ringctl help%s%s`", arg,
		    o->verb ? " of " : "", o->verb ? o->verb->word : "",
		    o->verb ? " " : "", o->verb ? o->verb->word : "");
		return -1;
	}
	if (info->flag && !o->verb) {
		complain("%s: comes after the verb", arg);
		return -1;
	}
	++*at;
	if (info->value && !value) {
		if (*at >= argc) {
			complain("%s: needs %s", arg, info->value);
			return -1;
		}
		value = argv[(*at)++];
	}
	return option_set(o, info, value);
}

/* Takes --json, -q and --timeout from the end; returns the new end. */
static int
options_last(struct options *o, int from, int argc, char **argv)
{
	for (int i = from; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return argc;
	}
	while (argc > from) {
		const char *value = NULL;
		const struct option_info *info;

		info = option_find(o->verb, argv[argc - 1], &value);
		if (info && info->last && (!info->value || value)) {
			if (option_set(o, info, value) != 0)
				return -1;
			argc--;
			continue;
		}
		if (argc - 1 == from)
			break;
		info = option_find(o->verb, argv[argc - 2], &value);
		if (!info || !info->last || !info->value || value)
			break;
		if (option_set(o, info, argv[argc - 1]) != 0)
			return -1;
		argc -= 2;
	}
	return argc;
}

/* How many arguments there are before all the rest is a command's own. */
static int
args_before_command(const struct command_info *verb)
{
	if (verb->command != COMMAND_NONE)
		return 0;
	for (int i = 0; i < ARGS_MAX; i++) {
		if (verb->args[i] == ARG_COMMAND)
			return i + 1;
	}
	return -1;
}

const struct command_info *
verb_guess(const char *word)
{
	const struct command_info *info, *only = NULL;
	size_t len = strlen(word), count = 0;

	for (info = command_table; info->word; info++) {
		if (info->verb == VERB_NONE ||
		    strncmp(info->word, word, len) != 0)
			continue;
		only = info;
		count++;
	}
	return count == 1 ? only : command_nearest(word, len, false);
}

static int
verb_take(struct options *o, const char *word)
{
	const struct command_info *near;

	o->verb = command_find(word, strlen(word), false);
	if (o->verb)
		return 0;
	near = verb_guess(word);
	if (near)
		complain(
		    "%s: no such verb; did you mean %s?", word, near->word);
	else if (command_find(word, strlen(word), true))
		complain("%s: a peer's own command; say `ringctl exec PEER "
			 "%s`",
		    word, word);
	else
		complain("%s: no such verb; `ringctl help` lists them", word);
	return -1;
}

int
options_parse(struct options *o, int argc, char **argv)
{
	bool only_args = false;
	int at = 1, first, own;

	*o = (struct options){0};
	while (at < argc && looks_like_option(argv[at]) &&
	       strcmp(argv[at], "--") != 0) {
		if (option_take(o, argc, argv, &at) != 0)
			return -1;
	}
	if (at < argc && strcmp(argv[at], "--") == 0)
		at++;
	if (at >= argc)
		return 0;
	if (verb_take(o, argv[at]) != 0)
		return -1;
	first = ++at;
	argc = options_last(o, first, argc, argv);
	if (argc < 0)
		return -1;
	own = args_before_command(o->verb);
	while (at < argc) {
		bool rest = own >= 0 && o->arg_count >= own;

		if (!only_args && strcmp(argv[at], "--") == 0) {
			only_args = true;
			at++;
		} else if (!only_args && !rest && looks_like_option(argv[at])) {
			if (option_take(o, argc, argv, &at) != 0)
				return -1;
		} else if (o->arg_count == OPTIONS_ARGS_MAX) {
			complain("%s: too many arguments", argv[at]);
			return -1;
		} else {
			o->args[o->arg_count++] = argv[at++];
		}
	}
	return 0;
}
