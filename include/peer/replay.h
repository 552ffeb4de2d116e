#ifndef PEER_REPLAY_H
#define PEER_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum { REPLAY_WINDOW = 64 }; /* datagrams that one may come late */

/* What was heard of one sender: its highest sequence, and of those below. */
struct replay {
	uint32_t incarnation; /* the highest heard; 0: none */
	uint64_t top;
	uint64_t seen; /* bit n: top - n came */
};

/*
 * Whether an authentic datagram is heard for the first time; remembers it.
 * False: it came before, or is too old to tell. Incarnation 0 (nobody yet) and
 * those that are over (the core tells them so) are always let through.
 */
bool replay_fresh(struct replay *, uint32_t incarnation, uint64_t seq);

#endif
