#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/rings.h"
#include "cli/say.h"
#include "cli/verbs.h"

/* What a ring says of itself: 0, or -1 when it does not answer. */
static int
ask(const struct options *o, const char *ring, struct msg_welcome *welcome,
    struct msg_status *status)
{
	struct options only = *o;
	struct msg_call call;
	struct client c;
	struct message m;
	struct why why;

	only.verb = verb_info(VERB_STATUS);
	call_init(&call, &only);
	if (client_open(&c, ring, call.timeout_ms, &why) != 0) {
		if (ring_is_down(errno))
			return 1;
		complain("ring %s: %s", ring, why.text);
		return -1;
	}
	*welcome = c.welcome;
	m.type = MSG_call;
	if (client_call(&c, &call, call.timeout_ms) == 0) {
		while (client_next(&c, &m, call.timeout_ms) == 1 &&
		       m.type != MSG_result) {
			if (m.type == MSG_status)
				*status = m.status;
		}
	}
	client_close(&c);
	if (m.type == MSG_result)
		return 0;
	complain("ring %s: its supervisor (process %u) does not answer", ring,
	    (unsigned)welcome->pid);
	return -1;
}

static void
print_text_row(
    const struct msg_welcome *w, const struct msg_status *s, bool first)
{
	if (first)
		printf("%-12s  %-7s  %-5s  %-7s  %s\n", "RING", "PID", "PORT",
		    "PEERS", "STATE");
	printf("%-12s  %-7u  %-5u  %u of %u  %s\n", w->ring.text,
	    (unsigned)w->pid, w->port, s->up, s->wanted,
	    s->ready   ? "ready"
	    : s->whole ? "whole"
		       : "not whole");
}

static void
print_json_row(const struct msg_welcome *w, const struct msg_status *s)
{
	struct json j = {false};

	json_open(&j, NULL, '{');
	json_string(&j, "ring", w->ring.text);
	json_uint(&j, "pid", w->pid);
	json_uint(&j, "port", w->port);
	json_uint(&j, "wanted", s->wanted);
	json_uint(&j, "up", s->up);
	json_bool(&j, "whole", s->whole);
	json_bool(&j, "ready", s->ready);
	json_close(&j, '}');
	json_line(&j);
}

int
verb_list(const struct options *o)
{
	int status = EXIT_DONE, shown = 0;
	struct names names;
	struct why why;

	if (rings_find(&names, &why) != 0) {
		complain("%s", why.text);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < names.count; i++) {
		struct msg_welcome welcome;
		struct msg_status state = {0};
		int failed = ask(o, names.at[i], &welcome, &state);

		if (failed < 0)
			status = EXIT_TIMEOUT;
		if (failed)
			continue;
		if (o->json)
			print_json_row(&welcome, &state);
		else
			print_text_row(&welcome, &state, shown == 0);
		shown++;
	}
	names_free(&names);
	if (shown == 0 && status == EXIT_DONE)
		inform(o->quiet || o->json,
		    "no ring is up; `ringctl up FILE` starts one");
	return status;
}
