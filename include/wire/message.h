#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "wire/fields.h"
#include "wire/table.h"

/* clang-format off */
/* The types that a field can have, and the C type of each. */
#define FIELD_TYPES(T)                                                         \
	T(u8) T(u16) T(u32) T(u64) T(addr) T(name) T(suffix) T(path) T(text)   \
	T(digest) T(secret) T(version) T(record) T(idset) T(ids) T(hashes)     \
	T(members) T(records) T(clocks) T(missed)
/* clang-format on */

#define CTYPE_u8 uint8_t
#define CTYPE_u16 uint16_t
#define CTYPE_u32 uint32_t
#define CTYPE_u64 uint64_t
#define CTYPE_addr struct addr
#define CTYPE_name struct name
#define CTYPE_suffix struct suffix
#define CTYPE_path struct path
#define CTYPE_text struct text
#define CTYPE_digest struct digest
#define CTYPE_secret struct secret
#define CTYPE_version struct version
#define CTYPE_record struct record
#define CTYPE_idset struct idset
#define CTYPE_ids struct ids
#define CTYPE_hashes struct hashes
#define CTYPE_members struct members
#define CTYPE_records struct records
#define CTYPE_clocks struct clocks
#define CTYPE_missed struct missed

enum field_type {
#define T(type) FIELD_##type,
	FIELD_TYPES(T)
#undef T
};

enum message_type {
#define M(code, name) MSG_##name = (code),
	MESSAGES(M)
#undef M
};

#define F(type, field) CTYPE_##type field;
#define M(code, name)                                                          \
	struct msg_##name {                                                    \
		MESSAGE_##name(F)                                              \
	};
MESSAGES(M)
#undef M
#undef F

struct message {
	enum message_type type;
	union {
#define M(code, name) struct msg_##name name;
		MESSAGES(M)
#undef M
	};
};

/* The name of a message type, or NULL if there is none of that code. */
const char *message_name(unsigned type);

/*
 * Writes m's type (one byte) and fields to out. Returns the bytes written, at
 * most MESSAGE_LEN_MAX, or 0 if size is too small for them.
 */
size_t message_encode(const struct message *m, uint8_t *out, size_t size);

/*
 * Reads one message from the first bytes of data. Returns the bytes consumed,
 * 0 when more are needed, -1 when no more bytes could make it one. m is
 * written only when all of it is good.
 */
long message_decode(struct message *m, const uint8_t *data, size_t len);

/* Prints m as "name field=value ..." to out, cut to size; NUL-terminated. */
void message_print(const struct message *m, char *out, size_t size);

/* Fills m with a random valid message of the type. */
void message_random(struct message *m, enum message_type, struct random *);

#endif
