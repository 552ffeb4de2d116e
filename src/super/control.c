#include <sys/epoll.h>
#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/unix.h"
#include "super/client.h"

enum {
	ACCEPTS_MAX = 16, /* in a turn */
	LAST_WORDS_MS = 1000, /* for clients to read them */
	ACCEPT_PAUSE_US = 100000, /* when there is no room for a client */
	IDLE_MIN_US = 1000000, /* one that said nothing may be dropped */
};

static void client_ready(struct source *, uint32_t events);

void
client_drop(struct client *c)
{
	if (c->gone)
		return;
	/* Freed at the end of the turn: callers may still look at it. */
	c->gone = true;
	if (c->busy && c->row->cancel != NULL)
		c->row->cancel(c);
	c->busy = false;
	loop_del(&c->super->loop, &c->source);
	timer_stop(&c->super->loop, &c->timer);
	close(c->fd);
	c->fd = -1;
	if (c->reading)
		journal_reader_close(&c->reader);
	c->reading = false;
	outlet_free(&c->outlet);
	c->super->client_count--;
}

/* Too much is queued: who lets most of it wait goes, whoever sends now. */
static void
relieve(struct super *s)
{
	struct client *c, *fullest = NULL;

	s->queued = 0;
	for (c = s->clients; c != NULL; c = c->next) {
		s->queued += outlet_used(&c->outlet);
		if (!c->gone &&
		    (fullest == NULL || outlet_used(&c->outlet) >
					    outlet_used(&fullest->outlet)))
			fullest = c;
	}
	if (s->queued > QUEUES_MAX && fullest != NULL)
		client_drop(fullest);
}

void
client_send(struct client *c, const struct message *m)
{
	size_t before = outlet_used(&c->outlet);

	if (c->super->queued > QUEUES_MAX)
		relieve(c->super);
	if (c->gone)
		return;
	/* One that does not read costs nobody anything. */
	if (outlet_put(&c->outlet, m) == -1) {
		client_drop(c);
		return;
	}
	c->super->queued += outlet_used(&c->outlet) - before;
}

static void
welcome(struct client *c)
{
	static struct message m;
	const struct config *config = &c->super->config;

	m.type = MSG_welcome;
	memset(&m.welcome, 0, sizeof(m.welcome));
	text_set(&m.welcome.ring, config->ring);
	m.welcome.pid = (uint32_t)getpid();
	m.welcome.bits = config->bits;
	m.welcome.any_names = config->any_names;
	m.welcome.route = config->route;
	m.welcome.copies = config->copies;
	m.welcome.port = config->port;
	client_send(c, &m);
}

static void
refuse(int fd, const char *why)
{
	static struct message m;
	struct outlet out;

	m.type = MSG_result;
	memset(&m.result, 0, sizeof(m.result));
	m.result.exit = EXIT_FAILED;
	text_set(&m.result.text, why);
	outlet_init(&out, CLIENT_QUEUE_MAX);
	outlet_put(&out, &m);
	outlet_write(&out, fd);
	outlet_free(&out);
	close(fd);
}

/* Makes room by dropping who has been idle longest; false: all are busy. */
static bool
make_room(struct super *s)
{
	struct client *c, *oldest = NULL;

	if (s->client_count < CLIENTS_MAX)
		return true;
	for (c = s->clients; c != NULL; c = c->next)
		if (!c->gone && !c->busy &&
		    s->loop.now_us - c->idle_us > IDLE_MIN_US &&
		    (oldest == NULL || c->idle_us < oldest->idle_us))
			oldest = c;
	if (oldest != NULL)
		client_drop(oldest);
	return oldest != NULL;
}

