#ifndef RING_FILES_WRITE_H
#define RING_FILES_WRITE_H

#include "ring/files_ops.h"

/* Versions on their way into the store. For src/ring/ alone. */

enum leg_state {
	LEG_FREE,
	LEG_PAUSED, /* until timer_us */
	LEG_PUT, /* waits for go, held or refuse */
	LEG_SENDING,
	LEG_SENT, /* all bytes; the digest is not known yet */
	LEG_WAITING, /* for held */
	LEG_HELD, /* under the write's set */
};

struct leg {
	uint8_t state; /* enum leg_state */
	bool linked; /* given on a link */
	uint16_t id;
	uint32_t conn;
	uint64_t timer_us, pause_us;
	struct stall stall;
};

enum write_state {
	WRITE_FREE,
	WRITE_ASKING, /* what do the others know? */
	WRITE_CREATING, /* the temporary file */
	WRITE_FEEDING,
	WRITE_CHECKING, /* the local source */
	WRITE_COMMITTING,
	WRITE_OPENING, /* it is stored here already */
	WRITE_SPREADING, /* held here; waits for the others */
};

enum feed {
	FEED_NONE,
	FEED_STREAM, /* conn */
	FEED_LINK, /* the link to from */
	FEED_OP, /* ops[feeder] */
	FEED_SERVE, /* serves[feeder] waits until all hold it */
};

/* One version on its way into the store of this peer and of its replicas. */
struct write {
	enum write_state state;
	bool replica; /* for another owner: no legs */
	bool again; /* an owner may have accepted it before */
	bool small; /* file is in memory */
	bool raw_done, end_done;
	bool sealed; /* record.digest is what it shall be */
	bool have; /* held here, this version or a newer one */
	uint8_t feed; /* enum feed */
	uint16_t feeder, from, key;
	uint64_t from_op;
	uint32_t from_incarnation;
	uint64_t number; /* of what is given to replicas */
	uint32_t conn, file;
	struct record record;
	struct digest told; /* by `end` */
	uint64_t set; /* hash of the replica set */
	uint64_t progress_us, timer_us;
	struct stall stall;
	uint16_t ids[COPIES_MAX + 1];
	unsigned id_count;
	struct leg legs[COPIES_MAX + 1];
};

#endif
