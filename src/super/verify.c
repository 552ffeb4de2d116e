#include <assert.h>
#include <bsd/string.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "super/verify.h"
#include "wire/codes.h"

/* Is one file where it belongs, and nowhere else? PROTOCOL.md, Q3. */

unsigned
situation_holders(
    const struct situation *s, unsigned key, uint16_t out[COPIES_MAX])
{
	const struct idset *set = &s->writable;
	unsigned n = 0, want = s->copies;

	/* Nobody can write: who would own it answers for it. */
	if (idset_next(set, 0) == -1) {
		set = &s->members;
		want = 1;
	}
	for (unsigned i = 0; i < s->space && n < want; i++) {
		unsigned id = (key + i) & (s->space - 1);

		if (idset_has(set, id))
			out[n++] = (uint16_t)id;
	}
	return n;
}

/* What is known of one name. */
struct file {
	const struct situation *situation;
	struct findings *findings;
	unsigned key;
	const struct holding *at;
	size_t count;
	const struct record *live, *down; /* the newest, or NULL */
	uint16_t holders[COPIES_MAX];
	unsigned wanted;
};

static const struct holding *
held_at(const struct file *f, unsigned id)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->at[i].id == id)
			return &f->at[i];
	return NULL;
}

/* The ith, beginning at the key: they are in order of identifiers. */
static const struct holding *
clockwise(const struct file *f, size_t i)
{
	size_t first = 0;

	while (first < f->count && f->at[first].id < f->key)
		first++;
	return &f->at[(first + i) % f->count];
}

static bool
is_wanted(const struct file *f, unsigned id)
{
	for (unsigned i = 0; i < f->wanted; i++)
		if (f->holders[i] == id)
			return true;
	return false;
}

static bool
same_version(const struct record *a, const struct record *b)
{
	return version_cmp(&a->version, &b->version) == 0;
}

static bool
same_content(const struct record *a, const struct record *b)
{
	return a->size == b->size && a->deleted == b->deleted &&
	       memcmp(a->digest.bytes, b->digest.bytes, DIGEST_LEN) == 0;
}

static void
add(struct ids *ids, unsigned id)
{
	ids->at[ids->count++] = (uint16_t)id;
}

/* The peers that have this version, those that should first. */
static void
having(const struct file *f, const struct record *r, bool down, struct ids *out)
{
	out->count = 0;
	for (unsigned i = 0; i < f->wanted; i++) {
		const struct holding *h = held_at(f, f->holders[i]);

		if (h != NULL && h->down == down && same_version(h->record, r))
			add(out, h->id);
	}
	for (size_t i = 0; i < f->count; i++) {
		const struct holding *h = clockwise(f, i);

		if (h->down == down && !is_wanted(f, h->id) &&
		    same_version(h->record, r))
			add(out, h->id);
	}
}

static void __attribute__((format(printf, 2, 3)))
say(struct text *t, const char *format, ...)
{
	size_t room = sizeof(t->text) - t->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->text + t->len, room, format, args);
	va_end(args);
	assert(n >= 0);
	t->len = (uint16_t)(t->len + ((size_t)n < room ? (size_t)n : room - 1));
}

static void
say_ids(struct text *t, const struct ids *ids)
{
	for (unsigned i = 0; i < ids->count; i++)
		say(t, "%s%u", i > 0 ? ", " : "", ids->at[i]);
}

/* A name as it is, but for what a terminal would act on. */
static void
say_name(struct text *t, const struct name *name)
{
	for (unsigned i = 0; i < name->len; i++) {
		unsigned char c = (unsigned char)name->text[i];

		say(t, "%c", c < 0x20 || c == 0x7f ? '?' : c);
	}
}

/* About these peers. */
static struct msg_finding *
begin(const struct record *r, enum finding_kind kind, const struct ids *peers)
{
	static struct msg_finding m;

	m.kind = (uint8_t)kind;
	m.peer = 0;
	m.name = r->name;
	m.peers = *peers;
	m.holders.count = 0;
	memset(&m.text, 0, sizeof(m.text));
	say_name(&m.text, &r->name);
	say(&m.text, r->deleted ? " (removed): " : ": ");
	return &m;
}

/* The same kind of thing about the same version is the same finding. */
static void
end(const struct file *f, const struct msg_finding *m, const struct record *r,
    bool heals)
{
	uint64_t hash = hash_bytes(r->name.text, r->name.len);

	hash = hash_pair(hash, r->version.clock);
	hash = hash_pair(hash, r->version.op);
	hash = hash_pair(hash, (uint64_t)r->version.ingress << 8 | m->kind);
	findings_add(f->findings, m, hash, heals);
}

static void
say_holders(struct msg_finding *m, const char *before, const char *after)
{
	if (m->holders.count == 0)
		return;
	say(&m->text, "%s", before);
	say_ids(&m->text, &m->holders);
	say(&m->text, "%s", after);
}

static void
find_missing(const struct file *f)
{
	struct msg_finding *m;
	struct ids peers;

	peers.count = 0;
	for (unsigned i = 0; i < f->wanted; i++)
		if (idset_has(&f->situation->asked, f->holders[i]) &&
		    held_at(f, f->holders[i]) == NULL)
			add(&peers, f->holders[i]);
	if (peers.count == 0)
		return;
	m = begin(f->live, FINDING_missing, &peers);
	having(f, f->live, false, &m->holders);
	say(&m->text, "missing at ");
	say_ids(&m->text, &m->peers);
	say_holders(m, " (held by ", ")");
	end(f, m, f->live, true);
}

