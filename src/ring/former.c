#include <string.h>

#include "ring/files_repair.h"

/* Who had the range of this peer before it came, or came back. */

/* The next one that serves, but for those; space: there is none. */
static unsigned
next_serving(const struct peer *p, const struct idset *but)
{
	for (unsigned i = 1; i < p->space; i++) {
		unsigned id = (p->config.id + i) & (p->space - 1);

		if (range_serves(p, id) && !idset_has(but, id))
			return id;
	}
	return p->space;
}

/*
 * Several may have come at once: none of them knows, then or later. By old
 * news one that served all the time seems to have come with them; by its own
 * word, told to a member, none does.
 */
unsigned
range_former(const struct peer *p)
{
	static const struct idset nobody;
	unsigned id = next_serving(p, &p->files.later);

	if (id == p->space)
		id = next_serving(p, &p->files.came);
	if (id == p->space)
		id = next_serving(p, &nobody);
	return id < p->space ? id : p->successors[0];
}

/*
 * Who comes together with this peer had nothing before. Of whom it only knows
 * by a connection it can't tell whether it serves.
 */
void
former_view_changed(struct peer *p)
{
	struct files *f = &p->files;

	if (p->phase == PHASE_SERVING) {
		memset(&f->later, 0, sizeof(f->later));
		memset(&f->came, 0, sizeof(f->came));
		memset(&f->heard, 0, sizeof(f->heard));
	}
	for (unsigned id = 0; id < p->space; id++) {
		if (!range_serves(p, id))
			idset_del(&f->heard, id);
		if (!member_is(p, id)) {
			idset_del(&f->later, id);
			idset_del(&f->came, id);
		} else if (p->phase != PHASE_SERVING && !range_serves(p, id) &&
			   p->view[id].revision > 0) {
			idset_add(&f->later, id);
		}
	}
}

void
files_syncing(struct peer *p, unsigned id)
{
	if (p->phase == PHASE_SYNCING && !range_serves(p, id))
		idset_add(&p->files.came, id);
}

/*
 * One that can't write let the next ones have it, up to one that can. All of
 * them may hold what nobody else does, and are asked before this peer serves.
 */
unsigned
range_formers(const struct peer *p, uint16_t *out, bool *all)
{
	unsigned self = p->config.id, id = range_former(p), n = 0;
	bool first = true;

	*all = true;
	if (p->phase != PHASE_SYNCING)
		return 0;
	for (; id != self; id = (id + 1) & (p->space - 1)) {
		if (!first && !range_serves(p, id))
			continue;
		if (!idset_has(&p->files.heard, id)) {
			*all = n < COPIES_MAX;
			if (!*all)
				break;
			out[n++] = (uint16_t)id;
		}
		if (member_writable(p, id) &&
		    (first || !idset_has(&p->files.later, id)))
			break;
		first = false;
	}
	return n;
}

void
former_heard(struct peer *p, const uint16_t *ids, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		idset_add(&p->files.heard, ids[i]);
}
