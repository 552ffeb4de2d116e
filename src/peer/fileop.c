#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "peer/drive.h"
#include "peer/fileop.h"

enum {
	OWN_TEMPS = 1u << 30, /* higher than any handle of the core's */
	OPEN_TRIES = 20, /* while there is no descriptor */
	OPEN_PAUSE_US = 20000,
};

void
fileop_fail_text(
    struct file_op *op, int error, const char *path, const char *why)
{
	op->error = error;
	snprintf(op->text, sizeof(op->text), "%s%s%s", path ? path : "",
	    path ? ": " : "", why);
}

void
fileop_fail(struct file_op *op, int error, const char *path, int err)
{
	if (err == EMFILE || err == ENFILE || err == ENOMEM)
		error = ERROR_system;
	fileop_fail_text(op, error, path, strerror(err));
}

int
fileop_load(struct open_file *f)
{
	size_t have = 0;

	free(f->content); /* of a try that failed */
	f->content = malloc(f->size + 1);
	if (f->content == NULL)
		return ENOMEM;
	while (have < f->size) {
		ssize_t n = pread(
		    f->fd, f->content + have, f->size - have, (off_t)have);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? ESTALE : errno;
		have += (size_t)n;
	}
	file_hash(f, f->content, have, 0);
	return 0;
}

enum {
	OPENS = 1, /* a new file handle */
	ORDERED = 2, /* after those of the same name */
	SILENT = 4, /* the core gets no event */
};

static const struct op_kind {
	int type;
	void (*run)(struct file_op *, uint8_t *buffer);
	unsigned flags;
} kinds[] = {
    {ACT_OPEN_SOURCE, run_open_source, OPENS},
    {ACT_CHECK_SOURCE, run_check_source, 0},
    {ACT_OPEN_STORED, run_open_stored, OPENS},
    {ACT_CREATE_TEMP, run_create_temp, OPENS},
    {ACT_CREATE_TARGET, run_create_target, OPENS},
    {ACT_COPY, run_copy, 0},
    {ACT_COMMIT, run_commit, ORDERED},
    {ACT_DELIVER, run_deliver, 0},
    {ACT_RENAME, run_rename, 0},
    {ACT_MARK, run_mark, ORDERED | SILENT},
    {ACT_VERIFY, run_verify, SILENT},
    {ACT_DROP, run_drop, ORDERED | SILENT},
    {ACT_PERSIST, run_persist, ORDERED},
    {OP_VIEW, run_view, ORDERED | SILENT},
    {OP_RELEASE, run_release, SILENT},
    {OP_ROOM, run_room, SILENT},
};

static const struct op_kind *
kind_of(int type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == type)
			return &kinds[i];
	return NULL;
}

/* Hands the outcome to the core. */
static void
answer(struct file_op *op)
{
	struct open_file *f = op->file;
	struct event ev = {.type = EV_FILE,
	    .file = op->handle,
	    .error = (uint8_t)op->error,
	    .op = op->op,
	    .record = op->record,
	    .incarnation = op->incarnation};

	if (f != NULL && f->discarded)
		return;
	if (op->type == ACT_PERSIST)
		ev.type = EV_PERSISTED;
	if (f != NULL)
		ev.size = f->size;
	if (f != NULL && (kind_of(op->type)->flags & OPENS) != 0 &&
	    f->content != NULL) {
		ev.whole = true;
		file_digest(f, f->size, &ev.digest);
	}
	if (op->type == ACT_COPY && op->error == ERROR_none)
		file_digest(f, op->end, &ev.digest);
	drive_defer(op->driver, &ev, op->text);
}

static struct file_op *op_new(struct driver *, int type);

/* What is large does not wait until the journal moves: nobody waits for it. */
static void
make_room(const struct file_op *by)
{
	struct record replaced;
	struct file_op *op;

	if (!group_takes(by) ||
	    !catalog_find(&by->driver->catalog, &by->record.name, &replaced) ||
	    replaced.deleted || replaced.size <= SMALL_MAX)
		return;
	op = op_new(by->driver, OP_ROOM);
	op->key = by->key;
	op->record = by->record;
	workers_submit(&op->driver->workers, &op->job);
}

/* What the operation leaves in the file and in the index. */
static void
take_effect(struct file_op *op)
{
	struct open_file *f = op->file;

	if (op->type == ACT_COMMIT && op->placed) {
		make_room(op);
		if (catalog_put(&op->driver->catalog, &op->record) == -1)
			fileop_fail(op, ERROR_system, NULL, ENOMEM);
	}
	if (op->type == ACT_COPY && op->error == ERROR_none)
		f->size = op->end;
	if (op->damaged)
		files_damaged_here(op->driver, &op->record);
	if (op->gone)
		files_gone_here(op->driver, &op->record);
	if ((kind_of(op->type)->flags & OPENS) != 0 && f != NULL) {
		f->ready = op->error == ERROR_none;
		f->failed = !f->ready;
		file_changed(f);
	}
}

void
file_op_finish(struct file_op *op)
{
	const struct op_kind *kind = kind_of(op->type);
	struct driver *d = op->driver;
	bool ordered = op->bucket != NULL;

	take_effect(op);
	if ((kind->flags & SILENT) == 0)
		answer(op);
	if (ordered)
		order_end(d, op);
	if (op->type == OP_RELEASE)
		file_free(op->file);
	else if (op->file != NULL)
		file_unref(op->file);
	if (op->other != NULL)
		file_unref(op->other);
	free(op->data);
	free(op);
	if (ordered)
		order_run(d);
}

