#ifndef DISK_VOLUME_H
#define DISK_VOLUME_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The calls that the disk layer makes of the system, so that it also runs on
 * a volume whose power can be cut (sim/volume.h). They return what the system
 * does: -1 with errno. Paths are relative to the folder at.
 */
struct volume_stat {
	uint64_t size, inode;
	bool regular;
};

/* Embedded by who lists a folder. "." and ".." are left out. */
struct volume_list {
	void (*entry)(struct volume_list *, const char *name, uint64_t inode);
};

struct volume {
	int (*open)(struct volume *, int at, const char *path, int flags);
	int (*close)(struct volume *, int fd);
	int (*stat)(struct volume *, int fd, struct volume_stat *);
	ssize_t (*read)(
	    struct volume *, int fd, void *, size_t len, uint64_t offset);
	ssize_t (*write)(
	    struct volume *, int fd, const void *, size_t len, uint64_t offset);
	int (*truncate)(struct volume *, int fd, uint64_t size);
	int (*flush)(struct volume *, int fd); /* fsync */
	int (*flush_data)(struct volume *, int fd); /* fdatasync */
	int (*flush_all)(struct volume *, int fd); /* syncfs */
	int (*mkdir)(struct volume *, int at, const char *path);
	int (*rename)(
	    struct volume *, int at, const char *from, const char *to);
	int (*unlink)(struct volume *, int at, const char *path);
	int (*list)(
	    struct volume *, int at, const char *path, struct volume_list *);
	/*
	 * Likewise, from what the system has in memory: else -1, or fewer
	 * bytes. NULL, both: it can't tell.
	 */
	int (*open_now)(struct volume *, int at, const char *path, int flags);
	ssize_t (*read_now)(
	    struct volume *, int fd, void *, size_t len, uint64_t offset);
	/* Out of the cache, so that the next read is one of the disk. */
	void (*forget)(struct volume *, int fd, uint64_t offset, uint64_t len);
};

/* The system itself. What it makes is the user's alone. */
extern struct volume volume_system;

/* Writes all of it at offset; 0 or an errno. */
int volume_write(
    struct volume *, int fd, const void *, size_t len, uint64_t offset);

/* Reads until len or the end of the file: bytes, or -1 with errno. */
ssize_t volume_read(
    struct volume *, int fd, void *, size_t len, uint64_t offset);

#endif
