#ifndef RING_WATCH_H
#define RING_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

/* What a peer keeps about others beside its view: parts of struct peer. */

enum {
	CONNS_MAX = 1024, /* connections that the core follows */
	SUCCESSORS_MAX = COPIES_MAX,
	PROBE_TRIES = 3, /* pings before suspicion */
	ACCUSERS_MAX = 2, /* enough to end a suspicion early */
	PINGS_MAX = 8, /* `ping` commands under way */
	ADMISSIONS_MAX = 8,
	ADMISSION_ROUTE_MAX = 256, /* identifiers of a route that are kept */
	INDIRECTS_MAX = 32, /* pings on behalf of others */
	INCARNATION_MAX = 1u << 30, /* none above is believed */
	BUCKETS = 64, /* of a view's summary */
	ID_NONE = 0xffff,
};

enum conn_purpose {
	CONN_FREE,
	CONN_FOR_LINK, /* messages between two members */
	CONN_FOR_JOIN, /* asking or answering a newcomer */
	CONN_FOR_STREAM, /* belongs to files */
};

struct conn {
	uint32_t handle;
	uint8_t purpose; /* enum conn_purpose */
	bool open; /* handshake done */
	bool inbound;
	uint16_t id;
	uint32_t incarnation; /* of the other end, when open */
	uint32_t own; /* this end's, when it opened */
	uint64_t used_us; /* last message either way */
	uint64_t opened_us;
	struct addr addr;
};

/* One ping to one peer that waits for its answer, and its repetitions. */
struct probe {
	bool active;
	uint8_t tries; /* sent so far */
	uint32_t first_seq; /* of this probe; any pong from here on ends it */
	uint32_t last_seq;
	uint32_t seqs[PROBE_TRIES]; /* of the last ones; 0: answered */
	uint64_t sent_us[PROBE_TRIES]; /* and when each was sent */
	uint64_t expires_us; /* the last one */
};

/* What this peer keeps about another one, beside its view of it. */
struct watch {
	struct probe probe;
	uint32_t srtt_us, rttvar_us; /* RFC 6298; srtt 0: no sample yet */
	uint32_t pong_seq; /* of the last ping that it answered */
	uint32_t floor; /* incarnation remembered from disk */
	bool accusing; /* suspected by our own evidence */
	uint8_t accuser_count;
	uint16_t accusers[ACCUSERS_MAX]; /* of this incarnation; not us */
	uint64_t accused_us; /* since when */
	uint64_t dead_us; /* when we declare it */
	uint8_t link_tries; /* failed connects in a row */
	uint64_t link_us; /* no connect to it before */
	uint64_t exchange_us; /* no summary to it before */
	bool contact; /* from config or disk, and not heard of since */
	bool recall; /* at start: what it remembers of us is unknown */
	uint32_t life; /* in which it first asked or said so; 0: not yet */
	uint32_t spoken_life; /* likewise, or in another's word of it */
};

/* A newcomer that this owner is admitting, or that waits for its turn. */
struct admission {
	uint64_t op;
	uint16_t id;
	struct addr addr;
	uint32_t conn; /* to the newcomer; 0: none */
	uint32_t probe_conn; /* to whoever holds the identifier now; 0: none */
	uint32_t highest; /* incarnation told to it */
	uint64_t expires_us; /* 0: its turn has not come */
	uint16_t route_count;
	uint16_t route[ADMISSION_ROUTE_MAX]; /* its request's */
	bool early; /* passed on to this peer before it served */
};

/* A `ping` command that waits. */
struct ping_command {
	uint64_t op; /* 0: free */
	uint16_t id;
	uint32_t seq;
	uint64_t sent_us, expires_us;
};

/* A ping sent because another peer asked for it. */
struct indirect {
	uint16_t asker, target;
	struct addr addr; /* the asker's */
	uint32_t asker_seq, seq;
	uint64_t expires_us; /* passed: free */
};

#endif
