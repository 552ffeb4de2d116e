#ifndef UNIT_CORE_TEST_H
#define UNIT_CORE_TEST_H

#include "core.h"

/* The core of each test, and what it asks for: made by its setup. */
static struct peer *p;
static struct actions *out;

static inline struct actions *
no_actions(void)
{
	struct actions *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	return a;
}

static int
teardown(void **state)
{
	(void)state;
	free(p);
	free(out);
	p = NULL;
	return 0;
}

#endif
