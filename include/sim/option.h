#ifndef SIM_OPTION_H
#define SIM_OPTION_H

#include <stdint.h>
#include <stdio.h>

/* The value of an option of ringctl-sim; a wrong one ends the program. */
uint64_t option_number(const char *option, const char *text);
void option_mutant(const char *name);

/* mutant.c: the bit of that name, or 0; 0 in builds without -DMUTANTS. */
uint32_t mutant_bit(const char *name);
void mutants_set(uint32_t bits);
void mutants_print(void); /* as options */
void mutants_list(FILE *); /* their names */

#endif
