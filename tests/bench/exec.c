/*
 * One command to one peer. The floor's way is as long: a client's Unix
 * socket, a relay, a pipe to another process, and a pipe back.
 */
#include <sys/socket.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "cli/client.h"
#include "os/unix.h"
#include "wire/command.h"

enum { LINE = 256, CALL_MS = 10000, PEER = 4 };

static const char echo_path[] = "echo.sock";

struct echo {
	pid_t relay, peer;
};

/* Passes on what comes; false when no more does. */
static bool
pass_on(int from, int to)
{
	char line[LINE];
	ssize_t n = read(from, line, sizeof(line));

	return n > 0 && write(to, line, (size_t)n) == n;
}

static void
relay(int listener, int down, int up)
{
	for (;;) {
		int client = accept(listener, NULL, NULL);

		if (client == -1)
			err(1, "accept");
		while (pass_on(client, down) && pass_on(up, client))
			continue;
		(void)close(client);
	}
}

static struct echo
echo_start(void)
{
	int listener = unix_listen(echo_path), down[2], up[2];
	struct echo e;

	if (listener == -1 || fcntl(listener, F_SETFL, 0) == -1 ||
	    pipe(down) != 0 || pipe(up) != 0)
		err(1, "the floor of exec");
	e.peer = child_fork();
	if (e.peer == 0) {
		while (pass_on(down[0], up[1]))
			continue;
		_exit(0);
	}
	e.relay = child_fork();
	if (e.relay == 0)
		relay(listener, down[1], up[0]);
	(void)close(listener);
	for (int i = 0; i < 2; i++) {
		(void)close(down[i]);
		(void)close(up[i]);
	}
	return e;
}

static void
echo_stop(const struct echo *e)
{
	child_end(e->relay);
	child_end(e->peer);
	(void)unlink(echo_path);
}

static void
whole_process(void)
{
	struct row r = {
	    .what = "exec 4 ring, a process", .unit = UNIT_MS, .ratio_max = 2};
	struct series floor = {0}, measured = {0};
	unsigned rounds = bench_rounds(400, 20);

	for (unsigned i = 0; i < rounds; i++) {
		series_add(
		    &floor, command_ms("echo_client echo.sock exec/4/ring",
				"/dev/null"));
		series_add(&measured, ringctl_ms("exec %d ring", PEER));
	}
	report_row(&r, &measured, &floor);
}

static void
echo_call(int fd)
{
	static const char words[] = "exec 4 ring\n";
	char line[LINE];

	if (write(fd, words, sizeof(words)) < 0 ||
	    read(fd, line, sizeof(line)) <= 0)
		err(1, "the floor of exec");
}

static void
ring_call(struct client *c, const struct msg_call *call)
{
	static struct message m;

	if (client_call(c, call, CALL_MS) != 0)
		err(1, "a call");
	do {
		if (client_next(c, &m, CALL_MS) != 1)
			errx(1, "a call has no answer: %s", strerror(errno));
	} while (m.type != MSG_result);
	if (m.result.exit != EXIT_DONE)
		errx(1, "exec: %s", m.result.text.text);
}

static void
one_connection(const char *ring)
{
	struct row r = {
	    .what = "exec 4 ring, one connection", .unit = UNIT_PER_SECOND};
	struct series floor = {0}, measured = {0};
	static struct msg_call call = {.verb = VERB_EXEC,
	    .which = WHICH_LIST,
	    .command = COMMAND_RING,
	    .timeout_ms = CALL_MS};
	int echo = unix_connect(echo_path, CALL_MS);
	unsigned rounds = bench_rounds(9, 2), n;
	double slice_ms = bench.quick ? 50 : 250, began;
	static struct client c;
	struct why why;

	if (echo == -1 || client_open(&c, ring, CALL_MS, &why) != 0)
		errx(1, "no connection");
	idset_add(&call.peers, PEER);
	for (unsigned i = 0; i < rounds; i++) {
		deadline("calls on one connection");
		began = now_ms();
		for (n = 0; now_ms() - began < slice_ms; n++)
			echo_call(echo);
		series_add(&floor, n / (now_ms() - began) * 1000);
		began = now_ms();
		for (n = 0; now_ms() - began < slice_ms; n++)
			ring_call(&c, &call);
		series_add(&measured, n / (now_ms() - began) * 1000);
	}
	client_close(&c);
	(void)close(echo);
	report_row(&r, &measured, &floor);
}

void
bench_exec(void)
{
	struct echo echo = echo_start();
	struct ring ring;

	ring_init(&ring, 7, "");
	(void)ring_up(&ring);
	whole_process();
	one_connection(ring.name);
	(void)ring_down(&ring);
	ring_wipe(&ring);
	echo_stop(&echo);
}
