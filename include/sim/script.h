#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/plan.h"

/* The words of plans as text, for who prints and who reads them. */

/* What a verb's words are: one letter each. */
enum word {
	WORD_PEERS = 'A',
	WORD_OTHERS = 'B',
	WORD_ID = 'I',
	WORD_KNOWN = 'K',
	WORD_NAME = 'N',
	WORD_BYTES = 'S',
	WORD_THROUGH = 'T', /* through PEER */
	WORD_FOR = 'F', /* for TIME; it may be missing */
	WORD_AFTER = 'C', /* after COUNT */
	WORD_PERCENT = 'P',
	WORD_TIME = 'D',
	WORD_NUMBER = 'Y',
};

extern const struct verb_words {
	const char *name, *words;
} script_verbs[VERBS];

/* Settings that are numbers, of the `sim` line and of the `up` line. */
struct setting {
	const char *name;
	size_t at; /* in struct plan */
	bool wide, up;
};

enum { SETTINGS = 21 };
extern const struct setting script_settings[SETTINGS];

#endif
