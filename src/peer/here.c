#include <sys/resource.h>

#include <assert.h>
#include <stdlib.h>

#include "os/loop.h"
#include "peer/here.h"

/* How often this thread has waited, not how often others came before it. */
static long
count_waits(void)
{
	struct rusage use;
	int rc = getrusage(RUSAGE_THREAD, &use);

	assert(rc == 0);
	return use.ru_nvcsw;
}

uint64_t
here_begin(struct here *h)
{
	uint64_t now = clock_us();

	if (now < h->shun_us)
		return 0;
	if (h->buffer == NULL && (h->buffer = malloc(HERE_BUFFER)) == NULL)
		abort();
	h->waits = count_waits();
	return now;
}

void
here_end(struct here *h, uint64_t began_us)
{
	uint64_t now = clock_us();

	assert(began_us > 0);
	if (now - began_us > HERE_SLOW_US && count_waits() != h->waits)
		h->shun_us = now + HERE_SHUN_US;
}

void
here_free(struct here *h)
{
	free(h->buffer);
	*h = (struct here){.shun_us = 0};
}
