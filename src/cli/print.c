#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/print.h"
#include "cli/rings.h"
#include "cli/say.h"
#include "super/call.h"

enum { GRACE_MS = 2000 }; /* for an answer that comes at its deadline */

void
output_init(struct output *o, const struct options *options,
    const struct msg_welcome *ring, const struct command_line *line)
{
	memset(o, 0, sizeof(*o));
	o->printer = options->json ? &print_json : &print_text;
	o->options = options;
	o->ring = ring;
	o->line = line;
	if (!getcwd(o->here, sizeof(o->here)))
		o->here[0] = '\0';
}

void
output_free(struct output *o)
{
	while (o->listings) {
		struct listing *next = o->listings->next;

		free(o->listings->at);
		free(o->listings);
		o->listings = next;
	}
	for (size_t i = 0; i < o->held_count; i++)
		free(o->held[i]);
	free(o->held);
	free(o->peers);
	free(o->outcomes);
	o->held_count = 0;
	o->held = NULL;
	o->peers = NULL;
	o->outcomes = NULL;
}

const char *
shown_path(const struct output *o, const char *path)
{
	size_t len = strlen(o->here);

	if (len > 1 && strncmp(path, o->here, len) == 0 && path[len] == '/')
		return path + len + 1;
	return path;
}

bool
peer_is_gone(const struct msg_peer *p)
{
	return p->state == PEER_LEFT || p->state == PEER_KILLED ||
	       p->state == PEER_FAILED;
}

const char *
shown_time(uint64_t us, char *out, size_t size)
{
	double ms = (double)us / 1000;

	if (us < 50)
		snprintf(out, size, "under 0.1 ms");
	else if (us < 10000)
		snprintf(out, size, "%.1f ms", ms);
	else if (us < 1000000)
		snprintf(out, size, "%.0f ms", ms);
	else
		snprintf(out, size, "%.1f s", ms / 1000);
	return out;
}

const char *
refusal_detail(const struct msg_reply *r, char *out, size_t size)
{
	unsigned n = r->holders.count;
	size_t used = 0;
	bool down = r->error == ERROR_unavailable;

	if (r->error == ERROR_disk && n == 1) {
		snprintf(out, size, "peer %u%s%.400s", r->holders.at[0],
		    r->text.len > 0 ? ": " : "", r->text.text);
		return out;
	}
	if (r->text.len || (!down && r->error != ERROR_damaged) || n == 0)
		return r->text.text;
	used = (size_t)snprintf(out, size, "peer%s ", n == 1 ? "" : "s");
	for (unsigned i = 0; i < n && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%u",
		    i ? ", " : "", r->holders.at[i]);
	if (used < size && down)
		snprintf(out + used, size - used, " may hold it and %s down",
		    n == 1 ? "is" : "are");
	else if (used < size)
		snprintf(out + used, size - used, " held it");
	return out;
}

void
refusal(
    const struct output *o, const struct msg_reply *r, char *out, size_t size)
{
	const struct command_info *info = command_info(r->command);
	const char *name = o->line ? o->line->name.text : "";
	char id[8], more[TEXT_LEN_MAX + 1];
	const char *detail = refusal_detail(r, more, sizeof(more));

	if (o->line && r->command == COMMAND_PING) {
		snprintf(id, sizeof(id), "%u", o->line->id);
		name = id;
	}
	/* What the supervisor says of a peer that is down stands alone. */
	if (strncmp(r->text.text, "peer ", 5) == 0 ||
	    strncmp(r->text.text, "no peer ", 8) == 0 ||
	    strncmp(r->text.text, "no answer ", 10) == 0)
		snprintf(out, size, "%s", r->text.text);
	else
		snprintf(out, size, "peer %u: %s%s%s: %s%s%s", r->peer,
		    info ? info->word : "command", *name ? " " : "", name,
		    wire_error_text(r->error), *detail ? ": " : "", detail);
}

bool
event_wanted(const struct options *o, const struct msg_event *e)
{
	return !o->kind || strcmp(o->kind, event_kind_name(e->kind)) == 0;
}

