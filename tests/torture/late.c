/*
 * How long a start, a join or a wait took. One that hits its deadline is told
 * with what the ring says of itself; where nothing was done to the ring for so
 * long, and no peer is paused or gone by itself, there is no excuse for it.
 */
#include <string.h>

#include "ring.h"

enum {
	SLOW_US = 5000000, /* is told, too */
	UNDISTURBED_US = 10000000,
	STUCK_US = 4000000, /* a call of a client, and no fault meanwhile */
};

static uint64_t disturbed_us;
static uint64_t most_us[VERB_WAIT + 1];
static unsigned late, told;

/* Those that are not simply up; true: by what was done to one of them. */
static bool
say_status(char *text, size_t size)
{
	bool excused = false;
	size_t used = 0;

	text[0] = '\0';
	for (unsigned id = 0; id < PEERS_MAX && used < size; id++) {
		const struct seen *s = &seen[id];

		if (!s->known || (s->state == PEER_UP && s->missing == 0))
			continue;
		excused |= s->state == PEER_PAUSED || s->state == PEER_FAILED;
		used += (size_t)snprintf(text + used, size - used, "%s%u %s",
		    used > 0 ? ", " : "", id, peer_state_text(s->state));
		if (s->missing > 0 && used < size)
			used += (size_t)snprintf(text + used, size - used,
			    " and short of %llu",
			    (unsigned long long)s->missing);
	}
	return excused;
}

/* The events of the ring since then, for whoever looks into it. */
static void
keep_events(uint64_t since_us)
{
	char words[PATH_TEXT], path[PATH_TEXT];

	(void)snprintf(words, sizeof(words),
	    "-c torture events --json --since %.3f", (double)since_us / 1e6);
	(void)snprintf(
	    path, sizeof(path), "%s/late.%u", settings.evidence, told++);
	(void)ringctl(path, words);
}

void
late_told(enum verb verb, int exit, uint64_t began_us, const char *what)
{
	uint64_t now = now_us();
	char status[WHY_TEXT];
	bool excused;

	if (verb != VERB_START && verb != VERB_JOIN && verb != VERB_WAIT) {
		disturbed_us = now;
		return;
	}
	if (now - began_us > most_us[verb])
		most_us[verb] = now - began_us;
	if (exit != EXIT_TIMEOUT && now - began_us < SLOW_US)
		return;
	late += exit == EXIT_TIMEOUT;
	excused = say_status(status, sizeof(status)) ||
		  now < disturbed_us + UNDISTURBED_US;
	(void)fprintf(stderr,
	    "torture: late: %.6f after %.1f s, %.1f s after a fault: %s; %s\n",
	    (double)now / 1e6, (double)(now - began_us) / 1e6,
	    (double)(now - disturbed_us) / 1e6, what, status);
	keep_events(began_us);
	if (exit == EXIT_TIMEOUT && !excused)
		violation(
		    &tally.other, "%s, without any fault; %s", what, status);
}

/* What each peer has in memory, once; without gcore nothing. */
void
late_cores(void)
{
	char words[PATH_TEXT];
	static bool kept;

	for (unsigned id = 0; id < PEERS_MAX && !kept; id++) {
		if (!seen[id].known || seen[id].state != PEER_UP)
			continue;
		(void)snprintf(words, sizeof(words), "gcore -o %s/core.%u %d",
		    settings.evidence, id, seen[id].pid);
		(void)tool("/dev/null", words);
	}
	kept = true;
}

void
late_stuck(uint64_t began_us)
{
	uint64_t now = now_us();

	if (now > began_us + STUCK_US && now > disturbed_us + STUCK_US)
		late_cores();
}

void
late_print(FILE *out)
{
	(void)fprintf(out,
	    "  deadlines hit %u; slowest start %.1f s, join %.1f s, wait "
	    "%.1f s\n",
	    late, (double)most_us[VERB_START] / 1e6,
	    (double)most_us[VERB_JOIN] / 1e6, (double)most_us[VERB_WAIT] / 1e6);
}
