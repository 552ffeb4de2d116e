#include <stdbool.h>
#include <string.h>

#include "unit.h"
#include "wire/codes.h"
#include "wire/message.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const enum message_type types[] = {
#define M(code, name) MSG_##name,
    MESSAGES(M)
#undef M
};

static struct message made, read, before;
static uint8_t bytes[MESSAGE_LEN_MAX], again[MESSAGE_LEN_MAX];

static void
pollute(struct message *m)
{
	memset(m, 0xa5, sizeof(*m));
}

static long
decode(const void *data, size_t len)
{
	memset(&read, 0, sizeof(read));
	return message_decode(&read, data, len);
}

static void
round_trip(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (size_t i = 0; i < COUNT(types) * 100; i++) {
		size_t len;

		message_random(&made, types[i % COUNT(types)], &r);
		len = message_encode(&made, bytes, sizeof(bytes));
		assert_true(len > 0);
		pollute(&read);
		assert_int_equal(message_decode(&read, bytes, len), len);
		assert_int_equal(read.type, made.type);
		assert_int_equal(
		    message_encode(&read, again, sizeof(again)), len);
		assert_memory_equal(again, bytes, len);
	}
}

/* Equal messages are equal memory up to padding, which is zero in both. */
static void
round_trip_restores_fields(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 2);
	for (int i = 0; i < 200; i++) {
		size_t len;

		memset(&made, 0, sizeof(made));
		message_random(&made, MSG_reply, &r);
		len = message_encode(&made, bytes, sizeof(bytes));
		assert_int_equal(decode(bytes, len), len);
		assert_memory_equal(
		    &read.reply, &made.reply, sizeof(made.reply));
	}
}

static void
what_follows_is_left(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 3);
	for (size_t i = 0; i < COUNT(types); i++) {
		size_t len;

		message_random(&made, types[i], &r);
		len = message_encode(&made, bytes, sizeof(bytes) - 1);
		if (len == 0)
			continue;
		bytes[len] = 0xff;
		assert_int_equal(decode(bytes, len + 1), len);
	}
}

static void
prefixes_ask_for_more(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 4);
	pollute(&before);
	for (size_t i = 0; i < COUNT(types) * 5; i++) {
		size_t len;

		message_random(&made, types[i % COUNT(types)], &r);
		len = message_encode(&made, bytes, sizeof(bytes));
		pollute(&read);
		for (size_t n = 0; n < len; n += 1 + n / 64)
			assert_int_equal(message_decode(&read, bytes, n), 0);
		assert_int_equal(message_decode(&read, bytes, len - 1), 0);
		assert_memory_equal(&read, &before, sizeof(read));
	}
}

static void
short_output_is_refused(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 5);
	for (size_t i = 0; i < COUNT(types); i++) {
		size_t len;

		message_random(&made, types[i], &r);
		len = message_encode(&made, bytes, sizeof(bytes));
		for (size_t n = 0; n < len; n += 1 + n / 16) {
			again[n] = 0x77;
			assert_int_equal(message_encode(&made, again, n), 0);
			assert_int_equal(again[n], 0x77);
		}
		assert_int_equal(message_encode(&made, again, len), len);
	}
}

/* Whatever is accepted is canonical. */
static void
damaged_bytes_stay_canonical(void **state)
{
	unsigned accepted = 0, refused = 0;
	struct random r;

	(void)state;
	random_seed(&r, 6);
	for (size_t i = 0; i < COUNT(types) * 200; i++) {
		size_t len;
		long used;

		message_random(&made, types[i % COUNT(types)], &r);
		len = message_encode(&made, bytes, sizeof(bytes));
		bytes[random_below(&r, len)] ^=
		    (uint8_t)(1u << random_below(&r, 8));
		pollute(&read);
		used = message_decode(&read, bytes, len);
		if (used <= 0) {
			pollute(&before);
			assert_memory_equal(&read, &before, sizeof(read));
			refused++;
			continue;
		}
		assert_int_equal(
		    message_encode(&read, again, sizeof(again)), used);
		assert_memory_equal(again, bytes, (size_t)used);
		accepted++;
	}
	assert_true(accepted > 100 && refused > 100);
}

