#ifndef RING_FILES_QUERY_H
#define RING_FILES_QUERY_H

#include "ring/files_ops.h"

/* What is known of one name. For src/ring/ alone. */

enum { ASKED_MAX = 30 }; /* peers asked for one name */

/* A question to the other members of a replica set. */
struct query {
	uint8_t kind; /* TIE_FREE, TIE_SERVE or TIE_WRITE: who waits */
	uint16_t at, key;
	bool known, blind; /* blind: somebody can't vouch for its silence */
	bool bereft; /* somebody misses too many dead holders */
	uint64_t op, timer_us, rto_us, expires_us;
	struct name name;
	struct record best;
	uint16_t holders[SET_MAX];
	unsigned holder_count;
	bool was_lost; /* damaged at losers[], in the version of lost */
	struct record lost;
	uint16_t losers[SET_MAX];
	unsigned loser_count;
	uint16_t ids[ASKED_MAX];
	unsigned count, missing; /* missing: bits of ids */
};

#endif
