#include <assert.h>
#include <bsd/string.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "super/call.h"
#include "super/super.h"

enum { ANSWER_US = 500000 /* then another peer is asked */ };

/* Why the ring is not whole; always false. */
static bool __attribute__((format(printf, 2, 3)))
because(struct super *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->why, sizeof(s->why), format, args);
	va_end(args);
	return false;
}

static const struct child *
unlike(const struct super *s, const struct child *first)
{
	for (int id = idset_next(&s->known, first->id + 1u); id != -1;
	     id = idset_next(&s->known, (unsigned)id + 1)) {
		const struct child *c = s->children[id];

		if (c->pid != 0 && !c->stopped &&
		    c->report.hash != first->report.hash)
			return c;
	}
	return NULL;
}

/* (a) to (c): all live ones serve, and have one view. NULL: not so. */
static struct child *
agreed(struct super *s)
{
	struct child *first = NULL;
	const struct child *other;

	for (int id = idset_next(&s->known, 0); id != -1;
	     id = idset_next(&s->known, (unsigned)id + 1)) {
		struct child *c = s->children[id];

		if (c->pid == 0)
			continue;
		if (c->kill_asked) {
			because(s, "peer %d is about to die", id);
			return NULL;
		}
		if (c->stopped)
			continue;
		if (child_state(c) != PEER_UP) {
			because(s, "peer %d is %s", id,
			    peer_state_text(child_state(c)));
			return NULL;
		}
		if (first == NULL)
			first = c;
	}
	if (first == NULL) {
		because(s, "no peer is up");
		return NULL;
	}
	other = unlike(s, first);
	if (other != NULL) {
		because(s, "peers %u and %u have different views", first->id,
		    other->id);
		return NULL;
	}
	return first;
}

/* (d) for one child. */
static bool
listed_right(struct super *s, const struct child *c)
{
	const struct member *m = &s->listing.at[c->id];

	if (c->pid == 0) {
		if (m->state != MEMBER_ALIVE && m->state != MEMBER_SUSPECT &&
		    m->state != MEMBER_LEAVING)
			return true;
		return because(s, "peer %u is %s, and the others don't know",
		    c->id, peer_state_text(child_state(c)));
	}
	if (c->stopped) {
		if (m->state == MEMBER_ALIVE || m->state == MEMBER_DEAD)
			return true;
		return because(
		    s, "peer %u is paused, and not fenced yet", c->id);
	}
	if (m->state == MEMBER_ALIVE && m->incarnation == c->report.incarnation)
		return true;
	return because(s, "peer %u is up, and the others don't know", c->id);
}

static void
ask(struct super *s, const struct child *first)
{
	struct message m = {.type = MSG_members_ask};
	struct listing *l = &s->listing;
	struct child *c = s->children[first->id];

	if (l->asking || l->hold)
		return;
	/* Not the one again that did not answer. */
	for (unsigned id = 0; id < SPACE_MAX && l->silent; id++) {
		unsigned other = (l->asked + 1u + id) % SPACE_MAX;

		c = s->children[other];
		if (c != NULL && c->pid != 0 && !c->stopped)
			break;
	}
	assert(c != NULL);
	m.members_ask.op = l->op = s->next_op++;
	if (child_send(c, &m) == -1)
		return;
	l->asked = c->id;
	l->asking = true;
	memset(l->next, 0, sizeof(l->next));
	timer_start(&s->loop, &l->timer, clock_us() + ANSWER_US);
}

static void
no_answer(struct timer *t)
{
	struct super *s = CONTAINER(t, struct super, listing.timer);

	s->listing.asking = false;
	s->listing.silent = true;
	s->changed = true;
}

void
whole_init(struct super *s)
{
	timer_init(&s->listing.timer, no_answer);
	because(s, "nothing is known yet");
}

void
whole_members(struct super *s, struct child *c, const struct msg_members *m)
{
	struct listing *l = &s->listing;

	if (!l->asking || c->id != l->asked || m->op != l->op)
		return;
	for (unsigned i = 0; i < m->list.count; i++)
		if (m->list.at[i].id < SPACE_MAX)
			l->next[m->list.at[i].id] = m->list.at[i];
	if (!m->last)
		return;
	timer_stop(&s->loop, &l->timer);
	memcpy(l->at, l->next, sizeof(l->at));
	l->known = true;
	l->asking = l->silent = false;
	/* Its report of the change behind this is still on its way. */
	l->hold = m->hash != c->report.hash;
	l->hash = m->hash;
	s->changed = true;
}

static bool
judge(struct super *s)
{
	const struct child *first = agreed(s);

	if (first == NULL)
		return false;
	if (!s->listing.known || s->listing.hash != first->report.hash) {
		ask(s, first);
		return because(s, "peer %u is asked for its view", first->id);
	}
	for (int id = idset_next(&s->known, 0); id != -1;
	     id = idset_next(&s->known, (unsigned)id + 1))
		if (!listed_right(s, s->children[id]))
			return false;
	s->why[0] = '\0';
	return true;
}

void
whole_judge(struct super *s)
{
	bool whole = judge(s);
	uint64_t up = 0;

	if (whole == s->whole)
		return;
	s->whole = whole;
	s->changed = true;
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (s->children[id] != NULL &&
		    child_state(s->children[id]) == PEER_UP)
			up++;
	if (whole)
		super_event(s, EVENT_whole, PEER_NOBODY, up, "");
	else
		super_event(s, EVENT_broken, PEER_NOBODY, 0, s->why);
}

bool
ring_wanted_up(const struct super *s)
{
	for (int id = idset_next(&s->known, 0); id != -1;
	     id = idset_next(&s->known, (unsigned)id + 1)) {
		const struct child *c = s->children[id];

		if (child_wanted(c) && child_state(c) != PEER_UP)
			return false;
	}
	return true;
}

bool
ring_ready(const struct super *s)
{
	return s->whole && ring_wanted_up(s) && copies_settled(s) &&
	       copies_short(s) == 0;
}

const struct member *
whole_member(const struct super *s, unsigned id)
{
	assert(id < SPACE_MAX);
	return s->listing.known && s->listing.at[id].state != MEMBER_NONE
		   ? &s->listing.at[id]
		   : NULL;
}
