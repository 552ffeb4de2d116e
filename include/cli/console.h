#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include "cli/input.h"
#include "cli/print.h"
#include "super/config.h"
#include "super/stream.h"

/*
 * The supervisor's part for a peer of this same process: prints what the peer
 * says, and hands it the commands of standard input. On a thread of its own:
 * neither a terminal nor a folder may hold up the peer. All of this is that
 * thread's alone until it has ended.
 */
enum {
	COMMANDS_MAX = 8, /* typed on a terminal, and not answered yet */
	COMMANDS_QUEUE_MAX = 256 << 10, /* bytes on their way to the peer */
};

/* A command that the peer was given. */
struct typed {
	uint64_t op; /* 0: none */
	uint64_t deadline_us;
	struct command_line line;
	struct output output;
};

struct console {
	const struct options *options;
	struct msg_welcome ring; /* of which only the rules are known */
	uint16_t id;
	int from_fd, to_fd; /* the peer's pipes; not blocking */
	struct inlet inlet;
	struct outlet outlet;
	struct input input;
	struct output output; /* of lines */
	struct typed typed[COMMANDS_MAX];
	unsigned typed_count;
	uint64_t next_op;
	bool served; /* was up; from then on commands are read */
	bool joining; /* joined is to be printed when it is up */
	struct msg_reply joined;
	bool over; /* the peer is gone */
	char why[TEXT_LEN_MAX + 32]; /* it did not start */
	struct message message; /* the one at hand */
};

void console_init(struct console *, const struct options *,
    const struct config *, unsigned id, int from_fd, int to_fd);

/* The thread: a console; returns, NULL, when the peer has hung up. */
void *console_run(void *);

#endif
