#define XXH_INLINE_ALL
#include <string.h>
#include <xxhash.h>

#include "base/hash.h"

uint64_t
hash_bytes(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}

struct digest
hash_content(const void *data, size_t len)
{
	XXH128_canonical_t canonical;
	struct digest d;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, len));
	_Static_assert(sizeof(d.bytes) == sizeof(canonical.digest), "same");
	memcpy(d.bytes, canonical.digest, sizeof(d.bytes));
	return d;
}

uint64_t
hash_pair(uint64_t a, uint64_t b)
{
	uint64_t pair[2] = {a, b};

	return XXH3_64bits(pair, sizeof(pair));
}
