#ifndef RING_FILES_OPS_H
#define RING_FILES_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"
#include "wire/message.h"

/* Commands, writes and answers to requests. For src/ring/ alone. */

enum {
	OPS_MAX = 256, /* commands under way */
	WRITES_MAX = 64, /* versions being stored here */
	SERVES_MAX = 192, /* requests being answered */
	SERVES_COPIES_MAX = 128, /* of those, for who is to hold a copy */
	QUERIES_MAX = 64, /* questions to a replica set */
	PULLS_MAX = 96, /* versions being fetched to be held here */
	SESSIONS_MAX = 64, /* comparisons with another peer */
	TIES_MAX = 1024, /* connections, and open files, that these use */
	ROUTE_MAX = 256, /* identifiers of a route that are kept */
	PAGE_MAX = 24, /* records listed at a time */
	WINDOW_MAX = 2 * PAGE_MAX, /* listed, and not here yet */
	SET_MAX = COPIES_MAX + 2, /* a replica set and one more */
	TARGETS_MAX = 2 * COPIES_MAX, /* it, and who had its range before */
	DAMAGED_MAX = 4, /* transfers that were not what was promised */
	NOBODY = 0xffff,
	RTO_US = 250000, /* an answer is overdue */
	LIMIT_US = 10000000, /* of an operation without progress */
	PAUSE_MIN_US = 5000, /* before what was refused is tried again */
	PAUSE_MAX_US = 100000,
};

/* Whose an open file or a connection is. */
enum tie_kind {
	TIE_FREE,
	TIE_IDLE, /* a connection that has said nothing yet */
	TIE_OP,
	TIE_WRITE,
	TIE_LEG, /* of a write, to a replica */
	TIE_SERVE,
	TIE_PULL,
};

struct tie {
	uint32_t handle;
	uint8_t kind; /* enum tie_kind */
	uint8_t leg;
	uint16_t at;
	uint64_t expires_us; /* TIE_IDLE */
};

struct ties {
	unsigned top; /* at[top..] are free */
	struct tie at[TIES_MAX];
};

/* Reports in a row that no byte moved. */
struct stall {
	uint64_t last_us;
	unsigned count;
};

enum op_state {
	OP_FREE,
	OP_OPENING, /* the source */
	OP_LOCATING, /* the owner, by lookup */
	OP_PAUSED, /* until timer_us, then the owner is asked again */
	OP_ASKING, /* put or get sent */
	OP_SENDING, /* the source's bytes */
	OP_CHECKING, /* the source once more */
	OP_WAITING, /* for `stored` */
	OP_LOCAL, /* a write or serve of this peer works for it */
	OP_CREATING, /* the target */
	OP_RECEIVING, /* the bytes */
	OP_COPYING, /* from a file stored here */
	OP_RENAMING,
	OP_LISTING, /* `files`: more pages follow */
};

/* A command of a client. */
struct op {
	enum op_state state;
	uint8_t command; /* enum command */
	bool located; /* owner was told by lookup */
	bool told; /* what it asks for was noted */
	bool again; /* an owner may have accepted this version */
	bool versioned;
	bool resuming; /* record is known: this version alone */
	bool redirected; /* candidates are the owner's word */
	bool created; /* the target */
	bool small; /* the source is in memory */
	bool linked; /* asked on a link: number is expected there */
	bool large; /* found on the link: ask on a stream */
	bool first; /* no other peer was given this version */
	uint8_t damaged; /* how often */
	uint16_t liars[DAMAGED_MAX]; /* who sent something else */
	uint8_t why; /* enum wire_error: the last refusal */
	uint64_t id, started_us, progress_us, timeout_us, timer_us;
	uint64_t rto_us, pause_us;
	uint64_t number; /* of what was asked last */
	struct stall stall;
	uint16_t key, owner, hops;
	uint64_t full_us; /* since when owners can't write; 0: they can */
	uint32_t conn, file, local; /* local: an opened stored file */
	struct record record;
	uint64_t arrived; /* bytes of the target */
	uint16_t candidates[SET_MAX];
	unsigned candidate_count, candidate_at;
	uint16_t route_count;
	uint16_t route[ROUTE_MAX];
	char path[PATH_LEN_MAX + 1];
};

enum serve_state {
	SERVE_FREE,
	SERVE_ASKING, /* the replica set */
	SERVE_WRITING, /* back what too few hold */
	SERVE_OPENING,
	SERVE_OFFERED, /* found sent, waits for go */
	SERVE_SENDING,
	SERVE_SENT, /* until the other side closes */
};

/* A request that this peer answers. */
struct serve {
	enum serve_state state;
	bool local; /* for ops[op], else on conn or the link for to */
	bool linked; /* on the link */
	bool copy; /* to be held there: nobody asked for it */
	uint16_t op, to;
	uint64_t from_op, expires_us;
	struct stall stall;
	uint32_t conn, file;
	struct record record;
};

#endif
