/*
 * What a ring at rest costs. The floor: as many bare processes, each with a
 * UDP socket and a timer in an epoll loop, which ping two neighbours as often
 * as `ping auto` has peers do, and answer.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <dirent.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static unsigned
ping_auto_ms(unsigned n)
{
	if (n <= 16)
		return 50;
	return 4 * n < 1000 ? 4 * n : 1000;
}

static struct sockaddr_in
address(unsigned i)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)(bench.port + i))};

	return at;
}

static void
ping(int udp, unsigned to)
{
	struct sockaddr_in at = address(to);

	(void)sendto(udp, "?", 1, 0, (struct sockaddr *)&at, sizeof(at));
}

static void
answer(int udp)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char byte;

	if (recvfrom(udp, &byte, 1, 0, (struct sockaddr *)&from, &len) == 1 &&
	    byte == '?')
		(void)sendto(udp, "!", 1, 0, (struct sockaddr *)&from, len);
}

static void
bare_peer(unsigned i, unsigned n)
{
	unsigned ms = ping_auto_ms(n);
	struct itimerspec every = {
	    .it_interval = {ms / 1000, ms % 1000 * 1000000L}};
	struct epoll_event event = {.events = EPOLLIN};
	struct sockaddr_in at = address(i);
	int udp = socket(AF_INET, SOCK_DGRAM, 0), loop = epoll_create1(0);
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t ticks;

	every.it_value = every.it_interval;
	if (bind(udp, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    timerfd_settime(timer, 0, &every, NULL) != 0)
		err(1, "a bare peer");
	event.data.fd = udp;
	(void)epoll_ctl(loop, EPOLL_CTL_ADD, udp, &event);
	event.data.fd = timer;
	(void)epoll_ctl(loop, EPOLL_CTL_ADD, timer, &event);
	while (epoll_wait(loop, &event, 1, -1) == 1) {
		if (event.data.fd == udp) {
			answer(udp);
		} else if (read(timer, &ticks, sizeof(ticks)) > 0) {
			ping(udp, (i + 1) % n);
			ping(udp, (i + 2) % n);
		}
	}
	err(1, "epoll_wait");
}

/* Nanoseconds on a core, of all threads there are. */
static double
cpu_ns(pid_t pid)
{
	char folder[64], path[sizeof(((struct dirent *)0)->d_name) + 80];
	const struct dirent *entry;
	double sum = 0;
	uint64_t ns;
	DIR *tasks;

	(void)snprintf(folder, sizeof(folder), "/proc/%d/task", pid);
	tasks = opendir(folder);
	if (tasks == NULL)
		err(1, "%s", folder);
	while ((entry = readdir(tasks)) != NULL) {
		FILE *file;

		(void)snprintf(path, sizeof(path), "%s/%s/schedstat", folder,
		    entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
		/* A thread may have ended by now. */
		if (file == NULL)
			continue;
		if (fscanf(file, "%" SCNu64, &ns) == 1)
			sum += (double)ns;
		(void)fclose(file);
	}
	(void)closedir(tasks);
	return sum;
}

/* A line "Pss:   123 kB" of a process's file. */
static double
memory_kib(pid_t pid, const char *name, const char *field)
{
	char path[64], line[256];
	double kib = -1;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = fopen(path, "r");
	if (file == NULL)
		err(1, "%s", path);
	while (kib < 0 && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, field, strlen(field)) == 0)
			(void)sscanf(line + strlen(field), "%lf", &kib);
	}
	(void)fclose(file);
	if (kib < 0)
		errx(1, "%s: no %s", path, field);
	return kib;
}

struct usage {
	struct series rss, pss, cpu, supervisor;
};

static double
cpu_all(const pid_t *pids, unsigned n)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += cpu_ns(pids[i]);
	return sum;
}

/* supervisor: 0, or its process. */
static void
watch(struct usage *u, const pid_t *pids, unsigned n, pid_t supervisor)
{
	double began, all, one, took;

	deadline("a look at a ring at rest");
	sleep_ms(bench.quick ? 500 : 5000);
	began = now_ms();
	all = cpu_all(pids, n);
	one = supervisor ? cpu_ns(supervisor) : 0;
	sleep_ms(bench.quick ? 1000 : 10000);
	took = (now_ms() - began) * 1e6;
	series_add(&u->cpu, (cpu_all(pids, n) - all) / took * 100);
	if (supervisor)
		series_add(
		    &u->supervisor, (cpu_ns(supervisor) - one) / took * 100);
	for (unsigned i = 0; i < n; i++) {
		series_add(&u->rss, memory_kib(pids[i], "status", "VmRSS:"));
		series_add(
		    &u->pss, memory_kib(pids[i], "smaps_rollup", "Pss:"));
	}
}

static void
watch_floor(struct usage *u, unsigned n)
{
	static pid_t pids[BENCH_PEERS_MAX];

	for (unsigned i = 0; i < n; i++) {
		pids[i] = child_fork();
		if (pids[i] == 0)
			bare_peer(i, n);
	}
	watch(u, pids, n, 0);
	for (unsigned i = 0; i < n; i++)
		child_end(pids[i]);
}

static void
watch_ring(struct usage *u, struct ring *r)
{
	(void)ring_up(r);
	ring_look(r);
	watch(u, r->pids, r->n, r->supervisor);
	(void)ring_down(r);
	ring_wipe(r);
}

static void
row(const char *what, unsigned n, enum unit unit, double value_max,
    const struct series *measured, const struct series *floor)
{
	struct row r = {.unit = unit, .value_max = n == 256 ? value_max : 0};
	struct summary s = series_summary(measured);

	(void)snprintf(r.what, sizeof(r.what), "%s, %u peers", what, n);
	(void)snprintf(r.also, sizeof(r.also), "max %.*f of %zu",
	    unit == UNIT_KIB ? 0 : 2, s.max, s.n);
	report_row(&r, measured, floor);
}

static void
measure(unsigned n, unsigned rounds)
{
	static struct usage ring, floor;
	struct ring r;

	memset(&ring, 0, sizeof(ring));
	memset(&floor, 0, sizeof(floor));
	ring_init(&r, n, "");
	for (unsigned i = 0; i < rounds; i++) {
		watch_floor(&floor, n);
		watch_ring(&ring, &r);
	}
	row("RSS of a peer", n, UNIT_KIB, 0, &ring.rss, &floor.rss);
	row("PSS of a peer", n, UNIT_KIB, 1024, &ring.pss, &floor.pss);
	row("CPU of all peers", n, UNIT_PERCENT, 8, &ring.cpu, &floor.cpu);
	row("CPU of the supervisor", n, UNIT_PERCENT, 0.1, &ring.supervisor,
	    NULL);
}

void
bench_idle(void)
{
	measure(7, bench_rounds(3, 1));
	if (!bench.quick)
		measure(256, bench_rounds(3, 0));
}
