#ifndef RING_FILES_QUERY_H
#define RING_FILES_QUERY_H

#include "ring/files_ops.h"

/* What is known of one name. For src/ring/ alone. */

/* When a peer was taken for dead, by the clock of versions. */
struct apart {
	uint64_t since; /* 0: never was */
	uint64_t until; /* UINT64_MAX: it still is */
};

enum { REMEMBERED_MAX = 256, CONFLICTS_MAX = 64, LACKED_MAX = 256 };

/* Two versions of a name that did not know of each other. */
struct conflict {
	struct name name;
	struct version loser, winner;
	bool owned; /* by this peer, when it saw both */
	uint64_t due_us; /* when the owner tells; 0: nothing to tell */
};

struct conflicts {
	unsigned next;
	struct conflict at[CONFLICTS_MAX]; /* a ring */
};

/* Hashes of versions, the last ones; a ring. */
struct remembered {
	unsigned next;
	uint64_t at[REMEMBERED_MAX];
};

/* Acknowledged ones that another could not bring, as its copy is damaged. */
struct lacked {
	unsigned next; /* to be forgotten when there is no place */
	struct record at[LACKED_MAX];
};

/* What the other members of a replica set know of a name. */
enum known {
	KNOWN_NO,
	KNOWN_YES,
	KNOWN_BEREFT,
	KNOWN_LOST,
	KNOWN_SOON, /* who came back may have it: ask again */
	KNOWN_MASK = 15,
	KNOWN_UNSURE = 32, /* it was away, and those who know may be dead */
};

enum { ASKED_MAX = 60 }; /* peers asked for one name */

/* A question to the other members of a replica set. */
struct query {
	uint8_t kind; /* TIE_FREE, TIE_SERVE or TIE_WRITE: who waits */
	uint16_t at, key;
	bool known, blind; /* blind: somebody can't vouch for its silence */
	bool partial; /* there are more than can be asked at a time */
	bool bereft; /* somebody misses too many dead holders */
	uint64_t op, timer_us, rto_us, expires_us;
	uint64_t set; /* ring_set_hash() of whom it asks */
	struct name name;
	struct record best;
	uint16_t holders[SET_MAX];
	unsigned holder_count;
	bool was_lost; /* damaged at losers[], in the version of lost */
	struct record lost;
	uint16_t losers[SET_MAX];
	unsigned loser_count;
	uint16_t ids[ASKED_MAX];
	unsigned count;
	unsigned first; /* of ids: those who should know */
	unsigned wide; /* the rest: who has been asked, below this one */
	uint64_t missing; /* bits of ids */
	uint64_t vouching; /* bits of ids: who answered, and can tell */
};

#endif