/* What lacks a descriptor waits a little for one, as others are closed. */
static void
op_run(struct job *job, uint8_t *buffer)
{
	struct file_op *op = CONTAINER(job, struct file_op, job);
	const struct op_kind *kind = kind_of(op->type);

	kind->run(op, buffer);
	for (int i = 1; i < OPEN_TRIES && (kind->flags & OPENS) != 0 &&
			op->error == ERROR_system;
	     i++) {
		usleep(OPEN_PAUSE_US);
		op->error = ERROR_none;
		op->text[0] = '\0';
		kind->run(op, buffer);
	}
}

static void
op_done(struct job *job)
{
	struct file_op *op = CONTAINER(job, struct file_op, job);

	/* A long copy is done in parts, so that others get their turn. */
	if (op->more || (op->type == ACT_COPY && op->error == ERROR_none &&
			    op->offset < op->end && !op->file->discarded))
		workers_submit(&op->driver->workers, &op->job);
	else
		file_op_finish(op);
}

static struct file_op *
op_new(struct driver *d, int type)
{
	struct file_op *op = calloc(1, sizeof(*op));

	if (op == NULL)
		abort();
	op->job.run = op_run;
	op->job.done = op_done;
	op->driver = d;
	op->type = type;
	assert(kind_of(type) != NULL);
	return op;
}

static void
op_submit(struct file_op *op)
{
	if ((kind_of(op->type)->flags & ORDERED) != 0) {
		order_add(op->driver, op);
		order_run(op->driver);
	} else if (open_here(op)) {
		file_op_finish(op);
	} else {
		workers_submit(&op->driver->workers, &op->job);
	}
}

void
file_op_release(struct open_file *f)
{
	struct file_op *op;

	if (f->fd == -1 && !f->leftover) {
		file_free(f);
		return;
	}
	op = op_new(f->driver, OP_RELEASE);
	op->file = f;
	op_submit(op);
}

void
files_write_view(struct driver *d, uint8_t *data, size_t len)
{
	struct file_op *op = op_new(d, OP_VIEW);

	op->data = data;
	op->len = len;
	op_submit(op);
}

static enum file_kind
file_kind_of(enum action_type type)
{
	if (type == ACT_OPEN_SOURCE)
		return FILE_SOURCE;
	if (type == ACT_OPEN_STORED)
		return FILE_STORED;
	return type == ACT_CREATE_TEMP ? FILE_TEMP : FILE_TARGET;
}

/* A new handle for what an operation opens; false: op has the reason. */
static bool
prepare_open(struct file_op *op, const struct action *a)
{
	enum file_kind kind = file_kind_of(a->type);
	struct open_file *f = file_add(op->driver, a->file, kind);

	if (f == NULL) {
		fileop_fail_text(op, ERROR_system, NULL, "too many open files");
		return false;
	}
	op->file = f;
	file_ref(f);
	f->record = a->record;
	if (a->path != NULL && (f->path = strdup(a->path)) == NULL)
		abort();
	if (kind != FILE_STORED)
		return true;
	if (!catalog_find(&op->driver->catalog, &a->record.name, &f->record) ||
	    version_cmp(&f->record.version, &a->record.version) != 0 ||
	    f->record.deleted) {
		fileop_fail_text(
		    op, ERROR_no_such_file, NULL, "not stored here");
		return false;
	}
	op->record = f->record;
	f->size = f->record.size;
	return true;
}

/* The same for what concerns files that are open already. */
static bool
prepare_other(struct file_op *op, const struct action *a)
{
	struct open_file *f = NULL;

	if (a->type == ACT_COPY)
		op->handle = a->target;
	if (op->handle != 0)
		f = file_find(op->driver, op->handle);
	if (f != NULL)
		file_ref(op->file = f);
	if (a->type == ACT_COPY) {
		op->other = file_find(op->driver, a->file);
		if (op->other != NULL)
			file_ref(op->other);
	}
	/* A tombstone has no file: its handle only names the answer. */
	if (f == NULL && a->type == ACT_COMMIT && a->record.deleted)
		return true;
	if ((f == NULL && (op->handle != 0 || a->type == ACT_DELIVER)) ||
	    (a->type == ACT_COPY && (f == NULL || op->other == NULL))) {
		fileop_fail_text(op, ERROR_system, NULL, "no such file handle");
		return false;
	}
	if (a->type == ACT_DELIVER) {
		free(f->path);
		f->path = strdup(a->path);
		if (f->path == NULL)
			abort();
	}
	if (a->type == ACT_COPY) {
		op->end = op->other->size;
		file_rehash(f);
	}
	if (f != NULL && op->record.name.len == 0)
		op->record = f->record;
	return true;
}

void
files_open_apply(struct driver *d, const struct action *a)
{
	struct file_op *op = op_new(d, (int)a->type);
	const struct op_kind *kind = kind_of((int)a->type);
	bool good;

	op->op = a->op;
	op->handle = a->file;
	op->record = a->record;
	op->incarnation = a->incarnation;
	good = (kind->flags & OPENS) != 0 ? prepare_open(op, a)
					  : prepare_other(op, a);
	op->key = (unsigned)catalog_key(&d->catalog, &op->record.name);
	op->temp =
	    op->handle != 0 ? op->handle : OWN_TEMPS | d->files.next_temp++;
	/* The index changes with the action; the disk follows. */
	if (a->type == ACT_MARK && catalog_mark(&d->catalog, &op->record) &&
	    !order_has(d, op)) {
		group_mark(d, op);
		return;
	}
	if (a->type == ACT_DROP)
		catalog_drop(&d->catalog, &op->record);
	if (good) {
		op_submit(op);
		return;
	}
	if ((kind->flags & ORDERED) != 0)
		order_add(d, op);
	file_op_finish(op);
}
