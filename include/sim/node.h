#ifndef SIM_NODE_H
#define SIM_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "ring/peer.h"
#include "sim/disk.h"
#include "sim/queue.h"

struct sim;
struct end;

enum {
	NODES_MAX = 96,
	SECOND = 1000000, /* us */
	MS = 1000, /* us */
	MILLION = 1000000, /* chances are counted in millionths */
};

/* What a process was last told to do. */
enum goal {
	GOAL_NONE,
	GOAL_SERVE,
	GOAL_JOIN, /* may fail */
	GOAL_LEAVE,
	GOAL_FREEZE,
};

/* An identifier at an address: a disk, and perhaps a process. */
struct node {
	unsigned index;
	uint16_t id;
	struct addr addr;
	struct disk disk;
	uint16_t contacts[SIM_SPACE_MAX];
	unsigned contact_count;
	int ring; /* of a supervisor, which hands it contacts; or -1 */
	unsigned key_mask; /* of keys of names */
	int join_through; /* or -1 */
	int64_t skew_us; /* of its wall clock */

	enum goal goal;
	uint32_t crash_in; /* dies after so many actions; 0: does not */
	bool denied; /* its incarnation could not be written */
	bool starting, running, paused, exiting;
	bool exited; /* by itself: with code */
	uint8_t code;
	uint32_t process;
	struct peer *peer;
	uint64_t deadline_us;
	struct items sockets, timers; /* what waits while paused */
	unsigned waiting; /* datagrams among them */
	struct items urgent; /* events before anything else */
	struct end *ends;
	uint32_t handles;
	struct file *files;

	/* What the checks remember. */
	struct member shadow[SIM_SPACE_MAX];
	uint32_t incarnation;
	uint16_t expected[SIM_SPACE_MAX]; /* successors, from the shadow */
	unsigned expected_count;
	bool recalls; /* it began without an incarnation */
	uint8_t known_by[SIM_SPACE_MAX / 8]; /* contacts that had heard of it */
	bool member; /* its own view lists it so */
	uint8_t then[SIM_SPACE_MAX / 8]; /* whom its last one knew, missed */
	uint8_t told[SIM_SPACE_MAX / 8]; /* whom those before it missed */
	bool unsaved; /* its view changed since it was written */
	uint32_t seen[SIM_SPACE_MAX]; /* lives of others, while it served */
	bool served; /* this process, */
	uint64_t served_us; /* since then, or not since then */
	uint32_t last_served; /* the last incarnation that did */
	bool forgot; /* it began with less than its last one knew */
	uint64_t born_us; /* this process */
	uint64_t serving_us; /* it said so first; 0: not yet */
	uint64_t ended_us; /* the last one */
	uint64_t lit_us; /* the first one since its power went */
	uint64_t stood_us; /* it, or by turns those whose word it took */
	uint64_t split_us; /* it was up when some knew nothing of others */
	uint64_t known_us; /* when it last knew a live one, or none knew it */
	uint32_t accused; /* incarnation wrongly called dead, not paused */
	uint64_t spin_us, saved_us, sent;
	unsigned spins;
};

/* node.c: processes. */
struct node *node_add(struct sim *, unsigned id, unsigned host);
struct node *node_at(struct sim *, struct addr);
struct node *node_of(struct sim *, unsigned id); /* NULL: none, on host 0 */
void node_start(struct sim *, struct node *, uint64_t after_us);
void node_fork(struct sim *, struct node *);
void node_kill(struct sim *, struct node *);
void node_pause(struct sim *, struct node *);
void node_resume(struct sim *, struct node *);
void node_wipe(struct sim *, struct node *);
void node_freeze(struct sim *, struct node *, uint32_t deadline_ms);
void node_step(struct sim *, struct node *, struct event *);
/* Runs now what came in for it, or keeps it while the process is paused. */
void node_take(struct sim *, struct item *);
/* Counts to the crash that was drawn for it; true: it has died of it. */
bool node_crashes(struct sim *, struct node *);
/* After its actions: what must come first, and its exit. */
void node_settle(struct sim *, struct node *);
/* Later, an event of its own. */
struct item *node_later(struct sim *, struct node *, enum event_type);

/* apply.c: what the core asked for. */
void node_apply(struct sim *, struct node *);

#endif
