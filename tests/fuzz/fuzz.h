#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One input; aborts when a property of the parser does not hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Two structs, byte by byte: padding was copied or zeroed too. */
static inline bool
same(const void *a, const void *b, size_t len)
{
	return memcmp(a, b, len) == 0;
}

#endif
