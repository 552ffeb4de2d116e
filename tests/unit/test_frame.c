#include <string.h>

#include "unit.h"
#include "wire/frame.h"

static struct message made, read, before;
static uint8_t bytes[2 * FRAME_LEN_MAX], again[FRAME_LEN_MAX];

static const enum message_type types[] = {
#define M(code, name) MSG_##name,
    MESSAGES(M)
#undef M
};

/* A random frame: its bytes into out, its message into made. */
static size_t
make_frame(enum message_type type, struct random *r, uint8_t *out)
{
	size_t len, more;

	message_random(&made, type, r);
	if (type == MSG_give)
		made.give.record.size %= SMALL_MAX + 1;
	if (type == MSG_bring)
		made.bring.record.size %= SMALL_MAX + 1;
	len = frame_encode(&made, out, FRAME_LEN_MAX);
	more = frame_content(&made);
	for (size_t i = 0; i < more; i++)
		out[len + i] = (uint8_t)random_u64(r);
	return len + more;
}

enum { TYPES = sizeof(types) / sizeof(types[0]) };

static void
round_trip(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (int i = 0; i < TYPES * 20; i++) {
		size_t len;

		len = make_frame(types[i % TYPES], &r, bytes);
		assert_true(len > FRAME_HEADER);
		assert_int_equal(frame_decode(&read, bytes, len), len);
		len -= frame_content(&read);
		assert_int_equal(frame_encode(&read, again, len), len);
		assert_memory_equal(again, bytes, len);
		assert_int_equal(frame_encode(&made, again, len - 1), 0);
	}
}

static void
frames_follow_each_other(void **state)
{
	struct random r;
	size_t first, second;

	(void)state;
	random_seed(&r, 2);
	message_random(&made, MSG_hello, &r);
	first = frame_encode(&made, bytes, sizeof(bytes));
	message_random(&made, MSG_ping, &r);
	second = frame_encode(&made, bytes + first, sizeof(bytes) - first);
	assert_int_equal(frame_decode(&read, bytes, first + second), first);
	assert_int_equal(read.type, MSG_hello);
	assert_int_equal(frame_decode(&read, bytes + first, second), second);
	assert_int_equal(read.type, MSG_ping);
}

static void
prefixes_ask_for_more(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 3);
	memset(&before, 0xa5, sizeof(before));
	for (int i = 0; i < TYPES * 3; i++) {
		size_t len;

		len = make_frame(types[i % TYPES], &r, bytes);
		read = before;
		for (size_t n = 0; n < len; n += 1 + n / 64)
			assert_int_equal(frame_decode(&read, bytes, n), 0);
		assert_memory_equal(&read, &before, sizeof(read));
	}
}

static void
size_must_be_the_messages(void **state)
{
	struct random r;
	size_t len;

	(void)state;
	random_seed(&r, 4);
	memset(&before, 0xa5, sizeof(before));
	message_random(&made, MSG_ping, &r);
	len = frame_encode(&made, bytes, sizeof(bytes));
	bytes[len] = 0;
	bytes[3]++;
	read = before;
	assert_int_equal(frame_decode(&read, bytes, len + 1), -1);
	bytes[3] -= 2;
	assert_int_equal(frame_decode(&read, bytes, len), -1);
	assert_memory_equal(&read, &before, sizeof(read));
}

/* No more and no fewer bytes than the record says, and not too many. */
static void
content_must_be_the_records(void **state)
{
	struct random r;
	size_t len;

	(void)state;
	random_seed(&r, 6);
	memset(&before, 0xa5, sizeof(before));
	for (int i = 0; i < 100; i++) {
		message_random(&made, i % 2 ? MSG_give : MSG_bring, &r);
		if (made.type == MSG_give)
			made.give.record.size = 5;
		else
			made.bring.record.size = 5;
		len = frame_encode(&made, bytes, FRAME_LEN_MAX);
		len -= FRAME_HEADER;
		for (size_t more = 0; more < 9; more++) {
			size_t whole = FRAME_HEADER + len + more;

			frame_header(bytes, len + more);
			read = before;
			if (more == frame_content(&made)) {
				assert_int_equal(
				    frame_decode(&read, bytes, whole), whole);
				continue;
			}
			assert_int_equal(frame_decode(&read, bytes, whole), -1);
			assert_memory_equal(&read, &before, sizeof(read));
		}
	}
}

static void
never_a_frame(void **state)
{
	static const struct {
		size_t len;
		uint8_t data[8];
	} bad[] = {
	    {1, {0xff}}, /* 4 GiB */
	    {1, {1}}, /* 16 MiB */
	    {2, {0, 1}}, /* 64 KiB */
	    {4, {0, 0, 0x80, 1}}, /* one byte too many */
	    {4, {0, 0, 0, 0}}, /* nothing */
	    {5, {0, 0, 0, 100, 0xff}}, /* no such message */
	    {5, {'G', 'E', 'T', ' '}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    frame_decode(&read, bad[i].data, bad[i].len), -1);
	assert_int_equal(
	    frame_decode(&read, (const uint8_t *)"\0\0\x80", 3), 0);
}

UNIT_MAIN(TEST(round_trip), TEST(frames_follow_each_other),
    TEST(prefixes_ask_for_more), TEST(size_must_be_the_messages),
    TEST(content_must_be_the_records), TEST(never_a_frame))
