#ifndef SUPER_VERIFY_H
#define SUPER_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

/* What check has found: in memory, until it is sure and can be told. */
enum {
	FINDINGS_MAX = 250000, /* kept; more are only counted */
	FINDINGS_BYTES_MAX = 32 << 20, /* of those */
};

struct findings {
	uint64_t count; /* also of those not kept */
	size_t kept, room;
	uint64_t *what; /* a hash of what each is about */
	size_t used, size;
	uint8_t *data; /* frames of `finding` */
	bool heals; /* one may, by itself */
};

void findings_free(struct findings *); /* empty again */

/* about: of two findings with the same one, the later is still the former. */
void findings_add(
    struct findings *, const struct msg_finding *, uint64_t about, bool heals);

/*
 * Puts what they are about in order: only then can it be looked for. Nothing
 * may be added any more.
 */
void findings_sort(struct findings *);
bool findings_has(const struct findings *sorted, uint64_t about);

/* As many, and all of the first in the other. */
bool findings_same(const struct findings *, const struct findings *sorted);

/* The one at *at, first 0, which moves on; false: there are no more. */
bool findings_next(const struct findings *, size_t *at, struct message *);

/* By what a file is judged. */
struct situation {
	unsigned space, copies;
	struct idset members; /* ALIVE or SUSPECT, as the views say */
	struct idset writable; /* of those */
	struct idset asked; /* peers whose records are all known */
	bool blind; /* others live: what is nowhere else they may have */
};

/* The peers that should hold a key, its owner first; how many. */
unsigned situation_holders(
    const struct situation *, unsigned key, uint16_t out[COPIES_MAX]);

/* A record of the name in question. */
struct holding {
	uint16_t id;
	bool down; /* found on the disk of a peer that is down */
	const struct record *record;
};

/*
 * Judges all records of one name, at least one, by identifier. Returns how
 * many live peers hold its newest version: 0 if that says that it is removed.
 */
unsigned verify_file(const struct situation *, unsigned key,
    const struct holding *, size_t count, struct findings *);

#endif