static void
client_new(struct super *s, int fd)
{
	struct client *c;

	if (!unix_is_ours(fd)) {
		refuse(fd, "this ring is another user's");
		return;
	}
	if (!make_room(s)) {
		refuse(fd, "too many clients at once (1024): try again later");
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->super = s;
	c->fd = fd;
	c->idle_us = s->loop.now_us;
	outlet_init(&c->outlet, CLIENT_QUEUE_MAX);
	timer_init(&c->timer, call_fire);
	if (loop_add(&s->loop, &c->source, fd, EPOLLIN | EPOLLRDHUP,
		client_ready) == -1) {
		free(c);
		refuse(fd, "no room for another client");
		return;
	}
	c->next = s->clients;
	s->clients = c;
	s->client_count++;
	welcome(c);
}

static void
open_spare(struct super *s)
{
	if (s->spare_fd == -1)
		s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* No descriptor is left: the spare one serves to say so. */
static void
refuse_for_want(struct super *s)
{
	int fd = -1;

	if (s->spare_fd != -1) {
		close(s->spare_fd);
		s->spare_fd = -1;
		fd = accept4(
		    s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1)
			refuse(fd, "no descriptors left for another client");
		open_spare(s);
	}
	/* Else the listener would be ready again at once, for nothing. */
	if (fd == -1 || s->spare_fd == -1) {
		loop_set(&s->loop, &s->listener, 0);
		timer_start(&s->loop, &s->accept_timer,
		    s->loop.now_us + ACCEPT_PAUSE_US);
	}
}

void
control_accept_again(struct timer *t)
{
	struct super *s = CONTAINER(t, struct super, accept_timer);

	open_spare(s);
	loop_set(&s->loop, &s->listener, EPOLLIN);
}

void
control_accept(struct source *source, uint32_t events)
{
	struct super *s = CONTAINER(source, struct super, listener);

	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int fd = accept4(
		    s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd == -1 && (errno == EMFILE || errno == ENFILE ||
				    errno == ENOBUFS || errno == ENOMEM))
			refuse_for_want(s);
		if (fd == -1)
			return;
		client_new(s, fd);
	}
}

/* It has to read before more is done for it. */
static bool
is_full(const struct client *c)
{
	return outlet_used(&c->outlet) > STREAM_AHEAD;
}

static void
client_take(struct client *c)
{
	static struct message m;
	int rc = 0;

	/* Further calls wait until this one has its result. */
	while (!c->gone && !c->busy && !is_full(c) &&
	       (rc = inlet_next(&c->inlet, &m)) == 1) {
		if (m.type != MSG_call) {
			rc = -1;
			break;
		}
		call_begin(c, &m.call);
	}
	if (rc == -1)
		client_drop(c);
}

static void
client_ready(struct source *source, uint32_t events)
{
	struct client *c = CONTAINER(source, struct client, source);

	if ((events & EPOLLOUT) != 0 && outlet_write(&c->outlet, c->fd) == -1) {
		client_drop(c);
		return;
	}
	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
		client_drop(c);
		return;
	}
	if ((events & EPOLLIN) == 0)
		return;
	if (c->busy || is_full(c)) {
		c->ahead = true;
		return;
	}
	if (inlet_fill(&c->inlet, c->fd) != 1 && errno != EAGAIN) {
		client_drop(c);
		return;
	}
	client_take(c);
}

void
control_settle(struct super *s)
{
	for (struct client *c = s->clients; c != NULL; c = c->next)
		if (!c->gone && c->busy && c->row->settle != NULL)
			c->row->settle(c);
}

void
control_pump(struct super *s)
{
	for (struct client *c = s->clients; c != NULL; c = c->next)
		if (!c->gone && c->busy && c->reading)
			stream_pump(c);
	control_turn(s);
}

static void
client_free(struct client *c)
{
	assert(c->gone && c->fd == -1);
	inlet_free(&c->inlet);
	outlet_free(&c->outlet);
	free(c);
}

static void
client_turn(struct client *c)
{
	uint32_t events = EPOLLRDHUP;
	bool full;

	/* What it took now may make room for calls that came long ago. */
	do {
		client_take(c);
		full = is_full(c);
		if (!c->gone && outlet_write(&c->outlet, c->fd) == -1)
			client_drop(c);
		if (c->gone)
			return;
	} while (full && !is_full(c));
	if (c->reading && outlet_used(&c->outlet) == 0 && c->behind)
		timer_start(&c->super->loop, &c->timer, 0);
	if (c->check != NULL && outlet_used(&c->outlet) == 0)
		check_drained(c);
	if (!c->busy && !is_full(c))
		c->ahead = false;
	/* Most say nothing more until they have their result. */
	if (!c->ahead)
		events |= EPOLLIN;
	if (outlet_used(&c->outlet) > 0)
		events |= EPOLLOUT;
	loop_set(&c->super->loop, &c->source, events);
	c->super->queued += outlet_used(&c->outlet);
}

void
control_turn(struct super *s)
{
	struct client **link = &s->clients, *c;

	s->queued = 0;
	while ((c = *link) != NULL) {
		if (!c->gone)
			client_turn(c);
		if (c->gone) {
			*link = c->next;
			client_free(c);
		} else {
			link = &c->next;
		}
	}
}

/* A little time for the last words to be taken. */
static void
linger(struct super *s)
{
	uint64_t end = clock_us() + LAST_WORDS_MS * 1000;

	for (struct client *c = s->clients; c != NULL; c = c->next) {
		while (!c->gone && outlet_used(&c->outlet) > 0 &&
		       clock_us() < end) {
			struct pollfd p = {.fd = c->fd, .events = POLLOUT};

			poll(&p, 1, (int)((end - clock_us()) / 1000) + 1);
			if (outlet_write(&c->outlet, c->fd) == -1)
				break;
		}
	}
}

void
control_end(struct super *s)
{
	struct client *c;

	for (c = s->clients; c != NULL; c = c->next)
		if (!c->gone && c->busy)
			call_end(c);
	linger(s);
	for (c = s->clients; c != NULL; c = c->next)
		client_drop(c);
	control_turn(s);
	assert(s->clients == NULL && s->client_count == 0);
}
