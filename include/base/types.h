#ifndef BASE_TYPES_H
#define BASE_TYPES_H

#include <stdint.h>

/* Shapes that every layer shares. Bounds of what may come from outside. */

enum {
	BITS_DEFAULT = 8,
	BITS_MAX = 12,
	SPACE_MAX = 1 << BITS_MAX, /* identifiers in the largest space */
	COPIES_MAX = 16,
	NAME_LEN_MAX = 255, /* bytes of a file's name */
	SUFFIX_LEN_MAX = 64, /* bytes of ".pdf" */
	PATH_LEN_MAX = 4095, /* bytes of a caller's path */
	TEXT_LEN_MAX = 511, /* bytes of an error or a log line */
	SMALL_MAX = 16384, /* bytes of a file that is kept in memory */
	DIGEST_LEN = 16, /* XXH3-128, canonical (big-endian) */
};

/* An IPv4 address and a port, both in host byte order. Port 0: none. */
struct addr {
	uint32_t ip;
	uint16_t port;
};

/* A name or suffix: bytes without NUL, NUL-terminated for printing. */
struct name {
	uint8_t len; /* bytes, without the NUL */
	char text[NAME_LEN_MAX + 1];
};

struct suffix {
	uint8_t len; /* bytes, without the NUL; 0: none */
	char text[SUFFIX_LEN_MAX + 1];
};

struct digest {
	uint8_t bytes[DIGEST_LEN];
};

/*
 * A file's version: assigned once, by the peer that took the store from a
 * client; ordered by clock, then ingress, then op.
 */
struct version {
	uint64_t clock; /* hybrid logical clock: us since 1970, raised */
	uint16_t ingress; /* identifier of the peer that assigned it */
	uint64_t op; /* that peer's operation */
};

/* What a peer knows of one stored version of one name. */
struct record {
	struct name name;
	struct suffix suffix; /* of the file's original name, with the dot */
	struct version version;
	uint64_t size; /* bytes */
	struct digest digest;
	uint8_t deleted; /* a tombstone: no content */
	uint8_t acknowledged; /* its whole replica set is known to hold it */
};

enum member_state {
	MEMBER_NONE, /* never heard of */
	MEMBER_ALIVE,
	MEMBER_SUSPECT,
	MEMBER_LEAVING,
	MEMBER_LEFT,
	MEMBER_DEAD,
};

enum member_flag {
	MEMBER_SYNCING = 1, /* admitted, not serving yet */
	MEMBER_READONLY = 2, /* its disk takes no writes */
	MEMBER_JOINED = 4, /* through a known peer; until it serves */
	MEMBER_KEPT = 8, /* it has what it stored in its lives before */
};

/*
 * One member of a view. Merged per identifier: a higher incarnation wins; of
 * equal ones the higher state and, apart from that, the flags of the higher
 * revision.
 */
struct member {
	uint16_t id;
	uint32_t incarnation; /* 1.. ; 0: none yet */
	uint8_t state; /* enum member_state */
	uint8_t flags; /* enum member_flag */
	uint32_t revision; /* of flags, raised by the peer itself */
	struct addr addr;
};

#endif
