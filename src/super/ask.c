#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "super/client.h"
#include "super/set.h"

enum { PUMP_MAX = 4096 /* messages looked at for one client in a turn */ };

static struct message answer; /* large, and never needed twice at once */

static bool
any(const struct child *c)
{
	return c != NULL;
}

static void
send_status(struct client *c)
{
	const struct super *s = c->super;
	struct msg_status *m = &answer.status;
	uint64_t stored = 0;
	unsigned copies;

	memset(&answer, 0, sizeof(answer));
	answer.type = MSG_status;
	m->whole = s->whole;
	m->ready = ring_ready(s);
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *child = s->children[id];

		if (child == NULL)
			continue;
		m->wanted += child_wanted(child);
		if (child_state(child) != PEER_UP)
			continue;
		m->up++;
		m->missing += child->report.missing;
		stored += child->report.files;
		if (child->report.files > m->files)
			m->files = child->report.files;
	}
	/* Each is there once for every copy, but for those that lack one. */
	copies = m->up < s->config.copies ? m->up : s->config.copies;
	stored += m->missing;
	if (copies > 0 && stored > m->files * copies)
		m->files = (stored + copies - 1) / copies;
	client_send(c, &answer);
}

static void
send_peer(struct client *c, const struct child *child)
{
	struct msg_peer *m = &answer.peer;
	const struct msg_report *r = &child->report;

	memset(&answer, 0, sizeof(answer));
	answer.type = MSG_peer;
	m->id = child->id;
	m->state = (uint8_t)child_state(child);
	m->pid = (uint32_t)child->pid;
	m->port = (uint16_t)(c->super->config.port + child->id);
	m->restarts = child->restarts;
	if (child->reported) {
		m->incarnation = r->incarnation;
		m->members = r->members;
		m->first = r->first;
		m->second = r->second;
		m->predecessor = r->predecessor;
		m->files = r->files;
		m->bytes = r->bytes;
		m->missing = r->missing;
		m->dropped = r->dropped;
		if (child->pid != 0 && r->readonly)
			text_set(&m->faults, "read-only");
	}
	client_send(c, &answer);
}

/* A member that is nobody's child here. */
static void
send_remote(struct client *c, const struct member *member)
{
	struct msg_peer *m = &answer.peer;

	memset(&answer, 0, sizeof(answer));
	answer.type = MSG_peer;
	m->id = member->id;
	m->state = PEER_REMOTE;
	m->port = member->addr.port;
	m->incarnation = member->incarnation;
	client_send(c, &answer);
}

void
verb_status_begin(struct client *c)
{
	struct super *s = c->super;
	int exit = EXIT_DONE;

	if (c->call.which == WHICH_NONE)
		c->call.which = WHICH_ALL;
	if (!call_pick(c, any))
		return;
	send_status(c);
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *child = s->children[id];
		const struct member *m = whole_member(s, id);

		if (child != NULL && idset_has(&c->waiting, id)) {
			send_peer(c, child);
			if (child_wanted(child) &&
			    child_state(child) != PEER_UP)
				exit = EXIT_FAILED;
		} else if (child == NULL && m != NULL && s->whole &&
			   c->call.which == WHICH_ALL &&
			   m->state == MEMBER_ALIVE) {
			send_remote(c, m);
		}
	}
	if (!c->gone)
		call_finish(c, exit, "%s", "");
}

void
verb_wait_begin(struct client *c)
{
	const char *goal = c->call.text.text;

	c->down = strcmp(goal, "down") == 0;
	c->ready = strcmp(goal, "ready") == 0;
	if (c->call.text.len > 0 && strcmp(goal, "whole") != 0 && !c->down &&
	    !c->ready) {
		call_finish(c, EXIT_USAGE,
		    "wait %.40s: not whole, ready or down", goal);
		return;
	}
	call_arm(c, UP_TIMEOUT_MS);
}

