#ifndef DISK_RECOVER_H
#define DISK_RECOVER_H

#include "disk/disk.h"

/*
 * What is stored, after a start: the journal is read first, then the folders,
 * by threads; each name's newest version wins. Callbacks come one at a time.
 */
struct disk_scan {
	unsigned (*key)(struct disk_scan *, const struct name *);
	void (*good)(struct disk_scan *, const struct record *);
	/* Set aside, or unreadable. */
	void (*bad)(struct disk_scan *, const char *name, const char *reason);
	/* A version known to be lost, or its name alone; after all of good. */
	void (*lost)(struct disk_scan *, const struct record *);
	unsigned threads; /* 0 and 1: this one alone */
	bool gaps; /* out: a version is missing, and lost can't say which */
};

enum { SCAN_THREADS_MAX = 4 };

/* 0, or an errno: the folder can't be read. */
int disk_scan(struct disk *, struct disk_scan *);

/* The part of it that reads the journal. */
int journal_recover(struct disk *, struct disk_scan *);

#endif
