#ifndef RING_FILES_SYNC_H
#define RING_FILES_SYNC_H

#include "ring/files_offer.h"
#include "ring/files_query.h"
#include "ring/files_write.h"

/* How replicas come to agree. For src/ring/ alone. */

enum pull_state {
	PULL_FREE,
	PULL_ASKING,
	PULL_CREATING,
	PULL_RECEIVING,
	PULL_COMMITTING,
};

/* How one ends. */
enum pulled { PULLED, PULLED_NOT, PULLED_NOT_NOW };

/* A version on its way here from a peer that holds it. */
struct pull {
	enum pull_state state;
	uint16_t from;
	uint16_t session; /* sessions[], or NOBODY */
	uint32_t number; /* of that session */
	uint8_t item; /* of that session's page */
	bool linked; /* asked on a link, by op */
	uint64_t op;
	uint32_t conn, file;
	uint64_t progress_us, timer_us;
	struct stall stall;
	bool replaces; /* was, held here until now */
	struct version was;
	struct record record;
};

enum session_role {
	SESSION_FREE,
	SESSION_MINE, /* the range is this peer's */
	SESSION_THEIRS, /* the range is the other one's */
	SESSION_OFFER, /* what a stray holder offered */
	SESSION_SEEN, /* mine, with one that can't write: what has it? */
};

enum session_state {
	SESSION_PAUSED, /* until timer_us; 0: nothing to do */
	SESSION_ASKED,
	SESSION_LISTING,
	SESSION_DONE,
};

/* A comparison of one key range with one peer. */
struct session {
	uint8_t role, state;
	uint16_t id, after, upto;
	uint32_t number, incarnation;
	uint64_t set, gen; /* as asked; set: range_hash() */
	uint64_t agreed_set; /* the set under which both agreed; 0: none */
	uint64_t agreed_gen;
	uint64_t told_set; /* the owner said that under it all agreed */
	uint64_t timer_us, rto_us, pause_us, used_us;
	uint8_t differ[HASHES_MAX / 8]; /* bits of buckets */
	bool differed;
	struct missed missed; /* whom the other one misses in the range */
	bool served; /* id, when it said so; theirs: when both agreed */
	/* What this side lists. */
	bool out_done, out_waits, cursor_named;
	unsigned cursor; /* keys of the range that are behind */
	struct name cursor_name;
	unsigned passed; /* keys of which the other side has taken all */
	/* The other side's: the next page is asked for while there is room. */
	bool in_waits, in_done, in_last, failed;
	uint64_t todo, active; /* bits of window */
	struct record window[WINDOW_MAX];
};

enum { LOOKUPS_MAX = 32 }; /* that came by, and may come again */

struct passed {
	uint16_t origin;
	bool owned; /* it went no further */
	uint32_t incarnation; /* of the origin */
	uint64_t op;
};

/* Slots from a top on are free, and were not even looked at for a while. */
struct files {
	unsigned op_top, write_top, serve_top, query_top, pull_top, session_top;
	struct op ops[OPS_MAX];
	struct write writes[WRITES_MAX];
	struct serve serves[SERVES_MAX];
	struct query queries[QUERIES_MAX];
	struct pull pulls[PULLS_MAX];
	struct session sessions[SESSIONS_MAX];
	struct offer offer;
	struct release releases[RELEASES_MAX];
	struct mend mends[MENDS_MAX];
	struct ties streams, handles;
	struct passed passed[LOOKUPS_MAX]; /* a ring of the last ones */
	unsigned passed_at;
	uint64_t due_us; /* nothing is due before it */
	struct digest brought; /* of the content of this message */
	uint64_t high_clock; /* of all versions seen */
	uint64_t doubt_us; /* own copies may be stale until then */
	uint64_t reunion_us; /* until then, who came back may bring files */
	uint64_t freeze_us; /* 0: not frozen */
	uint32_t serial; /* of sessions */
	uint64_t gen; /* counts what came to the range by itself */
	uint64_t set; /* range_hash() of the own range; 0: none */
	uint64_t complete_set, complete_gen; /* under which all agreed */
	uint64_t lacking, stuck, unwritten; /* short.c */
	uint64_t settle_us, unsettled_us; /* views are still moving; 0: no */
	uint64_t member_us; /* when this peer became one; 0: not yet */
	uint64_t round_us; /* next comparison by the clock */
	bool marking, mark_named; /* a scan for records not acknowledged */
	unsigned mark_cursor;
	struct name mark_name;
	struct idset members, writers, dead; /* by the view last looked at */
	struct idset leaving, left; /* likewise; left: dead since, or not */
	struct idset later; /* did not serve yet when this peer came */
	struct idset came; /* who said so itself, this peer being a member */
	struct idset heard; /* of those who had the range: they agreed */
	struct idset settled; /* likewise, when last complete */
	struct idset renewed, renewed_now; /* restarted; _now: not seen yet */
	struct idset bereaved, bare; /* deaths not made good; bare: back */
	struct apart aparts[SPACE_MAX];
	struct remembered replaced, reported; /* versions */
	struct lacked lacked;
	struct conflicts conflicts;
	struct idset reunited; /* perhaps with strays: back, or couldn't send */
	struct idset elders, known; /* may have served without this peer; not */
	uint64_t settled_us; /* not asked before, and from next_asked on */
	uint16_t next_asked;
	struct idset newcomers; /* came together with this peer, with nothing */
	struct idset inherited; /* of those: told by the disk at start */
	struct idset then; /* alive when it ended, or was fenced; not left */
	struct idset absent; /* of then: not back in service */
	struct idset told; /* likewise by another's word, if so many: */
	unsigned told_least; /* 0: nobody's */
	struct idset sole; /* not there, and perhaps the last who served */
	bool unsworn; /* it serves by nobody's word */
	struct idset unseen; /* of those: before this peer served */
	struct idset without; /* of those: while it could not write */
	struct idset seniors; /* who served before this peer did */
	struct idset beside; /* other members then, but for newcomers */
	struct mended mended[SPACE_MAX]; /* of the bereaved */
};

#endif
