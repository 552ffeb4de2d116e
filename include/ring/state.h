#ifndef RING_STATE_H
#define RING_STATE_H

#include "base/random.h"
#include "ring/files.h"
#include "ring/peer.h"
#include "ring/tell.h"
#include "ring/watch.h"

/*
 * The inside of a peer, shared by the files of src/ring and by nobody else.
 * member.c and its neighbours keep the view; files.c and its neighbours the
 * operations on files.
 */
enum phase {
	PHASE_RECALLING, /* no incarnation: asking who remembers one */
	PHASE_JOINING, /* no incarnation: asking to be admitted */
	PHASE_PERSISTING, /* the first incarnation is on its way to disk */
	PHASE_SYNCING, /* member, not serving */
	PHASE_SERVING,
	PHASE_LEAVING,
	PHASE_REDIRECTING, /* LEFT, for a second */
	PHASE_GONE,
};

struct peer {
	struct peer_config config;
	struct random random;
	unsigned space; /* 2^bits */
	enum phase phase;
	uint32_t incarnation; /* 0: not a member yet */
	uint64_t now_us, wall_us;
	uint64_t deadline_us; /* of the last step */
	struct actions *out; /* of the step under way */
	bool begun; /* the first step was made */
	const char *why; /* reason of the view's next change */

	struct member view[SPACE_MAX]; /* NONE: addr may be a contact's */
	struct watch watch[SPACE_MAX];
	uint64_t view_hash; /* XOR over its members */
	uint64_t view_serial; /* counts its changes */
	unsigned member_count; /* ALIVE or SUSPECT, self included */

	/* Derived from the view whenever it changes. */
	uint16_t successors[SUCCESSORS_MAX];
	unsigned successor_count;
	uint16_t predecessor; /* itself when alone */

	struct tell tell; /* of its neighbourhood, to whoever reads it */
	uint16_t followed[SPACE_MAX]; /* probed or accused by us */
	unsigned followed_count;
	uint64_t slow_us, slow_since_us; /* own lateness: how much, when */

	struct conn conns[CONNS_MAX];
	unsigned conn_top; /* conns[conn_top..] are free */
	uint32_t next_handle, next_file, next_seq;
	uint64_t next_op; /* none of an earlier life, whose answers may come */

	struct idset news; /* to broadcast at the end of this step */
	struct idset relay; /* to pass on at relay_us */
	bool has_news, has_relay;
	uint64_t relay_us, news_us; /* not before */
	bool underived; /* successors and predecessor are not up to date */
	bool sets_changed; /* who is a member, or writable, changed */
	uint64_t links_us; /* look after standing links; 0: not due */
	uint64_t repair_serial; /* view_serial that neighbours were told */
	uint64_t repair_us; /* compare views with them; 0: not due */
	uint32_t repair_wait_us;
	uint64_t ping_us; /* next interval ping */
	uint64_t sweep_us; /* next identifier probe */
	uint16_t sweep[SPACE_MAX]; /* random order of identifiers */
	unsigned sweep_at;
	uint64_t contact_us; /* next quiet try of a contact; 0: none */
	uint32_t contact_wait_us;
	unsigned contact_at, contact_pass; /* rounds begun with the successor */
	uint64_t contacts_asked_us; /* all were once; 0: not yet */
	bool scanning, scanned; /* all identifiers, since it last synced */

	uint64_t readonly_since_us;
	struct text disk_text; /* why, the last time */
	uint64_t readonly_us; /* next wait before a failed disk is tried */
	uint64_t persist_us; /* write the incarnation again; 0: never */
	uint32_t wanted; /* incarnation being persisted; 0: none */
	bool fenced; /* listed DEAD: sync before serving again */
	uint32_t synced_from; /* incarnation in which it last began to sync */
	struct idset blank; /* peers known to remember nothing: start */
	bool recall_told; /* somebody met it in an earlier life */
	bool recalled_anew; /* members that it heard of late were asked, too */
	bool recall_blank; /* all that answered remember nothing */
	bool recall_answered; /* somebody heard of this peer's own blankness */
	bool fresh; /* nobody in this ring remembers anything */
	uint64_t recall_us, recall_end_us;
	uint32_t recall_wait_us;
	unsigned recall_asks, recall_waits;

	uint64_t gather_us; /* end of the first meeting; 0: none */
	uint64_t quiet_us; /* views are not compared before: others meet */
	struct idset gather; /* who is expected there, self included */
	unsigned gather_count;
	unsigned gather_run, gather_at; /* in a row known, self back to at */
	unsigned gather_round; /* next to send */

	struct admission admissions[ADMISSIONS_MAX]; /* the first is at work */
	unsigned admission_count;
	uint64_t join_us; /* JOINING: ask (again) */
	uint64_t join_end_us; /* JOINING: give up */
	uint32_t join_conn;

	uint64_t quit_op; /* answered when LEFT; 0: none */
	uint64_t leave_us; /* end of this phase of leaving */
	uint64_t leave_again_us; /* announce again */
	struct idset leave_waits; /* whose leaving_ok is missing */
	uint64_t freeze_us; /* deadline of a freeze; 0: none */
	uint64_t frozen_us; /* no exit before */

	struct ping_command pings[PINGS_MAX];
	struct indirect indirects[INDIRECTS_MAX];
	struct files files;
};

#endif
