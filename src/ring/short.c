#include <string.h>

#include "ring/files_repair.h"

/*
 * How many files of the own range have fewer holders than wanted. Who held a
 * key follows from the members of the time when the range was last complete:
 * the others of the present set have it when they have been compared. lacking:
 * files that lost a holder when the set changed; unwritten: copies wanted of
 * those who can't write, for want of others; stuck: files that lack one so.
 */

void
short_view_changed(struct peer *p)
{
	struct files *f = &p->files;

	if (f->set != 0 && f->complete_set == f->set) {
		f->settled = f->writers;
		memset(&f->renewed, 0, sizeof(f->renewed));
	}
	memset(&f->writers, 0, sizeof(f->writers));
	for (unsigned id = 0; id < p->space; id++)
		if (member_writable(p, id))
			idset_add(&f->writers, id);
	for (size_t i = 0; i < sizeof(f->renewed.bits); i++)
		f->renewed.bits[i] |= f->renewed_now.bits[i];
	memset(&f->renewed_now, 0, sizeof(f->renewed_now));
}

/* Those who held a key when the range was last complete. */
static void
held_by(const struct peer *p, unsigned key, struct idset *out)
{
	const struct idset *all = &p->files.settled;
	unsigned n = 0;

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < p->space && n < p->config.copies; i++) {
		unsigned id = (key + i) & (p->space - 1);

		if (!idset_has(all, id))
			continue;
		n++;
		/* Another process may have lost what the one before had. */
		if (!idset_has(&p->files.renewed, id))
			idset_add(out, id);
	}
}

/* Keys from the first of the range on that all replicas have by now. */
static unsigned
passed(const struct peer *p, unsigned replicas)
{
	unsigned least = p->space, n = 0;

	for (unsigned i = 0; i < p->files.session_top; i++) {
		const struct session *s = &p->files.sessions[i];

		if (s->role != SESSION_MINE || s->set != p->files.set)
			continue;
		n++;
		if (s->passed < least)
			least = s->passed;
	}
	return n < replicas ? 0 : least;
}

uint64_t
peer_owned(const struct peer *p)
{
	unsigned self = p->config.id, after = ring_owner_before(p, self);
	const struct index *x = &p->config.index;
	unsigned keys = ring_distance(p, after, self);
	uint64_t count = 0;

	if (p->files.set == 0)
		return 0;
	for (unsigned i = 1; i <= (keys == 0 ? p->space : keys); i++)
		count +=
		    x->count(x->ctx, (uint16_t)((after + i) & (p->space - 1)));
	return count;
}

uint64_t
short_count(const struct peer *p)
{
	unsigned self = p->config.id, after = ring_owner_before(p, self);
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, self, ids), keys, done;
	const struct index *x = &p->config.index;
	struct idset holders;
	uint64_t count = 0;

	keys = ring_distance(p, after, self);
	done = passed(p, n - 1);
	for (unsigned i = 1; i <= (keys == 0 ? p->space : keys); i++) {
		unsigned key = (after + i) & (p->space - 1);
		bool lacks = false;

		/* The same holders as of the key before, up to a member. */
		if (i == 1 ||
		    idset_has(&p->files.settled, (key - 1) & (p->space - 1)))
			held_by(p, key, &holders);
		for (unsigned j = 0; j < n; j++)
			lacks |= ids[j] != self && !idset_has(&holders, ids[j]);
		if (lacks && i > done)
			count += x->count(x->ctx, (uint16_t)key);
	}
	return count;
}

/* Copies that are wanted of those who can't write. */
static unsigned
lacks_writers(const struct peer *p)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, p->config.id, ids);
	unsigned want = p->config.copies;

	if (p->member_count < want)
		want = p->member_count;
	return p->files.set == 0 || n >= want ? 0 : want - n;
}

unsigned
short_others(const struct peer *p, uint16_t *ids)
{
	unsigned after = ring_owner_before(p, p->config.id), n = 0;

	if (p->phase != PHASE_SERVING || p->files.unwritten == 0)
		return 0;
	for (unsigned i = 1; i <= p->space && n < TARGETS_MAX; i++) {
		unsigned id = (after + i) & (p->space - 1);

		if (id != p->config.id && range_serves(p, id) &&
		    !member_writable(p, id))
			ids[n++] = (uint16_t)id;
	}
	return n;
}

/* Of those who can't write, how many have all of a key of the own range? */
static unsigned
have(const struct peer *p, unsigned i)
{
	unsigned n = 0;

	for (unsigned j = 0; j < p->files.session_top; j++) {
		const struct session *s = &p->files.sessions[j];
		unsigned keys, at;

		if (s->role != SESSION_SEEN || s->agreed_set != p->files.set)
			continue;
		keys = session_keys(p, s);
		at = keys < HASHES_MAX ? i : i * HASHES_MAX / keys;
		n += (s->differ[at / 8] & 1u << at % 8) == 0;
	}
	return n;
}

void
short_seen(struct peer *p)
{
	unsigned self = p->config.id, after = ring_owner_before(p, self);
	uint64_t want = lacks_writers(p);
	unsigned keys = ring_distance(p, after, self);
	const struct index *x = &p->config.index;
	uint64_t count = 0;

	p->files.unwritten = want;
	for (unsigned i = 0; want > 0 && i < (keys == 0 ? p->space : keys); i++)
		if (have(p, i) < want)
			count += x->count(x->ctx,
			    (uint16_t)((after + 1 + i) & (p->space - 1)));
	p->files.stuck = count;
}

/* Is it not known yet what those hold who can't write? */
static bool
unsure(const struct peer *p)
{
	if (p->files.unwritten == 0)
		return false;
	for (unsigned i = 0; i < p->files.session_top; i++) {
		const struct session *s = &p->files.sessions[i];

		if (s->role == SESSION_SEEN && s->agreed_set != p->files.set)
			return true;
	}
	return p->files.settle_us != 0;
}

void
short_report(const struct peer *p, struct msg_report *r)
{
	const struct files *f = &p->files;

	r->missing = files_missing(p);
	r->unsure = unsure(p);
	if (p->files.unwritten == 0)
		return;
	if (r->missing == 0)
		r->stuck = f->stuck;
	if (r->missing < f->stuck)
		r->missing = f->stuck;
}
