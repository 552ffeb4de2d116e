#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/codes.h"
#include "wire/message.h"
#include "wire/words.h"

/* One table of all a user can say: verbs, and a peer's own commands. */
enum verb {
	VERB_NONE,
	VERB_UP,
	VERB_DOWN,
	VERB_WIPE,
	VERB_STATUS,
	VERB_LIST,
	VERB_EXEC,
	VERB_STORE,
	VERB_REQUEST,
	VERB_REMOVE,
	VERB_OWNER,
	VERB_FILES,
	VERB_JOIN,
	VERB_QUIT,
	VERB_KILL,
	VERB_START,
	VERB_PAUSE,
	VERB_RESUME,
	VERB_WAIT,
	VERB_EVENTS,
	VERB_LOGS,
	VERB_HELP,
	VERB_PEER,
	VERB_CHECK,
};

/* What an argument is. */
enum arg {
	ARG_NONE,
	ARG_CONFIG, /* a config file's path */
	ARG_PEERS, /* 8, 4-20,30, all, random */
	ARG_COMMAND, /* a peer's own command and all that follows it */
	ARG_NAME, /* a file's name in the ring */
	ARG_FILE, /* a path of the caller's, or - */
	ARG_ID, /* an identifier in [0, 2^bits) */
	ARG_INTERVAL, /* 50ms, 2s, 1m, 1h; a bare number is seconds */
	ARG_GOAL, /* whole, ready, down */
	ARG_WORD, /* a word of this table */
	ARG_START, /* init, join */
};

/* Options of single verbs. */
enum option {
	OPTION_FOREGROUND = 1, /* -F */
	OPTION_CHECK = 2, /* -n */
	OPTION_YES = 4, /* --yes */
	OPTION_FOLLOW = 8, /* -f */
	OPTION_SINCE = 16, /* --since T */
	OPTION_KIND = 32, /* --kind K */
	OPTION_CONFIG = 64, /* -f FILE */
};

/* Who carries it out. */
enum where {
	WHERE_CLIENT, /* ringctl itself */
	WHERE_SUPERVISOR, /* the supervisor, of the ring or of peers */
	WHERE_PEER, /* one peer, by way of the supervisor */
	WHERE_PEERS, /* each peer of a set, likewise */
};

enum { ARGS_MAX = 5 };

struct command_info {
	enum verb verb; /* VERB_NONE: no verb, only after exec */
	enum command command; /* COMMAND_NONE: no command of a peer */
	const char *word;
	const char *syntax; /* of its options and arguments */
	enum arg args[ARGS_MAX];
	unsigned required; /* arguments that can't be left out */
	unsigned options; /* enum option */
	enum where where;
	const char *help; /* one line */
	const char *more; /* paragraphs, with an example */
};

/* Every row, ended by one whose word is NULL. */
extern const struct command_info command_table[];

/* The row of a verb or of a peer's command, by code; NULL: none. */
const struct command_info *verb_info(enum verb);
const struct command_info *command_info(enum command);

/*
 * The row that a word names among the verbs or (peers) among a peer's own
 * commands, in any case; NULL: none.
 */
const struct command_info *command_find(
    const char *word, size_t len, bool peers);

/* The nearest word of the same rows, or NULL. */
const struct command_info *command_nearest(
    const char *word, size_t len, bool peers);

/* A peer's own command, checked. */
struct command_line {
	enum command command;
	struct name name; /* store, request, remove, owner */
	struct path path; /* FILE as typed; empty: none was given. On its
				 way to a peer: absolute, and after request
				 a folder (ending in '/') stands for the
				 file received_NAME and its suffix there */
	struct suffix suffix; /* store: what command_suffix() makes of path */
	uint16_t id; /* ping */
};

enum { COMMAND_WORDS_MAX = 8 };

/*
 * Parses a peer's own command. 0, or -1 with one line that says what is wrong
 * and what is right; out is written only when all of it is good.
 */
int command_parse(struct command_line *out, const struct word *words,
    size_t count, const struct command_rules *, struct text *error);

/*
 * The same for a line of text without its newline: words are separated by
 * blanks, a word in double quotes may hold blanks. An empty line is an error.
 */
int command_parse_line(struct command_line *out, const char *line, size_t len,
    const struct command_rules *, struct text *error);

/*
 * The suffix that a file keeps: of 2067.tar.gz stored as 2067 it is .tar.gz,
 * of report.pdf stored as 2067 .pdf; none if it would be too long.
 */
void command_suffix(
    struct suffix *out, const struct name *, const char *path, size_t len);

#endif
