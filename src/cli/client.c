#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/client.h"
#include "os/loop.h"
#include "os/paths.h"
#include "os/unix.h"

enum { SIGNALS = 3 };

volatile int client_signal;

static const int signals[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
static bool caught; /* and blocked, but for waits */
static sigset_t while_waiting;

static void
on_signal(int number)
{
	client_signal = number;
}

static void catch (int number)
{
	/* Without SA_RESTART: what waits must end. */
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

void
client_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < SIGNALS; i++) {
		catch (signals[i]);
		sigaddset(&set, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &set, &while_waiting);
	caught = true;
}

void
client_signals_end(void)
{
	if (!caught)
		return;
	for (int i = 0; i < SIGNALS; i++)
		signal(signals[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, &while_waiting, NULL);
	caught = false;
}

static uint64_t
deadline_after(uint32_t timeout_ms)
{
	return timeout_ms ? clock_us() + (uint64_t)timeout_ms * 1000
			  : UINT64_MAX;
}

/*
 * Waits for the socket: 0, or -1 with errno. Without a deadline also EPIPE,
 * when whoever reads the output is gone: it may be long until it is written.
 */
static int
wait_for(struct client *c, short events, uint64_t deadline)
{
	struct pollfd p[] = {
	    {.fd = c->fd, .events = events}, {.fd = STDOUT_FILENO}};
	uint64_t now = clock_us(), left = deadline > now ? deadline - now : 0;
	struct timespec time = {.tv_sec = (time_t)(left / 1000000),
	    .tv_nsec = (long)(left % 1000000 * 1000)};
	int n;

	n = ppoll(p, deadline == UINT64_MAX ? 2 : 1,
	    deadline == UINT64_MAX ? NULL : &time,
	    caught ? &while_waiting : NULL);
	if (n == 0)
		errno = ETIMEDOUT;
	if (n > 0 && p[0].revents == 0 && (p[1].revents & POLLERR) != 0) {
		errno = EPIPE;
		return -1;
	}
	return n > 0 ? 0 : -1;
}

int
client_open(
    struct client *c, const char *ring, uint32_t timeout_ms, struct why *why)
{
	struct path_buf path;
	struct message m;
	int got;

	assert(timeout_ms > 0);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	if (strlen(ring) >= sizeof(c->ring)) {
		errno = ENOENT;
		return why_set(why, "no ring has so long a name");
	}
	memcpy(c->ring, ring, strlen(ring));
	if (paths_runtime_file(&path, ring, ".sock", why) != 0) {
		errno = EACCES;
		return -1;
	}
	c->fd = unix_connect(path.text, timeout_ms);
	if (c->fd == -1) {
		why_set(why, "%s: %s", path.text, strerror(errno));
		if (errno == ETIMEDOUT)
			why_set(why, "its supervisor takes no more clients");
		return -1;
	}
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	got = client_next(c, &m, timeout_ms);
	if (got == 1 && m.type == MSG_welcome) {
		c->welcome = m.welcome;
		return 0;
	}
	if (got == 1 && m.type == MSG_result) {
		errno = EBUSY;
		why_set(why, "%s", m.result.text.text);
	} else if (got >= 0) {
		errno = got == 0 ? ECONNREFUSED : EPROTO;
		why_set(why, "its supervisor hung up");
	} else if (errno == ETIMEDOUT) {
		why_set(why, "its supervisor does not answer");
	} else {
		why_set(why, "its supervisor: %s", strerror(errno));
	}
	got = errno;
	client_close(c);
	errno = got;
	return -1;
}

void
client_close(struct client *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

int
client_call(struct client *c, const struct msg_call *call, uint32_t timeout_ms)
{
	static uint8_t out[FRAME_LEN_MAX];
	struct message m = {.type = MSG_call, .call = *call};
	size_t len = frame_encode(&m, out, sizeof(out)), sent = 0;
	uint64_t deadline = deadline_after(timeout_ms);

	assert(len > 0);
	while (sent < len) {
		ssize_t n = send(c->fd, out + sent, len - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return -1;
		else if (wait_for(c, POLLOUT, deadline) != 0)
			return -1;
	}
	return 0;
}

/* Takes a message from what was read: 1, 0: none is whole, -1. */
static int
take(struct client *c, struct message *m)
{
	long used = frame_decode(m, c->in + c->start, c->end - c->start);

	if (used < 0) {
		errno = EPROTO;
		return -1;
	}
	c->start += (size_t)used;
	return used > 0;
}

int
client_next(struct client *c, struct message *m, uint32_t timeout_ms)
{
	uint64_t deadline = deadline_after(timeout_ms);

	for (;;) {
		int got = take(c, m);
		ssize_t n;

		if (got != 0)
			return got;
		memmove(c->in, c->in + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
		assert(c->end < sizeof(c->in));
		n = recv(c->fd, c->in + c->end, sizeof(c->in) - c->end, 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return 0;
		if (n > 0)
			c->end += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return -1;
		else if (wait_for(c, POLLIN, deadline) != 0)
			return -1;
	}
}
