#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "wire/message.h"

static struct message read, before;
static uint8_t again[MESSAGE_LEN_MAX];

static void
check_print(const struct message *m)
{
	char whole[4096], part[64];
	const char *name = message_name(m->type);
	size_t len;

	message_print(m, whole, sizeof(whole));
	message_print(m, part, sizeof(part));
	len = strlen(whole);
	assert(len < sizeof(whole));
	assert(strncmp(whole, name, strlen(name)) == 0);
	for (size_t i = 0; i < len; i++)
		assert(whole[i] >= ' ' && whole[i] <= '~');
	assert(strlen(part) == (len < 63 ? len : 63));
	assert(strncmp(whole, part, strlen(part)) == 0);
}

static void
check_good(const uint8_t *data, size_t len)
{
	size_t wrote = message_encode(&read, again, sizeof(again));

	/* What was accepted is the one way to write it. */
	assert(wrote == len);
	assert(memcmp(again, data, len) == 0);
	assert(message_encode(&read, again, len - 1) == 0);
	check_print(&read);
	memcpy(&read, &before, sizeof(read));
	for (size_t n = 0; n < len; n += 1 + n / 16)
		assert(message_decode(&read, data, n) == 0);
	assert(message_decode(&read, data, len - 1) == 0);
	assert(same(&read, &before, sizeof(read)));
}

/* Appends len times fill, unless that is hopeless. */
static long
extend(uint8_t *message, size_t *used, size_t len, int fill)
{
	long got = -1;

	if (*used + len <= MESSAGE_LEN_MAX) {
		memset(message + *used, fill, len);
		got = message_decode(&read, message, *used + len);
	}
	if (got != -1)
		*used += len;
	return got;
}

/*
 * Whatever asks for more can be completed: by zeros but for text and the last
 * byte of a set, where ones will do.
 */
static void
check_can_be_completed(const uint8_t *data, size_t len)
{
	static uint8_t whole[MESSAGE_LEN_MAX];
	long got = 0;

	if (len == 0)
		return;
	assert(len < sizeof(whole));
	memcpy(whole, data, len);
	while (got == 0) {
		got = -1;
		for (size_t n = 4096; n > 0 && got == -1; n /= 4) {
			got = extend(whole, &len, n, 0);
			if (got == -1)
				got = extend(whole, &len, n, 1);
		}
	}
	assert(got > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	long used;

	memset(&before, 0xa5, sizeof(before));
	memcpy(&read, &before, sizeof(read));
	used = message_decode(&read, data, len);
	assert(used >= -1 && (used == -1 || (size_t)used <= len));
	if (used > 0) {
		check_good(data, (size_t)used);
		return 0;
	}
	assert(same(&read, &before, sizeof(read)));
	/* 0 only while all prefixes do; -1 stays -1. */
	for (size_t n = 0, never = 0; n < len; n += 1 + n / 16) {
		long got = message_decode(&read, data, n);

		assert(got == 0 || (got == -1 && used == -1));
		assert(!never || got == -1);
		never = got == -1;
	}
	if (used == 0)
		check_can_be_completed(data, len);
	return 0;
}
