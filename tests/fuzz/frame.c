#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "wire/frame.h"

static struct message read, before;
static uint8_t again[FRAME_LEN_MAX];

/* Prefixes say "more" until the answer is known, and then that answer. */
static void
check_prefixes(const uint8_t *data, size_t len, long answer)
{
	long seen = 0;

	for (size_t n = 0; n < len; n += 1 + n / 16) {
		long got = frame_decode(&read, data, n);

		assert(got == 0 || got == answer);
		assert(seen == 0 || got == seen);
		seen = got;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	long used;

	memset(&before, 0xa5, sizeof(before));
	while (len > 0) {
		memcpy(&read, &before, sizeof(read));
		used = frame_decode(&read, data, len);
		if (used <= 0) {
			assert(same(&read, &before, sizeof(read)));
			check_prefixes(data, len, used);
			return 0;
		}
		assert(used > FRAME_HEADER && (size_t)used <= len);
		assert(frame_encode(&read, again, sizeof(again)) +
			   frame_content(&read) ==
		       (size_t)used);
		assert(memcmp(again, data,
			   (size_t)used - frame_content(&read)) == 0);
		check_prefixes(data, (size_t)used, 0);
		data += used;
		len -= (size_t)used;
	}
	return 0;
}
