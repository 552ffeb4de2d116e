#ifndef OS_WHY_H
#define OS_WHY_H

#include "base/types.h"

/* The words for a failure, for whoever reports it: one line, no newline. */
struct why {
	char text[TEXT_LEN_MAX + 1];
};

/* Sets the words, cut to what fits; always -1. */
int why_set(struct why *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

#endif
