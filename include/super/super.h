#ifndef SUPER_SUPER_H
#define SUPER_SUPER_H

#include <sys/types.h>

#include "base/random.h"
#include "os/loop.h"
#include "os/paths.h"
#include "super/child.h"
#include "super/config.h"
#include "super/journal.h"
#include "super/roster.h"
#include "super/up.h"

/* The inside of the supervisor; shared by the files of src/super only. */
enum {
	CLIENTS_MAX = 1024,
	CLIENT_QUEUE_MAX = 8 << 20, /* bytes waiting for one client */
	QUEUES_MAX = 64 << 20, /* for all of them */
	STREAM_AHEAD = 64 << 10, /* events waiting for a follower */
	FAIL_DEADLINE_MS = 2000, /* of a start that failed */
	FILES_SPARE = 256, /* descriptors besides the children's */
};

enum phase_of_ring {
	RING_STARTING,
	RING_RUNNING,
	RING_STOPPING,
};

/* What one peer, when asked, says its view is. */
struct listing {
	bool known; /* the members below are of hash */
	uint64_t hash;
	struct member at[SPACE_MAX];
	bool hold; /* its answer was of another hash: wait for reports */
	bool asking, silent; /* silent: who was asked did not answer */
	uint16_t asked; /* who */
	uint64_t op;
	struct timer timer; /* for an answer */
	struct member next[SPACE_MAX]; /* the answer as it comes in */
};

struct super {
	struct config config;
	uint8_t key[SECRET_LEN];
	struct path_buf data;
	struct loop loop;
	struct random random;
	struct roster roster;
	struct child *children[SPACE_MAX]; /* NULL: none of that identifier */
	struct idset known; /* those that are not NULL */
	TAILQ_HEAD(, child) unsent; /* with commands queued in this turn */
	enum phase_of_ring phase;
	bool foreground;
	bool changed; /* something that a call may wait for */

	uint64_t short_us; /* since when files may be short; 0: none is */
	bool whole;
	char why[TEXT_LEN_MAX + 1]; /* the ring is not whole */
	struct listing listing;
	uint64_t next_op;

	struct journal events, lines;
	bool journal_due; /* what was said is not only of files */
	struct timer journal_timer;

	int listen_fd, lock_fd, spare_fd;
	struct timer accept_timer; /* the listener is off until then */
	struct path_buf socket_path, lock_path;
	struct source listener;
	struct client *clients; /* a list */
	unsigned client_count;
	struct check *checking; /* the one under way, or NULL */
	size_t queued; /* bytes for all clients, as of the last turn */
	uint64_t next_serial;

	int signal_fd;
	struct source signals;

	int start_fd; /* to who started us; -1: nobody waits */
	struct source starter;
	struct timer start_timer, stop_timer;
	struct timer again; /* for another turn at once */
	uint64_t start_us;
	uint32_t start_timeout_ms;
	bool hurry; /* the deadline of a stop has passed */
	struct idset unclean; /* had to be killed then */
	struct msg_result outcome; /* of the start */
};

/* main.c: runs until the ring is down. Returns outcome.exit. */
int super_run(struct super *);

/* Takes the ring down; again: the earlier deadline counts. */
void super_stop(struct super *, uint32_t deadline_ms);

/* The start did not work out: says why to who asked, and takes it down. */
void super_fail(struct super *, int exit, const char *why);

/* Hands the outcome to who started us, once. */
void super_tell_starter(struct super *);

/* The supervisor's own event about a peer (or PEER_NOBODY). */
void super_event(struct super *, enum event_kind, unsigned peer, uint64_t value,
    const char *reason);

/* open.c: what lies outside: folders, locks, sockets. 0, or -1 with why. */
int super_open(struct super *, struct msg_result *why);
void super_close(struct super *);

/* copies.c: files short of a copy, as their owners report them */
#define NO_ROOM "too few peers can write"
uint64_t copies_short(const struct super *);
/* Of those: too few peers can write; settled: no others are short. */
uint64_t copies_stuck(const struct super *);
bool copies_settled(const struct super *);
/* All that were short since then; but for those of some peers, or NULL. */
uint64_t copies_lost(const struct super *, const struct idset *except);
/* Files that only these peers hold, if all is at rest and they are children. */
uint64_t copies_alone(const struct super *, const struct idset *these);
void copies_expect(struct super *); /* peers are about to die */
void copies_reported(struct child *);
void copies_judge(struct super *); /* tells when all are back */

/* whole.c */
void whole_init(struct super *);
/* Judges anew; asks one peer for its members when that is needed. */
void whole_judge(struct super *);
void whole_members(struct super *, struct child *, const struct msg_members *);
bool ring_ready(const struct super *);
bool ring_wanted_up(const struct super *);

/* The member that the last listing has, if it holds for the present view. */
const struct member *whole_member(const struct super *, unsigned id);

#endif
