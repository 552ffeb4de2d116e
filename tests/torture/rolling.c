#include "ring.h"

enum { STEP_MS = 30000, REST_EVERY = 20 };

static void
step(enum verb verb, const struct idset *peers, const char *text)
{
	char why[WHY_TEXT];

	if (!violated() &&
	    ring_act(verb, peers, text, STEP_MS, why) != EXIT_DONE)
		violation(&tally.other, "%s", why);
}

/* Every peer in turn, each killed when the ring is whole again. */
void
rolling_run(void)
{
	for (unsigned round = 1; round <= settings.rounds; round++) {
		load_set(LOAD_ANY);
		for (unsigned id = 0; id < PEERS_MAX && !violated(); id++) {
			struct idset peers = {0};

			if (!seen[id].member)
				continue;
			idset_add(&peers, id);
			step(VERB_KILL, &peers, "");
			tally.kills++;
			step(VERB_WAIT, NULL, "whole");
			step(VERB_START, &peers, "");
			tally.starts++;
			step(VERB_WAIT, NULL, "whole");
		}
		if (violated())
			return;
		if (round % REST_EVERY != 0 && round != settings.rounds)
			continue;
		rest(round == settings.rounds);
	}
}
