/*
 * One master and two replicas. A put is SET and WAIT 2, sent in one write,
 * and both answers; a get is GET at the master. Its client is on a Unix
 * socket, as the ring's is.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "os/unix.h"

enum {
	PORT_AT = 30, /* of ours; no peer of our rings has it */
	LOOK_MS = 20,
	COUNT_AT = 6, /* in put_done */
};

static const char put_done[] = "+OK\r\n:2\r\n";

static int
redis_open(const struct target *t)
{
	int fd;

	/* Between bind and listen its name is there and refuses. */
	while ((fd = unix_connect(t->path, WAIT_SECONDS * 1000)) == -1) {
		if (errno != ECONNREFUSED)
			err(1, "%s", t->path);
		sleep_ms(LOOK_MS);
	}
	return fd;
}

static size_t
redis_encode(struct lane *l, uint8_t out[LANE_ROOM])
{
	static const char wait[] =
	    "\r\n*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$5\r\n20000\r\n";
	const struct operation *op = &l->op;
	char *at = (char *)out;
	size_t n;

	if (!op->put)
		return (size_t)snprintf(
		    at, LANE_ROOM, "*2\r\n$3\r\nGET\r\n$4\r\n%s\r\n", op->name);
	n = (size_t)snprintf(at, LANE_ROOM,
	    "*3\r\n$3\r\nSET\r\n$4\r\n%s\r\n$%d\r\n", op->name, VALUE_LEN);
	memcpy(at + n, load_values[op->value], VALUE_LEN);
	n += VALUE_LEN;
	memcpy(at + n, wait, sizeof(wait) - 1);
	return n + sizeof(wait) - 1;
}

static size_t
redis_decode(struct lane *l, bool *done)
{
	char head[WHAT_LEN_MAX];
	size_t n, want = sizeof(put_done) - 1;

	(void)snprintf(head, sizeof(head), "$%d\r\n", VALUE_LEN);
	n = l->op.put ? want : strlen(head);
	if (!l->op.put)
		want = n + VALUE_LEN + 2;
	if (l->len < n)
		return 0;
	/* Fewer replicas than asked for. */
	if (l->op.put && memcmp(l->in, put_done, COUNT_AT) == 0)
		l->refused = memcmp(l->in, put_done, n) != 0;
	else if (memcmp(l->in, l->op.put ? put_done : head, n) != 0)
		errx(1, "redis: %.*s", (int)(l->len < 80 ? l->len : 80),
		    (char *)l->in);
	*done = l->len >= want;
	return *done ? want : 0;
}

/* Until both replicas take part. */
static void
await_replicas(const struct service *s, const struct target *t)
{
	static const char put[] = "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\ny\r\n"
				  "*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$2\r\n50\r\n";
	char in[sizeof(put_done)];
	size_t len;
	int fd;

	deadline("redis and its replicas");
	while (access(t->path, F_OK) != 0)
		service_wait(s);
	fd = redis_open(t);
	do {
		service_wait(s);
		load_send(fd, put, sizeof(put) - 1);
		for (len = 0; len < sizeof(put_done) - 1;) {
			ssize_t n = read(fd, in + len, sizeof(in) - 1 - len);

			if (n <= 0)
				errx(1, "redis hung up");
			len += (size_t)n;
		}
	} while (memcmp(in, put_done, len) != 0);
	(void)close(fd);
}

bool
redis_start(struct service *s, struct target *t, bool always)
{
	const char *program = getenv("REDIS_SERVER");
	char master[WHAT_LEN_MAX] = "", note[NOTE_LEN_MAX];
	unsigned port = bench.port + PORT_AT;

	if (!service_find(
		s, "redis", program != NULL ? program : "redis-server"))
		return false;
	*t = (struct target){.name = always ? "redis always" : "redis everysec",
	    .open = redis_open,
	    .encode = redis_encode,
	    .decode = redis_decode,
	    .path = "redis0/sock"};
	for (unsigned i = 0; i < SERVICE_COPIES; i++) {
		service_start(s, i,
		    "--port %u --bind 127.0.0.1 --unixsocket sock "
		    "--daemonize no --appendonly yes --appendfsync %s "
		    "--repl-diskless-sync-delay 0%s",
		    port + i, always ? "always" : "everysec", master);
		(void)snprintf(
		    master, sizeof(master), " --replicaof 127.0.0.1 %u", port);
	}
	await_replicas(s, t);
	(void)snprintf(note, sizeof(note),
	    "redis %s: SET + WAIT 2 at the master of three", s->version);
	report_note(note);
	if (always)
		report_note("WAIT does not wait for the replicas' disks: only "
			    "the master's flush is in redis's put");
	return true;
}
