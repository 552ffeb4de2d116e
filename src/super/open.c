#include <sys/stat.h>

#include <assert.h>
#include <bsd/libutil.h>
#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/key.h"
#include "os/log.h"
#include "os/process.h"
#include "os/unix.h"
#include "super/client.h"

enum {
	STDERR_MAX = 1 << 20, /* bytes; then it begins anew */
	ANSWER_MS = 2000, /* for a supervisor to say that it is there */
};

static int
refuse(struct msg_result *result, int exit, const char *why)
{
	result->exit = (uint8_t)exit;
	text_set(&result->text, why);
	return -1;
}

/* Who is up? The lock's owner has written its pid into it. */
static int
is_up(struct super *s, struct msg_result *result)
{
	char text[TEXT_LEN_MAX + 1], pid[16] = "";
	int fd = open(s->lock_path.text, O_RDONLY | O_CLOEXEC);

	if (fd != -1) {
		ssize_t n = read(fd, pid, sizeof(pid) - 1);

		pid[n > 0 ? n : 0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		close(fd);
	}
	snprintf(text, sizeof(text), "ring %s is up already%s%s%s",
	    s->config.ring, pid[0] ? " (pid " : "", pid, pid[0] ? ")" : "");
	return refuse(result, EXIT_UP_ALREADY, text);
}

/* Does a supervisor say welcome there? */
static bool
answers(const struct super *s)
{
	struct pollfd p = {.events = POLLIN};
	char byte;
	bool yes;

	p.fd = unix_connect(s->socket_path.text, ANSWER_MS);
	/* One whose queue stays full is there, but busy. */
	if (p.fd == -1)
		return errno == ETIMEDOUT;
	yes = poll(&p, 1, ANSWER_MS) == 0 || read(p.fd, &byte, 1) == 1;
	close(p.fd);
	return yes;
}

/*
 * One that holds the lock and answers nobody is about to die, or has not
 * opened its socket yet.
 */
static int
take_lock(struct super *s)
{
	const struct timespec step = {.tv_nsec = 5000000};
	uint64_t end = clock_us() + ANSWER_MS * 1000;

	for (;;) {
		s->lock_fd = flopen(s->lock_path.text,
		    O_RDWR | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0600);
		if (s->lock_fd != -1 || errno != EWOULDBLOCK)
			return s->lock_fd;
		if (answers(s) || clock_us() > end)
			break;
		nanosleep(&step, NULL);
	}
	errno = EWOULDBLOCK;
	return -1;
}

/* Lock first; then a socket that nobody answers is stale. */
static int
open_lock(struct super *s, struct msg_result *result)
{
	char pid[16];
	int len;

	if (take_lock(s) == -1 && errno == EWOULDBLOCK)
		return is_up(s, result);
	if (s->lock_fd == -1) {
		char text[TEXT_LEN_MAX + 1];

		snprintf(text, sizeof(text), "%.400s: %s", s->lock_path.text,
		    strerror(errno));
		return refuse(result, EXIT_FAILED, text);
	}
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (write(s->lock_fd, pid, (size_t)len) != len)
		log_warn("%s", s->lock_path.text);
	if (answers(s))
		return is_up(s, result);
	unlink(s->socket_path.text);
	return 0;
}

static int
open_data(struct super *s, struct why *why)
{
	const char *ring = s->config.ring, *data = s->config.data;

	if (config_data(&s->config, &s->data, why) == -1 ||
	    roster_open(&s->roster, s->data.text, &s->config, why) == -1)
		return -1;
	if (journal_open(&s->events, s->data.text, JOURNAL_EVENTS, why) == -1 ||
	    journal_open(&s->lines, s->data.text, JOURNAL_LINES, why) == -1)
		return -1;
	/* Only for `events` and `wipe` of a ring that is down. */
	if (paths_data_remember(
		ring, data[0] != '\0' ? s->data.text : NULL, why) == -1)
		log_warnx("%s", why->text);
	return 0;
}

/* What a process says before it aborts must be found somewhere. */
static int
open_stderr(const struct super *s, struct why *why)
{
	char path[PATH_LEN_MAX + 32];
	struct stat st;
	int fd;

	if (s->foreground)
		return 0;
	snprintf(path, sizeof(path), "%s/journal/stderr", s->data.text);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1)
		return why_set(why, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && st.st_size > STDERR_MAX &&
	    ftruncate(fd, 0) == -1)
		log_warn("%s", path);
	if (dup2(fd, STDERR_FILENO) == -1)
		why_set(why, "%s: %s", path, strerror(errno));
	close(fd);
	log_stamps();
	return 0;
}