/* An array with room for more; ends the process when there is none. */
static void *
grown(void *array, size_t count, size_t size)
{
	void *more = reallocarray(array, count, size);

	if (!more) {
		complain("out of memory");
		exit(EXIT_FAILED);
	}
	return more;
}

static void
peer_add(struct output *o, const struct msg_peer *peer)
{
	o->peers = grown(o->peers, o->peer_count + 1, sizeof(*o->peers));
	o->peers[o->peer_count++] = *peer;
}

static void
outcome_add(struct output *o, const struct msg_reply *r)
{
	size_t n = o->outcome_count++;

	o->outcomes = grown(o->outcomes, n + 1, sizeof(*o->outcomes));
	o->outcomes[n] = (struct outcome){.peer = r->peer,
	    .ok = r->error == ERROR_none,
	    .us = r->us,
	    .text = r->text};
}

static int
outcome_compare(const void *a, const void *b)
{
	const struct outcome *x = a, *y = b;

	return (x->peer > y->peer) - (x->peer < y->peer);
}

static struct listing *
listing_of(struct output *o, uint16_t peer)
{
	struct listing *l;

	for (l = o->listings; l; l = l->next) {
		if (l->peer == peer)
			return l;
	}
	l = grown(NULL, 1, sizeof(*l));
	*l = (struct listing){.peer = peer, .next = o->listings};
	o->listings = l;
	return l;
}

static int
record_compare(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return strcmp(x->name.text, y->name.text);
}

/* Several replies make one list. */
static void
files_add(struct output *o, const struct msg_reply *r)
{
	struct listing *l = listing_of(o, r->peer);
	struct record *all;

	all = grown(l->at, l->count + r->records.count + 1, sizeof(*all));
	l->at = all;
	for (unsigned i = 0; i < r->records.count; i++) {
		if (!r->records.at[i].deleted)
			all[l->count++] = r->records.at[i];
	}
}

static bool
lists_files(const struct msg_reply *r)
{
	return r->command == COMMAND_FILES && r->error == ERROR_none;
}

/* The last one of a list stands for all of it. */
static void
reply_print(struct output *o, const struct msg_reply *r)
{
	struct listing *l;

	if (!lists_files(r)) {
		o->printer->reply(o, r);
		return;
	}
	l = listing_of(o, r->peer);
	qsort(l->at, l->count, sizeof(*l->at), record_compare);
	o->printer->files(o, l, r);
	l->count = 0;
}

static void
reply_hold(struct output *o, const struct msg_reply *r)
{
	size_t n = o->held_count++;

	o->held = grown(o->held, n + 1, sizeof(struct msg_reply *));
	o->held[n] = grown(NULL, 1, sizeof(*r));
	*o->held[n] = *r;
}

static void
reply_take(struct output *o, const struct msg_reply *r)
{
	if (r->error != ERROR_none && o->exit == EXIT_DONE)
		o->exit = wire_error_exit(r->error);
	if (!o->line && !r->last) {
		o->route = r->route;
		return;
	}
	if (!o->line) {
		outcome_add(o, r);
		return;
	}
	o->replies++;
	if (r->command == COMMAND_REQUEST && r->error == ERROR_none)
		target_done(r->file.text);
	if (lists_files(r)) {
		files_add(o, r);
		if (!r->last)
			return;
	}
	if (o->in_order)
		reply_hold(o, r);
	else
		reply_print(o, r);
}

void
output_end(struct output *o)
{
	/* By peer; those of one peer in the order in which they came. */
	for (unsigned peer = 0; peer < SPACE_MAX; peer++) {
		for (size_t i = 0; i < o->held_count; i++) {
			if (o->held[i]->peer == peer)
				reply_print(o, o->held[i]);
		}
	}
	for (size_t i = 0; i < o->held_count; i++)
		free(o->held[i]);
	o->held_count = 0;
}

