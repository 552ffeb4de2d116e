#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk/inside.h"

static int
kept_cmp(const struct kept *a, const struct kept *b)
{
	size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
	int cmp = memcmp(a->name, b->name, len);

	return cmp != 0 ? cmp : a->name_len - b->name_len;
}

RB_PROTOTYPE_INTERNAL(
    kept_tree, kept, link, kept_cmp, static __attribute__((unused)))
/* What is freed was taken out before. */
/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
RB_GENERATE_INTERNAL(
    kept_tree, kept, link, kept_cmp, static __attribute__((unused)))

struct kept *
kept_find(struct disk *d, const struct name *name)
{
	struct kept *k = RB_ROOT(&d->journal.tree);
	int cmp;

	while (k != NULL) {
		size_t len = name->len < k->name_len ? name->len : k->name_len;

		cmp = memcmp(name->text, k->name, len);
		if (cmp == 0)
			cmp = name->len - k->name_len;
		if (cmp == 0)
			break;
		k = cmp < 0 ? RB_LEFT(k, link) : RB_RIGHT(k, link);
	}
	return k;
}

struct kept *
kept_first(struct disk *d)
{
	return RB_MIN(kept_tree, &d->journal.tree);
}

struct kept *
kept_next(struct disk *d, struct kept *k)
{
	(void)d;
	return RB_NEXT(kept_tree, &d->journal.tree, k);
}

void
kept_remove(struct disk *d, struct kept *k)
{
	struct segment *s = k->segment;

	RB_REMOVE(kept_tree, &d->journal.tree, k);
	TAILQ_REMOVE(k->moved ? &s->moved : &s->kept, k, place);
	free(k);
}

void
kept_forget(
    struct disk *d, const struct name *name, const struct version *version)
{
	struct kept *k = kept_find(d, name);

	if (k != NULL && version_cmp(&k->version, version) <= 0)
		kept_remove(d, k);
}

int
kept_put(struct disk *d, struct segment *s, uint32_t at, const struct record *r)
{
	struct kept *k = malloc(sizeof(*k) + r->name.len), *old;

	if (k == NULL)
		return ENOMEM;
	*k = (struct kept){.version = r->version,
	    .segment = s,
	    .at = at,
	    .deleted = r->deleted,
	    .acknowledged = r->acknowledged,
	    .name_len = r->name.len};
	memcpy(k->name, r->name.text, r->name.len);
	old = kept_find(d, &r->name);
	if (old != NULL && version_cmp(&old->version, &r->version) > 0) {
		free(k);
		return 0;
	}
	if (old != NULL)
		kept_remove(d, old);
	old = RB_INSERT(kept_tree, &d->journal.tree, k);
	assert(old == NULL);
	TAILQ_INSERT_TAIL(&s->kept, k, place);
	return 0;
}

bool
kept_mark(struct disk *d, const struct record *r, int *rc)
{
	static const uint8_t later = MARKED_LATER;
	struct kept *k = kept_find(d, &r->name);

	if (k == NULL || version_cmp(&k->version, &r->version) != 0)
		return false;
	k->acknowledged = 1;
	if (k->moved)
		return false;
	*rc = 0;
	if (k->segment->fd != -1)
		*rc = volume_write(d->volume, k->segment->fd, &later, 1,
		    k->at + BLOCK_ACKNOWLEDGED);
	return true;
}
