#include <assert.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "sim/sim.h"

struct digest
content_digest(uint64_t content, uint64_t size)
{
	uint64_t a = size == 0 ? 0 : hash_pair(content, size);
	uint64_t b = hash_pair(a, size);
	struct digest d;

	memcpy(d.bytes, &a, sizeof(a));
	memcpy(d.bytes + sizeof(a), &b, sizeof(b));
	return d;
}

struct stored *
disk_find(struct node *n, const struct name *name)
{
	for (unsigned i = 0; i < n->disk.file_count; i++)
		if (name_cmp(&n->disk.files[i].record.name, name) == 0)
			return &n->disk.files[i];
	return NULL;
}

struct stored *
disk_intact(struct node *n, const struct name *name, const struct version *v)
{
	struct stored *f = disk_find(n, name);

	if (f == NULL || f->damaged || version_cmp(&f->record.version, v) < 0)
		return NULL;
	return f;
}

struct file *
disk_handle(const struct node *n, uint32_t handle)
{
	for (struct file *f = n->files; f != NULL; f = f->next)
		if (f->handle == handle)
			return f;
	return NULL;
}

static struct file *
disk_open(struct node *n, uint32_t handle)
{
	struct file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		err(1, "a file of the simulator");
	assert(disk_handle(n, handle) == NULL);
	f->handle = handle;
	f->next = n->files;
	n->files = f;
	return f;
}

static void
disk_close(struct node *n, uint32_t handle)
{
	for (struct file **f = &n->files; *f != NULL; f = &(*f)->next)
		if ((*f)->handle == handle) {
			struct file *gone = *f;

			*f = gone->next;
			free(gone);
			return;
		}
}

void
disk_close_all(struct node *n)
{
	while (n->files != NULL)
		disk_close(n, n->files->handle);
}

uint64_t
disk_arrived(void *ctx, uint32_t handle)
{
	const struct file *f = disk_handle(ctx, handle);

	return f == NULL ? 0 : f->have;
}

void
disk_write(struct file *f, uint64_t offset, uint64_t content, uint64_t size)
{
	bool same = f->have == 0 || f->content == content;

	f->content = same && offset <= f->have ? content : CONTENT_MIXED;
	if (f->have < offset + size)
		f->have = offset + size;
}

static void
view_add(struct disk *d, const struct member *m)
{
	d->view[d->view_count++] = *m;
	plan_put(d->met, m->id);
	d->unmet[m->id / 8] &= (uint8_t) ~(1u << m->id % 8);
	if (m->state == MEMBER_LEFT)
		d->met[m->id / 8] &= (uint8_t) ~(1u << m->id % 8);
}

void
disk_save(struct node *n)
{
	struct disk *d = &n->disk;
	struct members list;
	unsigned next = 0;
	bool more;

	d->view_count = 0;
	do {
		more = peer_remembers(n->peer, &next, &list);
		for (unsigned i = 0; i < list.count; i++)
			view_add(d, &list.at[i]);
	} while (more);
}

bool
disk_forgot(const struct sim *s, const struct node *n)
{
	uint8_t written[SIM_SPACE_MAX / 8] = {0},
					alive[SIM_SPACE_MAX / 8] = {0};
	bool all = true;

	for (size_t i = 0; i < sizeof(n->disk.unmet); i++)
		all = all && n->disk.unmet[i] == 0;
	for (unsigned i = 0; i < n->disk.view_count; i++) {
		const struct member *m = &n->disk.view[i];

		plan_put(written, m->id);
		if (m->state < MEMBER_LEFT)
			plan_put(alive, m->id);
	}
	for (unsigned id = 0; id < s->space && all; id++) {
		const struct member *m = &n->shadow[id];

		if (id != n->id && m->state != MEMBER_NONE)
			all = plan_has(
			    m->state < MEMBER_LEAVING ? alive : written, id);
	}
	return !all;
}

static void
mark_or_drop(struct sim *s, struct node *n, const struct action *a)
{
	struct stored *f = disk_find(n, &a->record.name);

	if (f == NULL ||
	    version_cmp(&f->record.version, &a->record.version) != 0)
		return;
	if (a->type == ACT_MARK) {
		f->record.acknowledged = 1;
		command_marked(s, &f->record);
		return;
	}
	command_released(s, n, &f->record);
	n->disk.lost_us = s->now_us;
	disk_remove(n->disk.files, &n->disk.file_count, &a->record.name);
}

static uint64_t
disk_time_us(struct sim *s)
{
	if (sim_chance(&s->net, 10000))
		return random_below(&s->net, s->quality.sync_us + 1);
	return random_below(&s->net, s->quality.disk_us + 1);
}

