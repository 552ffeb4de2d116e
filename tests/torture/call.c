#include <assert.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "os/loop.h"
#include "ring.h"

enum { OPEN_MS = 5000, WIRES_MAX = WORKERS_MAX + 64 };

static struct wire *wires;

uint64_t
now_us(void)
{
	return clock_us();
}

void
pause_ms(unsigned ms)
{
	(void)poll(NULL, 0, (int)ms);
}

void
wire_init(struct wire *w, void (*told)(struct wire *, const struct message *))
{
	memset(w, 0, sizeof(*w));
	w->told = told;
	w->next = wires;
	wires = w;
}

void
wire_hang_up(struct wire *w)
{
	if (w->open)
		client_close(&w->client);
	w->open = w->busy = false;
}

static bool
try_call(struct wire *w, const struct msg_call *call)
{
	struct why why;

	if (!w->open && client_open(&w->client, "torture", OPEN_MS, &why) != 0)
		return false;
	w->open = true;
	if (client_call(&w->client, call, OPEN_MS) == 0)
		return true;
	wire_hang_up(w);
	return false;
}

bool
wire_call(struct wire *w, const struct msg_call *call)
{
	bool was_open = w->open;

	assert(!w->busy);
	/* An idle one may be that of a supervisor that is gone. */
	if (!try_call(w, call) && (!was_open || !try_call(w, call)))
		return false;
	w->busy = true;
	w->began_us = now_us();
	return true;
}

/* What has come in, and no waiting for more. */
static void
take_in(struct wire *w)
{
	static struct message m;

	do {
		int got = client_next(&w->client, &m, 1);

		if (got == -1 && errno == ETIMEDOUT)
			return;
		if (got != 1) {
			wire_hang_up(w);
			w->told(w, NULL);
			return;
		}
		if (m.type == MSG_result)
			w->busy = false;
		w->told(w, &m);
	} while (w->busy && w->client.start < w->client.end);
}

void
wires_turn(unsigned ms)
{
	struct pollfd p[WIRES_MAX];
	struct wire *of[WIRES_MAX];
	uint64_t now = now_us();
	nfds_t n = 0;

	for (struct wire *w = wires; w != NULL; w = w->next) {
		if (!w->busy)
			continue;
		if (now - w->began_us > WAIT_S * 1000000ULL)
			violation(&tally.other,
			    "a call is not answered in %d s", WAIT_S);
		if (now - w->began_us > WAIT_S * 1000000ULL) {
			wire_hang_up(w);
			w->told(w, NULL);
			continue;
		}
		of[n] = w;
		p[n].fd = w->client.fd;
		p[n++].events = POLLIN;
		if (n == WIRES_MAX)
			break;
	}
	if (poll(p, n, (int)ms) == -1 && errno != EINTR)
		err(1, "poll");
	for (nfds_t i = 0; i < n; i++)
		if (p[i].revents != 0 && of[i]->busy &&
		    of[i]->client.fd == p[i].fd)
			take_in(of[i]);
}

/* The wire of whoever waits: one at a time. */
static struct {
	struct wire wire;
	bool made, over;
	int exit;
	char why[WHY_TEXT];
	struct msg_reply *reply; /* NULL: nobody wants it */
} asked;

static void
answered(struct wire *w, const struct message *m)
{
	(void)w;
	if (m != NULL && m->type == MSG_reply && asked.reply != NULL)
		*asked.reply = m->reply;
	if (m != NULL && m->type == MSG_reply && m->reply.error != 0)
		(void)snprintf(asked.why, sizeof(asked.why),
		    "peer %u: %s: %.300s", m->reply.peer,
		    wire_error_text(m->reply.error), m->reply.text.text);
	if (m != NULL && m->type != MSG_result)
		return;
	asked.over = true;
	asked.exit = m == NULL ? EXIT_NO_RING : m->result.exit;
	if (m != NULL && (asked.why[0] == '\0' || m->result.text.len > 0))
		(void)snprintf(
		    asked.why, sizeof(asked.why), "%s", m->result.text.text);
}

int
wire_ask(const struct msg_call *call, const char *what, char why[WHY_TEXT])
{
	if (!asked.made)
		wire_init(&asked.wire, answered);
	asked.made = true;
	asked.over = false;
	asked.exit = EXIT_NO_RING;
	(void)snprintf(asked.why, sizeof(asked.why), "%s", "no supervisor");
	if (!wire_call(&asked.wire, call))
		asked.over = true;
	else
		asked.why[0] = '\0';
	while (!asked.over) {
		load_turn();
		progress();
		wires_turn(20);
	}
	if (why != NULL)
		(void)snprintf(why, WHY_TEXT, "%s: exit %d: %.300s", what,
		    asked.exit, asked.why);
	return asked.exit;
}

int
wire_ask_reply(const struct msg_call *call, struct msg_reply *reply)
{
	int exit;

	asked.reply = reply;
	exit = wire_ask(call, "exec", NULL);
	asked.reply = NULL;
	return exit;
}
