#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cli/rings.h"
#include "cli/say.h"
#include "cli/verbs.h"
#include "super/call.h"
#include "super/config.h"

static const struct {
	enum verb verb;
	int (*run)(const struct options *);
} verbs[] = {
    {VERB_UP, verb_up},
    {VERB_DOWN, verb_plain},
    {VERB_WIPE, verb_wipe},
    {VERB_STATUS, verb_plain},
    {VERB_LIST, verb_list},
    {VERB_EXEC, verb_exec},
    {VERB_STORE, verb_exec},
    {VERB_REQUEST, verb_exec},
    {VERB_REMOVE, verb_exec},
    {VERB_OWNER, verb_exec},
    {VERB_FILES, verb_exec},
    {VERB_JOIN, verb_plain},
    {VERB_QUIT, verb_plain},
    {VERB_KILL, verb_plain},
    {VERB_START, verb_plain},
    {VERB_PAUSE, verb_plain},
    {VERB_RESUME, verb_plain},
    {VERB_WAIT, verb_wait},
    {VERB_CHECK, verb_plain},
    {VERB_EVENTS, verb_journal},
    {VERB_LOGS, verb_journal},
    {VERB_HELP, verb_help},
    {VERB_PEER, verb_peer},
};

int
usage(const struct options *o)
{
	const struct command_info *info = o->verb;

	complain("usage: ringctl %s%s%s", info->word,
	    info->syntax[0] ? " " : "", info->syntax);
	return EXIT_USAGE;
}

int
verb_run(const struct options *o)
{
	const struct command_info *info = o->verb;
	int most = 0;

	while (most < ARGS_MAX && info->args[most] != ARG_NONE)
		most++;
	/* What belongs to a peer's own command is checked by its parser. */
	if (info->command == COMMAND_NONE &&
	    (o->arg_count < (int)info->required ||
		(o->arg_count > most && info->verb != VERB_EXEC)))
		return usage(o);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (verbs[i].verb == info->verb)
			return verbs[i].run(o);
	}
	assert(false); /* each verb of the table has a row above */
	return EXIT_FAILED;
}

void
call_init(struct msg_call *call, const struct options *o)
{
	memset(call, 0, sizeof(*call));
	call->verb = (uint8_t)o->verb->verb;
	call->timeout_ms = verb_timeout_ms(o);
	if (o->flags & OPTION_FOLLOW)
		call->flags |= CALL_FOLLOW;
}

int
call_peers(struct msg_call *call, const struct options *o, int i, unsigned bits)
{
	enum which which;
	struct text error;
	struct word w;

	if (i >= o->arg_count)
		return 0;
	w.text = o->args[i];
	w.len = strlen(w.text);
	memset(&error, 0, sizeof(error));
	if (peers_parse(&which, &call->peers, w, bits, &error) != 0) {
		complain("%s", error.text);
		return -1;
	}
	call->which = (uint8_t)which;
	if (memchr(w.text, '-', w.len) != NULL)
		call->flags |= CALL_RANGE;
	return 0;
}

bool
call_names_peers(const struct msg_call *call)
{
	return call->which != WHICH_LIST || idset_count(&call->peers) != 1;
}

void
result_print(
    const struct options *o, const char *ring, const struct msg_result *result)
{
	struct msg_welcome welcome;
	struct output output;

	memset(&welcome, 0, sizeof(welcome));
	text_set(&welcome.ring, ring);
	output_init(&output, o, &welcome, NULL);
	output.printer->result(&output, result);
	output_free(&output);
}

int
call_run(struct client *c, const struct options *o, const struct msg_call *call,
    const struct command_line *line, bool to_stdout)
{
	struct output output;
	int status;

	if (client_call(c, call, verb_timeout_ms(o)) != 0) {
		complain(
		    "ring %s: its supervisor: %s", c->ring, strerror(errno));
		return errno == ETIMEDOUT ? EXIT_TIMEOUT : EXIT_FAILED;
	}
	output_init(&output, o, &c->welcome, line);
	output.name_peers = call_names_peers(call);
	output.in_order = output.name_peers && call->which != WHICH_RANDOM;
	output.to_stdout = to_stdout;
	status = output_answer(&output, c, NULL);
	output_end(&output);
	output_free(&output);
	return status;
}

int
arg_id(uint16_t *id, const char *arg, unsigned bits)
{
	struct word w = {arg, strlen(arg)};
	struct text error;

	if (id_parse(id, w, bits, &error) == 0)
		return 0;
	complain("%s", error.text);
	return -1;
}

int
arg_ping(uint32_t *ping_ms, const char *arg)
{
	struct word w = {arg, strlen(arg)};

	if (interval_parse(ping_ms, w, 1, PING_MS_MAX) == 0)
		return 0;
	complain("ping %s: not 1ms..1h, as in 50ms, 30s or 30", arg);
	return -1;
}

static int
join_args(struct msg_call *call, const struct options *o, unsigned bits)
{
	if (arg_id(&call->id, o->args[0], bits) != 0 ||
	    arg_id(&call->known, o->args[1], bits) != 0)
		return -1;
	return o->arg_count > 2 ? arg_ping(&call->ping_ms, o->args[2]) : 0;
}

int
verb_plain(const struct options *o)
{
	struct msg_call call;
	struct client c;
	int status = ring_open(&c, o), bad;

	if (status != EXIT_DONE)
		return status;
	call_init(&call, o);
	if (o->verb->verb == VERB_JOIN)
		bad = join_args(&call, o, c.welcome.bits);
	else
		bad = call_peers(&call, o, 0, c.welcome.bits);
	status = EXIT_USAGE;
	if (bad == 0)
		status = call_run(&c, o, &call, NULL, false);
	client_close(&c);
	return status;
}
