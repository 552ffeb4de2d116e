#include <assert.h>
#include <bsd/string.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "super/client.h"
#include "super/set.h"

enum { OP_ID_BITS = 16 /* of an op: the peer; above them the call */ };

static struct message answer; /* large, and never needed twice at once */

const struct verb_row verb_rows[] = {
    {VERB_STATUS, true, verb_status_begin, NULL, NULL, NULL},
    {VERB_DOWN, true, verb_down_begin, NULL, NULL, NULL},
    {VERB_WAIT, true, verb_wait_begin, verb_wait_settle, verb_wait_expire,
	NULL},
    {VERB_CHECK, false, verb_check_begin, verb_check_settle, verb_check_expire,
	check_free},
    {VERB_EVENTS, true, verb_stream_begin, NULL, NULL, NULL},
    {VERB_LOGS, true, verb_stream_begin, NULL, NULL, NULL},
    {VERB_EXEC, false, verb_exec_begin, verb_exec_settle, verb_exec_expire,
	verb_exec_cancel},
    {VERB_JOIN, false, verb_join_begin, verb_join_settle, verb_join_expire,
	verb_join_cancel},
    {VERB_QUIT, false, verb_quit_begin, verb_quit_settle, verb_peers_expire,
	NULL},
    {VERB_KILL, false, verb_kill_begin, verb_kill_settle, verb_kill_expire,
	NULL},
    {VERB_START, false, verb_start_begin, verb_start_settle, verb_peers_expire,
	NULL},
    {VERB_PAUSE, false, verb_pause_begin, verb_pause_settle, verb_peers_expire,
	NULL},
    {VERB_RESUME, false, verb_resume_begin, verb_resume_settle,
	verb_peers_expire, NULL},
    {VERB_NONE, false, NULL, NULL, NULL, NULL},
};

int
call_worse(int a, int b)
{
	static const int order[] = {EXIT_NO_PEER, EXIT_TIMEOUT, EXIT_USAGE,
	    EXIT_FAILED, EXIT_UP_ALREADY, EXIT_NO_RING};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return EXIT_DONE;
}

uint64_t
call_op(const struct client *c, unsigned id)
{
	assert(id < SPACE_MAX);
	return c->serial << OP_ID_BITS | id;
}

/* An exec waits for its own answers alone: nobody else need look. */
static void
call_changed(struct client *c)
{
	if (c->row->begin != verb_exec_begin)
		c->super->changed = true;
	else if (c->busy && !c->gone)
		verb_exec_settle(c);
}

void
call_begin(struct client *c, const struct msg_call *call)
{
	struct super *s = c->super;
	const struct verb_row *row = verb_rows;

	assert(!c->busy);
	while (row->begin != NULL && row->verb != (enum verb)call->verb)
		row++;
	c->call = *call;
	c->row = row;
	c->serial = s->next_serial++;
	c->began_us = clock_us();
	c->exit = EXIT_DONE;
	c->trouble[0] = '\0';
	memset(&c->waiting, 0, sizeof(c->waiting));
	memset(&c->sent, 0, sizeof(c->sent));
	memset(&c->done, 0, sizeof(c->done));
	memset(&c->probed, 0, sizeof(c->probed));
	c->busy = true;
	if (row->begin == NULL)
		call_finish(c, EXIT_USAGE, "no such verb: %u", call->verb);
	else if (s->phase == RING_STARTING && !row->early)
		call_finish(c, EXIT_FAILED, "ring %s is still starting: %s",
		    s->config.ring, s->why);
	else if (s->phase == RING_STOPPING && !row->early)
		call_finish(
		    c, EXIT_NO_RING, "ring %s is going down", s->config.ring);
	else
		row->begin(c);
	call_changed(c);
}

void
call_arm(struct client *c, uint32_t default_ms)
{
	uint32_t ms = c->call.timeout_ms;

	if (ms == 0)
		ms = c->call.timeout_ms = default_ms;
	timer_start(
	    &c->super->loop, &c->timer, c->began_us + (uint64_t)ms * 1000);
}

void
call_fire(struct timer *t)
{
	struct client *c = CONTAINER(t, struct client, timer);

	if (!c->busy)
		return;
	if (c->reading)
		stream_pump(c);
	else if (c->row->expire != NULL)
		c->row->expire(c);
}

void
call_answer(struct client *c, unsigned id, enum wire_error error,
    const char *format, ...)
{
	struct msg_reply *r = &answer.reply;
	va_list args;
	char text[TEXT_LEN_MAX + 1];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	idset_del(&c->waiting, id);
	if (error == ERROR_none)
		idset_add(&c->done, id);
	else if (c->trouble[0] == '\0')
		strlcpy(c->trouble, text, sizeof(c->trouble));
	c->exit = call_worse(c->exit, wire_error_exit(error));
	memset(&answer, 0, sizeof(answer));
	answer.type = MSG_reply;
	r->op = call_op(c, id);
	r->peer = (uint16_t)id;
	r->command = c->call.verb == VERB_EXEC ? c->call.command : COMMAND_NONE;
	r->error = (uint8_t)error;
	r->last = 1;
	r->name = c->call.name;
	r->us = clock_us() - c->began_us;
	text_set(&r->text, text);
	client_send(c, &answer);
}

static void
result_ids(struct ids *ids, const struct idset *set)
{
	int id;

	ids->count = 0;
	for (id = idset_next(set, 0); id != -1;
	     id = idset_next(set, (unsigned)id + 1))
		ids->at[ids->count++] = (uint16_t)id;
}

