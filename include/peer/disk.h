#ifndef PEER_DISK_H
#define PEER_DISK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

/*
 * A peer's own folder, locked while it is used: incarnation, view,
 * files/XX/NAME (XX: the low byte of the key), tmp/, damaged/, each made when
 * it is needed. A stored file is its content followed by a trailer; a
 * tombstone is a trailer alone. All of these calls wait for the
 * disk: they are for start-up and for helper threads. Those that return int
 * return 0 or an errno.
 */
enum {
	TRAILER_LEN = 512,
	DISK_BUCKETS = 256,
	DISK_VIEW_LEN_MAX = 512 * 1024, /* bytes of the durable view */
};

struct disk {
	int dir_fd; /* holds the lock; -1: not open */
	bool sync;
	const char *path;
	/* The folder of a bucket is known to be on the disk, by its number. */
	atomic_bool durable[DISK_BUCKETS];
	atomic_bool rooted; /* so are those above them, up to this one */
};

/* Nothing is open yet; disk_close() may follow. */
void disk_init(struct disk *, const char *path, bool sync);

/*
 * Makes the folder if it is missing, locks it, empties tmp/. 0, or -1 with
 * what went wrong in error.
 */
int disk_open(struct disk *, const char *path, bool sync, struct text *error);
void disk_close(struct disk *);

/* The stored incarnation, 0: none is stored; -1 with error: unreadable. */
int disk_read_incarnation(const struct disk *, uint32_t *, struct text *error);
int disk_write_incarnation(const struct disk *, uint32_t);

/* The bytes of the durable view, malloc'd, or NULL. */
uint8_t *disk_read_view(const struct disk *, size_t *len);
int disk_write_view(const struct disk *, const uint8_t *, size_t len);

/*
 * Calls good for each stored record, and bad for each that was set aside in
 * damaged/. 0, or an errno: the folder can't be read.
 */
struct disk_scan {
	void (*good)(struct disk_scan *, const struct record *);
	void (*bad)(struct disk_scan *, const char *name, const char *reason);
};
int disk_scan(const struct disk *, struct disk_scan *);

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

/*
 * Opens the stored file of r's name; its descriptor, or -1 with errno: ENOENT
 * if its version is not r's, EBADMSG if it is damaged.
 */
int disk_file(const struct disk *, unsigned key, const struct record *r);
int disk_mark(const struct disk *, unsigned key, const struct record *r);
int disk_drop(const struct disk *, unsigned key, const struct record *r);

/* Writes all of it at offset; 0 or an errno. */
int disk_write_at(int fd, const uint8_t *, size_t len, uint64_t offset);

#endif
