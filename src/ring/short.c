#include <string.h>

#include "ring/files_repair.h"

/*
 * How many files of the own range have fewer holders than wanted. Who held a
 * key follows from the members of the time when the range was last complete:
 * the others of the present set have it when they have been compared.
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
