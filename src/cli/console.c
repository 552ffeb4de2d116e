#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/console.h"
#include "cli/files.h"
#include "cli/rings.h"
#include "cli/say.h"
#include "os/loop.h"

enum { GRACE_US = 500000 /* the peer's own deadline comes first */ };

void
console_init(struct console *c, const struct options *o,
    const struct config *config, unsigned id, int from_fd, int to_fd)
{
	memset(c, 0, sizeof(*c));
	c->options = o;
	c->id = (uint16_t)id;
	c->from_fd = from_fd;
	c->to_fd = to_fd;
	c->ring.bits = config->bits;
	c->ring.any_names = config->any_names;
	outlet_init(&c->outlet, COMMANDS_QUEUE_MAX);
	output_init(&c->output, o, &c->ring, NULL);
	input_open(&c->input);
}

/*
 * Typed by hand, a command need not wait for one that takes long. From a pipe
 * or a file each begins when the one before is done: store, then request.
 */
static bool
takes_commands(const struct console *c)
{
	return c->served && !c->over &&
	       c->typed_count < (c->input.terminal ? COMMANDS_MAX : 1);
}

static void
typed_end(struct console *c, struct typed *t)
{
	output_free(&t->output);
	t->op = 0;
	c->typed_count--;
}

/* What the peer itself did not answer. */
static void
typed_fail(struct console *c, struct typed *t, enum wire_error error)
{
	struct msg_reply *r = &c->message.reply;

	memset(r, 0, sizeof(*r));
	c->message.type = MSG_reply;
	r->peer = c->id;
	r->command = (uint8_t)t->line.command;
	r->error = (uint8_t)error;
	r->last = 1;
	output_message(&t->output, &c->message);
	typed_end(c, t);
}

static bool
may_take_longer(const struct command_line *line)
{
	return line->command == COMMAND_STORE ||
	       line->command == COMMAND_REQUEST ||
	       line->command == COMMAND_QUIT;
}

static void
command_start(struct console *c, const struct command_line *line)
{
	uint32_t timeout_ms = verb_timeout_ms(c->options);
	struct typed *t = c->typed;
	struct msg_command *m = &c->message.command;

	while (t->op != 0)
		t++;
	t->op = ++c->next_op;
	t->line = *line;
	/* Those have a deadline of the peer's own, as long as they progress. */
	t->deadline_us = may_take_longer(line)
			     ? UINT64_MAX
			     : clock_us() + timeout_ms * 1000ull + GRACE_US;
	output_init(&t->output, c->options, &c->ring, &t->line);
	c->typed_count++;
	memset(m, 0, sizeof(*m));
	c->message.type = MSG_command;
	m->op = t->op;
	m->command = (uint8_t)line->command;
	m->id = line->id;
	m->timeout_ms = timeout_ms;
	m->name = line->name;
	m->suffix = line->suffix;
	m->path = line->path;
	if (outlet_put(&c->outlet, &c->message) == -1)
		typed_fail(c, t, ERROR_busy);
}

/* Its files, as exec resolves them. */
static int
command_resolve(struct command_line *line)
{
	struct passage none;
	int spool;

	if (strcmp(line->path.text, "-") == 0) {
		complain("%s %s -: standard input and output are the "
			 "console's; name a FILE",
		    command_info(line->command)->word, line->name.text);
		return EXIT_USAGE;
	}
	if (line->command == COMMAND_STORE)
		return source_resolve(line, &spool);
	if (line->command == COMMAND_REQUEST)
		return target_resolve(line, &none);
	return EXIT_DONE;
}

