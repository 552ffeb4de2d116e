#include <assert.h>

#include "sim/net.h"

/* Raw bytes on a stream, and what waits behind them. */

static bool
has_raw(const struct end *e)
{
	for (const struct item *i = e->queued.head; i != NULL; i = i->next)
		if (i->frame == FRAME_RAW)
			return true;
	return false;
}

static void
watch(struct sim *s, struct end *e)
{
	if (e->watched || e->circuit->role != CONN_STREAM)
		return;
	e->watched = true;
	e->moved_us = s->now_us;
	queue_push(&s->queue, end_item(s, e, ITEM_STALL), s->now_us + STALL_US);
}

void
circuit_stalled(struct sim *s, struct item *i)
{
	struct end *e = end_of(i);
	struct event event = {.type = EV_CONN_STALLED};

	queue_give_back(&s->queue, i);
	if (e == NULL)
		return;
	e->watched = false;
	if (e->state != END_OPEN || (!e->receiving && !has_raw(e)))
		return;
	if (e->moved_us + STALL_US > s->now_us) {
		e->watched = true;
		queue_push(&s->queue, end_item(s, e, ITEM_STALL),
		    e->moved_us + STALL_US);
		return;
	}
	watch(s, e);
	event.conn = e->handle;
	node_step(s, e->node, &event);
}

void
circuit_send(struct sim *s, struct end *e, struct item *i, enum frame frame)
{
	if (e->state == END_OPEN && e->queued.head == NULL &&
	    frame == FRAME_MESSAGE) {
		if (e->ended)
			queue_give_back(&s->queue, i);
		else
			end_put(s, e, i, frame);
		return;
	}
	i->frame = (uint8_t)frame;
	items_append(&e->queued, i);
	if (e->state == END_OPEN)
		circuit_pump(s, e);
}

static void
raw_sent(
    struct sim *s, struct end *e, const struct item *i, const struct file *f)
{
	struct item *told = node_later(s, e->node, EV_RAW_SENT);

	told->event.conn = e->handle;
	told->event.file = i->file;
	if (f->read == i->offset)
		told->event.digest = content_digest(f->content, f->read);
	if (e->state == END_OPEN)
		queue_push(&s->queue, told, s->now_us);
	else
		queue_give_back(&s->queue, told);
}

/* Sends what it can of the raw bytes i; true when all are under way. */
static bool
pump_raw(struct sim *s, struct end *e, struct item *i, struct file *f)
{
	while (i->size > 0) {
		uint64_t left = f->have > i->offset ? f->have - i->offset : 0;
		uint64_t len = left < i->size ? left : i->size;
		struct item *chunk;

		if (len == 0 || e->chunks >= CHUNKS_MAX)
			return false;
		if (e->pace_us > s->now_us) {
			if (!e->pumping)
				queue_push(&s->queue, end_item(s, e, ITEM_PUMP),
				    e->pace_us);
			e->pumping = true;
			return false;
		}
		if (len > CHUNK)
			len = CHUNK;
		chunk = end_item(s, e, ITEM_FRAME);
		chunk->content = f->content;
		chunk->offset = i->offset;
		chunk->size = len;
		if (f->read == i->offset)
			f->read += len;
		i->offset += len;
		i->size -= len;
		e->chunks++;
		e->moved_us = s->now_us;
		e->pace_us = s->now_us + len * s->byte_ps / MILLION;
		end_put(s, e, chunk, FRAME_RAW);
	}
	raw_sent(s, e, i, f);
	return true;
}

void
circuit_pump(struct sim *s, struct end *e)
{
	struct item *i;
	struct file *f;

	while (!e->ended && (i = e->queued.head) != NULL) {
		if (i->frame == FRAME_MESSAGE) {
			end_put(s, e, items_take(&e->queued), FRAME_MESSAGE);
			continue;
		}
		watch(s, e);
		if ((f = disk_handle(e->node, i->file)) == NULL) {
			/* Discarded under way: the rest can't follow. */
			items_clear(&e->queued, &s->queue);
			end_put(s, e, end_item(s, e, ITEM_FRAME), FRAME_END);
			break;
		}
		if (!pump_raw(s, e, i, f))
			return;
		queue_give_back(&s->queue, items_take(&e->queued));
	}
	if (e->state == END_CLOSING && e->queued.head == NULL)
		end_shut(s, e);
}

void
circuit_expect(struct sim *s, struct end *e, const struct action *a)
{
	struct item *told;

	if (e->receiving || disk_handle(e->node, a->file) == NULL) {
		sim_fail(s, CHECK_CONTRACT, e->node,
		    "raw bytes expected on connection %u %s", e->handle,
		    e->receiving ? "twice" : "into a file that is not open");
		return;
	}
	if (a->size > 0) {
		e->receiving = true;
		e->file = a->file;
		e->offset = a->offset;
		e->left = a->size;
		watch(s, e);
		e->moved_us = s->now_us;
		return;
	}
	told = node_later(s, e->node, EV_RAW_RECEIVED);
	told->event.conn = e->handle;
	told->event.file = a->file;
	told->event.digest = content_digest(0, 0);
	told->event.size = disk_handle(e->node, a->file)->have;
	if (told->event.size > 0)
		told->event.digest = content_digest(
		    disk_handle(e->node, a->file)->content, told->event.size);
	items_append(&e->node->urgent, told);
}

static void
pump_from(struct sim *s, struct node *n, uint32_t file)
{
	for (struct end *e = n->ends, *next; e != NULL; e = next) {
		next = e->next;
		if (e->queued.head != NULL && e->queued.head->file == file)
			circuit_pump(s, e);
	}
}

void
circuit_raw(struct sim *s, struct end *e, const struct item *i)
{
	struct end *from = end_other(e);
	struct event event = {.type = EV_RAW_RECEIVED, .conn = e->handle};
	struct file *f;

	from->chunks--;
	if (e->state == END_OPEN && (!e->receiving || e->left < i->size)) {
		sim_fail(s, CHECK_CONTRACT, e->node,
		    "%llu raw bytes on connection %u, where %llu were expected",
		    (unsigned long long)i->size, e->handle,
		    (unsigned long long)(e->receiving ? e->left : 0));
		return;
	}
	if (from->state == END_OPEN || from->state == END_CLOSING)
		circuit_pump(s, from);
	if (e->state != END_OPEN)
		return;
	f = disk_handle(e->node, e->file);
	if (f != NULL)
		disk_write(f, e->offset, i->content, i->size);
	e->offset += i->size;
	e->left -= i->size;
	e->moved_us = s->now_us;
	pump_from(s, e->node, e->file);
	if (e->left > 0)
		return;
	e->receiving = false;
	if (f == NULL)
		return;
	event.file = e->file;
	event.size = f->have;
	event.digest = content_digest(f->content, f->have);
	node_step(s, e->node, &event);
}
