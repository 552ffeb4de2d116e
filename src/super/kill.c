#include <bsd/string.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "super/client.h"
#include "super/set.h"

/* A kill, and what it cost: until whole, until all files have their copies. */
enum { SENTENCE = 400 };

void
verb_kill_begin(struct client *c)
{
	struct super *s = c->super;

	if (!call_pick(c, child_runs))
		return;
	call_arm(c, CALL_TIMEOUT_MS);
	copies_expect(s);
	c->whole_us = 0;
	c->lacked = copies_lost(s, &c->waiting);
	c->held = 0;
	EACH_WAITING(c, id)
	if (s->children[id]->report.files > c->held)
		c->held = s->children[id]->report.files;
	c->orphans = copies_alone(s, &c->waiting);
	c->began_us = clock_us();
	verb_signal(c, SIGKILL);
}

/* One that can tell what the ring is like now; NULL: no peer is left. */
static const struct child *
any_live(const struct super *s)
{
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (s->children[id] != NULL && s->children[id]->pid != 0 &&
		    !s->children[id]->stopped)
			return s->children[id];
	return NULL;
}

static void __attribute__((format(printf, 2, 3)))
add(char *text, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, SENTENCE - used, format, args);
	va_end(args);
}

/* All that the live ones hold, when they are too few for all copies. */
static uint64_t
files_of_few(const struct super *s)
{
	uint64_t most = 0;

	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *c = s->children[id];

		if (c == NULL || child_state(c) != PEER_UP)
			continue;
		if (c->report.members >= s->config.copies)
			return 0;
		if (c->report.files > most)
			most = c->report.files;
	}
	return most;
}

static void
fill_cost(const struct client *c, struct msg_cost *m)
{
	const struct super *s = c->super;
	uint64_t lost = copies_lost(s, NULL);

	m->whole_us = c->whole_us;
	m->missing = copies_short(s);
	if (c->whole_us == 0)
		return;
	m->orphans = c->orphans;
	m->files = c->orphans + (lost > c->lacked ? lost - c->lacked : 0);
	/* What one of them held is a copy lost, were they ever so few. */
	if (m->files < c->held)
		m->files = c->held;
	m->few = files_of_few(s);
	if (m->missing == 0 && m->few == 0)
		m->copies_us = clock_us() - c->began_us;
	m->few += copies_stuck(s);
}

/* `; 3 files back to 3 copies in 12 ms` and the like. */
static void
say_copies(const struct client *c, const struct msg_cost *m, char *text)
{
	const struct child *live = any_live(c->super);
	uint64_t stuck = copies_stuck(c->super), few = m->few - stuck;
	uint64_t lost = copies_lost(c->super, NULL), gone;
	uint64_t back = lost > c->lacked ? lost - c->lacked : 0;
	unsigned want = c->super->config.copies, copies = want;
	char span[32];

	gone = m->files - m->orphans;
	if (live != NULL && live->report.members < copies)
		copies = live->report.members;
	if (m->missing > stuck)
		add(text, "; %llu file%s still short after %s",
		    (unsigned long long)(m->missing - stuck),
		    plural(m->missing - stuck),
		    span_print(clock_us() - c->began_us, span, sizeof(span)));
	else if (m->few == 0 && back > 0)
		add(text, "; %llu file%s back to %u cop%s in %s",
		    (unsigned long long)back, plural(back), copies,
		    copies == 1 ? "y" : "ies",
		    span_print(m->copies_us, span, sizeof(span)));
	else if (gone > 0 && few == 0)
		add(text, "; %llu file%s lost a copy", (unsigned long long)gone,
		    plural(gone));
	else if (gone == 0 && m->orphans == 0)
		add(text, "; no file lost a copy");
	if (m->orphans > 0)
		add(text, "; %llu file%s without a live holder",
		    (unsigned long long)m->orphans, plural(m->orphans));
	if (few > 0)
		add(text, "; %llu file%s at %u of %u copies: too few peers",
		    (unsigned long long)few, plural(few), copies, want);
	if (stuck > 0)
		add(text, "; %llu file%s short of a copy: " NO_ROOM,
		    (unsigned long long)stuck, plural(stuck));
}

/* What it cost, and the result. */
static void
finish(struct client *c, int exit)
{
	struct message m = {.type = MSG_cost};
	char names[256], text[SENTENCE];

	snprintf(text, sizeof(text), "killed %s (SIGKILL)",
	    set_print(&c->done, names, sizeof(names)));
	if (any_live(c->super) == NULL) {
		add(text, ": no peer is left");
		m.cost.files = m.cost.orphans = c->orphans;
		if (c->orphans > 0)
			add(text, "; %llu file%s without a live holder",
			    (unsigned long long)c->orphans, plural(c->orphans));
		client_send(c, &m);
	} else {
		fill_cost(c, &m.cost);
		if (c->whole_us == 0) {
			add(text, ": not whole after %.1f s: %.100s",
			    (double)(clock_us() - c->began_us) / 1e6,
			    c->super->why);
		} else {
			add(text, ": whole again in %.1f ms",
			    (double)c->whole_us / 1000);
			say_copies(c, &m.cost, text);
		}
		client_send(c, &m);
	}
	call_finish(c, exit, "%s", text);
}

/* Those that are dead, said of them by their wait status. */
static void
take_dead(struct client *c)
{
	EACH_WAITING(c, id)
	{
		const struct child *child = c->super->children[id];

		if (child->pid != 0)
			continue;
		if (child->ended == PEER_KILLED)
			call_answer(
			    c, (unsigned)id, ERROR_none, "killed (SIGKILL)");
		else
			call_answer(c, (unsigned)id, ERROR_system,
			    "peer %d ended by itself first: %s", id,
			    child->why);
	}
}

void
verb_kill_settle(struct client *c)
{
	const struct super *s = c->super;

	take_dead(c);
	if (c->gone || idset_count(&c->waiting) > 0)
		return;
	if (s->whole && c->whole_us == 0)
		c->whole_us = clock_us() - c->began_us;
	if (idset_count(&c->done) == 0)
		call_finish(c, c->exit, "%s", "");
	else if (any_live(s) == NULL || (s->whole && copies_settled(s)))
		finish(c, c->exit);
}

void
verb_kill_expire(struct client *c)
{
	if (idset_count(&c->waiting) > 0)
		verb_peers_expire(c);
	else
		finish(c, EXIT_TIMEOUT);
}