static void
fill(char *text, size_t len)
{
	memset(text, 'x', len);
	text[len] = '\0';
}

/* The longest reply; no message has more. */
static void
largest_fits(void **state)
{
	struct msg_reply *m = &made.reply;
	size_t len;

	(void)state;
	memset(&made, 0, sizeof(made));
	made.type = MSG_reply;
	m->name.len = NAME_LEN_MAX;
	fill(m->name.text, NAME_LEN_MAX);
	m->route.count = m->holders.count = SPACE_MAX;
	m->file.len = PATH_LEN_MAX;
	fill(m->file.text, PATH_LEN_MAX);
	m->text.len = TEXT_LEN_MAX;
	fill(m->text.text, TEXT_LEN_MAX);
	m->records.count = RECORDS_MAX;
	for (int i = 0; i < RECORDS_MAX; i++) {
		m->records.at[i].name = m->name;
		m->records.at[i].suffix.len = SUFFIX_LEN_MAX;
		fill(m->records.at[i].suffix.text, SUFFIX_LEN_MAX);
	}
	len = message_encode(&made, bytes, sizeof(bytes));
	assert_true(len > 0);
	assert_int_equal(decode(bytes, len), len);
	assert_memory_equal(&read.reply, m, sizeof(*m));
}

/* Codes and layouts never change: peers of other versions rely on them. */
static void
ping_bytes(void **state)
{
	static const uint8_t want[] = {
	    1, 0, 0, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0, 19, 1};

	(void)state;
	made.type = MSG_ping;
	made.ping = (struct msg_ping){258, 0x0102030405060708, 19, 1};
	assert_int_equal(
	    message_encode(&made, bytes, sizeof(bytes)), sizeof(want));
	assert_memory_equal(bytes, want, sizeof(want));
}

static void
gossip_bytes(void **state)
{
	static const uint8_t want[] = {5, SPREAD_RELAY, 0, 1, 0, 8, 0, 0, 0, 3,
	    MEMBER_DEAD, MEMBER_SYNCING, 0, 0, 0, 4, 127, 0, 0, 1, 0x2e, 0xe8};

	(void)state;
	made.type = MSG_gossip;
	made.gossip.spread = SPREAD_RELAY;
	made.gossip.members.count = 1;
	made.gossip.members.at[0] = (struct member){
	    8, 3, MEMBER_DEAD, MEMBER_SYNCING, 4, {0x7f000001, 12008}};
	assert_int_equal(
	    message_encode(&made, bytes, sizeof(bytes)), sizeof(want));
	assert_memory_equal(bytes, want, sizeof(want));
}

static void
found_bytes(void **state)
{
	static const uint8_t want[] = {57, 0, 0, 0, 0, 0, 0, 0, 1, 4, '2', '0',
	    '6', '7', 4, '.', 'p', 'd', 'f', 0, 0, 0, 0, 0, 0, 0, 2, 0, 8, 0, 0,
	    0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8,
	    9, 10, 11, 12, 13, 14, 15, 16, 0, 1};
	struct record *record = &made.found.record;

	(void)state;
	memset(&made, 0, sizeof(made));
	made.type = MSG_found;
	made.found.op = 1;
	assert_int_equal(name_set(&record->name, "2067", 4), 0);
	assert_int_equal(suffix_set(&record->suffix, ".pdf", 4), 0);
	record->version = (struct version){2, 8, 3};
	record->size = 4096;
	for (unsigned i = 0; i < DIGEST_LEN; i++)
		record->digest.bytes[i] = (uint8_t)(i + 1);
	record->acknowledged = 1;
	assert_int_equal(
	    message_encode(&made, bytes, sizeof(bytes)), sizeof(want));
	assert_memory_equal(bytes, want, sizeof(want));
}

