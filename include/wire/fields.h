#ifndef WIRE_FIELDS_H
#define WIRE_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

/* What the fields of messages are made of, beside base/types.h. */

enum {
	MEMBERS_MAX = 64, /* members in one message: fits a datagram */
	RECORDS_MAX = 24, /* records in one message */
	HASHES_MAX = 256, /* hashes in one message */
	CLOCKS_MAX = 64, /* clocks in one message */
	SECRET_LEN = 32, /* bytes of a key, a nonce or a handshake's mac */
	PROTOCOL = 1, /* of the handshake */
	MESSAGE_LEN_MAX = 32768, /* bytes of any encoded message */
};

struct path {
	uint16_t len;
	char text[PATH_LEN_MAX + 1];
};

struct text {
	uint16_t len;
	char text[TEXT_LEN_MAX + 1];
};

struct secret {
	uint8_t bytes[SECRET_LEN];
};

/* A set of identifiers (or of positions), as bits. */
struct idset {
	uint8_t bits[SPACE_MAX / 8];
};

struct ids {
	uint16_t count;
	uint16_t at[SPACE_MAX];
};

struct hashes {
	uint16_t count;
	uint64_t at[HASHES_MAX];
};

struct clocks {
	uint16_t count;
	uint64_t at[CLOCKS_MAX];
};

/* Whom a peer misses in a range of keys. */
struct missed {
	struct idset dead; /* as far as too many are */
	struct clocks since; /* of each; the last one of all that follow, too */
	struct idset away; /* too many are, whatever the key, if so many are */
	uint8_t least; /* gone; 0: none, they are back and have to hand over */
};

struct members {
	uint16_t count;
	struct member at[MEMBERS_MAX];
};

struct records {
	uint16_t count;
	struct record at[RECORDS_MAX];
};

/* Sets of identifiers. */
void idset_add(struct idset *, unsigned id);
void idset_del(struct idset *, unsigned id);
int idset_has(const struct idset *, unsigned id);

/* The number of identifiers in the set. */
unsigned idset_count(const struct idset *);

/* The smallest member >= id, or -1. */
int idset_next(const struct idset *, unsigned id);

/* Copy a C string in, cut to what fits. */
void text_set(struct text *, const char *);
void path_set(struct path *, const char *);

/* 0, or -1 if it is too long; name_set also refuses an empty one. */
int name_set(struct name *, const char *, size_t len);
int suffix_set(struct suffix *, const char *, size_t len);

/* < 0, 0, > 0 as a is older than, the same as, newer than b. */
int version_cmp(const struct version *a, const struct version *b);

/* 0 when equal. */
int name_cmp(const struct name *a, const struct name *b);

#endif
