#include <stdio.h>
#include <unistd.h>

#include "history.h"
#include "ring.h"

enum {
	CALM_US = 700000,
	ROUND_US_MIN = 3000000,
	ROUND_US_MAX = 12000000,
	PROGRESS_US = 10000000,
	QUIET_US = 3000000, /* longer than from one anti-entropy to the next */
	QUIET_US_MAX = 60000000,
};

static uint64_t told_us;

void
progress(void)
{
	uint64_t now = now_us();

	if (now < told_us + PROGRESS_US)
		return;
	told_us = now;
	(void)fprintf(stderr,
	    "torture: %llu s, %u rests, %llu operations, %u kills, %u pauses, "
	    "%u quits, %u joins, %u wipes, %u supervisor kills, lost %u, "
	    "wrong %u\n",
	    (unsigned long long)(now - settings.began_us) / 1000000,
	    tally.rests, (unsigned long long)load_ops(), tally.kills,
	    tally.pauses, tally.quits, tally.joins, tally.wipes,
	    tally.supervisor_kills, tally.lost, tally.wrong);
}

static void
turn_until(uint64_t end, void (*also)(void))
{
	while (now_us() < end && !violated()) {
		if (also != NULL)
			also();
		load_turn();
		wires_turn(2);
		progress();
	}
}

/* Until nothing has been copied or released for a while. */
void
rest_quiet(void)
{
	uint64_t end = now_us() + QUIET_US_MAX, since = now_us();
	uint64_t files = 0, before = 0;

	while (now_us() < since + QUIET_US && now_us() < end) {
		before = files;
		files = 0;
		ring_look();
		for (unsigned id = 0; id < PEERS_MAX; id++)
			files += seen[id].known ? seen[id].files : 0;
		if (files != before)
			since = now_us();
		pause_ms(100);
	}
}

/* Without a fault, nothing is refused; every name is what it should be. */
void
rest(bool last)
{
	unsigned up;
	char why[WHY_TEXT] = "";
	bool ready;

	fault_drain();
	ready = ring_heal(last, why);
	load_drain();
	if (!ready && !ring_heal(last, why)) {
		violation(&tally.other, "not ready again: %s", why);
		return;
	}
	ring_look();
	load_set(LOAD_CALM);
	turn_until(now_us() + CALM_US, NULL);
	load_drain();
	up = ring_count(PEER_UP);
	load_verify(last && up <= 16 ? up : last ? 5 : 1);
	for (unsigned name = 0; name < settings.names; name++)
		history_check(name, now_us());
	tally.rests++;
	sample_take();
}

void
torture_run(void)
{
	uint64_t round_us = settings.seconds * 1000000ULL / 4, end;

	if (round_us < ROUND_US_MIN)
		round_us = ROUND_US_MIN;
	if (round_us > ROUND_US_MAX)
		round_us = ROUND_US_MAX;
	end = now_us() + settings.seconds * 1000000ULL;
	while (now_us() < end && !violated()) {
		load_set(LOAD_ANY);
		turn_until(now_us() + round_us, fault_turn);
		rest(now_us() >= end);
	}
}
