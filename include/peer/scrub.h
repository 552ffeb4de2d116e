#ifndef PEER_SCRUB_H
#define PEER_SCRUB_H

#include "disk/damage.h"
#include "os/loop.h"
#include "os/worker.h"

/*
 * The check of files at rest: all that the index knows is read through, in the
 * order of keys, at a bounded rate, by one helper at a time, and only while
 * the helpers have nothing else to do. A pass begins soon after the start;
 * between two there is a pause.
 */
enum {
	SCRUB_FIRST_US = 10 * 1000000, /* after the start */
	SCRUB_SLICE_US = 100000, /* at most so often */
	SCRUB_ITEMS_MAX = 32, /* of one slice */
	SCRUB_YIELDS_MAX = 100, /* slices that others may delay */
};
#define SCRUB_PAUSE_US 3600000000u /* between passes */

struct driver;

struct scrub {
	struct driver *driver;
	struct timer timer;
	struct job job;
	struct record *items; /* of this slice; NULL: between passes */
	unsigned count, at; /* at: being read */
	unsigned damaged, gone; /* bits: of items */
	uint16_t key; /* the pass has come to this key and name */
	struct name name;
	struct verify verify;
	uint64_t left, bytes; /* bytes of this slice to read; read */
	unsigned yields;
};

void scrub_init(struct driver *);
/* Starts the first pass's timer, if the peer is to have any. */
void scrub_start(struct driver *);
void scrub_stop(struct driver *);

#endif
