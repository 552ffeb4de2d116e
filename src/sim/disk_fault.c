#include <assert.h>
#include <string.h>

#include "sim/sim.h"

/* What goes wrong with disks: lost writes, no room, errors, flipped bits. */
enum {
	SCRUB_US = 4 * SECOND, /* until what is damaged is found, at most */
	FAIL_CHANCE = 3 * MILLION / 4, /* of a write to a bad disk */
};

static struct stored *
find(struct stored *list, unsigned count, const struct name *name)
{
	for (unsigned i = 0; i < count; i++)
		if (name_cmp(&list[i].record.name, name) == 0)
			return &list[i];
	return NULL;
}

void
disk_remove(struct stored *list, unsigned *count, const struct name *name)
{
	struct stored *f = find(list, *count, name);

	if (f != NULL)
		*f = list[--*count];
}

static void
put(struct stored *list, unsigned *count, const struct stored *f)
{
	struct stored *at = find(list, *count, &f->record.name);

	if (at == NULL) {
		assert(*count < STORED_MAX);
		at = &list[(*count)++];
	}
	*at = *f;
}

void
disk_synced(struct node *n, const struct name *name)
{
	const struct stored *f = disk_find(n, name);

	if (f != NULL)
		put(n->disk.synced, &n->disk.synced_count, f);
}

bool
disk_flushed(
    const struct node *n, const struct name *name, const struct version *v)
{
	const struct disk *d = &n->disk;

	for (unsigned i = 0; i < d->synced_count; i++)
		if (name_cmp(&d->synced[i].record.name, name) == 0)
			return version_cmp(&d->synced[i].record.version, v) >=
			       0;
	return false;
}

void
disk_flush(struct node *n)
{
	struct disk *d = &n->disk;

	memcpy(d->synced, d->files, sizeof(d->files));
	d->synced_count = d->file_count;
	d->synced_incarnation = d->incarnation;
}

/* The name as it is after the loss: as it was, or as it became. */
static void
settle_name(struct sim *s, struct node *n, const struct name *name)
{
	struct disk *d = &n->disk;
	struct stored *now = find(d->files, d->file_count, name);
	struct stored *old = find(d->synced, d->synced_count, name);
	struct record lost;

	if (sim_chance(&s->net, MILLION / 2))
		return;
	if (now != NULL && (old == NULL || version_cmp(&old->record.version,
					       &now->record.version) < 0)) {
		lost = now->record;
		command_copy_lost(s, n, &lost, LOSS_POWER);
		d->lost_us = s->now_us;
	}
	if (old == NULL)
		disk_remove(d->files, &d->file_count, name);
	else
		put(d->files, &d->file_count, old);
}

void
disk_power_off(struct sim *s, struct node *n)
{
	struct disk *d = &n->disk;
	struct stored all[2 * STORED_MAX];
	unsigned count = 0;

	assert(!n->running);
	trace_say(s, n, "its power is off");
	d->power_lost = true;
	d->power_us = s->now_us;
	for (unsigned i = 0; i < d->file_count; i++)
		all[count++] = d->files[i];
	for (unsigned i = 0; i < d->synced_count; i++)
		if (disk_find(n, &d->synced[i].record.name) == NULL)
			all[count++] = d->synced[i];
	for (unsigned i = 0; i < count; i++)
		settle_name(s, n, &all[i].record.name);
	if (sim_chance(&s->net, MILLION / 2))
		d->incarnation = d->synced_incarnation;
	if (sim_chance(&s->net, MILLION / 2)) {
		d->view_count = 0;
		for (size_t i = 0; i < sizeof(d->met); i++)
			d->unmet[i] |= d->met[i];
		memset(d->met, 0, sizeof(d->met));
	}
	disk_flush(n);
}

static void
verify_later(struct sim *s, struct node *n, const struct record *r)
{
	struct item *i = node_later(s, n, EV_DAMAGED);

	i->kind = ITEM_DISK;
	i->op = ACT_VERIFY;
	i->event.record = *r;
	queue_push(&s->queue, i, s->now_us + random_below(&s->net, SCRUB_US));
}

