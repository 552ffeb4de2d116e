#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

/* xoshiro256** (Blackman and Vigna, 2018): repeatable, not for secrets. */
struct random {
	uint64_t s[4];
};

/* Seeds r from any 64 bits, by splitmix64. */
void random_seed(struct random *r, uint64_t seed);

uint64_t random_u64(struct random *r);

/* Uniform in [0, bound); bound must not be 0. */
uint64_t random_below(struct random *r, uint64_t bound);

#endif
