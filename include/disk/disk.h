#ifndef DISK_DISK_H
#define DISK_DISK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk/journal.h"
#include "disk/volume.h"
#include "wire/message.h"

/*
 * A peer's own folder: incarnation, view, files/XX/NAME (XX: the low byte of
 * the key), journal.N, tmp/, damaged/, each made when it is needed. A stored
 * file is its content followed by a trailer; a tombstone is a trailer alone.
 * All of these calls but those named _now may wait for the disk: they are for
 * start-up and for helper threads. Those that return int return 0 or an errno.
 */
enum {
	TRAILER_LEN = 512,
	DISK_BUCKETS = 256,
	DISK_VIEW_LEN_MAX = 512 * 1024, /* bytes of the durable view */
	DISK_BUFFER = 256 * 1024, /* bytes that callers lend */
	DISK_SMALL = SMALL_MAX + TRAILER_LEN, /* of a small version */
	DAMAGED_KEPT = 100, /* files in damaged/ */
	SHORT_PATH = NAME_LEN_MAX + 32, /* bytes of a name in this folder */
	BOOT_LEN = 36, /* characters */
};

struct disk {
	struct volume *volume;
	int dir_fd; /* -1: not open */
	bool sync; /* committed means on the disk */
	const char *path; /* for messages */
	char boot[BOOT_LEN + 1]; /* of the system; "": not known */
	/* The folder of a bucket is known to be on the disk, by its number. */
	atomic_bool durable[DISK_BUCKETS];
	atomic_bool rooted; /* so are those above them, up to this one */

	/* Of names in files/ and damaged/, and of what the journal keeps. */
	pthread_mutex_t lock;
	struct journal journal;
	char *damaged[DAMAGED_KEPT]; /* names, by number; NULL: none */
	unsigned next_damaged; /* the next number to use */
};

/* Nothing is open yet; disk_close() may follow. */
void disk_init(struct disk *);

/*
 * Takes dir_fd over, and empties tmp/. volume and path must stay. After a
 * failure it is open, too.
 */
int disk_open(
    struct disk *, struct volume *, int dir_fd, const char *path, bool sync);
void disk_close(struct disk *);

/*
 * The stored incarnation, 0: none is stored; -1 with error: unreadable. kept:
 * what was stored under it is there, as that was synced, or the system has not
 * been started since.
 */
int disk_read_incarnation(
    const struct disk *, uint32_t *, bool *kept, struct text *error);
int disk_write_incarnation(const struct disk *, uint32_t);

/* The bytes of the durable view, malloc'd, or NULL. */
uint8_t *disk_read_view(const struct disk *, size_t *len);
int disk_write_view(const struct disk *, const uint8_t *, size_t len);

/* A new file in tmp/, named after handle: its descriptor, or -1 with errno. */
int disk_temp(const struct disk *, uint32_t handle);
int disk_temp_remove(const struct disk *, uint32_t handle);

/*
 * Makes the temporary file of handle, whose content is complete in fd, the
 * stored file of record r of this key; replaces an older one. placed says
 * whether it did so even if what followed failed.
 */
int disk_commit(struct disk *, uint32_t handle, int fd, unsigned key,
    const struct record *r, bool *placed);

/* The same for content that is in memory; NULL: a tombstone's. */
int disk_commit_content(struct disk *, uint32_t handle, const uint8_t *content,
    unsigned key, const struct record *r, bool *placed);

/* What a stored version is read from. */
struct disk_content {
	int fd; /* -1: not open; the caller closes it */
	uint8_t *small; /* all bytes, malloc'd; NULL: there is fd */
};

/*
 * Opens the stored version of r; up to SMALL_MAX bytes are read and hold what
 * their digest says. ENOENT: another version is stored, or none. EBADMSG: it
 * was damaged, and is set aside.
 */
int disk_read(struct disk *, unsigned key, const struct record *r,
    uint8_t *buffer, struct disk_content *);
int disk_mark(struct disk *, unsigned key, const struct record *r);

/*
 * The same of small versions on a thread that must not wait for a disk, with
 * DISK_SMALL bytes of buffer. EBUSY: it might have to, or something is wrong.
 */
int disk_read_now(struct disk *, unsigned key, const struct record *r,
    uint8_t *buffer, struct disk_content *);
int disk_mark_now(struct disk *, const struct record *r);

/*
 * Removes what is stored of r's name unless it is newer than r. EAGAIN: it is
 * gone, but a start may find it again in the journal.
 */
int disk_drop(struct disk *, unsigned key, const struct record *r);

/* r is in the journal: what it replaces in files/ goes, with its room. */
void disk_make_room(struct disk *, unsigned key, const struct record *r);

/* Whether content is what r's digest says. */
bool disk_digest_fits(const uint8_t *content, const struct record *r);

#endif
