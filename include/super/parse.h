#ifndef SUPER_PARSE_H
#define SUPER_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "super/config.h"
#include "wire/words.h"

/* The inside of the config parser: shared by its two files only. */
enum { DIRECTIVES_MAX = 16 };

struct parser {
	struct config *config;
	struct config_sink *sink;
	const char *name; /* of the file */
	unsigned line; /* counting from 1 */
	unsigned errors;
	unsigned bits; /* that the file says somewhere */
	unsigned said[DIRECTIVES_MAX]; /* the line of each; 0: not yet */
	unsigned peer_line[SPACE_MAX]; /* likewise */
};

/* One row for each directive. */
struct directive {
	const char *word;
	/* value: all that follows, trimmed, not empty. */
	void (*set)(struct parser *, struct word value);
	bool repeated; /* may be said again */
	const char *syntax;
};

extern const struct directive config_directives[];

/* `FILE:LINE: what value: why`; what and value may be empty. */
void parse_error(struct parser *, const char *what, struct word value,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The next blank-separated word of *rest, which moves on; len 0: none. */
struct word parse_word(struct word *rest);

#endif