static void
sets_are_cut_to_the_last_bit(void **state)
{
	static const uint8_t want[] = {61, 0, 0, 0, 7, 0, 1, 0x02, 0, 1, 0, 0,
	    0, 0, 0, 0, 0, 9, 0, 0, 1, 0, 2, 0x01, 0x80};

	(void)state;
	memset(&made, 0, sizeof(made));
	made.type = MSG_sync_diff;
	made.sync_diff.session = 7;
	idset_add(&made.sync_diff.missed.dead, 1);
	made.sync_diff.missed.since.at[0] = 9;
	made.sync_diff.missed.since.count = 1;
	made.sync_diff.missed.least = 1;
	assert_int_equal(message_encode(&made, bytes, sizeof(bytes)), 23);
	idset_add(&made.sync_diff.buckets, 0);
	idset_add(&made.sync_diff.buckets, 15);
	assert_int_equal(
	    message_encode(&made, bytes, sizeof(bytes)), sizeof(want));
	assert_memory_equal(bytes, want, sizeof(want));
}

static void
unknown_types_are_refused(void **state)
{
	unsigned known = 0;

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		uint8_t byte = (uint8_t)type;
		bool named = message_name(type) != NULL;

		assert_int_equal(decode(&byte, 1), named ? 0 : -1);
		known += named;
	}
	assert_int_equal(known, COUNT(types));
	assert_null(message_name(256 + MSG_ping));
}

/* -1 comes with the first byte that makes it hopeless. */
static void
bad_fields_are_refused(void **state)
{
	static const struct {
		const char *what;
		size_t len;
		uint8_t data[24];
	} bad[] = {
	    {"65 members", 4, {MSG_gossip, 0, 0, 65}},
	    {"256 members or more", 3, {MSG_gossip, 0, 1}},
	    {"member 4096", 5, {MSG_gossip, 0, 0, 1, 16}},
	    {"state 6", 11, {MSG_gossip, 0, 0, 1, 0, 1, 0, 0, 0, 1, 6}},
	    {"257 hashes", 12, {MSG_summary, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}},
	    {"a set of 513 bytes", 7, {MSG_sync_diff, 0, 0, 0, 7, 2, 1}},
	    {"a set that ends in 0", 8, {MSG_sync_diff, 0, 0, 0, 7, 0, 1, 0}},
	    {"a name with NUL", 12,
		{MSG_ask, 0, 0, 0, 0, 0, 0, 0, 1, 4, '2', 0}},
	    {"a text of 512", 3, {MSG_started, 0, 2}},
	    {"a suffix of 65", 13,
		{MSG_found, 0, 0, 0, 0, 0, 0, 0, 1, 2, 'a', 'b', 65}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (decode(bad[i].data, bad[i].len) != -1)
			fail_msg("%s: accepted", bad[i].what);
		if (decode(bad[i].data, bad[i].len - 1) != 0)
			fail_msg("%s: refused too soon", bad[i].what);
	}
}

static void
flags_of_records_are_bits(void **state)
{
	size_t len;

	(void)state;
	memset(&made, 0, sizeof(made));
	made.type = MSG_found;
	made.found.record.deleted = 1;
	len = message_encode(&made, bytes, sizeof(bytes));
	assert_int_equal(decode(bytes, len), len);
	bytes[len - 1] = 2;
	assert_int_equal(decode(bytes, len), -1);
	bytes[len - 1] = 1;
	bytes[len - 2] = 2;
	assert_int_equal(decode(bytes, len - 1), -1);
}

UNIT_MAIN(TEST(round_trip), TEST(round_trip_restores_fields),
    TEST(what_follows_is_left), TEST(prefixes_ask_for_more),
    TEST(short_output_is_refused), TEST(damaged_bytes_stay_canonical),
    TEST(largest_fits), TEST(ping_bytes), TEST(gossip_bytes), TEST(found_bytes),
    TEST(sets_are_cut_to_the_last_bit), TEST(unknown_types_are_refused),
    TEST(bad_fields_are_refused), TEST(flags_of_records_are_bits))
