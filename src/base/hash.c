#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash.h"

uint64_t
hash_bytes(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}

uint64_t
hash_pair(uint64_t a, uint64_t b)
{
	uint64_t pair[2] = {a, b};

	return XXH3_64bits(pair, sizeof(pair));
}
