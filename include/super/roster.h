#ifndef SUPER_ROSTER_H
#define SUPER_ROSTER_H

#include "os/paths.h"
#include "os/why.h"
#include "super/config.h"

/*
 * A ring's data folder: the file `ring` says whose it is, and is locked while
 * any process of the ring lives; `peers` lists those that joined later and
 * were not told to go.
 */
struct roster {
	int lock_fd;
	struct path_buf path;
	struct idset joined;
	uint32_t ping_ms[SPACE_MAX]; /* of those */
};

/*
 * Makes the folder if missing, locks it (waiting a while for processes of a
 * run that was killed), checks that it fits the config, reads the list.
 */
int roster_open(
    struct roster *, const char *data, const struct config *, struct why *);

/*
 * For a peer without a supervisor: makes the folder if missing, and checks
 * that it fits the config. Nothing stays locked, whoever uses it as well. 0,
 * or -1 with why.
 */
int roster_visit(const char *data, const struct config *, struct why *);
void roster_close(struct roster *);

/* Durable when they return 0; else -1 with why. */
int roster_add(struct roster *, unsigned id, uint32_t ping_ms, struct why *);
int roster_del(struct roster *, unsigned id, struct why *);

#endif