void
disk_damage(struct sim *s, struct node *n, const struct name *name)
{
	struct stored *f = disk_find(n, name), *old;

	if (f == NULL || f->record.size == 0 || f->record.deleted)
		return;
	trace_say(s, n, "%s is damaged", name->text);
	f->damaged = true;
	old = find(n->disk.synced, n->disk.synced_count, name);
	if (old != NULL)
		old->damaged = true;
	n->disk.lost_us = s->now_us;
	command_copy_lost(s, n, &f->record, LOSS_DISK);
	if (n->running)
		verify_later(s, n, &f->record);
}

bool
disk_verify(struct node *n, const struct record *r)
{
	struct disk *d = &n->disk;
	struct stored *f = disk_find(n, &r->name);

	if (f == NULL || !f->damaged ||
	    version_cmp(&f->record.version, &r->version) != 0)
		return false;
	disk_forget_lost(n, &f->record);
	d->lost[d->lost_count++] = f->record;
	disk_remove(d->files, &d->file_count, &r->name);
	disk_remove(d->synced, &d->synced_count, &r->name);
	return true;
}

void
disk_forget_lost(struct node *n, const struct record *r)
{
	struct disk *d = &n->disk;

	for (unsigned i = 0; i < d->lost_count; i++)
		if (name_cmp(&d->lost[i].name, &r->name) == 0 &&
		    version_cmp(&d->lost[i].version, &r->version) <= 0)
			d->lost[i--] = d->lost[--d->lost_count];
}

void
disk_recover(struct sim *s, struct node *n)
{
	struct disk *d = &n->disk;

	for (unsigned i = 0; i < d->file_count; i++) {
		struct record r = d->files[i].record;

		if (!d->files[i].damaged)
			continue;
		if (sim_chance(&s->net, MILLION / 2))
			verify_later(s, n, &r);
		else if (disk_verify(n, &r))
			i--;
	}
}

uint64_t
disk_bad_until(const struct node *n)
{
	const struct disk *d = &n->disk;
	uint64_t us = d->full_us > d->broken_us ? d->full_us : d->broken_us;

	return d->bad_us > us ? d->bad_us : us;
}

bool
disk_bad_since(const struct node *n, uint64_t us)
{
	return disk_bad_until(n) > us;
}

void
disk_heal(struct sim *s, struct node *n)
{
	struct disk *d = &n->disk;
	uint64_t bad_us = d->full_us > d->broken_us ? d->full_us : d->broken_us;

	if (bad_us > 0)
		d->bad_us = bad_us < s->now_us ? bad_us : s->now_us;
	d->full_us = d->broken_us = 0;
	for (unsigned i = 0; n->running && i < n->disk.file_count; i++)
		if (n->disk.files[i].damaged)
			verify_later(s, n, &n->disk.files[i].record);
}

unsigned
disk_error(struct sim *s, struct node *n, const struct item *i)
{
	const struct disk *d = &n->disk;
	const struct file *to = disk_handle(n, i->event.file);
	bool full = d->full_us > s->now_us, broken = d->broken_us > s->now_us;
	bool sure = d->full_us == UINT64_MAX || d->broken_us == UINT64_MAX;
	bool bad = false;

	if (!full && !broken)
		return ERROR_none;
	switch ((enum action_type)i->op) {
	case ACT_COPY: /* a target is on another disk */
		bad = to == NULL || to->kind != FILE_TARGET;
		break;
	case ACT_CREATE_TEMP:
	case ACT_COMMIT:
	case ACT_PERSIST:
		bad = true;
		break;
	case ACT_OPEN_STORED:
		bad = broken;
		break;
	default:
		break;
	}
	if (!bad || (!sure && !sim_chance(&s->net, FAIL_CHANCE)))
		return ERROR_none;
	n->denied |= i->op == ACT_PERSIST;
	return ERROR_disk;
}
