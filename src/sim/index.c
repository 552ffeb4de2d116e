#include <string.h>

#include "sim/sim.h"

/* What the core asks of a virtual disk. */

static int
index_key(void *ctx, const struct name *name)
{
	struct node *n = ctx;
	int value = 0;

	if (name->len != 4)
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		if (name->text[i] < '0' || name->text[i] > '9')
			return -1;
		value = value * 10 + (name->text[i] - '0');
	}
	return value & (int)n->key_mask;
}

static bool
index_find(void *ctx, const struct name *name, struct record *out)
{
	struct stored *f = disk_find(ctx, name);

	if (f != NULL)
		*out = f->record;
	return f != NULL;
}

static bool
index_next(
    void *ctx, uint16_t key, const struct name *after, struct record *out)
{
	struct node *n = ctx;
	const struct record *best = NULL;

	for (unsigned i = 0; i < n->disk.file_count; i++) {
		const struct record *r = &n->disk.files[i].record;

		if (index_key(ctx, &r->name) != key ||
		    (after != NULL && strcmp(r->name.text, after->text) <= 0) ||
		    (best != NULL &&
			strcmp(r->name.text, best->name.text) >= 0))
			continue;
		best = r;
	}
	if (best != NULL)
		*out = *best;
	return best != NULL;
}

static bool
index_lost(void *ctx, const struct name *name, struct record *out)
{
	const struct disk *d = &((struct node *)ctx)->disk;

	for (unsigned i = 0; i < d->lost_count; i++)
		if (name_cmp(&d->lost[i].name, name) == 0) {
			*out = d->lost[i];
			return true;
		}
	return false;
}

static uint64_t
index_digest(void *ctx, uint16_t key)
{
	struct node *n = ctx;
	uint64_t sum = 0;

	for (unsigned i = 0; i < n->disk.file_count; i++) {
		const struct record *r = &n->disk.files[i].record;

		if (index_key(ctx, &r->name) == key)
			sum ^= record_hash(r);
	}
	return sum;
}

static uint64_t
index_count(void *ctx, uint16_t key)
{
	struct node *n = ctx;
	uint64_t count = 0;

	for (unsigned i = 0; i < n->disk.file_count; i++) {
		const struct record *r = &n->disk.files[i].record;

		count += index_key(ctx, &r->name) == key && !r->deleted;
	}
	return count;
}

void
disk_index(struct index *index, struct node *n)
{
	*index = (struct index){n, index_key, index_find, index_next,
	    index_lost, index_digest, index_count};
}
