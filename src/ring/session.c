#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "ring/files_repair.h"

/*
 * Anti-entropy between an owner and a replica of its range (DeCandia et al.,
 * Dynamo, section 4.7, with plain hashes of buckets). The owner asks with its
 * hashes; what differs is listed by both sides, page by page, and each side
 * pulls what it lacks before it says that a page is done.
 */
enum {
	WAIT_US = 1000000, /* without a word: is it still there? */
	GIVE_UP_US = 30000000,
	FAIL_MIN_US = 20000,
	FAIL_MAX_US = 2000000,
	OWNER_BITS = BITS_MAX, /* of a number: who owns the range */
};

unsigned
session_keys(const struct peer *p, const struct session *s)
{
	unsigned n = ring_distance(p, s->after, s->upto);

	return n == 0 ? p->space : n;
}

bool
session_busy(const struct session *s)
{
	return s->role != SESSION_FREE &&
	       (s->state == SESSION_ASKED || s->state == SESSION_LISTING);
}

/* Is it this peer that begins it, and again when it failed? */
static bool
session_asks(const struct session *s)
{
	return s->role == SESSION_MINE || s->role == SESSION_SEEN;
}

void
session_free(struct session *s)
{
	/* The window is large, and nothing in it counts without its bit. */
	memset(s, 0, offsetof(struct session, window));
}

/* A free slot, or the one of another owner that was idle longest. */
struct session *
session_new(struct peer *p, enum session_role role, unsigned id)
{
	struct session *s = NULL;

	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		struct session *t = &p->files.sessions[i];

		if (t->role == SESSION_FREE) {
			top_raise(&p->files.session_top, i);
			s = t;
			break;
		}
		if (t->role == SESSION_THEIRS && !session_busy(t) &&
		    (s == NULL || t->used_us < s->used_us))
			s = t;
	}
	if (s == NULL)
		return NULL;
	session_free(s);
	s->role = (uint8_t)role;
	s->id = (uint16_t)id;
	s->used_us = p->now_us;
	return s;
}

static struct session *
session_find(struct peer *p, enum session_role role, unsigned id)
{
	for (unsigned i = 0; i < p->files.session_top; i++) {
		struct session *s = &p->files.sessions[i];

		if (s->role == role && s->id == id)
			return s;
	}
	return NULL;
}

struct session *
session_of(struct peer *p, unsigned id, uint32_t number)
{
	bool mine = (number & ((1u << OWNER_BITS) - 1)) == p->config.id;
	struct session *s =
	    session_find(p, mine ? SESSION_MINE : SESSION_THEIRS, id);

	if (s == NULL && mine)
		s = session_find(p, SESSION_SEEN, id);
	if (s == NULL || s->number != number)
		return NULL;
	s->used_us = p->now_us;
	return s;
}

static unsigned
session_hashes(struct peer *p, const struct session *s, uint64_t *out)
{
	const struct index *x = &p->config.index;
	unsigned keys = session_keys(p, s);
	unsigned n = keys < HASHES_MAX ? keys : HASHES_MAX;

	memset(out, 0, n * sizeof(*out));
	for (unsigned i = 0; i < keys; i++)
		out[i * n / keys] ^= x->digest(
		    x->ctx, (uint16_t)((s->after + 1 + i) & (p->space - 1)));
	return n;
}

static void
session_lists_reset(struct session *s)
{
	s->out_done = s->out_waits = s->cursor_named = false;
	s->cursor = 0;
	s->in_waits = s->in_done = s->in_last = s->failed = false;
	s->todo = s->active = 0;
	s->differed = false;
}