void
verb_wait_settle(struct client *c)
{
	const struct super *s = c->super;

	if (c->down || s->phase == RING_STOPPING)
		return;
	if (c->ready && ring_ready(s))
		call_finish(c, EXIT_DONE, "ring %s: ready", s->config.ring);
	else if (!c->ready && s->whole)
		call_finish(c, EXIT_DONE, "ring %s: whole", s->config.ring);
	else if (c->ready && s->whole && ring_wanted_up(s) && copies_settled(s))
		call_finish(c, EXIT_FAILED,
		    "ring %s is not ready: %llu file%s short of a "
		    "copy: " NO_ROOM,
		    s->config.ring, (unsigned long long)copies_stuck(s),
		    plural(copies_stuck(s)));
}

/* What a ready ring would have besides. */
static const char *
unready(const struct super *s, char *out, size_t size)
{
	if (!s->whole)
		return s->why;
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *c = s->children[id];

		if (c == NULL || !child_wanted(c))
			continue;
		if (child_state(c) != PEER_UP)
			snprintf(out, size, "peer %u is %s", id,
			    peer_state_text(child_state(c)));
		else if (c->report.missing > 0)
			snprintf(out, size,
			    "peer %u: %llu file%s short of a copy", id,
			    (unsigned long long)c->report.missing,
			    plural(c->report.missing));
		else
			continue;
		return out;
	}
	return "";
}

void
verb_wait_expire(struct client *c)
{
	const struct super *s = c->super;
	char text[128];

	if (c->down)
		call_finish(
		    c, EXIT_TIMEOUT, "ring %s is still up", s->config.ring);
	else if (c->ready)
		call_finish(c, EXIT_TIMEOUT, "ring %s is not ready: %s",
		    s->config.ring, unready(s, text, sizeof(text)));
	else
		call_finish(c, EXIT_TIMEOUT, "ring %s is not whole: %s",
		    s->config.ring, s->why);
}

void
verb_down_begin(struct client *c)
{
	uint32_t ms = c->call.timeout_ms;

	super_stop(c->super, ms > 0 ? ms : DOWN_TIMEOUT_MS);
}

static bool
of_these(const struct client *c, unsigned peer)
{
	if (c->call.which == WHICH_NONE || c->call.which == WHICH_ALL)
		return true;
	return peer < SPACE_MAX && idset_has(&c->call.peers, peer);
}

static bool
wanted(const struct client *c, const struct message *m)
{
	if (c->call.verb == VERB_LOGS)
		return m->type == MSG_line &&
		       m->line.t_us >= c->call.since_us &&
		       of_these(c, m->line.peer);
	return m->type == MSG_event && m->event.t_us >= c->call.since_us &&
	       of_these(c, m->event.peer) &&
	       (c->call.text.len == 0 ||
		   strcmp(c->call.text.text, event_kind_name(m->event.kind)) ==
		       0);
}

void
verb_stream_begin(struct client *c)
{
	struct super *s = c->super;
	struct why why;

	if (c->call.which == WHICH_RANDOM) {
		call_finish(c, EXIT_USAGE, "say which peers");
		return;
	}
	journal_flush(&s->events);
	journal_flush(&s->lines);
	/* Other followers have that to read, too. */
	s->journal_due = true;
	if (journal_reader_open(&c->reader, s->data.text,
		c->call.verb == VERB_LOGS ? JOURNAL_LINES : JOURNAL_EVENTS,
		&why) == -1) {
		call_finish(c, EXIT_FAILED, "%s", why.text);
		return;
	}
	c->reading = true;
	stream_pump(c);
}

/*
 * Followers read what is stored, as far as it has come: so nothing is lost
 * or said twice between what was stored and what is new, and one that reads
 * slowly costs no memory.
 */
void
stream_pump(struct client *c)
{
	int rc;

	assert(c->reading);
	c->behind = true;
	for (int i = 0; i < PUMP_MAX; i++) {
		if (outlet_used(&c->outlet) > STREAM_AHEAD)
			return;
		rc = journal_read(&c->reader, &answer);
		if (rc == -1) {
			call_finish(c, EXIT_FAILED, "%s: %s", c->reader.dir,
			    strerror(errno));
			return;
		}
		if (rc == 0) {
			c->behind = false;
			if ((c->call.flags & CALL_FOLLOW) == 0)
				call_finish(c, EXIT_DONE, "%s", "");
			return;
		}
		if (wanted(c, &answer))
			client_send(c, &answer);
		if (c->gone)
			return;
	}
}
