#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/vnodes.h"

void
vnode_free(struct vnode *n)
{
	free(n->now);
	free(n->safe);
	free(n->dirty);
	*n = (struct vnode){.used = false};
}

/* What no name leads to is gone with the process that had it open. */
static void
sweep(struct virtual_volume *v)
{
	bool named[VNODES_MAX] = {[VOLUME_ROOT] = true};

	for (unsigned i = 0; i < v->now.count; i++)
		named[v->now.at[i].node] = true;
	for (unsigned i = 0; i < v->safe.count; i++)
		named[v->safe.at[i].node] = true;
	for (unsigned i = 0; i < v->change_count; i++)
		if (v->changes[i].to.node != -1)
			named[v->changes[i].to.node] = true;
	for (int i = 0; i < VNODES_MAX; i++)
		if (v->nodes[i].used && !named[i])
			vnode_free(&v->nodes[i]);
}

void
virtual_kill(struct virtual_volume *v)
{
	for (int i = 0; i < VFDS_MAX; i++)
		v->fds[i] = -1;
	v->dead = v->full = false;
	v->cut_at = v->fail_at = 0;
	sweep(v);
}

static void
cut_node(struct virtual_volume *v, struct vnode *n, unsigned mode)
{
	for (size_t i = 0; i < n->max / SECTOR_LEN; i++)
		if (n->dirty[i] && (mode == 1 || (mode > 1 && virtual_coin(v))))
			vnode_save(n, i);
	if (mode == 1 || (mode > 1 && virtual_coin(v)))
		n->safe_len = n->len;
	n->len = n->safe_len;
	if (n->max == 0)
		return;
	memset(n->safe + n->len, 0, n->max - n->len);
	memcpy(n->now, n->safe, n->max);
	memset(n->dirty, 0, n->max / SECTOR_LEN * sizeof(*n->dirty));
}

/* Of names: none, all, the first few, or any. */
static void
cut_names(struct virtual_volume *v)
{
	uint64_t mode = random_below(&v->random, 4);
	unsigned first = v->change_number;

	if (v->change_count > 0)
		first = v->changes[random_below(&v->random, v->change_count)]
			    .number;
	for (unsigned i = 0; i < v->change_count && mode > 0;) {
		unsigned number = v->changes[i].number;

		if (mode == 1 || (mode == 2 && number < first) ||
		    (mode == 3 && virtual_coin(v))) {
			vnames_save(v, number);
			i = 0;
			continue;
		}
		while (i < v->change_count && v->changes[i].number <= number)
			i++;
	}
	v->change_count = 0;
	v->now = v->safe;
}

/* A folder that is not there takes with it what is in it. */
static void
drop_orphans(struct virtual_volume *v)
{
	bool again = true;

	while (again) {
		bool named[VNODES_MAX] = {[VOLUME_ROOT] = true};

		again = false;
		for (unsigned i = 0; i < v->safe.count; i++)
			named[v->safe.at[i].node] = true;
		for (unsigned i = 0; i < v->safe.count; i++)
			if (!named[v->safe.at[i].folder]) {
				v->safe.at[i] = v->safe.at[--v->safe.count];
				again = true;
			}
	}
	v->now = v->safe;
}

void
virtual_cut(struct virtual_volume *v)
{
	cut_names(v);
	drop_orphans(v);
	for (int i = 0; i < VNODES_MAX; i++)
		if (v->nodes[i].used && !v->nodes[i].folder)
			cut_node(v, &v->nodes[i],
			    (unsigned)random_below(&v->random, 4));
	virtual_kill(v);
}

unsigned
virtual_open(const struct virtual_volume *v)
{
	unsigned count = 0;

	for (int i = 0; i < VFDS_MAX; i++)
		count += v->fds[i] != -1;
	return count;
}

unsigned
virtual_count(const struct virtual_volume *v, const char *folder)
{
	int node = vlookup(v, VOLUME_ROOT_FD, folder);
	unsigned count = 0;

	for (unsigned i = 0; node != -1 && i < v->now.count; i++)
		count += v->now.at[i].folder == node;
	return count;
}

static bool
is_under(const struct virtual_volume *v, const struct vname *n, int folder)
{
	if (n->folder == folder)
		return true;
	for (unsigned i = 0; i < v->now.count; i++)
		if (v->now.at[i].node == n->folder)
			return v->now.at[i].folder == folder;
	return false;
}

bool
virtual_flip(struct virtual_volume *v, const char *path)
{
	int under = vlookup(v, VOLUME_ROOT_FD, path);
	unsigned start = (unsigned)random_below(&v->random, VNAMES_MAX);

	for (unsigned i = 0; under != -1 && i < v->now.count; i++) {
		const struct vname *name =
		    &v->now.at[(start + i) % v->now.count];
		struct vnode *n = &v->nodes[name->node];
		uint64_t bit;

		if (n->folder || n->len == 0 ||
		    (name->node != under && !is_under(v, name, under)))
			continue;
		bit = random_below(&v->random, n->len * 8);
		n->now[bit / 8] ^= (uint8_t)(1u << bit % 8);
		n->safe[bit / 8] ^= (uint8_t)(1u << bit % 8);
		return true;
	}
	return false;
}

void
virtual_reset(struct virtual_volume *v, uint64_t seed)
{
	for (int i = 0; i < VNODES_MAX; i++)
		if (v->nodes[i].used)
			vnode_free(&v->nodes[i]);
	v->now.count = v->safe.count = v->change_count = 0;
	random_seed(&v->random, seed);
	v->nodes[VOLUME_ROOT] = (struct vnode){.used = true, .folder = true};
	virtual_kill(v);
	v->calls = 0;
}