static void
command_take(struct console *c, const char *text, size_t len)
{
	struct command_rules rules = {c->ring.any_names != 0, c->ring.bits};
	struct command_line line;
	struct text error;

	if (memchr(text, '\0', len)) {
		complain("a NUL byte in a command: the line is left out");
		return;
	}
	while (len > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	if (len == 0)
		return;
	if (command_parse_line(&line, text, len, &rules, &error) != 0)
		complain("%s", error.text);
	else if (command_resolve(&line) == EXIT_DONE)
		command_start(c, &line);
}

static void
take_commands(struct console *c)
{
	const char *line;
	size_t len;
	int got;

	while (takes_commands(c) &&
	       (got = input_next(&c->input, &line, &len)) != 0) {
		if (got == -1)
			complain("a command has %d bytes at most: the line is "
				 "left out",
			    INPUT_LINE_MAX - 1);
		else
			command_take(c, line, len);
	}
}

static void
take_reply(struct console *c)
{
	const struct msg_reply *r = &c->message.reply;

	/* Nobody's command: how it came in. */
	if (r->op == 0 && r->command == COMMAND_NONE) {
		c->joined = *r;
		c->joining = true;
		return;
	}
	for (struct typed *t = c->typed; t < c->typed + COMMANDS_MAX; t++) {
		if (t->op == 0 || t->op != r->op)
			continue;
		output_message(&t->output, &c->message);
		if (r->last || r->command != COMMAND_FILES)
			typed_end(c, t);
		return;
	}
}

/* There is no journal: what is wrong is said at once. */
static void
take_event(struct console *c)
{
	const struct msg_event *e = &c->message.event;
	char text[TEXT_LEN_MAX + 32];

	if (e->kind == EVENT_trouble && e->about != c->id)
		snprintf(
		    text, sizeof(text), "peer %u %s", e->about, e->reason.text);
	else if (e->kind == EVENT_damaged)
		snprintf(text, sizeof(text), "file %s is damaged: %.200s",
		    e->name.text, e->reason.text);
	else if (e->kind == EVENT_trouble || e->kind == EVENT_disk)
		snprintf(text, sizeof(text), "%s", e->reason.text);
	else
		return;
	if (e->kind == EVENT_trouble && !c->served)
		memcpy(c->why, text, sizeof(c->why));
	else
		complain("peer %u: %s", c->id, text);
}

static void
take_report(struct console *c, const struct msg_report *r)
{
	c->served |= r->state == PEER_UP;
	if (!c->served || !c->joining)
		return;
	/* After all that the peer itself has to say of it. */
	c->joining = false;
	c->output.printer->reply(&c->output, &c->joined);
}

static void
take_message(struct console *c)
{
	switch ((int)c->message.type) {
	case MSG_started:
		if (c->message.started.error != ERROR_none)
			complain("%s", c->message.started.text.text);
		break;
	case MSG_report:
		take_report(c, &c->message.report);
		break;
	case MSG_line:
		output_message(&c->output, &c->message);
		break;
	case MSG_reply:
		take_reply(c);
		break;
	case MSG_event:
		take_event(c);
		break;
	default:
		break;
	}
}

static void
take_messages(struct console *c)
{
	int got = inlet_fill(&c->inlet, c->from_fd);

	if (got == 0 || (got == -1 && errno != EAGAIN))
		c->over = true;
	while ((got = inlet_next(&c->inlet, &c->message)) == 1)
		take_message(c);
	if (got == -1)
		c->over = true;
	output_flush();
}

static void
expire(struct console *c, uint64_t now_us)
{
	for (struct typed *t = c->typed; t < c->typed + COMMANDS_MAX; t++) {
		if (t->op == 0 || t->deadline_us > now_us)
			continue;
		c->message.type = MSG_cancel;
		c->message.cancel.op = t->op;
		outlet_put(&c->outlet, &c->message);
		typed_fail(c, t, ERROR_timeout);
	}
}

/* Milliseconds, rounded up, to what comes without a descriptor's doing. */
static int
patience_ms(const struct console *c, uint64_t now_us, bool pausing)
{
	uint64_t at = pausing ? c->input.again_us : UINT64_MAX;

	for (const struct typed *t = c->typed; t < c->typed + COMMANDS_MAX; t++)
		if (t->op != 0 && t->deadline_us < at)
			at = t->deadline_us;
	if (at == UINT64_MAX)
		return -1;
	if (at <= now_us)
		return 0;
	at = (at - now_us + 999) / 1000;
	return at < INT32_MAX ? (int)at : INT32_MAX;
}

static void
turn(struct console *c)
{
	uint64_t now_us = clock_us();
	bool reading = takes_commands(c) && c->input.fd != -1;
	bool pausing = reading && c->input.again_us > now_us;
	struct pollfd p[] = {{.fd = c->from_fd, .events = POLLIN},
	    {.fd = outlet_used(&c->outlet) > 0 ? c->to_fd : -1,
		.events = POLLOUT},
	    {.fd = reading && !pausing ? c->input.fd : -1, .events = POLLIN}};

	if (poll(p, 3, patience_ms(c, now_us, pausing)) <= 0)
		memset(p, 0, sizeof(p));
	now_us = clock_us();
	if (p[0].revents != 0)
		take_messages(c);
	if (p[2].revents != 0)
		input_fill(&c->input, now_us);
	expire(c, now_us);
	take_commands(c);
	/* A peer that is gone hangs up on the other pipe as well. */
	outlet_write(&c->outlet, c->to_fd);
}

void *
console_run(void *arg)
{
	struct console *c = arg;

	while (!c->over)
		turn(c);
	for (struct typed *t = c->typed; t < c->typed + COMMANDS_MAX; t++)
		if (t->op != 0)
			typed_fail(c, t, ERROR_leaving);
	output_free(&c->output);
	outlet_free(&c->outlet);
	inlet_free(&c->inlet);
	input_close(&c->input);
	return NULL;
}
