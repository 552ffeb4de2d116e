#ifndef WIRE_LAYOUT_H
#define WIRE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

/*
 * How messages lie in memory and on the wire, as tables: what the encoder,
 * the decoder, the printer and the random generator walk. For src/wire only.
 */

/* Types that occur inside others, beside enum field_type. */
enum part_type {
	PART_flag = FIELD_missed + 1, /* 0 or 1 */
	PART_id, /* u16 < SPACE_MAX */
	PART_state, /* enum member_state */
	PART_member,
	PART_TYPES,
};

enum kind {
	KIND_UINT, /* width bytes, big-endian, at most max */
	KIND_BYTES, /* max bytes */
	KIND_STRING, /* a length of width bytes, at most max; no NUL */
	KIND_BITS, /* as string, but the last byte is not 0 */
	KIND_GROUP, /* its fields */
	KIND_LIST, /* a count of width bytes, at most max; so many items */
};

/* One field of a message or of a group. */
struct field {
	const char *name;
	uint8_t type; /* enum field_type or part_type */
	uint16_t offset; /* bytes, in the struct */
};

struct layout {
	enum kind kind;
	uint8_t width;
	uint64_t max;
	uint16_t at; /* where text or items begin in the struct */
	uint8_t item; /* type of items */
	uint16_t item_size; /* bytes from one item to the next in memory */
	uint16_t count; /* of fields */
	const struct field *fields;
};

struct shape {
	const char *name;
	uint16_t size; /* bytes of its struct */
	uint16_t count;
	const struct field *fields;
};

/* The layout of a type < PART_TYPES. */
const struct layout *layout_of(unsigned type);

/* The shape of a message type, or NULL if there is none of that code. */
const struct shape *shape_of(unsigned type);

/* An integer of width 1, 2, 4 or 8 bytes, in host order, at a struct's. */
uint64_t uint_load(const unsigned char *, unsigned width);
void uint_store(unsigned char *, unsigned width, uint64_t value);

/* Where a message's fields begin: any member of its union. */
const unsigned char *message_body(const struct message *);

/* As message_decode, but only checks. */
long message_scan(const uint8_t *data, size_t len);

/* Reads into m what message_scan has found good. */
void message_fill(struct message *m, const uint8_t *data, size_t len);

#endif
