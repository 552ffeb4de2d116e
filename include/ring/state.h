#ifndef RING_STATE_H
#define RING_STATE_H

#include "base/random.h"
#include "ring/files.h"
#include "ring/peer.h"

/*
 * The inside of a peer, shared by the files of src/ring and by nobody else.
 * member.c and its neighbours keep the view; files.c and its neighbours the
 * operations on files.
 */
enum {
	CONNS_MAX = 1024,            /* connections that the core follows */
	SUCCESSORS_MAX = COPIES_MAX,
	ACCUSERS_MAX = 2,            /* enough to end a suspicion early */
	PINGS_MAX = 8,               /* `ping` commands under way */
	ADMISSIONS_MAX = 8,
	INDIRECTS_MAX = 32,          /* pings on behalf of others */
	INCARNATION_MAX = 1u << 30,  /* none above is believed */
	BUCKETS = 64,                /* of a view's summary */
	ID_NONE = 0xffff,
};

enum conn_purpose {
	CONN_FREE,
	CONN_FOR_LINK,   /* messages between two members */
	CONN_FOR_JOIN,   /* asking or answering a newcomer */
	CONN_FOR_STREAM, /* belongs to files */
};

struct conn {
	uint32_t handle;
	uint8_t purpose;  /* enum conn_purpose */
	bool open;        /* handshake done */
	bool inbound;
	uint16_t id;
	uint32_t incarnation; /* of the other end, when open */
	uint64_t used_us;     /* last message either way */
	struct addr addr;
};

/* One ping to one peer that waits for its answer, and its repetitions. */
struct probe {
	bool active;
	uint8_t tries;       /* sent so far */
	uint32_t first_seq;  /* of this probe; any pong from here on ends it */
	uint32_t last_seq;
	uint64_t sent_us;    /* the last one */
	uint64_t expires_us; /* the last one */
};

/* What this peer keeps about another one, beside its view of it. */
struct watch {
	struct probe probe;
	uint32_t srtt_us, rttvar_us; /* RFC 6298; srtt 0: no sample yet */
	uint32_t floor;              /* incarnation remembered from disk */
	bool accusing;               /* suspected by our own evidence */
	uint8_t accuser_count;
	uint16_t accusers[ACCUSERS_MAX]; /* of this incarnation; not us */
	uint64_t accused_us;             /* since when */
	uint64_t dead_us;                /* when we declare it */
	uint8_t link_tries;              /* failed connects in a row */
	uint64_t link_us;                /* no connect to it before */
	uint64_t exchange_us;            /* no summary to it before */
	bool contact; /* from config or disk, and not heard of since */
	bool recall;  /* at start: what it remembers of us is unknown */
};

/* A newcomer that this owner is admitting, or that waits for its turn. */
struct admission {
	uint64_t op;
	uint16_t id;
	struct addr addr;
	uint32_t conn;       /* to the newcomer; 0: none */
	uint32_t probe_conn; /* to whoever holds the identifier now; 0: none */
	uint32_t highest;    /* incarnation told to it */
	uint64_t expires_us; /* 0: its turn has not come */
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

enum phase {
	PHASE_RECALLING,   /* no incarnation: asking who remembers one */
	PHASE_JOINING,     /* no incarnation: asking to be admitted */
	PHASE_PERSISTING,  /* the first incarnation is on its way to disk */
	PHASE_SYNCING,     /* member, not serving */
	PHASE_SERVING,
	PHASE_LEAVING,
	PHASE_REDIRECTING, /* LEFT, for a second */
	PHASE_GONE,
};

struct peer {
	struct peer_config config;
	struct random random;
	unsigned space;       /* 2^bits */
	enum phase phase;
	uint32_t incarnation; /* 0: not a member yet */
	uint64_t now_us, wall_us;
	uint64_t deadline_us; /* of the last step */
	struct actions *out;  /* of the step under way */
	bool begun;           /* the first step was made */
	const char *why;      /* reason of the view's next change */

	struct member view[SPACE_MAX]; /* NONE: addr may be a contact's */
	struct watch watch[SPACE_MAX];
	uint64_t view_hash;    /* XOR over its members */
	uint64_t view_serial;  /* counts its changes */
	unsigned member_count; /* ALIVE or SUSPECT, self included */

	/* Derived from the view whenever it changes. */
	uint16_t successors[SUCCESSORS_MAX];
	unsigned successor_count;
	uint16_t predecessor; /* itself when alone */

	uint16_t followed[SPACE_MAX]; /* probed or accused by us */
	unsigned followed_count;

	struct conn conns[CONNS_MAX];
	unsigned conn_top;    /* conns[conn_top..] are free */
	uint32_t next_handle, next_file, next_seq;
	uint64_t next_op;

	struct idset news;     /* to broadcast at the end of this step */
	struct idset relay;    /* to pass on at relay_us */
	bool has_news, has_relay;
	uint64_t relay_us;
	bool sets_changed;     /* who is a member, or writable, changed */
	uint64_t links_us;     /* look after standing links; 0: not due */
	uint64_t ping_us;      /* next interval ping */
	uint64_t sweep_us;     /* next identifier probe */
	uint16_t sweep[SPACE_MAX]; /* random order of identifiers */
	unsigned sweep_at;
	uint64_t contact_us;   /* next quiet try of a contact; 0: none */
	uint32_t contact_wait_us;

	uint32_t wanted;       /* incarnation being persisted; 0: none */
	bool fenced;           /* listed DEAD: sync before serving again */
	struct idset blank;    /* peers known to remember nothing: start */
	bool recall_blank;     /* all that answered remember nothing */
	bool fresh;            /* nobody in this ring remembers anything */
	uint64_t recall_us, recall_end_us;
	uint32_t recall_wait_us;

	struct admission admissions[ADMISSIONS_MAX]; /* the first is at work */
	unsigned admission_count;
	uint64_t join_us;      /* JOINING: ask (again) */
	uint64_t join_end_us;  /* JOINING: give up */
	uint64_t join_op;
	uint32_t join_conn;

	uint64_t quit_op;      /* answered when LEFT; 0: none */
	uint64_t leave_us;     /* end of this phase of leaving */
	uint64_t leave_again_us;  /* announce again */
	struct idset leave_waits; /* whose leaving_ok is missing */
	uint64_t freeze_us;    /* deadline of a freeze; 0: none */
	uint64_t frozen_us;    /* no exit before */

	struct ping_command pings[PINGS_MAX];
	struct indirect indirects[INDIRECTS_MAX];
	struct files files;
};

#endif
