#ifndef SIM_VOLUME_H
#define SIM_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "disk/volume.h"

/*
 * A volume in memory whose power can be cut: what a file holds is safe after
 * a flush of it, a name after a flush of its folder; of anything else a cut
 * leaves any part. Folders keep the order of changes to one name, and a rename
 * is whole or not at all; sectors are whole.
 */
enum {
	SECTOR_LEN = 512,
	VNODES_MAX = 1024,
	VNAMES_MAX = 1024, /* in all folders */
	VCHANGES_MAX = 4096, /* of names, that are not safe */
	VFDS_MAX = 64,
	VNAME_LEN = 32,
	VOLUME_ROOT = 0, /* the node that at = VOLUME_ROOT_FD names */
	VOLUME_ROOT_FD = 1000,
};

struct vnode {
	bool used, folder;
	uint8_t *now, *safe; /* of a file */
	bool *dirty; /* by sector: written after the last flush */
	size_t len, safe_len, max;
};

/* A name in a folder: node, or -1: none. */
struct vname {
	int folder, node;
	char name[VNAME_LEN];
};

/* Changes with one number are made together. */
struct vchange {
	struct vname to;
	unsigned number;
};

struct vnames {
	struct vname at[VNAMES_MAX];
	unsigned count;
};

struct virtual_volume {
	struct volume volume; /* first */
	struct random random;
	struct vnode nodes[VNODES_MAX];
	struct vnames now, safe;
	struct vchange changes[VCHANGES_MAX];
	unsigned change_count, change_number;
	int fds[VFDS_MAX]; /* nodes, or -1 */

	uint64_t calls; /* made so far */
	uint64_t cut_at; /* the call that is the last of this life; 0: none */
	uint64_t fail_at; /* a call from this one on fails; 0: none */
	int fail_errno; /* how: EIO or ENOSPC */
	bool full; /* nothing grows: ENOSPC */
	bool flush_failed; /* in this run: what was not safe may be lost */
	bool dead; /* after cut_at nothing happens */
};

/* Empty; the folder of all is open as VOLUME_ROOT_FD. */
struct virtual_volume *virtual_new(void);
void virtual_free(struct virtual_volume *);
void virtual_reset(struct virtual_volume *, uint64_t seed);

/* The process is gone; with power, also what was not flushed, as may be. */
void virtual_kill(struct virtual_volume *);
void virtual_cut(struct virtual_volume *);

/* Descriptors that are open. */
unsigned virtual_open(const struct virtual_volume *);

/* Flips a bit of that file or of any in that folder; false: there is none. */
bool virtual_flip(struct virtual_volume *, const char *path);

/* How many names a folder holds; 0 if there is no such folder. */
unsigned virtual_count(const struct virtual_volume *, const char *folder);

#endif
