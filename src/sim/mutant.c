#include <string.h>

#include "base/mutant.h"
#include "sim/option.h"

/* Rules that a build with -DMUTANTS can break: include/base/mutant.h. */

#ifdef MUTANTS
uint32_t mutants;

static const struct {
	const char *name;
	uint32_t bit;
} names[] = {
    {"no-probe", MUTANT_NO_PROBE},
    {"same-incarnation", MUTANT_SAME_INCARNATION},
    {"move-on-suspicion", MUTANT_MOVE_ON_SUSPICION},
    {"drop-strays", MUTANT_DROP_STRAYS},
    {"two-of-three", MUTANT_TWO_OF_THREE},
    {"no-fence", MUTANT_NO_FENCE},
    {"no-write-back", MUTANT_NO_WRITE_BACK},
    {"new-version", MUTANT_NEW_VERSION},
    {"drop-tombstones", MUTANT_DROP_TOMBSTONES},
    {"keep-temps", MUTANT_KEEP_TEMPS},
    {"early-ack", MUTANT_EARLY_ACK},
    {"no-fsync", MUTANT_NO_FSYNC},
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

uint32_t
mutant_bit(const char *name)
{
	for (unsigned i = 0; i < NAMES; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].bit;
	return 0;
}

void
mutants_set(uint32_t bits)
{
	mutants |= bits;
}

void
mutants_print(void)
{
	for (unsigned i = 0; i < NAMES; i++)
		if (mutants & names[i].bit)
			printf("--mutant %s ", names[i].name);
}

void
mutants_list(FILE *out)
{
	for (unsigned i = 0; i < NAMES; i++)
		fprintf(out, "%s\n", names[i].name);
}

#else

uint32_t
mutant_bit(const char *name)
{
	(void)name;
	return 0;
}

void
mutants_set(uint32_t bits)
{
	(void)bits;
}

void
mutants_print(void)
{
}

void
mutants_list(FILE *out)
{
	(void)out;
}

#endif