void
session_begin(struct peer *p, struct session *s)
{
	struct message m;

	assert(session_asks(s));
	session_lists_reset(s);
	if (s->set != p->files.set)
		s->passed = 0;
	s->number = ++p->files.serial << OWNER_BITS | p->config.id;
	s->after = (uint16_t)ring_owner_before(p, p->config.id);
	s->upto = p->config.id;
	s->set = p->files.set;
	s->gen = p->files.gen;
	s->state = SESSION_ASKED;
	s->used_us = p->now_us;
	/* Nobody serves by an older view than theirs whom it synced from. */
	if (p->phase == PHASE_SYNCING)
		gossip_compare(p, s->id);
	m.type = MSG_sync_ask;
	m.sync_ask.session = s->number;
	m.sync_ask.after = s->after;
	m.sync_ask.upto = s->upto;
	m.sync_ask.view = s->set;
	m.sync_ask.buckets.count =
	    (uint16_t)session_hashes(p, s, m.sync_ask.buckets.at);
	link_send(p, s->id, &m);
	s->timer_us = p->now_us + RTO_US;
	files_wake(p, s->timer_us);
}

void
session_send_diff(struct peer *p, struct session *s, unsigned n)
{
	struct message m;

	memset(&m.sync_diff.buckets, 0, sizeof(m.sync_diff.buckets));
	m.type = MSG_sync_diff;
	m.sync_diff.session = s->number;
	mourn_tell(p, s->after, s->upto, &m.sync_diff.missed);
	for (unsigned i = 0; i < n; i++)
		if (s->differ[i / 8] & 1u << i % 8)
			idset_add(&m.sync_diff.buckets, i);
	link_send(p, s->id, &m);
}

void
session_agree(struct peer *p, struct session *s)
{
	bool news = s->differed;

	s->agreed_set = s->set;
	s->agreed_gen = s->gen;
	s->state = SESSION_DONE;
	s->passed = session_keys(p, s);
	s->pause_us = 0;
	s->differed = false;
	if (s->role == SESSION_THEIRS)
		s->served = range_serves(p, s->id);
	if (s->role != SESSION_MINE)
		return;
	if (news)
		note(p, EVENT_synced, s->id, "");
	range_agreed(p);
}

void
session_fail(struct peer *p, struct session *s)
{
	s->state = SESSION_PAUSED;
	s->passed = 0;
	s->todo = s->active = 0;
	if (s->role == SESSION_OFFER) {
		session_free(s);
		return;
	}
	if (s->role == SESSION_THEIRS) {
		session_send_diff(p, s, HASHES_MAX);
		return;
	}
	s->pause_us = s->pause_us == 0 ? FAIL_MIN_US : s->pause_us * 2;
	if (s->pause_us > FAIL_MAX_US)
		s->pause_us = FAIL_MAX_US;
	s->timer_us = p->now_us + s->pause_us;
	files_wake(p, s->timer_us);
}

void
session_sync_ask(struct peer *p, struct conn *c, const struct msg_sync_ask *in)
{
	struct session *s = session_find(p, SESSION_THEIRS, c->id);
	uint64_t hashes[HASHES_MAX];
	unsigned n, differing = 0;

	if (in->after >= p->space || in->upto != c->id ||
	    (in->session & ((1u << OWNER_BITS) - 1)) != c->id ||
	    !peer_current(p, c->id, c->incarnation))
		return;
	/* It counts on what can't be held here; it will learn that. */
	if (!member_writable(p, p->config.id) &&
	    (in->view != range_hash(p, c->id) ||
		range_in_set(p, c->id, p->config.id)))
		return;
	if (s == NULL)
		s = session_new(p, SESSION_THEIRS, c->id);
	if (s == NULL)
		return;
	if (s->agreed_set != in->view || s->incarnation != c->incarnation)
		s->agreed_set = 0;
	session_lists_reset(s);
	s->number = in->session;
	s->incarnation = c->incarnation;
	s->after = in->after;
	s->upto = in->upto;
	s->set = in->view;
	s->used_us = p->now_us;
	n = session_hashes(p, s, hashes);
	if (n != in->buckets.count) {
		session_free(s);
		return;
	}
	memset(s->differ, 0, sizeof(s->differ));
	for (unsigned i = 0; i < n; i++) {
		if (hashes[i] == in->buckets.at[i])
			continue;
		s->differ[i / 8] |= (uint8_t)(1u << i % 8);
		differing++;
	}
	session_send_diff(p, s, n);
	if (differing == 0) {
		session_agree(p, s);
		return;
	}
	/* It only counts: nothing can be brought here. */
	if (!member_writable(p, p->config.id) && range_serves(p, c->id)) {
		s->state = SESSION_DONE;
		return;
	}
	s->state = SESSION_LISTING;
	session_list(p, s);
}

