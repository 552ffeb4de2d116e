#ifndef SUPER_UP_H
#define SUPER_UP_H

#include <stdbool.h>
#include <stdint.h>

#include "os/why.h"
#include "super/config.h"
#include "wire/message.h"

enum {
	UP_TIMEOUT_MS = 20000,
	DOWN_TIMEOUT_MS = 20000,
	CALL_TIMEOUT_MS = 10000,
};

struct up_options {
	bool foreground;
	uint32_t timeout_ms; /* to become whole; 0: UP_TIMEOUT_MS */
};

/*
 * Starts the ring of a config that config_resolve has seen. Before that, main
 * must have called setproctitle_init and log_init.
 *
 * In the background: returns in the caller only, with the ring's result:
 * exit (0, 1, 5, 6: enum exit_status), text (a line to print as it is), us,
 * ids (the peers), after warnings went to log_warnx. SIGINT and SIGTERM take
 * the half-started ring down again, and give 1. In the foreground: returns
 * when the ring is down again; it says itself when it is whole (log_info).
 * Returns result->exit.
 */
int super_up(
    const struct config *, const struct up_options *, struct msg_result *);

/*
 * Removes all files of a ring from its data folder. Refuses while a process
 * holds the folder, and when there is anything in it that no ring makes
 * (then nothing is removed). With really unset it only checks. Bytes and
 * records of files, removed ones too, are counted when the pointers aren't
 * NULL. 0, or -1 with why; also when there is no such folder.
 */
int super_wipe(const char *data, bool really, uint64_t *files, uint64_t *bytes,
    struct why *);

#endif
