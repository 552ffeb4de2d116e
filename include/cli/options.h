#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/command.h"

enum { OPTIONS_ARGS_MAX = COMMAND_WORDS_MAX + 2 };

/* A command line, taken apart. Strings point into argv. */
struct options {
	const char *ring; /* -c, or NULL */
	bool json, quiet; /* --json, -q */
	bool help, version; /* -h or --help, --version */
	uint32_t timeout_ms; /* --timeout; 0: the verb's own */
	unsigned flags; /* enum option */
	const char *since; /* of OPTION_SINCE */
	const char *kind; /* of OPTION_KIND */
	const char *config; /* of OPTION_CONFIG */
	const struct command_info *verb; /* NULL: none was given */
	const char *args[OPTIONS_ARGS_MAX]; /* what follows it */
	int arg_count;
};

/*
 * Options come before the command word; --json, -q and --timeout also last.
 * All else that follows a peer's own command is its arguments. 0, or -1 after
 * saying on standard error what is wrong.
 */
int options_parse(struct options *, int argc, char **argv);

/* The verb that was meant: the only one that begins so, or one like it. */
const struct command_info *verb_guess(const char *word);

#endif
