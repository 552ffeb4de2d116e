#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "peer/drive.h"
#include "peer/fileop.h"

struct lost_record {
	struct lost_record *next;
	struct record record;
};

bool
group_takes(const struct file_op *op)
{
	return op->type == ACT_COMMIT &&
	       (op->record.deleted || op->record.size <= SMALL_MAX);
}

/* What came as a temporary file is read into memory; false: it failed. */
static bool
has_content(struct file_op *op)
{
	struct open_file *f = op->file;
	size_t size = op->record.size;

	if (op->record.deleted || size == 0 || f == NULL || f->content != NULL)
		return true;
	op->data = malloc(size);
	return op->data != NULL && volume_read(&volume_system, f->fd, op->data,
				       size, 0) == (ssize_t)size;
}

static struct journal_item
item_of(const struct file_op *op)
{
	struct journal_item item = {.record = &op->record, .content = op->data};

	if (op->file != NULL && op->file->content != NULL)
		item.content = op->file->content;
	return item;
}

/* Each by itself: there is no journal, or it failed. */
static void
commit_alone(struct group *g)
{
	struct file_op *op;

	TAILQ_FOREACH(op, &g->batch, ready)
	if (op->type == ACT_COMMIT)
		run_commit_alone(op);
}

static size_t
batch_items(const struct group *g, struct journal_item items[GROUP_ITEMS_MAX])
{
	struct file_op *op;
	size_t count = 0;

	TAILQ_FOREACH(op, &g->batch, ready)
	items[count++] = item_of(op);
	return count;
}

static void
batch_placed(struct group *g)
{
	struct file_op *op;

	TAILQ_FOREACH(op, &g->batch, ready)
	op->placed = true;
}

static void
run_write(struct job *job, uint8_t *buffer)
{
	struct group *g = CONTAINER(job, struct group, write);
	struct disk *disk = &g->driver->disk;
	struct journal_item items[GROUP_ITEMS_MAX];
	bool readable = true;
	struct file_op *op;
	size_t count;
	int rc;

	/* Before the flush, which they need not have. */
	TAILQ_FOREACH(op, &g->marking, ready)
	disk_mark(disk, op->key, &op->record);
	if (TAILQ_EMPTY(&g->batch))
		return;
	TAILQ_FOREACH(op, &g->batch, ready)
	if (op->data == NULL)
		readable = has_content(op) && readable;
	count = batch_items(g, items);
	rc = readable ? journal_write(disk, items, count, buffer) : EIO;
	g->again = rc == EAGAIN && !journal_stuck(disk) && !g->late;
	if (g->again)
		return;
	if (rc != 0) {
		commit_alone(g);
		return;
	}
	batch_placed(g);
}

static unsigned
key_of(struct journal_loss *loss, const struct name *name)
{
	struct group *g = CONTAINER(loss, struct group, loss);

	/* Of names and bits alone, which don't change. */
	return (unsigned)catalog_key(&g->driver->catalog, name);
}

static void
note_lost(struct journal_loss *loss, const struct record *r)
{
	struct group *g = CONTAINER(loss, struct group, loss);
	struct lost_record *l = malloc(sizeof(*l));

	if (l == NULL)
		abort();
	*l = (struct lost_record){.next = g->lost, .record = *r};
	g->lost = l;
}

static void
run_move(struct job *job, uint8_t *buffer)
{
	struct group *g = CONTAINER(job, struct group, move);
	int rc = journal_move(&g->driver->disk, buffer, &g->loss, &g->more);

	if (rc != 0)
		g->more = false;
}

/* Of a lost version the journal's index knew no more than name and version. */
static void
tell_lost(struct group *g)
{
	struct lost_record *l;
	struct record have;

	while ((l = g->lost) != NULL) {
		g->lost = l->next;
		if (catalog_find(&g->driver->catalog, &l->record.name, &have) &&
		    version_cmp(&have.version, &l->record.version) == 0)
			files_damaged_here(g->driver, &have);
		free(l);
	}
}

static void
begin_move(struct group *g)
{
	if (g->moving || g->retry.index != -1 || !journal_due(&g->driver->disk))
		return;
	g->moving = true;
	workers_submit(&g->driver->workers, &g->move);
}

static size_t
bytes_of(const struct file_op *op)
{
	struct journal_item item = item_of(op);

	return journal_item_len(&item);
}

/* What waits becomes the next batch. */
static void
gather(struct group *g)
{
	size_t len = JOURNAL_BLOCK, count = 0;
	struct file_op *op;

	while ((op = TAILQ_FIRST(&g->waiting)) != NULL &&
	       count++ < GROUP_ITEMS_MAX &&
	       (len += bytes_of(op)) <= DISK_BUFFER) {
		TAILQ_REMOVE(&g->waiting, op, ready);
		TAILQ_INSERT_TAIL(&g->batch, op, ready);
	}
	TAILQ_CONCAT(&g->marking, &g->marks, ready);
	g->mark_count = 0;
	g->marks_due = false;
	timer_stop(&g->driver->loop, &g->mark);
}

static void
finish_all(struct file_ops *ops)
{
	struct file_op *op;

	while ((op = TAILQ_FIRST(ops)) != NULL) {
		TAILQ_REMOVE(ops, op, ready);
		file_op_finish(op);
	}
}

