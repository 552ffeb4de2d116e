#include <assert.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "sim/queue.h"

struct item *
queue_item(struct queue *q, enum item_kind kind)
{
	struct item *i = q->free;
	size_t room = 0;
	uint8_t *data = NULL;

	if (i != NULL) {
		q->free = i->next;
		room = i->room;
		data = i->data;
	} else if ((i = malloc(sizeof(*i))) == NULL) {
		err(1, "an event of the simulator");
	}
	/* The event at its end is large, and few kinds have one. */
	memset(i, 0, offsetof(struct item, event));
	i->kind = kind;
	i->room = room;
	i->data = data;
	return i;
}

void
queue_give_back(struct queue *q, struct item *i)
{
	i->next = q->free;
	q->free = i;
}

void
item_bytes(struct item *i, const uint8_t *data, size_t len)
{
	if (i->room < len) {
		i->room = len < 256 ? 256 : len;
		if ((i->data = realloc(i->data, i->room)) == NULL)
			err(1, "%zu bytes of a message", i->room);
	}
	if (len > 0)
		memcpy(i->data, data, len);
	i->len = len;
}

static int
earlier(const struct slot *a, const struct slot *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us;
	return a->order < b->order;
}

void
queue_push(struct queue *q, struct item *item, uint64_t at_us)
{
	struct slot new = {at_us, ++q->order, item};
	size_t at = q->count++;

	if (q->count > q->room) {
		q->room = q->room == 0 ? 1024 : q->room * 2;
		q->heap = realloc(q->heap, q->room * sizeof(q->heap[0]));
		if (q->heap == NULL)
			err(1, "%zu events of the simulator", q->room);
	}
	item->at_us = at_us;
	item->order = new.order;
	while (at > 0 && earlier(&new, &q->heap[(at - 1) / 2])) {
		q->heap[at] = q->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	q->heap[at] = new;
}

uint64_t
queue_next_us(const struct queue *q)
{
	return q->count == 0 ? UINT64_MAX : q->heap[0].at_us;
}

struct item *
queue_pop(struct queue *q)
{
	struct item *first;
	struct slot last;
	size_t at = 0, child;

	assert(q->count > 0);
	first = q->heap[0].item;
	last = q->heap[--q->count];
	while ((child = 2 * at + 1) < q->count) {
		if (child + 1 < q->count &&
		    earlier(&q->heap[child + 1], &q->heap[child]))
			child++;
		if (!earlier(&q->heap[child], &last))
			break;
		q->heap[at] = q->heap[child];
		at = child;
	}
	q->heap[at] = last;
	return first;
}

void
queue_clear(struct queue *q)
{
	for (size_t i = 0; i < q->count; i++)
		queue_give_back(q, q->heap[i].item);
	q->count = 0;
	q->order = 0;
}

void
queue_free(struct queue *q)
{
	struct item *i;

	queue_clear(q);
	while ((i = q->free) != NULL) {
		q->free = i->next;
		free(i->data);
		free(i);
	}
	free(q->heap);
	memset(q, 0, sizeof(*q));
}

void
items_append(struct items *l, struct item *i)
{
	i->next = NULL;
	if (l->head == NULL)
		l->head = i;
	else
		l->tail->next = i;
	l->tail = i;
}

struct item *
items_take(struct items *l)
{
	struct item *i = l->head;

	if (i != NULL)
		l->head = i->next;
	return i;
}

void
items_clear(struct items *l, struct queue *q)
{
	struct item *i;

	while ((i = items_take(l)) != NULL)
		queue_give_back(q, i);
}
