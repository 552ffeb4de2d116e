/*
 * store and request, as whole processes that ask a peer that holds no copy:
 * so all bytes cross the network. The floor: as many receiving processes as
 * there are copies, each with a TCP connection, splice from it to a pipe and
 * on to a file; against `sync yes` with writeback begun on the way, fdatasync
 * and rename. One process sends the source, out of the page cache, to all of
 * them side by side by sendfile (a fan-out). A request's floor is one
 * receiver, without a flush.
 */
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

enum {
	CHUNK = 1 << 20,
	SIZE_TEXT = 16,
	FLUSH_EVERY = 8 << 20,
	QUICK_SIZE = 8 << 20,
	COPIES = 3,
	/* Of the textbook's seven. Keys 3 and 4 belong to peer 4. */
	OWNER = 4,
	INGRESS = 19,
	ASKER = 14,
	NAMES = 78, /* of four digits with those keys */
};

static unsigned names;

/* One not used before, unless all were; then it has been removed. */
static unsigned
fresh_name(void)
{
	unsigned i = names++ % NAMES;

	return OWNER - i % 2 + i / 2 * 256;
}

static void
source_write(const char *path, uint64_t size)
{
	static uint64_t block[CHUNK / sizeof(uint64_t)];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint64_t x = 88172645463325252;

	while (size > 0) {
		size_t n = size < CHUNK ? (size_t)size : CHUNK;

		/* xorshift64 (Marsaglia, 2003): no two blocks are alike. */
		for (size_t i = 0; i < CHUNK / sizeof(block[0]); i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			block[i] = x;
		}
		if (write(fd, block, n) != (ssize_t)n)
			err(1, "%s", path);
		size -= n;
	}
	/* Written back before anything is timed. */
	if (fsync(fd) != 0 || close(fd) != 0)
		err(1, "%s", path);
}

static void
receive(int from, uint64_t size, unsigned copy, bool sync)
{
	char path[WHAT_LEN_MAX], done[WHAT_LEN_MAX];
	off_t at = 0, flushed = 0;
	int ends[2], file;

	(void)snprintf(path, sizeof(path), "floor%u.tmp", copy);
	(void)snprintf(done, sizeof(done), "floor%u", copy);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file == -1 || pipe(ends) != 0)
		err(1, "%s", path);
	/* Slower without, but right. */
	(void)fcntl(ends[1], F_SETPIPE_SZ, CHUNK);
	while (size > 0) {
		ssize_t n = splice(from, NULL, ends[1], NULL,
		    size < CHUNK ? size : CHUNK, SPLICE_F_MOVE);

		if (n <= 0)
			err(1, "splice from the socket");
		size -= (uint64_t)n;
		while (n > 0) {
			ssize_t m = splice(ends[0], NULL, file, NULL, (size_t)n,
			    SPLICE_F_MOVE);

			if (m <= 0)
				err(1, "splice to %s", path);
			n -= m;
			at += m;
		}
		/* As soon as can be: the flush has the less to wait for. */
		if (sync && at - flushed >= FLUSH_EVERY) {
			(void)sync_file_range(
			    file, flushed, at - flushed, SYNC_FILE_RANGE_WRITE);
			flushed = at;
		}
	}
	if (sync && (fdatasync(file) != 0 || rename(path, done) != 0))
		err(1, "%s", path);
	if (write(from, "", 1) != 1)
		err(1, "the sender");
	_exit(0);
}

/* Sends the source to all of them at once. */
static void
fan_out(int source, uint64_t size, const int *to, unsigned copies)
{
	off_t sent[COPIES] = {0};
	unsigned left = copies;

	while (left > 0) {
		struct pollfd p[COPIES];

		for (unsigned i = 0; i < copies; i++) {
			p[i].fd = (uint64_t)sent[i] < size ? to[i] : -1;
			p[i].events = POLLOUT;
		}
		if (poll(p, copies, -1) <= 0)
			err(1, "poll");
		for (unsigned i = 0; i < copies; i++) {
			if (p[i].fd == -1 || p[i].revents == 0)
				continue;
			if (sendfile(to[i], source, &sent[i], CHUNK) < 0 &&
			    errno != EAGAIN)
				err(1, "sendfile");
			left -= (uint64_t)sent[i] == size;
		}
	}
}

