#include <assert.h>
#include <string.h>

#include "ring/files_repair.h"

/* What two peers list to each other where their hashes differ. */
enum { PULL_AGAIN_US = 10000 }; /* until a pull is tried again */

/* The next records of the buckets that differ. */
static void
session_page(struct peer *p, struct session *s, struct records *out)
{
	const struct index *x = &p->config.index;
	unsigned keys = session_keys(p, s);
	unsigned n = keys < HASHES_MAX ? keys : HASHES_MAX;

	out->count = 0;
	while (s->cursor < keys && out->count < PAGE_MAX) {
		unsigned bucket = s->cursor * n / keys;
		uint16_t key =
		    (uint16_t)((s->after + 1 + s->cursor) & (p->space - 1));
		struct record *r = &out->at[out->count];

		if ((s->differ[bucket / 8] & 1u << bucket % 8) &&
		    x->next(x->ctx, key,
			s->cursor_named ? &s->cursor_name : NULL, r)) {
			s->cursor_name = r->name;
			s->cursor_named = true;
			out->count++;
		} else {
			s->cursor++;
			s->cursor_named = false;
		}
	}
}

void
session_list(struct peer *p, struct session *s)
{
	struct message m;

	m.type = MSG_sync_list;
	m.sync_list.session = s->number;
	session_page(p, s, &m.sync_list.records);
	m.sync_list.last = s->cursor >= session_keys(p, s);
	s->out_waits = true;
	link_send(p, s->id, &m);
	s->timer_us = p->now_us + (s->todo != 0 ? PULL_AGAIN_US : 2 * RTO_US);
	files_wake(p, s->timer_us);
}

static void
session_send_done(struct peer *p, struct session *s)
{
	struct message m;

	m.type = MSG_sync_done;
	memset(&m.sync_done.missed, 0, sizeof(m.sync_done.missed));
	m.sync_done.session = s->number;
	link_send(p, s->id, &m);
}

static void
session_check(struct peer *p, struct session *s)
{
	if (s->state == SESSION_LISTING && s->out_done && s->in_done)
		session_agree(p, s);
}

/* Is a listed record still to be pulled? */
static bool
session_lacks(struct peer *p, const struct session *s, const struct record *r)
{
	struct record held;

	files_saw(p, &r->version);
	if (s->role == SESSION_MINE)
		apart_lost(p, s->id, r);
	if (files_key(p, &r->name) < 0 || !member_writable(p, p->config.id))
		return false;
	/* The former owner of a range is asked, but not to hold it. */
	if (s->role == SESSION_THEIRS && s->set == range_hash(p, s->id) &&
	    !range_in_set(p, s->id, p->config.id))
		return false;
	return !files_find(p, &r->name, &held) ||
	       version_cmp(&held.version, &r->version) < 0;
}

static unsigned
session_room(const struct session *s)
{
	uint64_t bits = s->todo | s->active;
	unsigned room = WINDOW_MAX;

	for (; bits != 0; bits &= bits - 1)
		room--;
	return room;
}

/* The last page is done when all is here; others, when the next has room. */
static void
session_page_done(struct peer *p, struct session *s)
{
	unsigned room = session_room(s);

	if (s->failed || s->role == SESSION_OFFER) {
		if (room == WINDOW_MAX)
			session_fail(p, s);
		return;
	}
	if (!s->in_waits || room < (s->in_last ? WINDOW_MAX : PAGE_MAX))
		return;
	s->in_waits = false;
	s->in_done = s->in_last;
	session_send_done(p, s);
	session_check(p, s);
}

static void
session_pull(struct peer *p, struct session *s, unsigned item)
{
	const struct record *r = &s->window[item];
	uint64_t bit = UINT64_C(1) << item;

	if (!session_lacks(p, s, r)) {
		s->todo &= ~bit;
	} else if (!write_brings(p, r) &&
		   pull_start(
		       p, s->id, r, (unsigned)(s - p->files.sessions), item)) {
		s->todo &= ~bit;
		s->active |= bit;
	}
}

void
session_step(struct peer *p, struct session *s)
{
	if (s->failed)
		s->todo = 0;
	for (unsigned i = 0; i < WINDOW_MAX && pull_room(p); i++)
		if (s->todo & UINT64_C(1) << i)
			session_pull(p, s, i);
	if (s->todo != 0) {
		s->timer_us = p->now_us + PULL_AGAIN_US;
		files_wake(p, s->timer_us);
	}
	session_page_done(p, s);
}

void
session_pulled(
    struct peer *p, struct session *s, unsigned item, enum pulled how)
{
	uint64_t bit = UINT64_C(1) << item;

	if (!(s->active & bit))
		return;
	s->active &= ~bit;
	if (how == PULLED_NOT_NOW) {
		/* Its holder has too much to do: not at once again. */
		s->todo |= bit;
		s->timer_us = p->now_us + PULL_AGAIN_US;
		files_wake(p, s->timer_us);
		return;
	}
	s->failed |= how == PULLED_NOT;
	s->used_us = p->now_us;
	session_step(p, s);
}

void
session_sync_list(
    struct peer *p, struct conn *c, const struct msg_sync_list *in)
{
	struct session *s = session_of(p, c->id, in->session);

	if (s != NULL && s->role == SESSION_THEIRS &&
	    s->state == SESSION_PAUSED) {
		session_send_diff(p, s, HASHES_MAX);
		return;
	}
	if (s == NULL || s->state != SESSION_LISTING || s->in_waits ||
	    s->in_done || s->failed || in->records.count > session_room(s))
		return;
	for (unsigned i = 0, at = 0; i < in->records.count; i++, at++) {
		while ((s->todo | s->active) & UINT64_C(1) << at)
			at++;
		s->window[at] = in->records.at[i];
		s->todo |= UINT64_C(1) << at;
	}
	s->in_waits = true;
	s->in_last = in->last;
	session_step(p, s);
}

void
session_sync_done(
    struct peer *p, struct conn *c, const struct msg_sync_done *in)
{
	struct session *s = session_of(p, c->id, in->session);

	if (s == NULL)
		return;
	if (s->role == SESSION_THEIRS && !s->out_waits) {
		/* The owner says that all replicas agree. */
		if (s->state != SESSION_DONE)
			return;
		s->told_set = s->set;
		mourn_told(p, s->after, s->upto, &in->missed);
		return;
	}
	if (s->state != SESSION_LISTING || !s->out_waits)
		return;
	s->out_waits = false;
	if (s->role == SESSION_MINE && s->passed < s->cursor) {
		s->passed = s->cursor;
		range_passed(p);
	}
	s->out_done = s->cursor >= session_keys(p, s);
	if (s->out_done)
		session_check(p, s);
	else
		session_list(p, s);
}
