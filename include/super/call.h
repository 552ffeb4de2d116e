#ifndef SUPER_CALL_H
#define SUPER_CALL_H

#include "wire/command.h"
#include "wire/message.h"

/*
 * What a client of the supervisor's socket sends and gets. It reads one
 * `welcome` (or, when there are too many clients, a `result`), then sends
 * `call`s. Each is answered by messages and ended by one `result`: exit as of
 * the command line, text: a line to print as it is (standard output when exit
 * is 0, else standard error; may be empty), ids: the peers that were done, us:
 * how long it took. A call's which, peers, timeout_ms (0: the default) and:
 *
 *   status   `status`, then a `peer` each
 *   exec     command, name, suffix, path, id: a `reply` or more (files) from
 *            each peer, also for those that are down (error no_peer)
 *   join     id, known, ping_ms (0: as the config says)
 *   quit, kill, start, pause, resume
 *            a `reply` for each peer: error, text (what was done, or why
 *            not), us; from kill also a `cost`. Its result comes when the
 *            ring is whole and all files have their copies again
 *   check    a `finding` for each violation and for each peer that could not
 *            be asked, then a `verdict`; exit 0: right, 1: not, 2: can't tell
 *   wait     text: whole (or nothing), ready, down
 *   events   `event`s: since_us (CLOCK_MONOTONIC) on, of these peers (none or
 *            all: all of the ring, and what concerns no peer), of the
 *            kind that text names, if any
 *   logs     `line`s: likewise. With CALL_FOLLOW, both go on until the client
 *            hangs up or the ring goes down; else they end with a result
 *   down     a result at the end, when all is free again
 *
 * A client that hangs up cancels what it waits for.
 */
enum {
	PEER_NOBODY = 0xffff, /* in event.peer: the ring as a whole */
};

#endif
