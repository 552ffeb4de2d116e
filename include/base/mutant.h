#ifndef BASE_MUTANT_H
#define BASE_MUTANT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Rules broken on purpose, to see that the tests notice: bits, which only
 * builds with -DMUTANTS know. MUTANT(NAME): is MUTANT_NAME set?
 */
enum mutant {
	MUTANT_NO_PROBE = 1,
	MUTANT_SAME_INCARNATION = 2, /* the driver restarts with the old one */
	MUTANT_MOVE_ON_SUSPICION = 4,
	MUTANT_DROP_STRAYS = 8, /* without asking their owner */
	MUTANT_TWO_OF_THREE = 16, /* acknowledged when one holder is missing */
	MUTANT_NO_FENCE = 32, /* old incarnations and sets are good enough */
	MUTANT_NO_WRITE_BACK = 64, /* what a minority holds is served */
	MUTANT_NEW_VERSION = 128, /* assigned again at each try */
	MUTANT_DROP_TOMBSTONES = 256, /* a removed file leaves nothing */
	MUTANT_KEEP_TEMPS = 512, /* recovery finds what was not complete */
	MUTANT_EARLY_ACK = 1024, /* acknowledged before the rename */
	MUTANT_NO_FSYNC = 2048,
};

#ifdef MUTANTS
extern uint32_t mutants;
#define MUTANT(name) ((mutants & MUTANT_##name) != 0)
#else
#define MUTANT(name) false
#endif

#endif
