#ifndef UNIT_SHELF_H
#define UNIT_SHELF_H

/* An index of a few records. */

#include "ring/core.h"
#include "unit.h"

enum { SHELF_MAX = 8 };

struct shelf {
	struct record at[SHELF_MAX], lost[SHELF_MAX];
	unsigned count, lost_count;
};

static inline int
shelf_key(void *ctx, const struct name *name)
{
	(void)ctx;
	return (int)(strtoul(name->text, NULL, 10) & 255);
}

static inline bool
shelf_look(const struct record *at, unsigned count, const struct name *name,
    struct record *out)
{
	for (unsigned i = 0; i < count; i++)
		if (name_cmp(&at[i].name, name) == 0) {
			*out = at[i];
			return true;
		}
	return false;
}

static inline bool
shelf_find(void *ctx, const struct name *name, struct record *out)
{
	struct shelf *s = ctx;

	return shelf_look(s->at, s->count, name, out);
}

static inline bool
shelf_lost(void *ctx, const struct name *name, struct record *out)
{
	struct shelf *s = ctx;

	return shelf_look(s->lost, s->lost_count, name, out);
}

static inline bool
shelf_next(
    void *ctx, uint16_t key, const struct name *after, struct record *out)
{
	struct shelf *s = ctx;
	bool found = false;

	for (unsigned i = 0; i < s->count; i++) {
		const struct record *r = &s->at[i];

		if (shelf_key(ctx, &r->name) != key ||
		    (after != NULL && strcmp(r->name.text, after->text) <= 0) ||
		    (found && strcmp(r->name.text, out->name.text) >= 0))
			continue;
		*out = *r;
		found = true;
	}
	return found;
}

static inline uint64_t
shelf_digest(void *ctx, uint16_t key)
{
	struct shelf *s = ctx;
	uint64_t sum = 0;

	for (unsigned i = 0; i < s->count; i++)
		if (shelf_key(ctx, &s->at[i].name) == key)
			sum ^= record_hash(&s->at[i]);
	return sum;
}

static inline uint64_t
shelf_count(void *ctx, uint16_t key)
{
	struct shelf *s = ctx;
	uint64_t count = 0;

	for (unsigned i = 0; i < s->count; i++)
		count +=
		    shelf_key(ctx, &s->at[i].name) == key && !s->at[i].deleted;
	return count;
}

/* A record of ten bytes; clock tells its version. */
static inline struct record
record_of(const char *name, uint64_t clock)
{
	struct record r = {.version = {clock, 4, clock}, .size = 10};

	assert_int_equal(name_set(&r.name, name, strlen(name)), 0);
	r.digest.bytes[0] = (uint8_t)clock;
	return r;
}

static inline void
shelf_use(struct peer *p, struct shelf *s)
{
	p->config.index = (struct index){s, shelf_key, shelf_find, shelf_next,
	    shelf_lost, shelf_digest, shelf_count};
}

#endif
