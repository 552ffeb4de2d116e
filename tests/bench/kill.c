/*
 * SIGKILL to a peer until both of its predecessors have other successors, by
 * the ring's own events. The floor: SIGKILL to a process at the other end of
 * a TCP connection until that is seen to hang up.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { LOOK_MS = 25, LOOKS = 800 };

double
kill_floor_ms(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP};
	int poll_fd = epoll_create1(EPOLL_CLOEXEC), listener, fd;
	double killed, took;
	uint16_t port;
	pid_t pid;

	deadline("the floor of kill");
	listener = loopback_listen(&port);
	pid = child_fork();
	if (pid == 0) {
		(void)loopback_connect(port);
		for (;;)
			pause();
	}
	fd = accept(listener, NULL, NULL);
	if (fd == -1 || poll_fd == -1 ||
	    epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		err(1, "the floor of kill");
	/* The child is at rest, as a peer is. */
	sleep_ms(LOOK_MS);
	killed = now_ms();
	(void)kill(pid, SIGKILL);
	if (epoll_wait(poll_fd, &event, 1, -1) != 1)
		err(1, "epoll_wait");
	took = now_ms() - killed;
	(void)close(fd);
	(void)close(listener);
	(void)close(poll_fd);
	child_end(pid);
	return took;
}

/* When pred first had successors other than victim; 0: not yet. */
static double
repaired_s(const json_t *events, unsigned pred, unsigned victim)
{
	const json_t *e;
	size_t i;

	json_array_foreach(events, i, e)
	{
		const json_t *first = json_object_get(e, "about");
		const json_t *second = json_object_get(e, "other");

		if (json_integer_value(json_object_get(e, "peer")) == pred &&
		    json_integer_value(first) != victim &&
		    (!json_is_integer(second) ||
			json_integer_value(second) != victim))
			return json_number_value(json_object_get(e, "t"));
	}
	return 0;
}

static double
kill_ms(const struct ring *r, unsigned i)
{
	unsigned victim = r->ids[i], near = r->ids[(i + r->n - 1) % r->n];
	unsigned far = r->ids[(i + r->n - 2) % r->n];
	double killed = now_ms(), a, b;

	if (kill(r->pids[i], SIGKILL) != 0)
		err(1, "peer %u", victim);
	for (int looks = 0; looks < LOOKS; looks++) {
		json_t *events;

		sleep_ms(LOOK_MS);
		/* Rounded up: t has microseconds. */
		events = ringctl_json("events --json --kind successors "
				      "--since %.6f %u,%u",
		    killed / 1000 + 1e-6, near, far);
		a = repaired_s(events, near, victim);
		b = repaired_s(events, far, victim);
		json_decref(events);
		if (a > 0 && b > 0)
			return (a > b ? a : b) * 1000 - killed;
	}
	errx(1, "the death of %u: not seen at %u and %u", victim, near, far);
}

static void
measure(unsigned n, unsigned rounds)
{
	struct row row = {.unit = UNIT_MS, .ratio_max = 20, .value_max = 5};
	struct series measured = {0}, floor = {0};
	struct ring r;

	ring_init(&r, n, "");
	(void)ring_up(&r);
	for (unsigned i = 0; i < rounds; i++) {
		unsigned victim = i * n / rounds % n;

		ring_look(&r);
		series_add(&floor, kill_floor_ms());
		series_add(&measured, kill_ms(&r, victim));
		(void)ringctl_ms("--timeout 60 start %u", r.ids[victim]);
		(void)ringctl_ms("--timeout 60 wait");
	}
	(void)ring_down(&r);
	ring_wipe(&r);
	(void)snprintf(
	    row.what, sizeof(row.what), "killed to repaired, %u peers", n);
	report_row(&row, &measured, &floor);
}

void
bench_kill(void)
{
	measure(7, bench_rounds(28, 2));
	if (bench.quick)
		return;
	measure(64, bench_rounds(16, 0));
	measure(256, bench_rounds(16, 0));
}
