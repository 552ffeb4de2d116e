#ifndef RING_INDEX_H
#define RING_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

/*
 * What the core asks of the index of stored files. The driver keeps it, and
 * changes it only by the actions of the core. Queries don't wait for a disk.
 */
struct index {
	void *ctx;

	/* The key of a name, in [0, 2^bits), or -1: not a valid name. */
	int (*key)(void *ctx, const struct name *);

	/* The one stored record of a name, tombstones too; false: none. */
	bool (*find)(void *ctx, const struct name *, struct record *out);

	/*
	 * The first record of this key whose name follows after (NULL: the
	 * first of all), in bytewise order of names; false: none.
	 */
	bool (*next)(void *ctx, uint16_t key, const struct name *after,
	    struct record *out);

	/*
	 * The newest version of this name that was found damaged here and that
	 * nothing as new has replaced; false: none.
	 */
	bool (*lost)(void *ctx, const struct name *, struct record *out);

	/*
	 * XOR of record_hash() over all records of this key; 0: none.
	 */
	uint64_t (*digest)(void *ctx, uint16_t key);

	/*
	 * Records of this key that are no tombstones; like the digest, without
	 * a look at each of them.
	 */
	uint64_t (*count)(void *ctx, uint16_t key);
};

/* What the core asks of the files that it has open. */
struct arrivals {
	void *ctx;

	/*
	 * How many bytes of a temporary file, from its first one on, are there
	 * to stay; after its connection was closed they become no fewer.
	 */
	uint64_t (*bytes)(void *ctx, uint32_t file);
};

/* Name, version, digest, size, deleted; not suffix or acknowledged. */
uint64_t record_hash(const struct record *);

#endif
