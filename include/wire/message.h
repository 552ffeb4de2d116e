#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/types.h"
#include "wire/table.h"

enum {
	MEMBERS_MAX = 64,     /* members in one message: fits a datagram */
	RECORDS_MAX = 24,     /* records in one message */
	HASHES_MAX = 256,     /* hashes in one message */
	SECRET_LEN = 32,      /* bytes of a key, a nonce or a handshake's mac */
	PROTOCOL = 1,         /* of the handshake */
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

struct members {
	uint16_t count;
	struct member at[MEMBERS_MAX];
};

struct records {
	uint16_t count;
	struct record at[RECORDS_MAX];
};

/* The types that a field can have, and the C type of each. */
#define FIELD_TYPES(T)                                                         \
	T(u8) T(u16) T(u32) T(u64) T(addr) T(name) T(suffix) T(path) T(text)   \
	T(digest) T(secret) T(version) T(record) T(idset) T(ids) T(hashes)     \
	T(members) T(records)

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
