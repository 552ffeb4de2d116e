#ifndef DISK_INSIDE_H
#define DISK_INSIDE_H

#include "base/mutant.h"
#include "disk/damage.h"
#include "disk/disk.h"
#include "disk/recover.h"
#include "disk/trailer.h"

/* What the disk layer's own files share. */

/* Handles of temporary files that no caller has. */
enum { MOVE_TEMP = INT32_MAX, DAMAGE_TEMP = INT32_MAX - 1 };

/* A folder being listed for a disk. */
struct damage_load {
	struct volume_list list;
	struct disk *disk;
};

/* A version in the journal that is the newest of its name. */
struct kept {
	RB_ENTRY(kept) link;
	TAILQ_ENTRY(kept) place;
	struct version version;
	struct segment *segment;
	uint32_t at; /* of its entry in the segment */
	bool moved;
	uint8_t deleted, acknowledged;
	uint8_t name_len;
	char name[];
};

void name_of_bucket(char out[SHORT_PATH], unsigned key);
void name_of_file(char out[SHORT_PATH], unsigned key, const struct name *);

/* 0 or an errno; nothing to do without `sync yes`. */
int flush_data(const struct disk *, int fd);
int flush_folder(const struct disk *, const char *name);
int flush_root(struct disk *);

/* What the trailer of a name's file says; false: none, or not readable. */
bool file_version(
    const struct disk *, unsigned key, const struct name *, struct version *);

/* All of a small file, whose record shall be r's version. */
int file_decode(const uint8_t *bytes, size_t len, const struct record *r,
    struct disk_content *);

/* What a trailer says, held against what is wanted: 0, EBADMSG, ENOENT. */
int record_fits(const struct record *stored, const struct record *r);

/* A copy of these bytes as what was read: 0 or ENOMEM. */
int content_keep(struct disk_content *, const uint8_t *bytes, size_t len);

int temp_to_file(
    struct disk *, uint32_t handle, unsigned key, const struct name *);

/*
 * Of the journal's tree; with the lock held. kept_put: 0 or ENOMEM; an older
 * one goes. kept_forget: goes if it is not newer than version. rc: 0 or errno.
 */
struct kept *kept_find(struct disk *, const struct name *);
struct kept *kept_first(struct disk *);
struct kept *kept_next(struct disk *, struct kept *);
int kept_put(
    struct disk *, struct segment *, uint32_t at, const struct record *);
void kept_forget(struct disk *, const struct name *, const struct version *);
void kept_remove(struct disk *, struct kept *);
/* Marks r's version. False: not in the journal, or in files/ as well. */
bool kept_mark(struct disk *, const struct record *r, int *rc);

/* What len bytes at an entry's place say: 0, or EBADMSG. */
int entry_decode(const struct segment *, uint32_t at, struct record *,
    const uint8_t *bytes, size_t len);

/* Reads an entry into buffer: block, then content. 0, EBADMSG or an errno. */
int entry_read(struct disk *, const struct segment *, uint32_t at,
    struct record *, uint8_t *buffer);

/* The block of an entry, or of a segment if record is NULL (block.c). */
enum block_kind { BLOCK_FREE, BLOCK_SEGMENT, BLOCK_STORE, BLOCK_DROP };

/*
 * Outside the checksum, so that setting it can't be torn: 1 when the entry was
 * written, or MARKED_LATER, when all of it was there.
 */
enum { BLOCK_ACKNOWLEDGED = JOURNAL_BLOCK - 9, MARKED_LATER = 2 };

struct block {
	enum block_kind kind;
	uint32_t generation;
	uint32_t at; /* its place: what a content holds is none */
	uint32_t batch; /* where the items begin that were flushed with it */
	bool whole; /* it surely was */
	struct record record;
};

void block_encode(const struct block *, uint8_t out[JOURNAL_BLOCK]);
bool block_decode(struct block *, const uint8_t in[JOURNAL_BLOCK], uint32_t at);
uint32_t block_span(const struct block *); /* bytes with content and padding */

void segment_path(char out[SHORT_PATH], int number);
/* Nothing in it counts any more; it can be used again. */
int segment_release(struct disk *, int number);

#endif
