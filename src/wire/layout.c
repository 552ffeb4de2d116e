#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "wire/layout.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define UINT(width, max)                                                       \
	{                                                                      \
		KIND_UINT, width, max, 0, 0, 0, 0, NULL                        \
	}
#define BYTES(max)                                                             \
	{                                                                      \
		KIND_BYTES, 0, max, 0, 0, 0, 0, NULL                           \
	}
#define STRING(width, max, tag)                                                \
	{                                                                      \
		KIND_STRING, width, max, offsetof(struct tag, text), 0, 0, 0,  \
		    NULL                                                       \
	}
#define GROUP(fields)                                                          \
	{                                                                      \
		KIND_GROUP, 0, 0, 0, 0, 0, COUNT(fields), fields               \
	}
#define LIST(max, tag, item)                                                   \
	{                                                                      \
		KIND_LIST, 2, max, offsetof(struct tag, at), item,             \
		    sizeof(((struct tag *)0)->at[0]), 0, NULL                  \
	}

static const struct field addr_fields[] = {
    {"ip", FIELD_u32, offsetof(struct addr, ip)},
    {"port", FIELD_u16, offsetof(struct addr, port)},
};

static const struct field version_fields[] = {
    {"clock", FIELD_u64, offsetof(struct version, clock)},
    {"ingress", FIELD_u16, offsetof(struct version, ingress)},
    {"op", FIELD_u64, offsetof(struct version, op)},
};

static const struct field record_fields[] = {
    {"name", FIELD_name, offsetof(struct record, name)},
    {"suffix", FIELD_suffix, offsetof(struct record, suffix)},
    {"version", FIELD_version, offsetof(struct record, version)},
    {"size", FIELD_u64, offsetof(struct record, size)},
    {"digest", FIELD_digest, offsetof(struct record, digest)},
    {"deleted", PART_flag, offsetof(struct record, deleted)},
    {"acknowledged", PART_flag, offsetof(struct record, acknowledged)},
};

static const struct field member_fields[] = {
    {"id", PART_id, offsetof(struct member, id)},
    {"incarnation", FIELD_u32, offsetof(struct member, incarnation)},
    {"state", PART_state, offsetof(struct member, state)},
    {"flags", FIELD_u8, offsetof(struct member, flags)},
    {"revision", FIELD_u32, offsetof(struct member, revision)},
    {"addr", FIELD_addr, offsetof(struct member, addr)},
};

static const struct field missed_fields[] = {
    {"dead", FIELD_idset, offsetof(struct missed, dead)},
    {"since", FIELD_clocks, offsetof(struct missed, since)},
    {"away", FIELD_idset, offsetof(struct missed, away)},
    {"least", FIELD_u8, offsetof(struct missed, least)},
};

static const struct layout layouts[] = {
    [FIELD_u8] = UINT(1, UINT8_MAX),
    [FIELD_u16] = UINT(2, UINT16_MAX),
    [FIELD_u32] = UINT(4, UINT32_MAX),
    [FIELD_u64] = UINT(8, UINT64_MAX),
    [FIELD_addr] = GROUP(addr_fields),
    [FIELD_name] = STRING(1, NAME_LEN_MAX, name),
    [FIELD_suffix] = STRING(1, SUFFIX_LEN_MAX, suffix),
    [FIELD_path] = STRING(2, PATH_LEN_MAX, path),
    [FIELD_text] = STRING(2, TEXT_LEN_MAX, text),
    [FIELD_digest] = BYTES(DIGEST_LEN),
    [FIELD_secret] = BYTES(SECRET_LEN),
    [FIELD_version] = GROUP(version_fields),
    [FIELD_record] = GROUP(record_fields),
    [FIELD_idset] = {KIND_BITS, 2, sizeof(struct idset), 0, 0, 0, 0, NULL},
    [FIELD_ids] = LIST(SPACE_MAX, ids, PART_id),
    [FIELD_hashes] = LIST(HASHES_MAX, hashes, FIELD_u64),
    [FIELD_members] = LIST(MEMBERS_MAX, members, PART_member),
    [FIELD_records] = LIST(RECORDS_MAX, records, FIELD_record),
    [FIELD_clocks] = LIST(CLOCKS_MAX, clocks, FIELD_u64),
    [FIELD_missed] = GROUP(missed_fields),
    [PART_flag] = UINT(1, 1),
    [PART_id] = UINT(2, SPACE_MAX - 1),
    [PART_state] = UINT(1, MEMBER_DEAD),
    [PART_member] = GROUP(member_fields),
};

const struct layout *
layout_of(unsigned type)
{
	assert(type < COUNT(layouts));
	return &layouts[type];
}

/* struct self is struct msg_NAME again, under a name that F can know. */
#define DECLARE(type, field) CTYPE_##type field;
#define DESCRIBE(type, field)                                                  \
	{#field, FIELD_##type, offsetof(struct self, field)},
#define M(code, name)                                                          \
	case code: {                                                           \
		struct self {                                                  \
			MESSAGE_##name(DECLARE)                                \
		};                                                             \
		static const struct field fields[] = {                         \
		    MESSAGE_##name(DESCRIBE)};                                 \
		static const struct shape shape = {                            \
		    #name, sizeof(struct self), COUNT(fields), fields};        \
		_Static_assert(                                                \
		    sizeof(struct self) == sizeof(struct msg_##name), #name);  \
		return &shape;                                                 \
	}

const struct shape *
shape_of(unsigned type)
{
	switch (type) {
		MESSAGES(M)
	}
	return NULL;
}

const char *
message_name(unsigned type)
{
	const struct shape *shape = shape_of(type);

	return shape == NULL ? NULL : shape->name;
}

const unsigned char *
message_body(const struct message *m)
{
	return (const unsigned char *)&m->ping;
}

uint64_t
uint_load(const unsigned char *p, unsigned width)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (width) {
	case 1:
		return *p;
	case 2:
		memcpy(&u16, p, sizeof(u16));
		return u16;
	case 4:
		memcpy(&u32, p, sizeof(u32));
		return u32;
	}
	assert(width == 8);
	memcpy(&u64, p, sizeof(u64));
	return u64;
}

void
uint_store(unsigned char *p, unsigned width, uint64_t value)
{
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	switch (width) {
	case 1:
		memcpy(p, &u8, sizeof(u8));
		return;
	case 2:
		memcpy(p, &u16, sizeof(u16));
		return;
	case 4:
		memcpy(p, &u32, sizeof(u32));
		return;
	}
	assert(width == 8);
	memcpy(p, &value, sizeof(value));
}
