#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "super/client.h"
#include "super/set.h"

enum { GRACE_US = 500000 /* a peer's own deadline comes first */ };

static bool
does_not_run(const struct child *c)
{
	return c->pid == 0;
}

static bool
is_paused(const struct child *c)
{
	return c->pid != 0 && c->stopped;
}

void
verb_signal(struct client *c, int signal)
{
	EACH_WAITING(c, id)
	{
		if (child_signal(c->super->children[id], signal) == -1)
			call_answer(c, (unsigned)id, ERROR_system,
			    "peer %d: %s", id, strerror(errno));
	}
}

/* All have answered: the words for those that were done. */
static void
finish(struct client *c, const char *what)
{
	char names[256];

	if (idset_count(&c->done) == 0)
		call_finish(c, c->exit, "%s", "");
	else
		call_finish(c, c->exit, "%s %s",
		    call_names(&c->done, names, sizeof(names)), what);
}

void
verb_peers_expire(struct client *c)
{
	EACH_WAITING(c, id)
	{
		const struct child *child = c->super->children[id];

		call_answer(c, (unsigned)id, ERROR_timeout,
		    "peer %d is still %s after %.1f s", id,
		    peer_state_text(child_state(child)),
		    (double)(clock_us() - c->began_us) / 1e6);
	}
	finish(c, "done");
}

void
verb_start_begin(struct client *c)
{
	if (!call_pick(c, does_not_run))
		return;
	call_arm(c, CALL_TIMEOUT_MS);
	EACH_WAITING(c, id)
	/* What goes wrong is found when it settles. */
	child_start(c->super->children[id], -1);
}

void
verb_start_settle(struct client *c)
{
	EACH_WAITING(c, id)
	{
		struct child *child = c->super->children[id];

		if (child->pid == 0) {
			call_answer(c, (unsigned)id, ERROR_system,
			    "peer %d did not start: %s", id, child->why);
			continue;
		}
		if (child_state(child) != PEER_UP)
			continue;
		child->failures = 0;
		call_answer(c, (unsigned)id, ERROR_none, "up");
	}
	if (!c->gone && idset_count(&c->waiting) == 0)
		finish(c, "up");
}

/* To those that it changes; the others are as they should be. */
static void
signal_others(struct client *c, int signal, bool stopped, const char *text)
{
	EACH_WAITING(c, id)
	{
		if (c->super->children[id]->stopped == stopped)
			call_answer(c, (unsigned)id, ERROR_none, "%s", text);
		else
			idset_add(&c->sent, (unsigned)id);
	}
	verb_signal(c, signal);
}

/* `peer 8 paused; peers 4-5 are paused already` */
static void
finish_others(struct client *c, const char *what, const char *idle)
{
	struct idset changed = {0}, same = {0};
	char text[512] = "", names[200];
	int id;

	for (id = idset_next(&c->done, 0); id != -1;
	     id = idset_next(&c->done, (unsigned)id + 1))
		idset_add(idset_has(&c->sent, (unsigned)id) ? &changed : &same,
		    (unsigned)id);
	if (idset_count(&changed) > 0)
		snprintf(text, sizeof(text), "%s %s%s",
		    call_names(&changed, names, sizeof(names)), what,
		    idset_count(&same) > 0 ? "; " : "");
	if (idset_count(&same) > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s %s %s", call_names(&same, names, sizeof(names)),
		    idset_count(&same) > 1 ? "are" : "is", idle);
	call_finish(c, c->exit, "%s", text);
}

void
verb_pause_begin(struct client *c)
{
	if (!call_pick(c, child_runs))
		return;
	call_arm(c, CALL_TIMEOUT_MS);
	signal_others(c, SIGSTOP, true, "paused already");
}

void
verb_pause_settle(struct client *c)
{
	EACH_WAITING(c, id)
	{
		const struct child *child = c->super->children[id];

		if (child->pid == 0)
			call_answer(c, (unsigned)id, ERROR_no_peer,
			    "peer %d ended meanwhile", id);
		else if (child->stopped)
			call_answer(c, (unsigned)id, ERROR_none, "paused");
	}
	if (!c->gone && idset_count(&c->waiting) == 0)
		finish_others(c, "paused", "paused already");
}

void
verb_resume_begin(struct client *c)
{
	if (!call_pick(c, c->call.which == WHICH_LIST ? child_runs : is_paused))
		return;
	call_arm(c, CALL_TIMEOUT_MS);
	signal_others(c, SIGCONT, false, "not paused");
}

void
verb_resume_settle(struct client *c)
{
	EACH_WAITING(c, id)
	{
		const struct child *child = c->super->children[id];

		if (child->pid == 0)
			call_answer(c, (unsigned)id, ERROR_no_peer,
			    "peer %d ended meanwhile", id);
		else if (!child->stopped)
			call_answer(c, (unsigned)id, ERROR_none, "resumed");
	}
	if (!c->gone && idset_count(&c->waiting) == 0)
		finish_others(c, "resumed", "not paused");
}

void
verb_quit_begin(struct client *c)
{
	if (!call_pick(c, child_runs))
		return;
	call_arm(c, CALL_TIMEOUT_MS);
	timer_start(&c->super->loop, &c->timer, c->timer.at_us + GRACE_US);
}

/* A paused one is told when it goes on: or never, if time is over then. */
static void
quit_send(struct client *c, struct child *child)
{
	struct message m = {.type = MSG_command};

	if (child->stopped || idset_has(&c->sent, child->id))
		return;
	idset_add(&c->sent, child->id);
	m.command.command = COMMAND_QUIT;
	m.command.timeout_ms = c->call.timeout_ms;
	m.command.op = call_op(c, child->id);
	if (child_send(child, &m) == -1)
		call_answer(c, child->id, ERROR_busy,
		    "peer %u takes no more commands", child->id);
}

void
verb_quit_reply(struct client *c, struct child *child, const struct message *m)
{
	/* Of a good one, the end of the process is the proof. */
	if (m->reply.error != ERROR_none)
		call_answer(c, child->id, m->reply.error, "peer %u: %s%s%s",
		    child->id, wire_error_text(m->reply.error),
		    m->reply.text.len > 0 ? ": " : "", m->reply.text.text);
}

void
verb_quit_settle(struct client *c)
{
	EACH_WAITING(c, id)
	{
		struct child *child = c->super->children[id];

		if (child->pid != 0) {
			quit_send(c, child);
			continue;
		}
		if (child->ended == PEER_LEFT)
			call_answer(c, (unsigned)id, ERROR_none, "left");
		else
			call_answer(c, (unsigned)id, ERROR_system,
			    "peer %d did not leave in good order: %s", id,
			    child->why);
	}
	if (!c->gone && idset_count(&c->waiting) == 0)
		finish(c, idset_count(&c->done) > 1 ? "have left" : "has left");
}
