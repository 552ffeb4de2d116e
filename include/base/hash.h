#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

/* The digest of a content: XXH3-128, canonical. */
struct digest hash_content(const void *data, size_t len);

/* XXH3-64 of len bytes: finds difference and damage, not forgery. */
uint64_t hash_bytes(const void *data, size_t len);

/* A well-mixed 64-bit value of two others, for sums of small structs. */
uint64_t hash_pair(uint64_t a, uint64_t b);

#endif
