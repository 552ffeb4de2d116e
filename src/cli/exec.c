#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/rings.h"
#include "cli/say.h"
#include "cli/verbs.h"

/* The words of the command: behind exec PEERS, or the short form itself. */
static int
words_parse(struct command_line *line, const struct options *o,
    const struct msg_welcome *ring)
{
	struct command_rules rules = {ring->any_names != 0, ring->bits};
	struct word words[COMMAND_WORDS_MAX];
	struct text error;
	size_t count = 0;

	if (o->verb->verb != VERB_EXEC) {
		words[count].text = o->verb->word;
		words[count++].len = strlen(o->verb->word);
	}
	for (int i = o->verb->verb == VERB_EXEC; i < o->arg_count; i++) {
		if (count == COMMAND_WORDS_MAX) {
			complain("%s: too many words", o->args[i]);
			return -1;
		}
		words[count].text = o->args[i];
		words[count++].len = strlen(o->args[i]);
	}
	if (command_parse(line, words, count, &rules, &error) == 0)
		return 0;
	complain("%s", error.text);
	return -1;
}

static int
files_line(struct command_line *line, struct msg_call *call,
    const struct options *o, const struct msg_welcome *ring)
{
	memset(line, 0, sizeof(*line));
	line->command = COMMAND_FILES;
	call->which = WHICH_ALL;
	return call_peers(call, o, 0, ring->bits);
}

static int
exec_parse(struct command_line *line, struct msg_call *call,
    const struct options *o, const struct msg_welcome *ring)
{
	if (o->verb->verb == VERB_FILES)
		return files_line(line, call, o, ring);
	call->which = WHICH_RANDOM;
	if (o->verb->verb == VERB_EXEC &&
	    call_peers(call, o, 0, ring->bits) != 0)
		return -1;
	if (words_parse(line, o, ring) != 0)
		return -1;
	if (command_info(line->command)->where == WHERE_PEER &&
	    line->command != COMMAND_OWNER && call_names_peers(call) &&
	    call->which != WHICH_RANDOM) {
		complain("%s takes one peer, or random",
		    command_info(line->command)->word);
		return -1;
	}
	return 0;
}

/* Calls with paths that a peer can open, and leaves nothing behind. */
static int
exec_files(struct client *c, const struct options *o, struct msg_call *call,
    struct command_line *line)
{
	struct passage passage = {"", ""};
	int spool = -1, status = EXIT_DONE;
	bool through;

	through = line->command == COMMAND_REQUEST &&
		  strcmp(line->path.text, "-") == 0;
	if (through && o->json) {
		complain("request %s -: standard output is the file's; leave "
			 "--json out or name a FILE",
		    line->name.text);
		return EXIT_USAGE;
	}
	if (through)
		client_signals();
	if (line->command == COMMAND_STORE)
		status = source_resolve(line, &spool);
	else if (line->command == COMMAND_REQUEST)
		status = target_resolve(line, &passage);
	if (status == EXIT_DONE) {
		call->path = line->path;
		call->suffix = line->suffix;
		status = call_run(c, o, call, line, through);
	}
	if (through && status == EXIT_DONE)
		status = passage_deliver(&passage);
	/* Hanging up first: the peer stops writing into the passage. */
	client_close(c);
	passage_close(&passage);
	if (spool != -1)
		close(spool);
	if (through && client_signal) {
		/* With all cleared away, end as the signal would have. */
		client_signals_end();
		raise(client_signal);
	}
	return status;
}

int
verb_exec(const struct options *o)
{
	struct command_line line;
	struct msg_call call;
	struct client c;
	int status = ring_open(&c, o);

	if (status != EXIT_DONE)
		return status;
	call_init(&call, o);
	call.verb = VERB_EXEC;
	if (exec_parse(&line, &call, o, &c.welcome) != 0) {
		client_close(&c);
		return EXIT_USAGE;
	}
	call.command = (uint8_t)line.command;
	call.name = line.name;
	call.id = line.id;
	status = exec_files(&c, o, &call, &line);
	client_close(&c);
	return status;
}
