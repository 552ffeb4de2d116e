#include <assert.h>

#include "base/random.h"

static uint64_t
rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

void
random_seed(struct random *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15u);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		r->s[i] = z ^ (z >> 31);
	}
	assert(r->s[0] | r->s[1] | r->s[2] | r->s[3]);
}

uint64_t
random_u64(struct random *r)
{
	uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t
random_below(struct random *r, uint64_t bound)
{
	uint64_t x, limit;

	assert(bound > 0);
	/* Values below 2^64 mod bound would favour small results. */
	limit = (0 - bound) % bound;
	do
		x = random_u64(r);
	while (x < limit);
	return x % bound;
}
