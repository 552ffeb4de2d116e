#ifndef RING_TELL_H
#define RING_TELL_H

#include <stdbool.h>

#include "wire/message.h"

/*
 * What a peer tells of others that join, leave and die near it: one change at
 * a time, clockwise, each with its successors as they are after that one. For
 * src/ring/ alone.
 */
struct peer;

struct tell {
	bool begun; /* serving: what was before is not told */
	bool pending, asked; /* changes; nearer members for a sign of life */
	struct idset members; /* after all that was told, self included */
	struct idset joined, leaving, dead; /* not told yet */
	uint32_t after_seq; /* pings above it are later than every change */
	uint64_t until_us; /* then all is told, whoever is silent */
};

/* The view's entry for id, not this peer itself, changed. */
void tell_change(struct peer *, unsigned id);

/* The end of a step: tells what can be told by now (EVENT_neighbour). */
void tell_step(struct peer *);
uint64_t tell_deadline(const struct peer *);

#endif
