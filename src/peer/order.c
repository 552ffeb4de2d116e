#include <assert.h>

#include "base/hash.h"
#include "peer/drive.h"
#include "peer/fileop.h"

/* Operations on one name one after the other, those on several at once. */

void
order_init(struct order *o)
{
	*o = (struct order){.running = 0};
	for (size_t i = 0; i < ORDER_BUCKETS; i++)
		TAILQ_INIT(&o->bucket[i]);
	TAILQ_INIT(&o->ready);
	TAILQ_INIT(&o->ready_small);
}

static struct file_ops *
bucket_of(struct order *o, const struct file_op *op)
{
	uint64_t hash = hash_bytes(op->record.name.text, op->record.name.len);

	return &o->bucket[hash % ORDER_BUCKETS];
}

/*
 * What the index says when an operation's turn has come. False: there is
 * nothing left to do on the disk.
 */
static bool
still_wanted(struct file_op *op)
{
	struct catalog *c = &op->driver->catalog;
	struct record have;
	bool found =
	    op->record.name.len > 0 && catalog_find(c, &op->record.name, &have);
	int cmp = found ? version_cmp(&have.version, &op->record.version) : -1;

	if (op->type == ACT_COMMIT && op->key == UINT32_MAX) {
		fileop_fail_text(op, ERROR_bad_name, NULL, "not a valid name");
		return false;
	}
	if (op->type == ACT_COMMIT && cmp > 0) {
		fileop_fail_text(
		    op, ERROR_older, NULL, "a newer one is stored");
		op->record = have;
	}
	if (op->type == ACT_COMMIT)
		return cmp < 0;
	if (op->type == ACT_MARK)
		return catalog_mark(c, &op->record);
	if (op->type == ACT_DROP)
		return !found || catalog_drop(c, &op->record);
	return true;
}

/* What the journal takes needs no helper of its own. */
static void
make_ready(struct order *o, struct file_op *op)
{
	op->small = group_takes(op);
	TAILQ_INSERT_TAIL(op->small ? &o->ready_small : &o->ready, op, ready);
	op->is_ready = true;
}

bool
order_has(struct driver *d, const struct file_op *op)
{
	struct file_op *earlier;

	TAILQ_FOREACH(earlier, bucket_of(&d->files.order, op), link)
	if (name_cmp(&earlier->record.name, &op->record.name) == 0)
		break;
	return earlier != NULL;
}

void
order_add(struct driver *d, struct file_op *op)
{
	struct order *o = &d->files.order;
	bool later = order_has(d, op);

	op->bucket = bucket_of(o, op);
	TAILQ_INSERT_TAIL(op->bucket, op, link);
	if (!later)
		make_ready(o, op);
}

void
order_end(struct driver *d, struct file_op *op)
{
	struct order *o = &d->files.order;
	struct file_op *next = TAILQ_NEXT(op, link);
	bool first = op->started || op->is_ready;

	if (op->is_ready)
		TAILQ_REMOVE(
		    op->small ? &o->ready_small : &o->ready, op, ready);
	if (op->started && !op->small)
		o->running--;
	TAILQ_REMOVE(op->bucket, op, link);
	while (first && next != NULL &&
	       name_cmp(&next->record.name, &op->record.name) != 0)
		next = TAILQ_NEXT(next, link);
	if (first && next != NULL)
		make_ready(o, next);
}

static void
start(struct driver *d, struct file_op *op)
{
	struct order *o = &d->files.order;

	TAILQ_REMOVE(op->small ? &o->ready_small : &o->ready, op, ready);
	op->is_ready = false;
	op->started = true;
	if (!op->small)
		o->running++;
	if (!still_wanted(op))
		file_op_finish(op);
	else if (op->small)
		group_add(d, op);
	else
		workers_submit(&d->workers, &op->job);
}

void
order_run(struct driver *d)
{
	struct order *o = &d->files.order;
	struct file_op *op;

	/* Not deeper and deeper, when one after the other is not wanted. */
	if (o->inside)
		return;
	o->inside = true;
	while ((op = TAILQ_FIRST(&o->ready_small)) != NULL ||
	       (o->running < ORDERED_RUNNING &&
		   (op = TAILQ_FIRST(&o->ready)) != NULL))
		start(d, op);
	o->inside = false;
}
