#ifndef UNIT_CORE_FILES_H
#define UNIT_CORE_FILES_H

/* A protocol core with an index of a few records, and what it sends. */

#include "core.h"
#include "ring/files_repair.h"

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

/* An open connection from a member of the view. */
static inline struct conn *
conn_from(struct peer *p, unsigned id, enum conn_purpose purpose)
{
	struct conn *c =
	    conn_new(p, purpose, CONN_LINK, id, member_of(id, 1, 1).addr);

	assert_non_null(c);
	c->open = true;
	c->incarnation = p->view[id].incarnation;
	return c;
}

static inline void
forget_sent(struct actions *out)
{
	out->count = out->used = 0;
}

/* The last message of that type to id; false: none. */
static inline bool
sent_to(struct peer *p, struct actions *out, unsigned id,
    enum message_type type, struct message *m)
{
	for (size_t i = out->count; i-- > 0;) {
		const struct action *a = &out->at[i];
		const struct conn *c;

		if (a->type != ACT_SEND)
			continue;
		c = conn_find(p, a->conn);
		message_decode(m, out->data + a->bytes, a->len);
		if (c != NULL && c->id == id && m->type == type)
			return true;
	}
	return false;
}

/* The last action of that type; NULL: none. */
static inline const struct action *
done(const struct actions *out, enum action_type type)
{
	for (size_t i = out->count; i-- > 0;)
		if (out->at[i].type == type)
			return &out->at[i];
	return NULL;
}

#endif
