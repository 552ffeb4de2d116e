#ifndef SUPER_CHILD_H
#define SUPER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "os/loop.h"
#include "super/stream.h"
#include "wire/codes.h"

struct super;

/* A peer that is, or was, a process of ours. */
struct child {
	struct super *super;
	uint16_t id;
	uint32_t ping_ms;
	pid_t pid; /* 0: no process */
	int pidfd, to_fd, from_fd;
	struct source end, to, from;
	struct outlet queue;
	TAILQ_ENTRY(child) unsent; /* while in super.unsent */
	bool is_unsent;
	struct inlet inlet;
	bool bound; /* its folder is locked, its ports are open */
	bool reported; /* report holds */
	bool served; /* was up, in this run */
	bool joining; /* by a join, and not up yet */
	bool fresh; /* joining: its folder is new */
	bool unknown; /* joining: so is its identifier */
	uint8_t before; /* joining: what it was, if not unknown */
	struct msg_report report;
	uint64_t lacked; /* most files short of a copy, of late: copies.c */
	bool stopped; /* by SIGSTOP */
	bool kill_asked, frozen;
	uint8_t ended; /* enum peer_state, when there is no process */
	unsigned restarts;
	unsigned failures; /* in a row */
	struct timer restart;
	uint64_t forked_us, heard_us;
	char why[TEXT_LEN_MAX + 1]; /* it ended, or would not start */
};

enum {
	CHILD_QUEUE_MAX = 1 << 20, /* bytes of commands waiting for one */
	CHILD_READS_MAX = 8, /* reads from one in a turn */
};

/* Made known, without a process: left. */
struct child *child_new(struct super *, unsigned id, uint32_t ping_ms);
void child_free(struct child *);

/* Forks it; join_through -1: with all peers as contacts. 0, or -1 (why). */
int child_start(struct child *, int join_through);

/* spawn.c: forks, with the peer's ends of two pipes. 0, or -1 with errno. */
int child_spawn(struct child *, int join_through, int in, int out);

/* Forks a reader of a peer's disk: its process, or -1 with errno. */
pid_t reader_spawn(const struct super *, unsigned id, int in, int out);

/*
 * Queued until the turn ends. 0, or -1: it has no process, or its queue is
 * full.
 */
int child_send(struct child *, const struct message *);
void children_write(struct super *); /* what was queued */

/* 0, or -1 with errno. SIGKILL counts as asked for. */
int child_signal(struct child *, int signal);

/* What a user is told: enum peer_state. */
enum peer_state child_state(const struct child *);

bool child_runs(const struct child *); /* it has a process */

/* Should it be up? All but those that left or were killed. */
bool child_wanted(const struct child *);

/* Looks who was stopped or continued. */
void child_stops(struct super *);

#endif
