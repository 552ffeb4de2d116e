#include <assert.h>
#include <string.h>

#include "ring/files_core.h"

/* Commands that only look: files, owner. */
enum { PAGES_MAX = 8 }; /* in one step */

/* The next live record after the op's position; false: none. */
static bool
list_next(struct peer *p, struct op *o, struct record *out)
{
	const struct index *x = &p->config.index;

	for (; o->key < p->space; o->key++) {
		const struct name *after =
		    o->versioned ? &o->record.name : NULL;

		while (x->next(x->ctx, o->key, after, out)) {
			o->record.name = out->name;
			o->versioned = true;
			after = &o->record.name;
			if (!out->deleted)
				return true;
		}
		o->versioned = false;
	}
	return false;
}

void
list_step(struct peer *p, struct op *o)
{
	bool more = true;

	o->state = OP_LISTING;
	for (unsigned page = 0; page < PAGES_MAX && more; page++) {
		struct msg_reply r = {.op = o->id, .command = o->command};

		while (more && r.records.count < RECORDS_MAX) {
			struct record *at = &r.records.at[r.records.count];

			more = list_next(p, o, at);
			r.records.count += more;
		}
		r.us = p->now_us - o->started_us;
		r.last = !more;
		r.holder = p->config.id;
		act_reply(p, &r);
	}
	if (!more) {
		op_end(p, o);
		return;
	}
	o->timer_us = p->now_us;
	files_wake(p, o->timer_us);
}

void
owner_reply(struct peer *p, struct op *o)
{
	struct msg_reply r = {.holder = o->owner};

	r.holders.count = (uint16_t)ring_replicas(p, o->key, r.holders.at);
	r.wanted = p->config.copies;
	op_reply(p, o, &r);
}
