#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/rings.h"
#include "cli/say.h"
#include "cli/verbs.h"
#include "os/loop.h"
#include "os/paths.h"
#include "super/journal.h"

/* The part of a word before and after its point, as microseconds. */
static int
seconds_parse(uint64_t *us, struct word w)
{
	const char *point = memchr(w.text, '.', w.len);
	struct word whole = w, part = {w.text, 0};
	uint64_t seconds, micro = 0;

	if (point) {
		whole.len = (size_t)(point - w.text);
		part.text = point + 1;
		part.len = w.len - whole.len - 1;
	}
	if (number_parse(&seconds, whole, UINT32_MAX) != 0 || part.len > 6 ||
	    (point && number_parse(&micro, part, 999999) != 0))
		return -1;
	for (size_t i = part.len; i < 6; i++)
		micro *= 10;
	*us = seconds * 1000000 + micro;
	return 0;
}

/* --since: a time as events print it, or with a unit so long ago. */
static int
since_parse(uint64_t *us, const char *since)
{
	struct word w = {since, strlen(since)};
	uint64_t now = clock_us();
	uint32_t ms;

	if (seconds_parse(us, w) == 0)
		return 0;
	if (interval_parse(&ms, w, 0, UINT32_MAX / 2) != 0) {
		complain("--since %s: a time as events print it, as in 12.5, "
			 "or how long ago, as in 10s or 5m",
		    since);
		return -1;
	}
	*us = now > (uint64_t)ms * 1000 ? now - (uint64_t)ms * 1000 : 0;
	return 0;
}

static int
kind_check(const char *kind)
{
	for (unsigned i = 0; i < EVENT_KINDS; i++) {
		if (strcmp(kind, event_kind_name(i)) == 0)
			return 0;
	}
	complain(
	    "--kind %s: no such kind of event; see EVENTS in ringctl(1)", kind);
	return -1;
}

static int
journal_call(struct msg_call *call, const struct options *o, unsigned bits)
{
	call_init(call, o);
	if (o->kind) {
		if (kind_check(o->kind) != 0)
			return -1;
		text_set(&call->text, o->kind);
	}
	if (o->since && since_parse(&call->since_us, o->since) != 0)
		return -1;
	if (call_peers(call, o, 0, bits) != 0)
		return -1;
	if (call->which != WHICH_RANDOM)
		return 0;
	complain("%s random: say which peers, or all", o->verb->word);
	return -1;
}

static bool
wanted(const struct msg_call *call, const struct message *m)
{
	bool event = m->type == MSG_event;
	uint64_t t_us = event ? m->event.t_us : m->line.t_us;
	unsigned peer = event ? m->event.peer : m->line.peer;

	if (t_us < call->since_us)
		return false;
	return call->which != WHICH_LIST ||
	       (peer < SPACE_MAX && idset_has(&call->peers, peer));
}

static int
read_failed(const struct options *o, const char *why)
{
	complain("ring %s: %s", o->ring, why);
	return EXIT_FAILED;
}

/* What a ring that is down has left. */
static int
read_stored(const struct options *o)
{
	bool events = o->verb->verb == VERB_EVENTS;
	struct msg_welcome ring = {0};
	struct journal_reader reader;
	struct msg_call call;
	struct output output;
	struct path_buf data;
	struct message m;
	struct why why;
	int rc = 0;

	if (journal_call(&call, o, BITS_MAX) != 0)
		return EXIT_USAGE;
	if (paths_data(&data, o->ring, &why) != 0)
		return read_failed(o, why.text);
	if (access(data.text, F_OK) != 0) {
		complain("ring %s is not up, and nothing is stored of it in "
			 "%s",
		    o->ring, data.text);
		return EXIT_NO_RING;
	}
	if (journal_reader_open(&reader, data.text,
		events ? JOURNAL_EVENTS : JOURNAL_LINES, &why) != 0)
		return read_failed(o, why.text);
	output_init(&output, o, &ring, NULL);
	output.name_peers = call_names_peers(&call);
	while (!ferror(stdout) && (rc = journal_read(&reader, &m)) == 1) {
		if (wanted(&call, &m))
			output_message(&output, &m);
	}
	if (rc == -1)
		read_failed(o, strerror(errno));
	output_free(&output);
	journal_reader_close(&reader);
	return rc == -1 ? EXIT_FAILED : EXIT_DONE;
}

int
verb_journal(const struct options *o)
{
	struct msg_call call;
	struct client c;
	int status;

	status = o->ring ? ring_open_if_up(&c, o) : ring_open(&c, o);
	if (status == EXIT_NO_RING && o->ring)
		return read_stored(o);
	if (status != EXIT_DONE)
		return status;
	status = EXIT_USAGE;
	if (journal_call(&call, o, c.welcome.bits) == 0)
		status = call_run(&c, o, &call, NULL, false);
	client_close(&c);
	return status;
}
