#ifndef RING_FILES_OFFER_H
#define RING_FILES_OFFER_H

#include "ring/files_ops.h"

/* Copies that are too many, and copies that are too few. For src/ring/. */

/* Records that this peer should not hold, shown to their owner. */
struct offer {
	bool active;
	bool dirty; /* in this pass, some were not accepted */
	bool passed; /* all were: nothing is left */
	uint16_t to;
	uint64_t nonce, view, timer_us, rto_us, pause_us;
	unsigned accepted, accepted_before; /* in this pass, the last one */
	unsigned cursor; /* keys that are behind in this pass */
	bool cursor_named;
	struct name cursor_name;
	unsigned start; /* where the page began */
	bool start_named;
	struct name start_name;
	struct records page;
};

enum { RELEASES_MAX = 16 }; /* offers that wait for promises */

/* An offered page, shown to the replica set: will all of it keep what? */
struct release {
	uint16_t id; /* of the holder */
	uint64_t nonce; /* of its offer */
	uint64_t asked; /* of the question; 0: none waits */
	uint64_t view, set; /* hashes, when asked */
	uint64_t expires_us;
	uint32_t kept; /* bits: positions that all who answered keep */
	uint32_t missing; /* bits: who has not answered */
	uint16_t ids[COPIES_MAX + 1];
};

/*
 * Somebody who is dead, or back: keys (after, after + count] are complete
 * without. Clocks by the wall: no version that it knew is later.
 */
struct mended {
	uint16_t after, count;
	uint16_t owed; /* of this peer's last keys it is missed by word */
	uint32_t life; /* the last incarnation known */
	uint64_t since_us; /* it has been dead */
	uint64_t unseen_us; /* likewise, before this peer served */
	uint64_t lost_us; /* it may lack what it had until then */
};

enum { MENDS_MAX = 16 }; /* more are left to the next comparison */

/* A version that was found damaged here, to be fetched from another replica. */
struct mend {
	bool used;
	uint8_t next; /* position in the replica set of who is asked next */
	uint64_t timer_us, expires_us;
	struct record record;
};

#endif