static void
result_take(struct output *o, const struct msg_result *r)
{
	enum verb verb = o->options->verb->verb;
	bool bad = r->exit != EXIT_DONE;

	output_end(o);
	if (o->outcome_count)
		qsort(o->outcomes, o->outcome_count, sizeof(*o->outcomes),
		    outcome_compare);
	if (bad)
		o->exit = r->exit;
	if (verb == VERB_STATUS && o->peer_count > 0) {
		o->printer->status(o);
		if (bad && r->text.len)
			complain("%s", r->text.text);
	} else if (o->line) {
		/* Replies have said all, if there were any. */
		if (bad && o->replies == 0)
			o->printer->result(o, r);
	} else if (bad || (verb != VERB_EVENTS && verb != VERB_LOGS)) {
		o->printer->result(o, r);
	}
}

static void
cost_take(struct output *o, const struct msg_cost *cost)
{
	o->cost = *cost;
	o->has_cost = true;
}

static void
verdict_take(struct output *o, const struct msg_verdict *verdict)
{
	o->verdict = *verdict;
	o->has_verdict = true;
}

void
output_message(struct output *o, const struct message *m)
{
	if (m->type == MSG_status)
		o->status = m->status;
	else if (m->type == MSG_peer)
		peer_add(o, &m->peer);
	else if (m->type == MSG_reply)
		reply_take(o, &m->reply);
	else if (m->type == MSG_event && event_wanted(o->options, &m->event))
		o->printer->event(o, &m->event);
	else if (m->type == MSG_line)
		o->printer->line(o, &m->line);
	else if (m->type == MSG_finding)
		o->printer->finding(o, &m->finding);
	else if (m->type == MSG_verdict)
		verdict_take(o, &m->verdict);
	else if (m->type == MSG_cost)
		cost_take(o, &m->cost);
	else if (m->type == MSG_result)
		result_take(o, &m->result);
}

/* Only store and request may take as long as they progress. */
static bool
may_take_longer(const struct output *o)
{
	return o->line && (o->line->command == COMMAND_STORE ||
			      o->line->command == COMMAND_REQUEST);
}

/* A supervisor that still greets newcomers is at work. */
static bool
supervisor_answers(const char *ring, uint32_t timeout_ms)
{
	struct client other;
	struct why why;

	if (client_open(&other, ring, timeout_ms, &why) != 0)
		return false;
	client_close(&other);
	return true;
}

static int
answer_failed(struct output *o, struct client *c, int error)
{
	if (error == EINTR)
		return EXIT_FAILED;
	if (error == ETIMEDOUT) {
		complain("ring %s: its supervisor (process %u) does not answer",
		    c->ring, (unsigned)c->welcome.pid);
		return EXIT_TIMEOUT;
	}
	complain("ring %s: its supervisor: %s", c->ring, strerror(error));
	return o->exit ? o->exit : EXIT_FAILED;
}

int
output_answer(struct output *o, struct client *c, bool *dropped)
{
	bool follow = (o->options->flags & OPTION_FOLLOW) != 0;
	uint32_t timeout_ms = verb_timeout_ms(o->options);
	struct message m;

	for (;;) {
		int got =
		    client_next(c, &m, follow ? 0 : timeout_ms + GRACE_MS);

		if (got < 0 && errno == ETIMEDOUT && may_take_longer(o) &&
		    supervisor_answers(c->ring, timeout_ms))
			continue;
		if (got < 0 && follow && errno == EPIPE)
			return EXIT_FAILED;
		if (got < 0)
			return answer_failed(o, c, errno);
		if (got == 0 && dropped) {
			*dropped = true;
			return o->exit;
		}
		if (got == 0) {
			complain("ring %s: its supervisor hung up: the ring "
				 "went down",
			    c->ring);
			return EXIT_FAILED;
		}
		output_message(o, &m);
		/* A closed pipe ends the work, not only the printing. */
		if ((follow || ferror(stdout)) && output_flush() != 0)
			return EXIT_FAILED;
		if (m.type == MSG_result)
			return o->exit;
	}
}