void
call_finish(struct client *c, int exit, const char *format, ...)
{
	char text[TEXT_LEN_MAX + 1];
	va_list args;

	/* It may have been dropped over an answer just before. */
	if (c->gone)
		return;
	assert(c->busy);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (text[0] != '\0' && c->trouble[0] != '\0')
		strlcat(text, "; ", sizeof(text));
	strlcat(text, c->trouble, sizeof(text));
	memset(&answer.result, 0, sizeof(answer.result));
	answer.type = MSG_result;
	answer.result.exit = (uint8_t)call_worse(exit, c->exit);
	answer.result.us = clock_us() - c->began_us;
	result_ids(&answer.result.ids, &c->done);
	text_set(&answer.result.text, text);
	timer_stop(&c->super->loop, &c->timer);
	if (c->reading)
		journal_reader_close(&c->reader);
	c->reading = false;
	if (c->check != NULL)
		check_free(c);
	c->busy = false;
	c->idle_us = clock_us();
	client_send(c, &answer);
}

/* Those that it can be done to; the others are answered. */
static void
pick_listed(struct client *c, bool (*fits)(const struct child *))
{
	struct super *s = c->super;
	int id;

	for (id = idset_next(&c->call.peers, 0); id != -1;
	     id = idset_next(&c->call.peers, (unsigned)id + 1)) {
		const struct child *child = s->children[id];

		if (child == NULL && (c->call.flags & CALL_RANGE) != 0)
			continue;
		if (child == NULL)
			call_answer(c, (unsigned)id, ERROR_no_peer,
			    "no peer %d in ring %s", id, s->config.ring);
		else if (fits(child))
			idset_add(&c->waiting, (unsigned)id);
		else
			call_answer(c, (unsigned)id, ERROR_no_peer,
			    child->pid == 0 ? "peer %d is down (%s)"
					    : "peer %d is %s",
			    id, peer_state_text(child_state(child)));
	}
}

static void
pick_any(struct client *c, bool (*fits)(const struct child *))
{
	struct super *s = c->super;
	unsigned count, skip;
	int id;

	for (id = idset_next(&s->known, 0); id != -1;
	     id = idset_next(&s->known, (unsigned)id + 1))
		if (fits(s->children[id]))
			idset_add(&c->waiting, (unsigned)id);
	count = idset_count(&c->waiting);
	if (c->call.which == WHICH_ALL || count == 0)
		return;
	skip = (unsigned)random_below(&s->random, count);
	id = idset_next(&c->waiting, 0);
	while (skip-- > 0)
		id = idset_next(&c->waiting, (unsigned)id + 1);
	memset(&c->waiting, 0, sizeof(c->waiting));
	idset_add(&c->waiting, (unsigned)id);
}

bool
call_pick(struct client *c, bool (*fits)(const struct child *))
{
	switch (c->call.which) {
	case WHICH_LIST:
		pick_listed(c, fits);
		break;
	case WHICH_ALL:
	case WHICH_RANDOM:
		pick_any(c, fits);
		break;
	default:
		call_finish(c, EXIT_USAGE, "say which peers");
		return false;
	}
	if (c->gone)
		return false;
	if (idset_count(&c->waiting) > 0)
		return true;
	if (c->trouble[0] != '\0')
		call_finish(c, EXIT_NO_PEER, "%s", "");
	else if (c->call.which == WHICH_RANDOM)
		call_finish(c, EXIT_NO_PEER,
		    "no peer of ring %s is up: ringctl start PEERS",
		    c->super->config.ring);
	else
		call_finish(c, EXIT_NO_PEER, "ring %s has no such peer now",
		    c->super->config.ring);
	return false;
}

void
call_reply(struct super *s, struct child *child, struct message *m)
{
	struct client *c = s->clients;

	while (
	    c != NULL && (!c->busy || c->serial != m->reply.op >> OP_ID_BITS))
		c = c->next;
	/* Its client has left, or it comes too late. */
	if (c == NULL || !idset_has(&c->waiting, child->id))
		return;
	m->reply.peer = child->id;
	if (c->call.verb == VERB_EXEC)
		verb_exec_reply(c, child, m);
	else if (c->call.verb == VERB_QUIT)
		verb_quit_reply(c, child, m);
	call_changed(c);
}

void
call_end(struct client *c)
{
	struct super *s = c->super;
	char names[128];

	if (c->call.verb == VERB_EVENTS || c->call.verb == VERB_LOGS) {
		c->call.flags &= ~(uint32_t)CALL_FOLLOW;
		stream_pump(c);
		if (c->busy)
			call_finish(c, EXIT_DONE, "%s", "");
	} else if (c->call.verb == VERB_DOWN && idset_count(&s->unclean) > 0) {
		call_finish(c, EXIT_TIMEOUT,
		    "ring %s is down, but %s did not end in good order; its "
		    "files stay in %s",
		    s->config.ring,
		    call_names(&s->unclean, names, sizeof(names)),
		    s->data.text);
	} else if (c->call.verb == VERB_DOWN || c->call.verb == VERB_WAIT) {
		call_finish(c,
		    c->call.verb == VERB_DOWN || c->down ? EXIT_DONE
							 : EXIT_NO_RING,
		    "ring %s is down; its files stay in %s", s->config.ring,
		    s->data.text);
	} else {
		call_finish(c, EXIT_NO_RING, "ring %s went down meanwhile",
		    s->config.ring);
	}
}

const char *
call_names(const struct idset *set, char *out, size_t size)
{
	const char *word = idset_count(set) == 1 ? "peer " : "peers ";

	strlcpy(out, word, size);
	set_print(set, out + strlen(word), size - strlen(word));
	return out;
}
