#ifndef WIRE_WORDS_H
#define WIRE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/codes.h"
#include "wire/message.h"

/* Parsers of single words that a user typed. They make no system call. */

/* What is right in one ring: as its welcome says. */
struct command_rules {
	bool any_names;
	uint8_t bits;
};

/* Bytes as they were typed; not NUL-terminated. */
struct word {
	const char *text;
	size_t len;
};

/* The ring's rule of names: 0, or -1 with the rule in error. */
int name_parse(
    struct name *out, struct word, bool any_names, struct text *error);

/* A decimal number of digits only, in [0, max]: 0 or -1. */
int number_parse(uint64_t *out, struct word, uint64_t max);

/* An identifier in [0, 2^bits): 0, or -1 with why in error. */
int id_parse(uint16_t *out, struct word, unsigned bits, struct text *error);

/*
 * A time in milliseconds: digits, perhaps a fraction, and ms, s, m or h; a
 * bare number is seconds. 0, or -1 when it is none or out of [min, max].
 */
int interval_parse(
    uint32_t *out_ms, struct word, uint32_t min_ms, uint32_t max_ms);

/* 8 or 4-20,30 or all or random: 0, or -1 with why in error. */
int peers_parse(enum which *, struct idset *, struct word, unsigned bits,
    struct text *error);

/* Appends to t, cut to what fits. */
void text_add(struct text *t, const char *);
void text_add_len(struct text *t, const char *, size_t len);
void text_add_number(struct text *t, uint64_t);
/* In single quotes, made printable, cut when it is long. */
void text_add_word(struct text *t, struct word);

#endif
