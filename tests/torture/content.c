#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "history.h"

enum {
	BLOCK = 1 << 16,
	SIZE_COMMON = 4096,
	SIZE_LARGE = 300 << 10,
	SIZE_HUGE = 4 << 20,
};

static uint64_t
seed_of(unsigned name, uint32_t number)
{
	return hash_pair(
	    settings.seed, (uint64_t)name << 32 | (uint64_t)number);
}

uint64_t
content_size(unsigned name, uint32_t number)
{
	static const uint64_t edges[] = {
	    0, 1, 65535, 65536, 65537, SMALL_MAX - 1, SMALL_MAX, SMALL_MAX + 1};
	uint64_t h = hash_pair(seed_of(name, number), 1);
	unsigned kind = (unsigned)(h % 100);

	h = h / 100 % (1 << 30);
	if (kind < 1)
		return h % SIZE_HUGE;
	if (kind < 9)
		return edges[h % (sizeof(edges) / sizeof(edges[0]))];
	return h % (kind < 75 ? SIZE_COMMON : SIZE_LARGE);
}

/* xorshift64 (Marsaglia, 2003): fast, and no two are alike. */
static void
block_fill(uint64_t *x, uint64_t block[BLOCK / 8])
{
	for (size_t i = 0; i < BLOCK / 8; i++) {
		*x ^= *x << 13;
		*x ^= *x >> 7;
		*x ^= *x << 17;
		block[i] = *x;
	}
}

void
content_write(const char *path, unsigned name, uint32_t number)
{
	static uint64_t block[BLOCK / 8];
	uint64_t x = seed_of(name, number) | 1;
	uint64_t left = content_size(name, number);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1)
		err(1, "%s", path);
	while (left > 0) {
		size_t n = left < BLOCK ? (size_t)left : BLOCK;

		block_fill(&x, block);
		if (write(fd, block, n) != (ssize_t)n)
			err(1, "%s", path);
		left -= n;
	}
	(void)close(fd);
}

static bool
compare(int fd, uint64_t left, uint64_t x, char why[WHY_TEXT])
{
	static uint64_t block[BLOCK / 8], got[BLOCK / 8];
	uint64_t at = 0;

	while (left > 0) {
		size_t n = left < BLOCK ? (size_t)left : BLOCK;

		block_fill(&x, block);
		if (read(fd, got, n) != (ssize_t)n ||
		    memcmp(block, got, n) != 0) {
			(void)snprintf(why, WHY_TEXT,
			    "differs at byte %llu or soon after",
			    (unsigned long long)at);
			return false;
		}
		left -= n;
		at += n;
	}
	return true;
}

bool
content_check(const char *path, unsigned name, uint32_t number, unsigned tail,
    char why[WHY_TEXT])
{
	uint64_t size = content_size(name, number);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool good;

	if (fd == -1 || fstat(fd, &st) != 0) {
		(void)snprintf(why, WHY_TEXT, "can't be read");
		if (fd != -1)
			(void)close(fd);
		return false;
	}
	good = (uint64_t)st.st_size == size + tail;
	if (!good)
		(void)snprintf(why, WHY_TEXT, "%lld bytes, not %llu + %u",
		    (long long)st.st_size, (unsigned long long)size, tail);
	good = good && compare(fd, size, seed_of(name, number) | 1, why);
	(void)close(fd);
	return good;
}