/* Fewer copies than peers, and who lacks one can't write. */
static void
find_few(const struct file *f, const struct ids *live)
{
	const struct situation *s = f->situation;
	unsigned want = idset_count(&s->members);
	struct msg_finding *m;
	struct ids peers;

	if (want > s->copies)
		want = s->copies;
	peers.count = 0;
	if (f->live->deleted || f->wanted >= want || live->count >= want)
		return;
	for (int id = idset_next(&s->members, 0); id != -1;
	     id = idset_next(&s->members, (unsigned)id + 1)) {
		const struct holding *h = held_at(f, (unsigned)id);

		/* Perhaps it has one. */
		if (!idset_has(&s->asked, (unsigned)id))
			return;
		if (!idset_has(&s->writable, (unsigned)id) &&
		    (h == NULL || !same_version(h->record, f->live)) &&
		    peers.count < MEMBERS_MAX)
			add(&peers, (unsigned)id);
	}
	if (peers.count == 0)
		return;
	m = begin(f->live, FINDING_few, &peers);
	m->holders = *live;
	say(&m->text, "at %u of %u copies", live->count, want);
	say_holders(m, " (held by ", ")");
	say(&m->text, "; can't write: ");
	say_ids(&m->text, &m->peers);
	end(f, m, f->live, false);
}

/* Who can't write can't give it away; what is removed bothers nobody. */
static void
find_strays(const struct file *f)
{
	struct msg_finding *m;
	struct ids peers;

	peers.count = 0;
	for (size_t i = 0; i < f->count; i++) {
		const struct holding *h = clockwise(f, i);

		if (!h->down && !is_wanted(f, h->id) && !h->record->deleted &&
		    idset_has(&f->situation->writable, h->id))
			add(&peers, h->id);
	}
	if (peers.count == 0)
		return;
	m = begin(f->live, FINDING_stray, &peers);
	say(&m->text, "stray at ");
	say_ids(&m->text, &m->peers);
	end(f, m, f->live, true);
}

static void
find_versions(const struct file *f)
{
	struct msg_finding *m;
	struct ids peers;

	peers.count = 0;
	for (unsigned i = 0; i < f->wanted; i++) {
		const struct holding *h = held_at(f, f->holders[i]);

		if (h != NULL && !h->down && !same_version(h->record, f->live))
			add(&peers, h->id);
	}
	if (peers.count == 0)
		return;
	m = begin(f->live, FINDING_version, &peers);
	having(f, f->live, false, &m->holders);
	say(&m->text, "version differs at ");
	say_ids(&m->text, &m->peers);
	say_holders(m, " (the newest is at ", ")");
	end(f, m, f->live, true);
}

/* All that have the newest version, against what the first of them has. */
static void
find_digests(const struct file *f, const struct ids *all)
{
	const struct record *first;
	struct ids same, peers;
	struct msg_finding *m;

	assert(all->count > 0);
	first = held_at(f, all->at[0])->record;
	same.count = peers.count = 0;
	for (unsigned i = 0; i < all->count; i++)
		add(same_content(held_at(f, all->at[i])->record, first)
			? &same
			: &peers,
		    all->at[i]);
	if (peers.count == 0)
		return;
	m = begin(f->live, FINDING_digest, &peers);
	m->holders = same;
	say(&m->text, "digest or size differs at ");
	say_ids(&m->text, &m->peers);
	say_holders(m, " from that at ", "");
	end(f, m, f->live, true);
}

/* Has a holder that is down said that all had it? */
static bool
acknowledged(const struct file *f)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct record *r = f->at[i].record;

		assert(r != NULL && f->down != NULL);
		if (same_version(r, f->down) && r->acknowledged)
			return true;
	}
	return false;
}

/* What only peers that are down have. */
static void
find_lost(const struct file *f)
{
	bool none = f->live == NULL, several;
	struct msg_finding *m;
	struct ids peers;

	having(f, f->down, true, &peers);
	several = peers.count > 1;
	m = begin(f->down, none ? FINDING_lost : FINDING_outdated, &peers);
	if (!none)
		having(f, f->live, false, &m->holders);
	say(&m->text, none ? "no live holder; on the disk%s of " : "disk%s of ",
	    several ? "s" : "");
	say_ids(&m->text, &m->peers);
	say(&m->text, ", which %s down", several ? "are" : "is");
	if (!none)
		say(&m->text, ", %s newer", several ? "are" : "is");
	say_holders(m, " than what is at ", "");
	if (!acknowledged(f))
		say(&m->text, "; perhaps never acknowledged");
	end(f, m, f->down, false);
}

static void
find_newest(struct file *f)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct record **best =
		    f->at[i].down ? &f->down : &f->live;
		const struct record *r = f->at[i].record;

		if (*best == NULL ||
		    version_cmp(&r->version, &(*best)->version) > 0)
			*best = r;
	}
}

unsigned
verify_file(const struct situation *s, unsigned key, const struct holding *at,
    size_t count, struct findings *out)
{
	struct file f = {.situation = s,
	    .findings = out,
	    .key = key,
	    .at = at,
	    .count = count};
	struct ids live;

	assert(count > 0);
	find_newest(&f);
	f.wanted = situation_holders(s, key, f.holders);
	/* Removed, and of that nobody knows any more: it was long ago. */
	if (f.down != NULL && !s->blind &&
	    (f.live == NULL
		    ? !f.down->deleted
		    : version_cmp(&f.down->version, &f.live->version) > 0))
		find_lost(&f);
	if (f.live == NULL)
		return 0;
	find_missing(&f);
	find_strays(&f);
	find_versions(&f);
	having(&f, f.live, false, &live);
	find_few(&f, &live);
	find_digests(&f, &live);
	return f.live->deleted ? 0 : live.count;
}
