#ifndef PEER_CATALOG_H
#define PEER_CATALOG_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "ring/index.h"

/*
 * The index of stored files, in memory: one record a name, by key and name.
 * It answers the core's questions (ring/index.h) and is rebuilt at start.
 */
enum { CATALOG_LOST_MAX = 1024 /* more are not remembered */ };

struct entry;
RB_HEAD(catalog_tree, entry);

struct catalog {
	struct catalog_tree tree;
	struct catalog_tree lost; /* damaged, and not stored again */
	unsigned lost_count;
	unsigned bits;
	bool any_names;
	uint64_t *digests, *counts; /* by key; counts: not tombstones */
	uint64_t files, bytes; /* tombstones don't count */
	uint64_t changes; /* of those two */
};

/* 0, or -1: out of memory. */
int catalog_init(struct catalog *, unsigned bits, bool any_names);
void catalog_free(struct catalog *);

/* What the core calls; ctx is the catalog. */
struct index catalog_index(struct catalog *);

/* The key of a name, or -1: not a valid name. */
int catalog_key(const struct catalog *, const struct name *);

/* False: there is none. */
bool catalog_find(
    const struct catalog *, const struct name *, struct record *out);

/* Adds a record or replaces the one of its name; 0, or -1: no memory. */
int catalog_put(struct catalog *, const struct record *);

/*
 * A version was found damaged: it is no longer stored, but known as lost until
 * one as new is put. False: one as new is stored, or newer is lost.
 */
bool catalog_lose(struct catalog *, const struct record *);

/* The first record after this key and name, of any key; false: none. */
bool catalog_after(const struct catalog *, uint16_t key, const struct name *,
    struct record *out);

/* False: the version held, if any, is another one. */
bool catalog_mark(struct catalog *, const struct record *);
bool catalog_drop(struct catalog *, const struct record *);

#endif
