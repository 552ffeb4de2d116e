/*
 * ringctl up, as a whole process, against a program that forks as many
 * children, each of which binds the same ports and reports through a pipe.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

static void
bind_port(int type, unsigned id)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)(bench.port + id))};
	int fd = socket(AF_INET, type, 0), on = 1;

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    (type == SOCK_STREAM && listen(fd, SOMAXCONN) != 0))
		err(1, "port %u", bench.port + id);
}

static pid_t
bare_peer(unsigned id, struct pollfd *from)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) != 0)
		err(1, "pipe");
	pid = child_fork();
	if (pid == 0) {
		bind_port(SOCK_DGRAM, id);
		bind_port(SOCK_STREAM, id);
		if (write(ends[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	(void)close(ends[1]);
	from->fd = ends[0];
	from->events = POLLIN;
	return pid;
}

/* The bare program: says when all of its children have reported. */
static void
bare_ring(unsigned n, int to)
{
	static struct pollfd from[BENCH_PEERS_MAX];
	static pid_t pids[BENCH_PEERS_MAX];
	unsigned left = n;

	deadline("the floor of up");
	for (unsigned i = 0; i < n; i++)
		pids[i] = bare_peer(i, &from[i]);
	while (left > 0) {
		if (poll(from, n, -1) <= 0)
			err(1, "poll");
		for (unsigned i = 0; i < n; i++) {
			if (from[i].fd == -1 || from[i].revents == 0)
				continue;
			byte_await(from[i].fd);
			from[i].fd = -1;
			left--;
		}
	}
	if (write(to, "", 1) != 1)
		_exit(1);
	for (unsigned i = 0; i < n; i++)
		child_end(pids[i]);
}

static double
floor_ms(unsigned n)
{
	double began, took;
	int ends[2];
	pid_t pid;

	deadline("the floor of up");
	if (pipe(ends) != 0)
		err(1, "pipe");
	began = now_ms();
	pid = child_fork();
	if (pid == 0) {
		bare_ring(n, ends[1]);
		_exit(0);
	}
	(void)close(ends[1]);
	byte_await(ends[0]);
	took = now_ms() - began;
	(void)close(ends[0]);
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "waitpid");
	return took;
}

static void
row(unsigned n, const char *what, double ratio_max,
    const struct series *measured, const struct series *floor)
{
	struct row r = {.unit = UNIT_MS, .ratio_max = ratio_max};

	(void)snprintf(r.what, sizeof(r.what), "%s, %u peers", what, n);
	report_row(&r, measured, floor);
}

static void
measure(unsigned n, unsigned rounds, double ratio_max)
{
	struct series floor = {0}, first = {0}, again = {0}, down = {0};
	struct ring ring;

	for (unsigned i = 0; i < rounds; i++) {
		/*
		 * Another folder each time, removed at the end of all: for
		 * 5 s ext4 looks again and again for inodes that were not
		 * freed just now.
		 */
		ring_init(&ring, n, "");
		series_add(&floor, floor_ms(n));
		series_add(&first, ring_up(&ring));
		series_add(&down, ring_down(&ring));
		series_add(&again, ring_up(&ring));
		(void)ring_down(&ring);
	}
	row(n, "up", ratio_max, &first, &floor);
	row(n, "up again, on its folders", 0, &again, &floor);
	row(n, "down", 0, &down, NULL);
}

void
bench_up(void)
{
	measure(7, bench_rounds(21, 2), 0);
	if (!bench.quick)
		measure(256, bench_rounds(9, 0), 5);
}
