#ifndef PEER_GROUP_H
#define PEER_GROUP_H

#include "disk/journal.h"
#include "os/loop.h"
#include "peer/files.h"

/*
 * Small commits, and marks: while a helper writes and flushes a batch of them
 * to the journal, more are collected for the next, which begins when a turn
 * ends. What need not be flushed is written on the loop (here.h). Another
 * helper moves full segments into files/, in slices.
 */
enum {
	GROUP_ITEMS_MAX = 128, /* of one batch */
	GROUP_MARKS_MAX = 256, /* that wait for company */
	GROUP_MARK_US = 5000, /* so long, at most */
	GROUP_WAIT_US = 500000, /* for the journal; then files at once */
	GROUP_RETRY_US = 1000000, /* after moving failed */
};

struct lost_record;

struct group {
	struct driver *driver;
	struct file_ops waiting, batch;
	struct file_ops marks, marking; /* waiting; with the batch */
	unsigned mark_count; /* waiting */
	struct timer mark; /* they have waited long enough */
	bool marks_due;
	struct job write, move;
	bool writing, moving;
	bool again; /* the batch waits for room in the journal */
	bool late; /* it has waited long enough */
	uint64_t since_us; /* since when it is to be written */
	bool more; /* to move */
	struct journal_loss loss;
	struct lost_record *lost; /* found while moving */
	struct timer retry;
};

void group_init(struct driver *);

/* Begins to move what an earlier life left in the journal. */
void group_start(struct driver *);

/* Whether the journal is the place for it. */
bool group_takes(const struct file_op *);

/* Takes op over, until it calls file_op_finish(). */
void group_add(struct driver *, struct file_op *);
void group_mark(struct driver *, struct file_op *);

/* The end of a turn: what was collected is written. */
void group_settle(struct driver *);

/*
 * Marks, and moves all of the journal, on this thread; no helper may be at
 * work.
 */
void group_flush(struct driver *, uint64_t until_us);

#endif
