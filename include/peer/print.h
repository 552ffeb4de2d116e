#ifndef PEER_PRINT_H
#define PEER_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/message.h"

/*
 * What a peer prints, in the words of the textbook exercise, from the events
 * that its core notes. A line goes to the supervisor as a `line` message.
 */
struct driver;

struct printer {
	uint16_t first, second; /* successors as they were last printed */
	bool joining; /* its successors are still to be said */
	uint8_t cause; /* event kind that may change successors */
	uint16_t about; /* whom that concerns */
};

/* One event, in the order in which the core noted them. */
void print_event(struct driver *, const struct msg_event *);

/* A step is over: causes don't outlive it. */
void print_step(struct driver *);

#endif
