/* That the check of histories sees what is wrong, and nothing else. */
#include <string.h>

#include "history.h"

enum { OPS_MAX = 8 };

/*
 * Each operation: what, of which content, from when to when. S stored,
 * U a store of unknown outcome, R removed, V a remove of unknown outcome,
 * F found, N "no such file"; | a rest.
 */
struct example {
	const char *words;
	bool wrong;
	struct {
		char what;
		uint32_t number;
		uint64_t begin, end;
	} ops[OPS_MAX];
};

static const struct example examples[] = {
    {"a store, found", false, {{'S', 1, 1, 2}, {'F', 1, 3, 4}}},
    {"found while it is stored", false, {{'S', 1, 1, 9}, {'F', 1, 3, 4}}},
    {"nothing at first", false, {{'N', 0, 1, 2}, {'S', 1, 3, 4}}},
    {"not there though acknowledged", true, {{'S', 1, 1, 2}, {'N', 0, 3, 4}}},
    {"removed", false, {{'S', 1, 1, 2}, {'R', 0, 3, 4}, {'N', 0, 5, 6}}},
    {"found though removed", true,
	{{'S', 1, 1, 2}, {'R', 0, 3, 4}, {'F', 1, 5, 6}}},
    {"maybe removed", false, {{'S', 1, 1, 2}, {'V', 0, 3, 4}, {'N', 0, 8, 9}}},
    {"the old one after the new was acknowledged", true,
	{{'S', 1, 1, 2}, {'S', 2, 3, 4}, {'F', 1, 5, 6}}},
    {"either of two at once", false,
	{{'S', 1, 1, 4}, {'S', 2, 2, 3}, {'F', 1, 5, 6}, {'F', 1, 7, 8}}},
    {"both of two at once, in turn", true,
	{{'S', 1, 1, 4}, {'S', 2, 1, 4}, {'F', 1, 5, 6}, {'F', 2, 7, 8},
	    {'F', 1, 9, 10}}},
    {"backwards from one that is not acknowledged", true,
	{{'S', 1, 1, 2}, {'U', 2, 3, 4}, {'F', 2, 5, 6}, {'F', 1, 7, 8}}},
    {"one that failed comes late", false,
	{{'S', 1, 1, 2}, {'U', 2, 3, 4}, {'F', 1, 5, 6}, {'F', 2, 7, 8}}},
    {"one that failed, after a rest", false,
	{{'S', 1, 1, 2}, {'U', 2, 3, 4}, {'F', 1, 5, 6}, {'|', 0, 0, 0},
	    {'F', 2, 7, 8}}},
    {"one that failed, over a newer one after a rest", true,
	{{'S', 1, 1, 2}, {'U', 2, 3, 4}, {'F', 1, 5, 6}, {'|', 0, 0, 0},
	    {'S', 3, 7, 8}, {'F', 2, 9, 10}}},
    {"overwritten before the rest", true,
	{{'S', 1, 1, 2}, {'S', 2, 3, 4}, {'F', 2, 5, 6}, {'|', 0, 0, 0},
	    {'F', 1, 7, 8}}},
    {"gone after the rest", true,
	{{'S', 1, 1, 2}, {'F', 1, 3, 4}, {'|', 0, 0, 0}, {'N', 0, 7, 8}}},
    {"stored again after a remove that failed", true,
	{{'V', 0, 1, 2}, {'N', 0, 3, 4}, {'|', 0, 0, 0}, {'S', 1, 7, 8},
	    {'F', 1, 9, 10}, {'|', 0, 0, 0}, {'N', 0, 12, 13}}},
    {"never stored", true, {{'F', 9, 3, 4}}},
};

static void
add(unsigned name, char what, struct op *op)
{
	static const char letters[] = "SURVFN";
	static const struct {
		uint8_t command, outcome;
	} meaning[] = {{COMMAND_STORE, OUTCOME_ACKED},
	    {COMMAND_STORE, OUTCOME_UNKNOWN}, {COMMAND_REMOVE, OUTCOME_ACKED},
	    {COMMAND_REMOVE, OUTCOME_UNKNOWN}, {COMMAND_REQUEST, OUTCOME_FOUND},
	    {COMMAND_REQUEST, OUTCOME_ABSENT}};
	size_t i = (size_t)(strchr(letters, what) - letters);

	op->command = meaning[i].command;
	op->outcome = meaning[i].outcome;
	history_add(name, op);
}

/* A rest is just before what follows. */
static bool
seen_wrong(unsigned name, const struct example *e)
{
	unsigned before = tally.wrong + tally.lost;

	history_init(name);
	for (uint32_t n = 0; n < 9; n++)
		(void)history_number(name);
	for (int i = 0; i < OPS_MAX && e->ops[i].what != 0; i++) {
		struct op op = {.number = e->ops[i].number,
		    .begin_us = e->ops[i].begin * 1000,
		    .end_us = e->ops[i].end * 1000};

		if (e->ops[i].what == '|')
			history_check(name, e->ops[i + 1].begin * 1000 - 500);
		else
			add(name, e->ops[i].what, &op);
	}
	history_check(name, UINT64_MAX);
	return tally.wrong + tally.lost > before;
}

int
selftest(void)
{
	int failed = 0, n = (int)(sizeof(examples) / sizeof(examples[0]));

	for (int i = 0; i < n; i++) {
		bool right =
		    seen_wrong((unsigned)i, &examples[i]) == examples[i].wrong;

		failed += !right;
		(void)printf("%sok %d - %s: %s\n", right ? "" : "not ", i + 1,
		    examples[i].words, examples[i].wrong ? "wrong" : "right");
	}
	(void)printf("1..%d\n", n);
	return failed > 0;
}
