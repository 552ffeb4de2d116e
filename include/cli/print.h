#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/client.h"
#include "cli/json.h"
#include "cli/options.h"
#include "wire/command.h"
#include "wire/message.h"

/* The files of one peer, as its replies name them. */
struct listing {
	uint16_t peer;
	size_t count;
	struct record *at;
	struct listing *next;
};

/* What became of one peer, for verbs of the supervisor. */
struct outcome {
	uint16_t peer;
	bool ok;
	uint64_t us;
	struct text text;
};

/* One answer on its way to standard output. */
struct output {
	const struct printer *printer;
	const struct options *options;
	const struct msg_welcome *ring;
	const struct command_line *line; /* of exec; else NULL */
	bool name_peers; /* several, or one that the caller did not name */
	bool in_order; /* replies wait, and are printed by peer at the end */
	bool to_stdout; /* request - : standard output is the file's */
	char here[PATH_LEN_MAX + 1]; /* the caller's folder */
	struct json json;

	/* Gathered until the result: what comes in parts. */
	struct msg_status status;
	size_t peer_count;
	struct msg_peer *peers;
	struct listing *listings;
	size_t outcome_count;
	struct outcome *outcomes;
	struct ids route; /* of a join request; empty: not known */
	bool has_cost, has_verdict;
	struct msg_verdict verdict; /* of a check */
	struct msg_cost cost; /* of a kill */
	unsigned replies; /* of peers to exec */
	size_t held_count;
	struct msg_reply **held; /* until the end, when in_order */
	int exit; /* enum exit_status, the first that is not 0 */
};

/* Text and JSON are two tables of these; one walk calls them. */
struct printer {
	void (*status)(struct output *);
	void (*reply)(struct output *, const struct msg_reply *);
	void (*files)(struct output *, const struct listing *,
	    const struct msg_reply *last);
	void (*event)(struct output *, const struct msg_event *);
	void (*line)(struct output *, const struct msg_line *);
	void (*finding)(struct output *, const struct msg_finding *);
	void (*result)(struct output *, const struct msg_result *);
};

extern const struct printer print_text, print_json;

/* line: of exec, or NULL. */
void output_init(struct output *, const struct options *,
    const struct msg_welcome *, const struct command_line *line);
void output_free(struct output *);

/* Prints replies that were held. */
void output_end(struct output *);

/* Hands one message of an answer to the printer. */
void output_message(struct output *, const struct message *);

/*
 * Reads the answer to a call up to its result, and prints it. Returns the
 * exit status; *dropped, if it is not NULL, says that the supervisor hung up.
 */
int output_answer(struct output *, struct client *, bool *dropped);

/* How both printers show things. */
const char *shown_path(const struct output *, const char *path);
bool peer_is_gone(const struct msg_peer *); /* no process: no successors */
const char *shown_time(uint64_t us, char *out, size_t size);

/* A refusal in words: `peer 4: request 2067: no such file`. */
void refusal(
    const struct output *, const struct msg_reply *, char *out, size_t size);

/* What more there is to say of a refusal; perhaps empty. */
const char *refusal_detail(const struct msg_reply *, char *out, size_t size);

/* Is this event wanted, as --kind says? */
bool event_wanted(const struct options *, const struct msg_event *);

#endif
