#include "ring/mourn.h"

/*
 * Who died, and is there again. If it does not say that it has what it had
 * before, its disk may be lost: what it was given, those others alone may have
 * who were given it as well.
 */

bool
bare_is(const struct peer *p, unsigned id)
{
	const struct member *m = &p->view[id];

	/* Of whom it knows by a connection it has not heard that. */
	return member_is(p, id) && m->revision > 0 && m->incarnation > 1 &&
	       !(m->flags & MEMBER_KEPT);
}

void
bare_there(struct peer *p, unsigned id)
{
	const struct member *m = &p->view[id];
	struct files *f = &p->files;

	if (member_is(p, id) && m->revision == 0)
		return;
	if (bare_is(p, id))
		idset_add(&f->bare, id);
	if (member_is(p, id) && idset_has(&f->bare, id))
		return;
	idset_del(&f->bereaved, id);
	idset_del(&f->unseen, id);
	idset_del(&f->bare, id);
}

void
bare_over(struct peer *p)
{
	struct files *f = &p->files;
	struct idset left = f->bereaved;

	for (unsigned id = 0; id < p->space; id++) {
		if (!idset_has(&left, id))
			continue;
		if (!member_is(p, id))
			return;
		if (range_serves(p, id))
			idset_del(&left, id);
	}
	for (unsigned i = 0; i < sizeof(left.bits); i++) {
		f->unseen.bits[i] &=
		    (uint8_t)(left.bits[i] | ~f->bereaved.bits[i]);
		f->bare.bits[i] &= left.bits[i];
	}
	f->bereaved = left;
}
