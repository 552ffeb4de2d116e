#include <stdio.h>
#include <string.h>

#include "super/client.h"

/*
 * Commands of peers, relayed. A peer itself gives up an operation that makes
 * no progress; here only those are given up that are paused, or that show no
 * sign of life when asked for one.
 */
enum {
	GRACE_US = 500000, /* the peer's own deadline comes first */
	LIFE_US = 2000000, /* for a sign of it */
	PICKS_MAX = 4, /* peers asked in turn, when any will do */
};

/* At random: only one that can do it. */
static bool
serves(const struct child *c)
{
	return child_state(c) == PEER_UP;
}

/* A paused one is told when it goes on: or never, if time is over then. */
static void
exec_send(struct client *c, struct child *child)
{
	static struct message m;
	struct msg_command *out = &m.command;
	const struct msg_call *call = &c->call;

	if (child->stopped || idset_has(&c->sent, child->id))
		return;
	idset_add(&c->sent, child->id);
	m.type = MSG_command;
	memset(out, 0, sizeof(*out));
	out->op = call_op(c, child->id);
	out->command = call->command;
	out->id = call->id;
	out->timeout_ms = call->timeout_ms;
	out->name = call->name;
	out->suffix = call->suffix;
	out->path = call->path;
	if (child_send(child, &m) == -1)
		call_answer(c, child->id, ERROR_busy,
		    "peer %u takes no more commands now", child->id);
}

void
verb_exec_begin(struct client *c)
{
	struct super *s = c->super;
	bool paused = false;

	if (c->call.command == COMMAND_NONE || c->call.command > COMMAND_QUIT) {
		call_finish(c, EXIT_USAGE, "no such command");
		return;
	}
	if (!call_pick(c, c->call.which == WHICH_RANDOM ? serves : child_runs))
		return;
	call_arm(c, CALL_TIMEOUT_MS);
	EACH_WAITING(c, id)
	{
		paused |= s->children[id]->stopped;
		exec_send(c, s->children[id]);
	}
	if (!paused && !c->gone)
		timer_start(&s->loop, &c->timer, c->timer.at_us + GRACE_US);
}

/* Asked at random, one that is just leaving is the wrong pick: another? */
static bool
pick_again(struct client *c, const struct msg_reply *r)
{
	struct super *s = c->super;
	struct idset others = {0};
	unsigned skip;
	int id;

	if (c->call.which != WHICH_RANDOM ||
	    (r->error != ERROR_leaving && r->error != ERROR_not_serving) ||
	    idset_count(&c->sent) >= PICKS_MAX)
		return false;
	for (unsigned i = 0; i < SPACE_MAX; i++)
		if (s->children[i] != NULL && serves(s->children[i]) &&
		    !idset_has(&c->sent, i))
			idset_add(&others, i);
	if (idset_count(&others) == 0)
		return false;
	skip = (unsigned)random_below(&s->random, idset_count(&others));
	for (id = idset_next(&others, 0); skip > 0; skip--)
		id = idset_next(&others, (unsigned)id + 1);
	/* It is told when the call settles. */
	idset_add(&c->waiting, (unsigned)id);
	return true;
}

void
verb_exec_reply(struct client *c, struct child *child, struct message *m)
{
	const struct msg_reply *r = &m->reply;

	if (pick_again(c, r)) {
		idset_del(&c->waiting, child->id);
		return;
	}
	client_send(c, m);
	if (c->gone || (!r->last && c->call.command == COMMAND_FILES))
		return;
	idset_del(&c->waiting, child->id);
	if (r->error == ERROR_none) {
		idset_add(&c->done, child->id);
		return;
	}
	c->exit = call_worse(c->exit, wire_error_exit(r->error));
}

void
verb_exec_settle(struct client *c)
{
	EACH_WAITING(c, id)
	{
		struct child *child = c->super->children[id];

		if (child != NULL && child->pid != 0) {
			exec_send(c, child);
			continue;
		}
		if (child != NULL && child->ended == PEER_LEFT &&
		    c->call.command == COMMAND_QUIT)
			call_answer(c, (unsigned)id, ERROR_none, "left");
		else
			call_answer(c, (unsigned)id, ERROR_no_peer,
			    "peer %d went down meanwhile", id);
	}
	if (!c->gone && idset_count(&c->waiting) == 0) {
		c->trouble[0] = '\0';
		call_finish(c, c->exit, "%s", "");
	}
}

static void
exec_revoke(struct client *c, unsigned id)
{
	struct message m = {.type = MSG_cancel};
	struct child *child = c->super->children[id];

	m.cancel.op = call_op(c, id);
	if (child != NULL && child->pid != 0 && idset_has(&c->sent, id))
		child_send(child, &m);
}

void
verb_exec_cancel(struct client *c)
{
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (idset_has(&c->waiting, id))
			exec_revoke(c, id);
}

/* Whether a peer's command is given up now. */
static bool
overdue(struct client *c, struct child *child)
{
	struct message m = {.type = MSG_members_ask};
	bool transfers = c->call.command == COMMAND_STORE ||
			 c->call.command == COMMAND_REQUEST;

	if (child->stopped || !transfers)
		return true;
	if (idset_has(&c->probed, child->id) && child->heard_us < c->probed_us)
		return true;
	idset_add(&c->probed, child->id);
	m.members_ask.op = c->super->next_op++;
	return child_send(child, &m) == -1;
}

void
verb_exec_expire(struct client *c)
{
	struct super *s = c->super;

	for (unsigned id = 0; id < SPACE_MAX; id++) {
		struct child *child = s->children[id];

		if (!idset_has(&c->waiting, id) || !overdue(c, child))
			continue;
		exec_revoke(c, id);
		call_answer(c, id, ERROR_timeout,
		    child->stopped ? "peer %u is paused"
				   : "no answer from peer %u in time",
		    id);
	}
	if (!c->gone && idset_count(&c->waiting) > 0) {
		c->probed_us = s->loop.now_us;
		timer_start(&s->loop, &c->timer, s->loop.now_us + LIFE_US);
		return;
	}
	s->changed = true;
}
