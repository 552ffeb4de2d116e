#ifndef DISK_DAMAGE_H
#define DISK_DAMAGE_H

#include <xxhash.h>

#include "disk/disk.h"

/*
 * Damaged files: found when they are read, set aside in damaged/ under a
 * number, and known there, also after a restart, as lost until a version as
 * new as they were is stored.
 */

/*
 * Sets aside the stored file of r's name if it still is the file open in fd.
 * ENOENT: it was replaced meanwhile.
 */
int damage_file(struct disk *, unsigned key, const struct record *r, int fd);

/* The same for a version in the journal, whose bytes are in buffer. */
int damage_kept(struct disk *, unsigned key, const struct record *r,
    uint32_t at, const uint8_t *bytes);

/* A file that start-up found damaged, by its path and its name in there. */
int damage_path(struct disk *, const char *path, const char *name);

/* An entry of the journal that start-up found damaged: block and content. */
void damage_lost_entry(
    struct disk *, const struct record *, const uint8_t *bytes);

/*
 * A newer one, or this one again, is stored: what was set aside is not lost
 * any more. With the lock held.
 */
void damage_mend(struct disk *, const struct name *);

/* Whether there is anything to mend; with the lock held. */
bool damage_known(const struct disk *, const struct name *);

/*
 * Whether a name has no file, none set aside and nothing in the journal: what
 * is known to be stored there has gone from the disk by another's hand.
 */
bool damage_gone(struct disk *, unsigned key, const struct name *);

/* Reads what is in damaged/: before anything is set aside. */
int damage_load(struct disk *);
void damage_free(struct disk *);

/* Calls lost for each version that was set aside and not replaced. */
struct disk_scan;
void damage_recall(struct disk *, struct disk_scan *);

/* A stored version being read through. */
struct verify {
	struct disk_content content; /* open while there is a hash */
	uint64_t offset; /* bytes read */
	XXH3_state_t *hash; /* NULL: not begun */
};

/*
 * Reads the next max bytes (or a little more) of r's stored version. 0: it
 * is good; EAGAIN: there is more; EBADMSG: it was damaged, and is set aside;
 * ENOENT: it was replaced. Other: it can't be read now.
 */
int verify_step(struct disk *, unsigned key, const struct record *r,
    struct verify *, uint8_t *buffer, uint64_t max);
void verify_end(struct disk *, struct verify *);

#endif
