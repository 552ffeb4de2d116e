/*
 * From SIGKILL to the owner of a small file until another peer, which has no
 * copy where one can be without, has fetched it: it is asked again as soon as
 * it says that it could not. The floor: SIGKILL to a process at the other end
 * of a TCP connection until that is seen to hang up.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "load.h"
#include "wire/command.h"

enum { CALL_MS = 10000, ASKER_AT = 4 /* peers behind the owner, of seven */ };

/* Has a peer do it: is it done? */
static bool
ask(struct client *c, const struct msg_call *call)
{
	static struct message m;

	if (client_call(c, call, CALL_MS) != 0)
		err(1, "a call");
	do {
		if (client_next(c, &m, CALL_MS) != 1)
			errx(1, "a call has no answer");
	} while (m.type != MSG_result);
	return m.result.exit == EXIT_DONE;
}

static double
first_ms(struct client *c, const struct ring *r, unsigned victim)
{
	static struct msg_call call;
	unsigned asker = (victim + (r->n > 3 ? ASKER_AT : 2)) % r->n;
	char here[PATH_LEN_MAX - 8];
	double killed;

	if (getcwd(here, sizeof(here)) == NULL)
		err(1, "this folder");
	memset(&call, 0, sizeof(call));
	call.verb = VERB_EXEC;
	call.which = WHICH_LIST;
	call.command = COMMAND_REQUEST;
	call.timeout_ms = CALL_MS;
	idset_add(&call.peers, r->ids[asker]);
	/* Its key is the victim itself. */
	(void)snprintf(call.name.text, sizeof(call.name.text), "%04u",
	    BENCH_PEERS_MAX + r->ids[victim]);
	call.name.len = 4;
	call.path.len = (uint16_t)snprintf(
	    call.path.text, sizeof(call.path.text), "%s/got1", here);
	(void)ringctl_ms("-c %s exec %u store %s values/%u", r->name,
	    r->ids[asker], call.name.text, victim);
	killed = now_ms();
	if (kill(r->pids[victim], SIGKILL) != 0)
		err(1, "peer %u", r->ids[victim]);
	while (!ask(c, &call))
		continue;
	return now_ms() - killed;
}

static void
measure(unsigned n, unsigned rounds)
{
	struct row row = {.unit = UNIT_MS, .value_max = 5};
	struct series took = {0}, slowest = {0}, floor = {0};
	struct target files;
	struct client c;
	struct ring r;
	struct why why;

	ring_init(&r, n, "sync yes");
	ring_target_init(&files, "", &r, false);
	(void)ring_up(&r);
	if (client_open(&c, r.name, CALL_MS, &why) != 0)
		errx(1, "%s", why.text);
	for (unsigned i = 0; i < rounds; i++) {
		ring_look(&r);
		series_add(&floor, kill_floor_ms());
		deadline("the first get");
		series_add(&took, first_ms(&c, &r, i % n));
		(void)ringctl_ms("--timeout 60 start %u", r.ids[i % n]);
		(void)ringctl_ms("--timeout 60 wait ready");
	}
	client_close(&c);
	(void)ring_down(&r);
	ring_wipe(&r);
	(void)snprintf(
	    row.what, sizeof(row.what), "owner killed to first get, %u", n);
	report_row(&row, &took, &floor);
	row.also[0] = '\0';
	row.floor.n = 0;
	series_add(&slowest, series_summary(&took).max);
	(void)snprintf(row.what, sizeof(row.what), "  the slowest");
	report_row(&row, &slowest, NULL);
}

void
bench_first(void)
{
	load_init();
	measure(7, bench_rounds(28, 2));
	measure(3, bench_rounds(21, 2));
}
