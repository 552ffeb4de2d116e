#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines of standard input, whatever it is; no call waits for any. */
enum {
	INPUT_LINE_MAX = 8192, /* bytes, its newline included */
	INPUT_AGAIN_US = 1000000, /* to the next look at a terminal */
};

struct input {
	int fd; /* -1: there is no more to read */
	bool terminal;
	bool skipping; /* the rest of a line that is too long */
	uint64_t again_us; /* not to be read before */
	size_t start, end; /* of what was read and not yet taken */
	char data[INPUT_LINE_MAX];
};

/* Whatever else reads or writes the same terminal or pipe is not disturbed. */
void input_open(struct input *);
void input_close(struct input *);

/*
 * One read, when poll says so and input_next has returned 0. The end of a
 * terminal's input (Ctrl-D), or a job in front of it, is not for ever.
 */
void input_fill(struct input *, uint64_t now_us);

/*
 * The next line, without its end, valid until the next fill: 1; 0: none is
 * there; -1: one that is too long, which is left out.
 */
int input_next(struct input *, const char **line, size_t *len);

#endif
