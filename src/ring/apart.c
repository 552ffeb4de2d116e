#include "base/hash.h"
#include "ring/files_repair.h"

/*
 * What lost when two sides of a partition met again. Of two versions of a name
 * the later one wins, and mostly it is a plain overwrite, also when somebody
 * missed it who was down, or slept. Versions alone don't tell that from two
 * stores that could not know of each other. So each peer keeps, of each other
 * one, by the clock of versions, since when it took it for dead and until when:
 * both versions were made while the two sides were apart, if one is brought by
 * a peer, or was made through one, that was taken for dead then. A death by
 * silence is noticed late: what was made shortly before it counts, too, unless
 * it was once held here. The owner of the name tells of it: who was that when
 * it saw both, or has become it a little later. (Each that was, if sides merge
 * slowly.) Who was restarted meanwhile knows nothing of all that; nor does a
 * new owner, who held neither.
 */
enum {
	LATE_US = 2000000, /* from the first silence to DEAD */
	SETTLED_US = 2000000, /* views agree by then who owns the name */
	BRIEF_US = 20000, /* no store is acknowledged so soon after a death */
};

void
apart_begin(struct peer *p, unsigned id)
{
	struct apart *a = &p->files.aparts[id];

	a->since = mourn_clock(p);
	a->until = UINT64_MAX;
}

void
apart_end(struct peer *p, unsigned id)
{
	struct apart *a = &p->files.aparts[id];

	if (a->until != UINT64_MAX)
		return;
	a->until = mourn_clock(p);
	/* Who was stopped itself hears of the death and the return at once. */
	if (a->until < a->since + BRIEF_US)
		a->since = 0;
}

static bool
made_apart(const struct peer *p, unsigned id, const struct version *v)
{
	const struct apart *a = &p->files.aparts[id];

	return a->since != 0 && v->clock + LATE_US > a->since &&
	       v->clock <= a->until;
}

static bool
both_apart(const struct peer *p, unsigned id, const struct version *a,
    const struct version *b)
{
	return id < p->space && made_apart(p, id, a) && made_apart(p, id, b);
}

static uint64_t
hash_of(const struct name *name, const struct version *v)
{
	uint64_t hash = hash_bytes(name->text, name->len);

	hash = hash_pair(hash, v->clock);
	return hash_pair(hash, (uint64_t)v->ingress << 48 ^ v->op);
}

static bool
remembers(const struct remembered *m, uint64_t hash)
{
	for (unsigned i = 0; i < REMEMBERED_MAX; i++)
		if (m->at[i] == hash)
			return true;
	return false;
}

static void
remember(struct remembered *m, uint64_t hash)
{
	m->at[m->next++ % REMEMBERED_MAX] = hash;
}

void
apart_replaces(struct peer *p, const struct record *r)
{
	struct record held;

	if (files_find(p, &r->name, &held) &&
	    version_cmp(&held.version, &r->version) < 0)
		remember(&p->files.replaced, hash_of(&r->name, &held.version));
}

static bool
owner_of(struct peer *p, const struct name *name)
{
	int key = files_key(p, name);

	return key >= 0 && ring_owner(p, (unsigned)key) == p->config.id;
}

static void
conflict_note(struct peer *p, const struct conflict *c)
{
	struct msg_event e = {.kind = EVENT_superseded,
	    .about = c->loser.ingress,
	    .other = c->winner.ingress,
	    .name = c->name};

	if (c->owned || owner_of(p, &c->name))
		act_note(p, &e);
}

/* More than there is room for: the oldest is told now. */
static void
conflict_add(struct peer *p, const struct name *name,
    const struct version *loser, const struct version *winner)
{
	struct conflicts *all = &p->files.conflicts;
	struct conflict *c = &all->at[all->next % CONFLICTS_MAX];
	uint64_t hash = hash_of(name, loser);

	if (remembers(&p->files.reported, hash))
		return;
	remember(&p->files.reported, hash);
	if (c->due_us != 0)
		conflict_note(p, c);
	all->next++;
	*c = (struct conflict){.name = *name,
	    .loser = *loser,
	    .winner = *winner,
	    .owned = owner_of(p, name),
	    .due_us = p->now_us + SETTLED_US};
	files_wake(p, c->due_us);
}

uint64_t
apart_tick(struct peer *p)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < CONFLICTS_MAX; i++) {
		struct conflict *c = &p->files.conflicts.at[i];

		if (c->due_us != 0 && c->due_us <= p->now_us) {
			conflict_note(p, c);
			c->due_us = 0;
		}
		if (c->due_us != 0 && c->due_us < next)
			next = c->due_us;
	}
	return next;
}

void
apart_won(struct peer *p, unsigned from, const struct name *name,
    const struct version *loser, const struct version *winner)
{
	if (both_apart(p, from, loser, winner) ||
	    both_apart(p, winner->ingress, loser, winner))
		conflict_add(p, name, loser, winner);
}

void
apart_lost(struct peer *p, unsigned from, const struct record *r)
{
	struct record held;

	if (!files_find(p, &r->name, &held) ||
	    version_cmp(&held.version, &r->version) <= 0 ||
	    remembers(&p->files.replaced, hash_of(&r->name, &r->version)))
		return;
	if (both_apart(p, from, &r->version, &held.version) ||
	    both_apart(p, r->version.ingress, &r->version, &held.version))
		conflict_add(p, &r->name, &r->version, &held.version);
}
