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
	uint16_t first; /* successor; this peer itself: alone */
	bool joining; /* its successors are still to be said */
};

/* One event, in the order in which the core noted them. */
void print_event(struct driver *, const struct msg_event *);

#endif
