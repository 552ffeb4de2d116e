#ifndef SUPER_SET_H
#define SUPER_SET_H

#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

/* How sets, numbers and times are written; wire/words.h reads them. */

/* Writes `4-20,30`, cut to size (at least 4) with "..."; returns out. */
char *set_print(const struct idset *, char *out, size_t size);

/* What follows the name of n things. */
const char *plural(uint64_t n);

/* Writes `0.9 ms`, `12 ms` or `3.4 s`; returns out. */
char *span_print(uint64_t us, char *out, size_t size);

/* Writes `auto` (0) or the time in its largest whole unit; returns out. */
char *ping_print(uint32_t ping_ms, char *out, size_t size);

#endif
