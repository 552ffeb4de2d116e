#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "wire/command.h"

/*
 * The caller's side of store and request: which file is meant, by an absolute
 * path that a peer can open. Each returns an exit status and says itself what
 * is wrong.
 */

/*
 * store: finds the source, checks that it can be read, and makes line's path
 * and suffix of it. *spool: -1, or for standard input a descriptor of the
 * unnamed file that holds it now and must stay open.
 */
int source_resolve(struct command_line *, int *spool);

/* Makes line's path absolute. */
int path_absolute(struct command_line *);

/* A folder of our own for a file on its way to standard output. */
struct passage {
	char dir[PATH_LEN_MAX + 1]; /* empty: none */
	char file[PATH_LEN_MAX + 1]; /* in it */
};

/* request: makes the target absolute; for - in a passage's folder. */
int target_resolve(struct command_line *, struct passage *);

/*
 * A file that came is its caller's alone: gives it the permissions of any
 * other that the caller makes. Whatever else lies at path stays as it is.
 */
void target_done(const char *path);

/* Copies what came to standard output. */
int passage_deliver(struct passage *);

/* Removes the folder and all in it. */
void passage_close(struct passage *);

#endif
