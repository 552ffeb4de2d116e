#ifndef TORTURE_HISTORY_H
#define TORTURE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "torture.h"

/* content.c: what is stored as (name, number), of a size that follows. */

uint64_t content_size(unsigned name, uint32_t number);
void content_write(const char *path, unsigned name, uint32_t number);
/* Compares a file's first bytes; tail more may follow. False, with why. */
bool content_check(const char *path, unsigned name, uint32_t number,
    unsigned tail, char why[WHY_TEXT]);

/* history.c */

enum outcome {
	OUTCOME_ACKED, /* store, remove */
	OUTCOME_UNKNOWN, /* likewise: at any time from begin on, or never */
	OUTCOME_FOUND, /* request: number */
	OUTCOME_ABSENT, /* request */
};

struct op {
	uint64_t begin_us, end_us;
	uint32_t number; /* of content; 0: none */
	uint8_t command, outcome;
	bool carried; /* from before the last rest: end is that rest */
	uint16_t peer;
};

enum { NOBODY = 0xffff };

void history_init(unsigned name);
/* A number for the next store of a name. */
uint32_t history_number(unsigned name);
/* Whether it was given out. */
bool history_has(unsigned name, unsigned long number);
void history_add(unsigned name, const struct op *);
/*
 * At rest: is there an order in which all of it can have happened? Then
 * begins anew from what the last request found.
 */
void history_check(unsigned name, uint64_t now_us);
/* What a name holds since then; 0: nothing. */
uint32_t history_settled(unsigned name);
void history_print(unsigned name, FILE *);

#endif
