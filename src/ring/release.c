#include <assert.h>
#include <string.h>

#include "ring/files_repair.h"

/*
 * The owner's side of an offer. A stray copy may be the last one: of a replica
 * that had agreed, the disk may be lost since, though it came back at once and
 * its new incarnation was not heard of yet. So the owner, which itself must
 * hold that version or a later one, first has every other replica promise to
 * keep it. A promise is one answer to one question: it counts only from the
 * incarnation that the owner's view lists, for the same replica set, and while
 * that view stays; and who is in the set of its own view never drops. The same
 * nonces end with a change of the holder's view (offer.c).
 */
enum { EXPIRE_US = 4000000 }; /* the holder asks again long before */

static_assert(RECORDS_MAX <= 32 && COPIES_MAX < 32, "positions are bits");

/* What the owner lacks of an offer, as far as there is room. */
static void
release_pull(struct peer *p, unsigned id, const struct msg_offer *in,
    const struct idset *lacking)
{
	struct session *s;
	unsigned n = 0;

	for (unsigned i = 0; i < p->files.session_top; i++)
		if (p->files.sessions[i].role == SESSION_OFFER &&
		    p->files.sessions[i].id == id)
			return;
	s = session_new(p, SESSION_OFFER, id);
	if (s == NULL)
		return;
	s->state = SESSION_LISTING;
	s->number = ++p->files.serial << BITS_MAX | p->config.id;
	for (int i = idset_next(lacking, 0); i >= 0 && n < WINDOW_MAX;
	     i = idset_next(lacking, (unsigned)i + 1))
		s->window[n++] = in->records.at[i];
	s->todo = (UINT64_C(1) << n) - 1;
	session_step(p, s);
}

/* Held here in this version or a later one, and not known to be damaged. */
static bool
holds(struct peer *p, const struct record *r)
{
	struct record held;

	return files_find(p, &r->name, &held) &&
	       version_cmp(&held.version, &r->version) >= 0;
}

static void
release_answer(struct peer *p, unsigned id, uint64_t nonce, uint32_t drop)
{
	struct message m;

	m.type = MSG_accept;
	m.accept.nonce = nonce;
	memset(&m.accept.drop, 0, sizeof(m.accept.drop));
	for (unsigned i = 0; i < RECORDS_MAX; i++)
		if (drop & 1u << i)
			idset_add(&m.accept.drop, i);
	link_send(p, id, &m);
}

/* That holder's last one, or a free one; NULL: all wait. */
static struct release *
release_new(struct peer *p, unsigned id)
{
	struct release *found = NULL;

	for (unsigned i = 0; i < RELEASES_MAX; i++) {
		struct release *r = &p->files.releases[i];

		if (r->asked != 0 && r->id == id)
			return r;
		if (r->asked == 0 || r->expires_us <= p->now_us)
			found = r;
	}
	return found;
}

/* Will the others of the set, too, keep the records of the bits keep? */
static void
release_start(
    struct peer *p, unsigned id, const struct msg_offer *in, uint32_t keep)
{
	struct release *r = release_new(p, id);
	unsigned n;
	struct message m;

	if (r == NULL) {
		release_answer(p, id, in->nonce, 0);
		return;
	}
	memset(r, 0, sizeof(*r));
	n = ring_replicas(p, p->config.id, r->ids);
	for (unsigned i = 0; i < n; i++) {
		if (r->ids[i] != p->config.id)
			r->missing |= 1u << i;
		/* By this view it is no stray. */
		if (r->ids[i] == id)
			keep = 0;
	}
	if (r->missing == 0 || keep == 0) {
		release_answer(p, id, in->nonce, keep);
		return;
	}
	r->id = (uint16_t)id;
	r->nonce = in->nonce;
	r->asked = random_u64(&p->random) | 1;
	r->view = p->view_hash;
	r->set = ring_set_hash(p, r->ids, n);
	r->kept = keep;
	r->expires_us = p->now_us + EXPIRE_US;
	m.type = MSG_promise_ask;
	m.promise_ask.nonce = r->asked;
	m.promise_ask.set = r->set;
	m.promise_ask.records = in->records;
	for (unsigned i = 0; i < n; i++)
		if (r->missing & 1u << i)
			link_send(p, r->ids[i], &m);
}

void
release_offer(struct peer *p, struct conn *c, const struct msg_offer *in)
{
	struct idset lacking;
	uint32_t keep = 0;
	unsigned from = c->id;

	if (!peer_current(p, c->id, c->incarnation))
		return;
	memset(&lacking, 0, sizeof(lacking));
	for (unsigned i = 0; i < in->records.count; i++) {
		const struct record *r = &in->records.at[i];
		int key = files_key(p, &r->name);

		if (key < 0 || !owns(p, (unsigned)key))
			continue;
		files_saw(p, &r->version);
		apart_lost(p, from, r);
		if (!holds(p, r))
			idset_add(&lacking, i);
		else if (p->files.doubt_us <= p->now_us)
			keep |= 1u << i;
	}
	release_start(p, from, in, keep);
	if (idset_count(&lacking) > 0)
		release_pull(p, from, in, &lacking);
}

void
release_ask(struct peer *p, struct conn *c, const struct msg_promise_ask *in)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, c->id, ids);
	bool in_set = false;
	struct message m;

	m.type = MSG_promise;
	m.promise.nonce = in->nonce;
	m.promise.set = ring_set_hash(p, ids, n);
	memset(&m.promise.kept, 0, sizeof(m.promise.kept));
	for (unsigned i = 0; i < n; i++)
		in_set |= ids[i] == p->config.id;
	if (!in_set || m.promise.set != in->set ||
	    !peer_current(p, c->id, c->incarnation))
		n = 0;
	for (unsigned i = 0; i < in->records.count && n > 0; i++) {
		int key = files_key(p, &in->records.at[i].name);

		if (key >= 0 && ring_owner(p, (unsigned)key) == c->id &&
		    holds(p, &in->records.at[i]))
			idset_add(&m.promise.kept, i);
	}
	conn_send(p, c, &m);
}

void
release_promise(struct peer *p, struct conn *c, const struct msg_promise *in)
{
	struct release *r = NULL;
	uint32_t kept = 0;
	unsigned at = 0;

	for (unsigned i = 0; i < RELEASES_MAX; i++)
		if (in->nonce != 0 && p->files.releases[i].asked == in->nonce)
			r = &p->files.releases[i];
	if (r == NULL || r->view != p->view_hash || in->set != r->set ||
	    !peer_current(p, c->id, c->incarnation))
		return;
	while (at < COPIES_MAX && r->ids[at] != c->id)
		at++;
	if (!(r->missing & 1u << at))
		return;
	for (unsigned i = 0; i < RECORDS_MAX; i++)
		if (idset_has(&in->kept, i))
			kept |= 1u << i;
	r->missing &= ~(1u << at);
	r->kept &= kept;
	if (r->missing != 0 && r->kept != 0)
		return;
	r->asked = 0;
	release_answer(p, r->id, r->nonce, r->kept);
}

void
release_forget(struct peer *p)
{
	for (unsigned i = 0; i < RELEASES_MAX; i++)
		p->files.releases[i].asked = 0;
}
