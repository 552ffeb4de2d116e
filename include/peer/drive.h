#ifndef PEER_DRIVE_H
#define PEER_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "os/loop.h"
#include "os/worker.h"
#include "peer/auth.h"
#include "peer/catalog.h"
#include "peer/files.h"
#include "peer/group.h"
#include "peer/here.h"
#include "peer/pipe.h"
#include "peer/print.h"
#include "peer/run.h"
#include "peer/scrub.h"
#include "peer/tcp.h"
#include "peer/udp.h"
#include "ring/peer.h"

/*
 * The driver of the protocol core: hands it events, applies its actions to
 * real sockets and disks. All of a peer process hangs on this one struct.
 */
enum {
	DRIVE_VIEW_US = 20000, /* a changed view is written after this */
	DRIVE_VIEW_MAX_US = 1000000, /* while it goes on changing, twice each */
	DRIVE_END_US = 1000000, /* that helpers get at the end */
};

/* An event that arose while the core's actions were being applied. */
struct deferred;

struct driver {
	const struct peer_setup *setup;
	struct secret key; /* of this ring alone */
	struct addr addr; /* of this peer's listeners */
	struct loop loop;
	struct workers workers;
	struct disk disk;
	struct catalog catalog;
	struct files_open files;
	struct group group;
	struct scrub scrub;
	struct tcp tcp;
	struct udp udp;
	struct pipe pipe;
	struct printer printer;
	struct peer *core;
	struct actions *actions;
	const uint8_t *brought; /* content of the message under way */
	struct timer tick, view_timer;
	uint64_t view_hash; /* as last written */
	uint64_t view_us, view_wait_us; /* that was due then, after so long */
	struct deferred *deferred, **deferred_end;
	uint64_t dropped; /* datagrams and connections not listened to */
	struct here here;
	bool stepping, exiting;
	uint8_t exit_code;
};

/* Ready for events once d->core is set. */
void drive_init(struct driver *);

/* Closes all of it; temporary files are removed, also the caller's. */
void drive_free(struct driver *);

/* Steps the core and applies its actions; then what was deferred. */
void drive_event(struct driver *, struct event *);

/* Keeps the event for the end of the step or turn; text may be NULL. */
void drive_defer(struct driver *, const struct event *, const char *text);

/* Forgets deferred events of a connection or file that the core closed. */
void drive_forget_conn(struct driver *, uint32_t conn);
void drive_forget_file(struct driver *, uint32_t file);

/* An event message goes to the supervisor, its times filled in. */
void drive_tell(struct driver *, struct message *);
/* An event of the driver's own, about this peer; name may be NULL. */
void drive_note(
    struct driver *, enum event_kind, const char *name, const char *reason);

/* The end of each turn: what was deferred, sockets, report, next tick. */
void drive_settle(struct driver *);

/* Writes the view now, on this thread. */
void drive_save_view(struct driver *);

/* Applies one action (act.c). */
void drive_apply(struct driver *, const struct action *);

#endif
