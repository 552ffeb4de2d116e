#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/rings.h"
#include "cli/say.h"
#include "cli/verbs.h"
#include "os/loop.h"

/*
 * Nothing is asked of the supervisor: it hangs up when it goes. One that only
 * made room for others is asked for again. EXIT_NO_RING when it is gone.
 */
static int
wait_hangup(struct client *c, const struct options *o)
{
	uint64_t deadline_us = clock_us() + (uint64_t)verb_timeout_ms(o) * 1000;
	struct options again = *o;
	char ring[sizeof(c->ring)];
	struct message m;
	int status;

	memcpy(ring, c->ring, sizeof(ring));
	again.ring = ring;
	for (;;) {
		uint64_t now_us = clock_us();

		if (now_us >= deadline_us)
			return EXIT_TIMEOUT;
		if (client_next(c, &m,
			(uint32_t)((deadline_us - now_us) / 1000 + 1)) < 0 &&
		    errno == ETIMEDOUT)
			return EXIT_TIMEOUT;
		client_close(c);
		status = ring_open_if_up(c, &again);
		if (status != EXIT_DONE)
			return status;
	}
}

/* When the supervisor is gone, or was never there. */
static int
wait_down(const struct options *o)
{
	struct msg_result result = {.exit = EXIT_DONE};
	uint64_t began_us = clock_us();
	char ring[64] = "", text[128];
	struct client c;
	int status = ring_open_if_up(&c, o);

	if (status == EXIT_DONE) {
		memcpy(ring, c.ring, sizeof(ring));
		status = wait_hangup(&c, o);
		client_close(&c);
	} else if (o->ring) {
		snprintf(ring, sizeof(ring), "%s", o->ring);
	}
	if (status == EXIT_TIMEOUT) {
		result.exit = EXIT_TIMEOUT;
		snprintf(text, sizeof(text),
		    "ring %s: still up; `ringctl down` stops it", ring);
	} else if (status != EXIT_NO_RING) {
		return status;
	} else if (ring[0]) {
		snprintf(text, sizeof(text), "ring %s: down", ring);
	} else {
		snprintf(text, sizeof(text), "no ring is up");
	}
	text_set(&result.text, text);
	result.us = clock_us() - began_us;
	result_print(o, ring, &result);
	return result.exit;
}

int
verb_wait(const struct options *o)
{
	const char *goal = o->arg_count ? o->args[0] : "whole";
	struct msg_call call;
	struct client c;
	int status;

	if (strcmp(goal, "down") == 0)
		return wait_down(o);
	if (strcmp(goal, "whole") != 0 && strcmp(goal, "ready") != 0) {
		complain("wait %s: whole, ready or down", goal);
		return EXIT_USAGE;
	}
	status = ring_open(&c, o);
	if (status != EXIT_DONE)
		return status;
	call_init(&call, o);
	text_set(&call.text, goal);
	status = call_run(&c, o, &call, NULL, false);
	client_close(&c);
	return status;
}