static void
take(struct sim *s, struct node *n, const struct action *a)
{
	const struct file *from =
	    a->target == 0 ? NULL : disk_handle(n, a->target);
	struct file *f = disk_open(n, a->file);

	f->kind = FILE_TEMP;
	f->content = from == NULL ? s->brought : from->content;
	f->have = a->record.size;
	f->record = a->record;
}

static bool
opens(unsigned type)
{
	return type == ACT_OPEN_SOURCE || type == ACT_OPEN_STORED ||
	       type == ACT_CREATE_TEMP || type == ACT_CREATE_TARGET;
}

/* The rest takes a disk's time: first its effect, then the answer. */
void
disk_act(struct sim *s, struct node *n, const struct action *a)
{
	struct item *i;

	if (a->type == ACT_DISCARD) {
		disk_close(n, a->file);
		return;
	}
	if (a->type == ACT_TAKE) {
		take(s, n, a);
		return;
	}
	if (a->type == ACT_MARK || a->type == ACT_DROP) {
		mark_or_drop(s, n, a);
		return;
	}
	/* From now on it can be discarded. */
	if (opens(a->type))
		disk_open(n, a->file);
	i = node_later(s, n,
	    a->type == ACT_PERSIST  ? EV_PERSISTED
	    : a->type == ACT_VERIFY ? EV_DAMAGED
				    : EV_FILE);
	i->kind = ITEM_DISK;
	i->event.file = a->type == ACT_COPY ? a->target : a->file;
	i->event.incarnation = a->incarnation;
	i->event.record = a->record;
	i->file = a->file;
	i->op = a->type;
	if (a->path != NULL)
		item_bytes(i, (const uint8_t *)a->path, strlen(a->path) + 1);
	queue_push(&s->queue, i, s->now_us + disk_time_us(s));
}

/* Paths are made by command.c: /source/CONTENT/SIZE and /target/OP. */
static void
open_path(struct node *n, struct item *i)
{
	struct event *e = &i->event;
	char *end = NULL;
	struct file *f;

	if (i->len == 0) {
		e->error = ERROR_bad_source;
		return;
	}
	f = disk_handle(n, e->file);
	if (i->op == ACT_CREATE_TARGET) {
		f->kind = FILE_TARGET;
		f->op = strtoull(strrchr((char *)i->data, '/') + 1, NULL, 10);
		return;
	}
	f->kind = FILE_SOURCE;
	f->content = strtoull((char *)i->data + strlen("/source/"), &end, 10);
	f->have = e->size = strtoull(end + 1, NULL, 10);
	e->whole = e->size <= SMALL_MAX;
	e->digest = content_digest(f->content, f->have);
}

/* A small one is read at once; what is damaged is seen then. */
static bool
found_damaged(struct sim *s, struct node *n, struct event *e)
{
	struct item *told;

	if (e->record.size > SMALL_MAX || !disk_verify(n, &e->record))
		return false;
	told = node_later(s, n, EV_DAMAGED);
	told->event.record = e->record;
	queue_push(&s->queue, told, s->now_us);
	e->error = ERROR_damaged;
	return true;
}

static void
open_stored(struct sim *s, struct node *n, struct event *e)
{
	struct stored *stored = disk_find(n, &e->record.name);
	struct file *f;

	if (stored == NULL || stored->record.deleted ||
	    version_cmp(&stored->record.version, &e->record.version) != 0) {
		e->error = ERROR_no_such_file;
		return;
	}
	e->record = stored->record;
	if (found_damaged(s, n, e))
		return;
	f = disk_handle(n, e->file);
	f->kind = FILE_STORED;
	f->content = stored->content | (stored->damaged ? CONTENT_DAMAGED : 0);
	f->have = e->size = stored->record.size;
	f->record = e->record;
	e->whole = e->size <= SMALL_MAX;
	e->digest = stored->record.digest;
}

static void
copy(struct node *n, struct item *i)
{
	struct file *from = disk_handle(n, i->file);
	struct file *to = disk_handle(n, i->event.file);

	if (from == NULL || to == NULL) {
		i->event.error = ERROR_system;
		return;
	}
	to->content = from->content;
	to->have = i->event.size = from->have;
	i->event.digest = content_digest(to->content, to->have);
}