static void
floor_clean(void)
{
	char path[WHAT_LEN_MAX];

	for (unsigned i = 0; i < COPIES; i++) {
		(void)snprintf(path, sizeof(path), "floor%u", i);
		(void)unlink(path);
		(void)snprintf(path, sizeof(path), "floor%u.tmp", i);
		(void)unlink(path);
	}
}

static double
floor_ms(const char *path, uint64_t size, unsigned copies, bool sync)
{
	int source = open(path, O_RDONLY | O_CLOEXEC), to[COPIES];
	uint16_t port;
	int listener = loopback_listen(&port);
	pid_t pids[COPIES];
	double began, took;

	deadline("the floor of store and request");
	if (source == -1)
		err(1, "%s", path);
	for (unsigned i = 0; i < copies; i++) {
		pids[i] = child_fork();
		if (pids[i] == 0)
			receive(loopback_connect(port), size, i, sync);
		to[i] =
		    accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (to[i] == -1)
			err(1, "accept");
	}
	began = now_ms();
	fan_out(source, size, to, copies);
	for (unsigned i = 0; i < copies; i++) {
		(void)fcntl(to[i], F_SETFL, 0);
		byte_await(to[i]);
	}
	took = now_ms() - began;
	for (unsigned i = 0; i < copies; i++) {
		(void)close(to[i]);
		(void)waitpid(pids[i], NULL, 0);
	}
	(void)close(listener);
	(void)close(source);
	floor_clean();
	return took;
}

static const char *
size_text(uint64_t size, char out[SIZE_TEXT])
{
	bool mib = size >= 1 << 20;

	(void)snprintf(out, SIZE_TEXT, "%u %s",
	    (unsigned)(mib ? size >> 20 : size >> 10), mib ? "MiB" : "KiB");
	return out;
}

struct setting {
	unsigned copies;
	bool sync;
};

static void
row(const char *what, const struct setting *s, uint64_t size, double speed_min,
    const struct series *measured, const struct series *floor)
{
	struct row r = {.unit = UNIT_MS, .bytes = size};
	char text[SIZE_TEXT];

	if (size == 256 << 20)
		r.speed_min = speed_min;
	(void)snprintf(r.what, sizeof(r.what), "%s %s, %u %s%s", what,
	    size_text(size, text), s->copies,
	    s->copies == 1 ? "copy" : "copies", s->sync ? "" : ", no sync");
	report_row(&r, measured, floor);
}

static void
measure(const struct setting *s, uint64_t size, unsigned rounds)
{
	struct series store = {0}, store_floor = {0};
	struct series request = {0}, request_floor = {0};

	source_write("source", size);
	for (unsigned i = 0; i < rounds; i++) {
		unsigned name = fresh_name();

		/* What freed memory costs belongs to nobody's time. */
		sleep_ms((unsigned)(size >> 20));
		series_add(
		    &store_floor, floor_ms("source", size, s->copies, s->sync));
		series_add(&store,
		    ringctl_ms("exec %d store %04u source", INGRESS, name));
		series_add(&request_floor, floor_ms("source", size, 1, false));
		series_add(&request,
		    ringctl_ms("exec %d request %04u got", ASKER, name));
		(void)unlink("got");
		(void)ringctl_ms("exec %d remove %04u", OWNER, name);
	}
	(void)unlink("source");
	row("store", s, size, s->copies == 3 ? 50 : 0, &store, &store_floor);
	row("request", s, size, 60, &request, &request_floor);
}

static void
measure_ring(const struct setting *s)
{
	static const uint64_t sizes[] = {4 << 10, 1 << 20, 256 << 20};
	static const unsigned rounds[] = {31, 21, 7};
	char directives[WHAT_LEN_MAX];
	struct ring r;

	(void)snprintf(directives, sizeof(directives), "copies %u\nsync %s",
	    s->copies, s->sync ? "yes" : "no");
	ring_init(&r, 7, directives);
	(void)ring_up(&r);
	names = 0;
	for (size_t i = s->sync ? 0 : 2; i < 3; i++) {
		uint64_t size = sizes[i];

		if (bench.quick && size > QUICK_SIZE)
			size = QUICK_SIZE;
		measure(s, size, bench_rounds(rounds[i], 2));
	}
	(void)ring_down(&r);
	ring_wipe(&r);
}

void
bench_files(void)
{
	static const struct setting settings[] = {
	    {1, true}, {3, true}, {1, false}, {3, false}};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		measure_ring(&settings[i]);
}
