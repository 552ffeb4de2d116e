#ifndef DISK_JOURNAL_H
#define DISK_JOURNAL_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

/*
 * Where small versions are committed: many with one write and one flush.
 * Segments, filled with zeros ahead of use and never cut, are written in turn.
 * When the next one is full, too, what is still the newest of its name moves
 * into files/, and the segment is free again. The first block of a segment
 * names its generation; then come entries: a block with record and checksum,
 * and the content, up to the next block's start.
 */
enum {
	JOURNAL_SEGMENTS = 3, /* one in use, one full, one to go on with */
	JOURNAL_LEN_MAX = 8 << 20, /* bytes of a segment */
	JOURNAL_STEP = 256 << 10, /* bytes of zeros written ahead */
	JOURNAL_BLOCK = 512, /* bytes that a disk writes whole or not at all */
	JOURNAL_MOVE_MAX = 64, /* files moved in one slice */
};

struct disk;
struct kept;
RB_HEAD(kept_tree, kept);
TAILQ_HEAD(kept_list, kept);

enum segment_state { SEGMENT_FREE, SEGMENT_ACTIVE, SEGMENT_FULL };

struct segment {
	int fd; /* -1: not open */
	int old_fd; /* of what was abandoned: someone may be reading it */
	atomic_int state; /* enum segment_state */
	bool abandoned; /* its disk failed: a new file next time */
	atomic_bool urgent; /* it shall move as soon as it is full */
	uint32_t generation;
	uint32_t end, filled; /* bytes used; bytes that are on the disk */
	struct kept_list kept; /* the newest of their names, by position */
	struct kept_list moved; /* in files/, which are not flushed yet */
};

struct journal {
	pthread_mutex_t lock; /* of who writes */
	struct segment segments[JOURNAL_SEGMENTS];
	int active; /* -1: none */
	uint32_t generation; /* the last one used */
	uint32_t len_max, step; /* of segments */
	atomic_bool failed; /* to move: commits go to files/ meanwhile */
	struct kept_tree tree; /* by name */
};

void journal_init(struct journal *);
void journal_free(struct disk *);

/* One version to write. */
struct journal_item {
	const struct record *record;
	const uint8_t *content; /* record->size bytes, unless it is deleted */
	bool drop; /* instead: no version up to record's counts */
	uint32_t at; /* for journal_write() alone */
};

/* Bytes that an item takes in the buffer of journal_write(). */
size_t journal_item_len(const struct journal_item *);

/*
 * Writes items, at most DISK_BUFFER bytes less a block, and flushes them. 0:
 * all are committed; EAGAIN: there is room only after journal_move(). Another
 * errno: none is, and the segment is given up: what it holds shall move.
 */
int journal_write(
    struct disk *, struct journal_item *, size_t count, uint8_t *buffer);

/*
 * The same on a thread that must not wait for a disk: without `sync`, into
 * memory of the system's where zeros are. EBUSY: something might wait, and
 * nothing was done.
 */
int journal_write_now(
    struct disk *, struct journal_item *, size_t count, uint8_t *buffer);

/*
 * No version of r's name up to r's counts in the journal, also after a
 * restart, if this one got to the disk by then: nothing is flushed for it.
 */
int journal_cancel(struct disk *, const struct record *r);

/* Whether anything was written that is not in files/. */
bool journal_used(struct disk *);

/* Whether there is anything for journal_move(). */
bool journal_full(struct disk *);

/*
 * Whether it shall move by now: a full segment waits for another, as what is
 * in it may be replaced meanwhile, unless its disk failed or it is of an
 * earlier life.
 */
bool journal_due(struct disk *);

/* Who moves says where names belong, and hears of what can't be read back. */
struct journal_loss {
	unsigned (*key)(struct journal_loss *, const struct name *);
	/* Of r, name and version are known. */
	void (*lost)(struct journal_loss *, const struct record *r);
};

/*
 * One slice of moving the oldest full segment into files/. more: call again.
 * An errno: to be tried again after a while.
 */
int journal_move(
    struct disk *, uint8_t *buffer, struct journal_loss *, bool *more);

/* Moving failed: commits should not wait for it. */
bool journal_stuck(struct disk *);

/* The segment in use shall move, too: nothing is to come. */
void journal_finish(struct disk *);

#endif
