#ifndef UNIT_CORE_FILES_H
#define UNIT_CORE_FILES_H

/* A protocol core with an index of a few records, and what it sends. */

#include "core.h"
#include "ring/files_repair.h"
#include "shelf.h"

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
