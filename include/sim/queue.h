#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "ring/peer.h"

/*
 * What is going to happen, as a heap ordered by time, and among equal times by
 * the order of pushing: so a run depends on nothing but its seed.
 */
struct node;
struct circuit;

enum item_kind {
	ITEM_DATAGRAM, /* node; from, incarnation, addr, bytes */
	ITEM_UNREACHABLE, /* node, process, addr */
	ITEM_WIRE, /* the first frame of circuit's side gets there */
	ITEM_FRAME, /* a frame for node, read from circuit's side */
	ITEM_PUMP, /* circuit's side may send on */
	ITEM_STALL, /* circuit's side: did bytes move? */
	ITEM_LATE, /* circuit's side: opened in time? */
	ITEM_EVENT, /* node, process, event */
	ITEM_DISK, /* node, process, event: after the disk's part */
	ITEM_COMMAND, /* node, process, bytes, op */
	ITEM_START, /* node: fork it */
	ITEM_PERIOD, /* op: a step of the plan ends; for node size */
	ITEM_FAULT, /* op: a step of the plan */
};

/* What travels on a circuit. */
enum frame {
	FRAME_HELLO,
	FRAME_REFUSED,
	FRAME_CHALLENGE,
	FRAME_PROOF,
	FRAME_MESSAGE, /* bytes */
	FRAME_RAW, /* content, offset, size; in a send queue: file too */
	FRAME_END, /* end of file */
};

struct item {
	uint64_t at_us, order;
	struct item *next; /* in whatever list holds it */
	enum item_kind kind;
	struct node *node; /* whom it concerns */
	uint32_t process; /* its process then; a later one never sees it */
	struct circuit *circuit;
	uint32_t generation; /* of the circuit */
	uint8_t side, frame, tries;
	uint16_t from;
	uint32_t incarnation;
	struct addr addr;
	uint32_t file;
	uint64_t offset, size, content, op;
	size_t len, room; /* bytes in data, and allocated */
	uint8_t *data;
	struct event event;
};

struct slot {
	uint64_t at_us, order;
	struct item *item;
};

struct queue {
	struct slot *heap;
	size_t count, room;
	uint64_t order; /* of the last one pushed */
	struct item *free; /* kept for the next use, with their bytes */
};

/* An item of the kind, all else zero but room and data; never NULL. */
struct item *queue_item(struct queue *, enum item_kind);
void queue_give_back(struct queue *, struct item *);

/* Copies bytes into the item. */
void item_bytes(struct item *, const uint8_t *data, size_t len);

void queue_push(struct queue *, struct item *, uint64_t at_us);

/* UINT64_MAX: empty. */
uint64_t queue_next_us(const struct queue *);
struct item *queue_pop(struct queue *);

/* Forgets all that was to come. */
void queue_clear(struct queue *);

/* And its memory; all items must have been given back. */
void queue_free(struct queue *);

/* Lists of items in the order of appending: head and tail. */
struct items {
	struct item *head, *tail;
};

void items_append(struct items *, struct item *);
struct item *items_take(struct items *);
void items_clear(struct items *, struct queue *);

#endif
