#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/vnodes.h"

int
vnames_find(const struct vnames *names, int folder, const char *name)
{
	for (unsigned i = 0; i < names->count; i++)
		if (names->at[i].folder == folder &&
		    strcmp(names->at[i].name, name) == 0)
			return (int)i;
	return -1;
}

static void
set_name(struct vnames *names, const struct vname *to)
{
	int i = vnames_find(names, to->folder, to->name);

	if (to->node == -1 && i != -1)
		names->at[i] = names->at[--names->count];
	if (to->node == -1)
		return;
	if (i == -1) {
		assert(names->count < VNAMES_MAX);
		i = (int)names->count++;
	}
	names->at[i] = *to;
}

void
vnames_change(struct virtual_volume *v, unsigned number, int folder,
    const char *name, int node)
{
	struct vname to = {.folder = folder, .node = node};

	snprintf(to.name, sizeof(to.name), "%s", name);
	assert(strlen(name) < VNAME_LEN);
	set_name(&v->now, &to);
	assert(v->change_count < VCHANGES_MAX);
	v->changes[v->change_count++] = (struct vchange){to, number};
}

void
vnames_save(struct virtual_volume *v, unsigned number)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < v->change_count; i++)
		if (v->changes[i].number == number)
			set_name(&v->safe, &v->changes[i].to);
	for (unsigned i = 0; i < v->change_count; i++) {
		const struct vchange *c = &v->changes[i];
		bool gone = c->number == number;

		for (unsigned k = i; !gone && k < v->change_count; k++)
			gone = v->changes[k].number == number &&
			       v->changes[k].to.folder == c->to.folder &&
			       strcmp(v->changes[k].to.name, c->to.name) == 0;
		if (!gone)
			v->changes[kept++] = *c;
	}
	v->change_count = kept;
}

void
vnames_flush(struct virtual_volume *v, int folder)
{
	for (unsigned i = 0; i < v->change_count;) {
		if (folder == -1 || v->changes[i].to.folder == folder) {
			vnames_save(v, v->changes[i].number);
			i = 0;
		} else {
			i++;
		}
	}
}