static void
commit(struct sim *s, struct node *n, struct item *i)
{
	struct event *e = &i->event;
	const struct record *r = &e->record;
	struct stored *at = disk_find(n, &r->name);
	struct file *f = r->deleted ? NULL : disk_handle(n, i->file);
	struct digest d;
	int order =
	    at == NULL ? 1 : version_cmp(&r->version, &at->record.version);

	if (!r->deleted && f == NULL) {
		e->error = ERROR_system;
		return;
	}
	d = content_digest(f == NULL ? 0 : f->content, f == NULL ? 0 : f->have);
	if (f != NULL &&
	    (f->have != r->size || memcmp(&d, &r->digest, sizeof(d)) != 0)) {
		sim_fail(s, CHECK_CONTRACT, n,
		    "commits %s with a content that is not its own (%llu of "
		    "%llu bytes)",
		    r->name.text, (unsigned long long)f->have,
		    (unsigned long long)r->size);
		return;
	}
	if (order < 0) {
		e->error = ERROR_older;
		e->record = at->record;
	}
	if (order <= 0)
		return;
	command_committed(s, n, r);
	disk_forget_lost(n, r);
	if (at == NULL) {
		assert(n->disk.file_count < STORED_MAX);
		at = &n->disk.files[n->disk.file_count++];
	}
	at->record = *r;
	at->content = f == NULL ? 0 : f->content;
	at->damaged = false;
}

/* A file in memory gets the command's path. */
static void
deliver(struct sim *s, struct node *n, struct item *i)
{
	struct file *f = disk_handle(n, i->event.file);

	if (f == NULL) {
		i->event.error = ERROR_system;
		return;
	}
	f->kind = FILE_TARGET;
	f->op = strtoull(strrchr((char *)i->data, '/') + 1, NULL, 10);
	command_delivered(s, f->op, f->content, f->have);
}

static void
finish_target(struct sim *s, struct node *n, struct event *e)
{
	struct file *f = disk_handle(n, e->file);

	if (f == NULL || f->kind != FILE_TARGET)
		e->error = ERROR_system;
	else
		command_delivered(s, f->op, f->content, f->have);
}

static void
effect(struct sim *s, struct node *n, struct item *i)
{
	i->event.error = (uint8_t)disk_error(s, n, i);
	if (i->event.error != ERROR_none)
		return;
	if (opens((unsigned)i->op) && disk_handle(n, i->event.file) == NULL)
		return; /* discarded meanwhile: nobody hears the answer */
	switch ((enum action_type)i->op) {
	case ACT_PERSIST:
		/* Written in the order of asking, whatever the times are. */
		if (n->disk.incarnation < i->event.incarnation)
			n->disk.incarnation = i->event.incarnation;
		break;
	case ACT_OPEN_SOURCE:
	case ACT_CREATE_TARGET:
		open_path(n, i);
		break;
	case ACT_OPEN_STORED:
		open_stored(s, n, &i->event);
		break;
	case ACT_CREATE_TEMP:
		disk_handle(n, i->event.file)->kind = FILE_TEMP;
		break;
	case ACT_COPY:
		copy(n, i);
		break;
	case ACT_COMMIT:
		commit(s, n, i);
		/* It is in the index from now on: others may count on it. */
		if (i->event.error == ERROR_none && s->sync)
			disk_synced(n, &i->event.record.name);
		break;
	case ACT_DELIVER:
		deliver(s, n, i);
		break;
	case ACT_RENAME:
		finish_target(s, n, &i->event);
		break;
	case ACT_CHECK_SOURCE:
		if (sim_chance(&s->net, s->changing))
			i->event.error = ERROR_changed;
		break;
	case ACT_VERIFY:
		if (!disk_verify(n, &i->event.record)) {
			i->event.record.name.len = 0;
			break;
		}
		trace_say(s, n, "%s is set aside", i->event.record.name.text);
		n->disk.lost_us = s->now_us;
		break;
	default:
		assert(0); /* not for a disk */
	}
}

/* What is reported as written is there after a loss of power. */
static void
reported(struct node *n, const struct item *i)
{
	if (i->event.error != ERROR_none)
		return;
	if (i->op == ACT_PERSIST)
		n->disk.synced_incarnation = n->disk.incarnation;
}

void
disk_done(struct sim *s, struct item *i)
{
	struct event event;
	struct node *n = i->node;

	/* Killed between the two: it happened, and nobody was told. */
	if (i->tries++ == 0) {
		effect(s, n, i);
		node_crashes(s, n);
		queue_push(&s->queue, i, s->now_us + disk_time_us(s) / 4);
		return;
	}
	reported(n, i);
	event = i->event;
	queue_give_back(&s->queue, i);
	if (event.type != EV_DAMAGED || event.record.name.len > 0)
		node_step(s, n, &event);
}
