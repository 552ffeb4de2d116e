#ifndef OS_PATHS_H
#define OS_PATHS_H

#include <stddef.h>
#include <stdint.h>

#include "base/types.h"
#include "os/why.h"

/* Where things lie. All return 0, or -1 with why. */
struct path_buf {
	char text[PATH_LEN_MAX + 1];
};

/*
 * The runtime folder, absolute: $RINGCTL_DIR, else $XDG_RUNTIME_DIR/ringctl,
 * else /tmp/ringctl-UID. Made if missing; must be ours, and mode 0700.
 */
int paths_runtime(struct path_buf *, struct why *);

/* NAME.sock, NAME.lock in the runtime folder. */
int paths_runtime_file(
    struct path_buf *, const char *name, const char *suffix, struct why *);

/*
 * Where a ring's data lies when nobody says: ringctl/RING under
 * $XDG_STATE_HOME, else ~/.local/state. Not made.
 */
int paths_data_default(struct path_buf *, const char *ring, struct why *);

/*
 * Where the data of a ring lies that was up once: the folder that its config
 * named then, else the default. Not made, may be missing.
 */
int paths_data(struct path_buf *, const char *ring, struct why *);

/* Remembers that folder for paths_data. dir: absolute; NULL: the default. */
int paths_data_remember(const char *ring, const char *dir, struct why *);

/* Joins and cleans: path if it is absolute, else dir/path. */
int paths_join(
    struct path_buf *, const char *dir, const char *path, struct why *);

/* Makes a folder and its parents; all that it makes have mode 0700. */
int paths_make(const char *dir, struct why *);

/*
 * Replaces a small file durably: a temporary one beside it, fsync, rename,
 * fsync of the folder. Mode 0600.
 */
int paths_replace(const char *path, const void *data, size_t len, struct why *);

#endif