/* Tells of what was gathered: it is done. */
static void
finish_batch(struct group *g)
{
	struct file_ops done;

	TAILQ_INIT(&done);
	TAILQ_CONCAT(&done, &g->batch, ready);
	TAILQ_CONCAT(&done, &g->marking, ready);
	/* The disk need not wait until this one was told of. */
	if (g->driver->disk.sync)
		group_settle(g->driver);
	finish_all(&done);
	order_run(g->driver);
}

/* All is in memory, and little enough. */
static bool
is_light(const struct group *g)
{
	size_t len = JOURNAL_BLOCK;
	struct file_op *op;

	TAILQ_FOREACH(op, &g->batch, ready)
	{
		struct journal_item item = item_of(op);

		len += journal_item_len(&item);
		if (item.content == NULL && !op->record.deleted &&
		    op->record.size > 0)
			return false;
	}
	return len <= HERE_BUFFER;
}

/* Marks that can be made at once are; true: that is all of them. */
static bool
mark_here(struct group *g)
{
	struct file_op *op, *next;

	for (op = TAILQ_FIRST(&g->marking); op != NULL; op = next) {
		next = TAILQ_NEXT(op, ready);
		if (disk_mark_now(&g->driver->disk, &op->record) == EBUSY)
			continue;
		TAILQ_REMOVE(&g->marking, op, ready);
		file_op_finish(op);
	}
	return TAILQ_EMPTY(&g->marking);
}

/* On the loop, if the disk is not waited for; false: not all of it. */
static bool
write_here(struct group *g)
{
	struct driver *d = g->driver;
	struct journal_item items[GROUP_ITEMS_MAX];
	uint64_t began;
	bool all;
	int rc = 0;

	if (d->disk.sync || !is_light(g) || (began = here_begin(&d->here)) == 0)
		return false;
	all = mark_here(g);
	if (!TAILQ_EMPTY(&g->batch))
		rc = journal_write_now(
		    &d->disk, items, batch_items(g, items), d->here.buffer);
	here_end(&d->here, began);
	if (rc != 0)
		return false;
	batch_placed(g);
	return all;
}

static void
begin_write(struct group *g)
{
	gather(g);
	if (write_here(g)) {
		finish_batch(g);
		return;
	}
	g->since_us = g->driver->loop.now_us;
	g->late = false;
	g->writing = true;
	workers_submit(&g->driver->workers, &g->write);
}

void
group_settle(struct driver *d)
{
	struct group *g = &d->group;

	while (!g->writing && !g->again &&
	       (g->marks_due || !TAILQ_EMPTY(&g->waiting)))
		begin_write(g);
}

static void
write_again(struct group *g)
{
	if (g->writing || !g->again)
		return;
	g->late = g->driver->loop.now_us > g->since_us + GROUP_WAIT_US;
	g->writing = true;
	workers_submit(&g->driver->workers, &g->write);
}

static void
on_moved(struct job *job)
{
	struct group *g = CONTAINER(job, struct group, move);
	struct driver *d = g->driver;

	g->moving = false;
	tell_lost(g);
	if (journal_stuck(&d->disk) && !d->exiting)
		timer_start(
		    &d->loop, &g->retry, d->loop.now_us + GROUP_RETRY_US);
	else
		begin_move(g);
	write_again(g);
}

static void
on_retry(struct timer *t)
{
	begin_move(CONTAINER(t, struct group, retry));
}

static void
on_written(struct job *job)
{
	struct group *g = CONTAINER(job, struct group, write);

	g->writing = false;
	begin_move(g);
	if (!g->again)
		finish_batch(g);
	/* Unless there is room by now, moving goes on. */
	else if (!g->moving)
		write_again(g);
}

static void
on_mark(struct timer *t)
{
	CONTAINER(t, struct group, mark)->marks_due = true;
}

void
group_add(struct driver *d, struct file_op *op)
{
	TAILQ_INSERT_TAIL(&d->group.waiting, op, ready);
}

void
group_mark(struct driver *d, struct file_op *op)
{
	struct group *g = &d->group;

	TAILQ_INSERT_TAIL(&g->marks, op, ready);
	if (++g->mark_count >= GROUP_MARKS_MAX)
		g->marks_due = true;
	else if (g->mark.index == -1)
		timer_start(&d->loop, &g->mark, d->loop.now_us + GROUP_MARK_US);
}

void
group_init(struct driver *d)
{
	struct group *g = &d->group;

	*g = (struct group){.driver = d,
	    .write = {.run = run_write, .done = on_written},
	    .move = {.run = run_move, .done = on_moved},
	    .loss = {.key = key_of, .lost = note_lost}};
	TAILQ_INIT(&g->waiting);
	TAILQ_INIT(&g->batch);
	TAILQ_INIT(&g->marks);
	TAILQ_INIT(&g->marking);
	timer_init(&g->mark, on_mark);
	timer_init(&g->retry, on_retry);
}

void
group_start(struct driver *d)
{
	begin_move(&d->group);
}

void
group_flush(struct driver *d, uint64_t until_us)
{
	struct group *g = &d->group;
	uint8_t *buffer = malloc(HELPER_BUFFER);
	struct file_op *op;

	assert(!g->writing && !g->moving);
	if (buffer == NULL)
		abort();
	TAILQ_FOREACH(op, &g->marks, ready)
	disk_mark(&d->disk, op->key, &op->record);
	finish_all(&g->marks);
	journal_finish(&d->disk);
	g->more = journal_full(&d->disk);
	while (g->more && clock_us() < until_us)
		run_move(&g->move, buffer);
	free(buffer);
	tell_lost(g);
	timer_stop(&d->loop, &g->retry);
	timer_stop(&d->loop, &g->mark);
}