static void
warn(struct super *s, const char *text)
{
	static struct message m;
	struct outlet out;

	if (s->start_fd == -1) {
		log_warnx("%s", text);
		return;
	}
	m.type = MSG_line;
	text_set(&m.line.text, text);
	outlet_init(&out, CLIENT_QUEUE_MAX);
	outlet_put(&out, &m);
	outlet_write(&out, s->start_fd);
	outlet_free(&out);
}

/* The system may give one of our ports to any outgoing connection. */
static void
warn_of_ports(struct super *s)
{
	const char *path = "/proc/sys/net/ipv4/ip_local_port_range";
	unsigned low, high, first, last = 0;
	char text[TEXT_LEN_MAX + 1];
	FILE *f = fopen(path, "re");
	int id, n;

	if (f == NULL)
		return;
	n = fscanf(f, "%u %u", &low, &high);
	fclose(f);
	id = idset_next(&s->config.peers, 0);
	if (n != 2 || id == -1)
		return;
	first = s->config.port + (unsigned)id;
	for (; id != -1; id = idset_next(&s->config.peers, (unsigned)id + 1))
		last = s->config.port + (unsigned)id;
	if (last < low || first > high)
		return;
	snprintf(text, sizeof(text),
	    "warning: ports %u-%u overlap %u-%u, from which the system picks "
	    "ports for outgoing connections (%s); a peer may find its own "
	    "taken: choose a lower `port`",
	    first, last, low, high, path);
	warn(s, text);
}

static int
open_limits(struct super *s, struct why *why)
{
	unsigned long peers =
	    idset_count(&s->config.peers) + idset_count(&s->roster.joined);

	/* A pidfd and two pipes each; while one starts, two ends more. */
	if (process_limit_files(peers * 3 + FILES_SPARE, why) == -1)
		return -1;
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	warn_of_ports(s);
	return 0;
}

static int
open_socket(struct super *s, struct why *why)
{
	s->listen_fd = unix_listen(s->socket_path.text);
	if (s->listen_fd == -1)
		return why_set(
		    why, "%s: %s", s->socket_path.text, strerror(errno));
	return 0;
}

int
super_open(struct super *s, struct msg_result *result)
{
	const char *ring = s->config.ring;
	struct why why;

	s->listen_fd = s->lock_fd = s->spare_fd = s->signal_fd = -1;
	s->listener.fd = s->signals.fd = s->starter.fd = -1;
	s->roster.lock_fd = s->events.fd = s->lines.fd = -1;
	s->loop.epoll_fd = -1;
	s->next_op = s->next_serial = 1;
	random_seed(&s->random, (uint64_t)arc4random() << 32 | arc4random());
	if (paths_runtime_file(&s->lock_path, ring, ".lock", &why) == -1 ||
	    paths_runtime_file(&s->socket_path, ring, ".sock", &why) == -1)
		return refuse(result, EXIT_FAILED, why.text);
	if (open_lock(s, result) == -1)
		return -1;
	if (open_data(s, &why) == -1 || open_stderr(s, &why) == -1 ||
	    key_load(s->key, s->config.key, s->config.port, &why) == -1 ||
	    open_limits(s, &why) == -1 || open_socket(s, &why) == -1)
		return refuse(result, EXIT_FAILED, why.text);
	if (loop_init(&s->loop) == -1)
		return refuse(result, EXIT_FAILED, strerror(errno));
	return 0;
}

void
super_close(struct super *s)
{
	/* The lock is held until its ring has left no trace. */
	if (s->listen_fd != -1) {
		unlink(s->socket_path.text);
		close(s->listen_fd);
		s->listen_fd = -1;
	}
	journal_close(&s->events);
	journal_close(&s->lines);
	roster_close(&s->roster);
	if (s->lock_fd != -1) {
		unlink(s->lock_path.text);
		close(s->lock_fd);
		s->lock_fd = -1;
	}
}