static void
session_seen(struct peer *p, struct session *s, const struct msg_sync_diff *in)
{
	if (s->state != SESSION_ASKED)
		return;
	memcpy(s->differ, in->buckets.bits, sizeof(s->differ));
	s->state = SESSION_DONE;
	s->agreed_set = s->set;
	short_seen(p);
}

void
session_sync_diff(
    struct peer *p, struct conn *c, const struct msg_sync_diff *in)
{
	struct session *s = session_of(p, c->id, in->session);

	if (s != NULL && s->role == SESSION_SEEN)
		session_seen(p, s, in);
	if (s == NULL || s->role != SESSION_MINE)
		return;
	if (s->state == SESSION_LISTING) {
		/* The other side could not pull all: again, a little later. */
		session_fail(p, s);
		return;
	}
	if (s->state != SESSION_ASKED)
		return;
	s->missed = in->missed;
	s->served = range_serves(p, s->id);
	memcpy(s->differ, in->buckets.bits, sizeof(s->differ));
	if (idset_count(&in->buckets) == 0) {
		session_agree(p, s);
		return;
	}
	s->differed = true;
	s->state = SESSION_LISTING;
	session_list(p, s);
}

void
session_link_lost(struct peer *p, unsigned id)
{
	for (unsigned i = 0; i < p->files.session_top; i++) {
		struct session *s = &p->files.sessions[i];

		if (s->id != id || s->role == SESSION_OFFER)
			continue;
		if (session_asks(s) && session_busy(s)) {
			s->state = SESSION_PAUSED;
			s->todo = s->active = 0;
			s->timer_us = p->now_us + PAUSE_MIN_US;
			files_wake(p, s->timer_us);
		} else if (s->role == SESSION_THEIRS && peer_usable(p, id) &&
			   p->now_us - s->used_us < WAIT_US) {
			/* What was said last may be lost; this is an end. */
			if (session_busy(s))
				s->state = SESSION_PAUSED;
			session_send_diff(p, s, HASHES_MAX);
		}
	}
}

static void
session_timer(struct peer *p, struct session *s)
{
	s->timer_us = p->now_us + 2 * RTO_US;
	if (session_asks(s) && s->state == SESSION_PAUSED) {
		session_begin(p, s);
	} else if (s->state == SESSION_ASKED) {
		detect_doubt(p, s->id);
		session_begin(p, s);
	} else if ((s->todo | s->active) != 0) {
		session_step(p, s);
	} else if (p->now_us - s->used_us >= 2 * RTO_US) {
		/* It fetches something large, or a message was lost. */
		detect_doubt(p, s->id);
		if (s->role == SESSION_MINE)
			session_begin(p, s);
		else if (p->now_us - s->used_us >= GIVE_UP_US)
			session_fail(p, s);
	}
}

static bool
session_has_timer(const struct session *s)
{
	return session_busy(s) ||
	       (session_asks(s) && s->state == SESSION_PAUSED);
}

uint64_t
session_tick(struct peer *p)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < p->files.session_top; i++) {
		struct session *s = &p->files.sessions[i];

		if (session_has_timer(s) && s->timer_us <= p->now_us)
			session_timer(p, s);
		if (session_has_timer(s) && s->timer_us < next)
			next = s->timer_us;
	}
	return next;
}
