#include <assert.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>

#include "sim/option.h"

/* What options of ringctl-sim say. */

uint64_t
option_number(const char *option, const char *text)
{
	char *end;
	unsigned long long value;

	assert(text != NULL);
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *text == '-')
		errx(2, "--%s %s: not a number", option, text);
	return value;
}

void
option_mutant(const char *name)
{
	uint32_t bit = mutant_bit(name);

	if (bit == 0)
		errx(2, "--mutant %s: none of that name in this build", name);
	mutants_set(bit);
}
