#include <sys/epoll.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "peer/conn.h"
#include "peer/drive.h"

struct tcp_conn *
tcp_find(struct driver *d, uint32_t handle)
{
	struct handle *h = handle_find(&d->tcp.table, handle);

	return h == NULL ? NULL : CONTAINER(h, struct tcp_conn, handle);
}

void
tcp_touch(struct tcp_conn *c)
{
	if (c->touched)
		return;
	c->touched = true;
	STAILQ_INSERT_TAIL(&c->driver->tcp.touched, c, touched_link);
}

static void
not_fresh(struct tcp_conn *c)
{
	struct tcp *t = &c->driver->tcp;

	if (!c->fresh)
		return;
	c->fresh = false;
	TAILQ_REMOVE(&t->fresh, c, fresh_link);
	t->fresh_count--;
}

void
tcp_kill(struct tcp_conn *c)
{
	struct driver *d = c->driver;

	if (c->state == TCP_DEAD)
		return;
	c->state = TCP_DEAD;
	loop_del(&d->loop, &c->source);
	timer_stop(&d->loop, &c->timer);
	handle_del(&d->tcp.table, &c->handle);
	not_fresh(c);
	/* A helper that still uses it must not find another file there. */
	if (c->fd != -1)
		shutdown(c->fd, SHUT_RDWR);
	tcp_touch(c);
}

void
tcp_fail(struct tcp_conn *c, enum close_reason reason)
{
	bool known = !c->inbound || c->state == TCP_OPEN;
	struct event ev = {.type = EV_CONN_CLOSED,
	    .conn = c->handle.id,
	    .reason = (uint8_t)reason};

	if (c->state == TCP_DEAD)
		return;
	if (reason == CLOSE_REJECTED || (c->fresh && reason == CLOSE_TIMEOUT))
		c->driver->dropped++;
	if (known && !c->closing && c->state != TCP_DRAINING)
		drive_defer(c->driver, &ev, NULL);
	tcp_kill(c);
}

static void
reap(struct tcp_conn *c)
{
	if (c->rx.state == TRANSFER_RUNNING || c->tx.state == TRANSFER_RUNNING)
		return;
	transfer_end(&c->rx);
	transfer_end(&c->tx);
	tcp_drop_queue(c);
	/* At once: a process that is gone must look gone. */
	if (c->fd != -1)
		close(c->fd);
	c->driver->tcp.alive--;
	free(c->in);
	free(c);
}

static bool
waits_for_socket(const struct tcp_conn *c)
{
	if (c->state != TCP_OPEN)
		return false;
	return c->rx.state == TRANSFER_SOCKET || c->blocked ||
	       c->tx.state == TRANSFER_SOCKET;
}

static void
fire(struct timer *t)
{
	struct tcp_conn *c = CONTAINER(t, struct tcp_conn, timer);
	struct event ev = {.type = EV_CONN_STALLED, .conn = c->handle.id};
	struct loop *l = &c->driver->loop;

	tcp_touch(c);
	if (c->state == TCP_DRAINING) {
		tcp_kill(c);
		return;
	}
	if (c->state < TCP_OPEN) {
		tcp_fail(c, CLOSE_TIMEOUT);
		return;
	}
	if (!waits_for_socket(c) || l->now_us < c->moved_us + STALL_US)
		return;
	c->moved_us = l->now_us;
	drive_event(c->driver, &ev);
}

struct tcp_conn *
tcp_new(struct driver *d, int fd, uint32_t handle)
{
	struct tcp_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->driver = d;
	c->fd = fd;
	c->source.fd = -1;
	TAILQ_INIT(&c->out);
	timer_init(&c->timer, fire);
	transfer_init(&c->rx, c, false);
	transfer_init(&c->tx, c, true);
	c->rx.fd = c->tx.fd = fd;
	handle_add(&d->tcp.table, &c->handle, handle);
	d->tcp.alive++;
	tcp_touch(c);
	return c;
}

void
tcp_opened(struct tcp_conn *c)
{
	struct loop *l = &c->driver->loop;

	assert(c->state < TCP_OPEN);
	not_fresh(c);
	timer_stop(l, &c->timer);
	c->state = TCP_OPEN;
	tcp_touch(c);
	if (c->closing) {
		c->state = TCP_DRAINING;
		timer_start(l, &c->timer, l->now_us + DRAIN_US);
	}
}

static enum close_reason
reason_of(int err)
{
	switch (err) {
	case ECONNREFUSED:
		return CLOSE_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return CLOSE_HANGUP;
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return CLOSE_TIMEOUT;
	default:
		return CLOSE_LOCAL;
	}
}

static int
start_connect(struct tcp_conn *c, const struct addr *to)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(to->ip),
	    .sin_port = htons(to->port)};
	int one = 1;

	if (c->driver->tcp.alive > TCP_CONNS_MAX) {
		errno = EMFILE;
		return -1;
	}
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		return -1;
	c->rx.fd = c->tx.fd = c->fd;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 &&
	    errno != EINPROGRESS)
		return -1;
	return 0;
}

void
tcp_connect(struct driver *d, const struct action *a)
{
	struct tcp_conn *c = tcp_new(d, -1, a->conn);

	c->state = TCP_CONNECTING;
	c->expected = a->id;
	c->role = a->role;
	if (start_connect(c, &a->addr) == -1) {
		tcp_fail(c, reason_of(errno));
		return;
	}
	timer_start(&d->loop, &c->timer, d->loop.now_us + a->timeout_us);
}

static void
connected(struct tcp_conn *c)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		err = errno;
	if (err != 0)
		tcp_fail(c, reason_of(err));
	else
		handshake_start(c);
}

void
tcp_ready(struct source *s, uint32_t events)
{
	struct tcp_conn *c = CONTAINER(s, struct tcp_conn, source);
	bool bad = (events & (EPOLLERR | EPOLLHUP)) != 0;

	tcp_touch(c);
	if (c->state == TCP_CONNECTING) {
		connected(c);
		return;
	}
	if ((events & EPOLLOUT) != 0 || bad) {
		c->blocked = false;
		if (c->tx.state == TRANSFER_SOCKET)
			c->tx.state = TRANSFER_READY;
	}
	if ((s->events & EPOLLIN) != 0 && ((events & EPOLLIN) != 0 || bad)) {
		if (c->rx.state == TRANSFER_SOCKET)
			c->rx.state = TRANSFER_READY;
		else if (c->rx.state == TRANSFER_IDLE ||
			 c->state == TCP_DRAINING)
			tcp_read(c);
	} else if (bad && c->state != TCP_DEAD) {
		/* Nobody reads now: whoever does next will find out. */
		loop_del(&c->driver->loop, s);
	}
}

static uint32_t
wanted_events(const struct tcp_conn *c)
{
	uint32_t events = 0;

	if (c->state == TCP_CONNECTING)
		return EPOLLOUT;
	/* What a helper has sent is told before what that brings about. */
	if (c->state == TCP_OPEN && c->tx.state == TRANSFER_RUNNING)
		return c->blocked ? (uint32_t)EPOLLOUT : 0;
	if (c->rx.state == TRANSFER_IDLE || c->rx.state == TRANSFER_SOCKET ||
	    (c->state == TCP_DRAINING && c->rx.state != TRANSFER_RUNNING))
		events |= EPOLLIN;
	if (c->blocked || c->tx.state == TRANSFER_SOCKET)
		events |= EPOLLOUT;
	return events;
}

static void
watch(struct tcp_conn *c)
{
	struct loop *l = &c->driver->loop;
	uint32_t events = wanted_events(c);

	if (c->source.fd != -1)
		loop_set(l, &c->source, events);
	else if (events != 0 &&
		 loop_add(l, &c->source, c->fd, events, tcp_ready) == -1)
		tcp_fail(c, CLOSE_LOCAL);
	if (c->state != TCP_OPEN)
		return;
	if (!waits_for_socket(c)) {
		timer_stop(l, &c->timer);
	} else if (c->timer.index == -1) {
		if (c->moved_us + STALL_US < l->now_us)
			c->moved_us = l->now_us;
		timer_start(l, &c->timer, c->moved_us + STALL_US);
	}
}

/* Everything was flushed: our end is shut, the other one's is waited for. */
static void
drain(struct tcp_conn *c)
{
	if (c->rx.state != TRANSFER_RUNNING)
		transfer_end(&c->rx);
	if (!TAILQ_EMPTY(&c->out) || c->finished)
		return;
	c->finished = true;
	shutdown(c->fd, SHUT_WR);
}

static void
advance(struct tcp_conn *c)
{
	if ((c->state == TCP_OPEN && c->hurry) || c->state == TCP_DRAINING)
		tcp_flush(c);
	if (c->state == TCP_OPEN && c->rx.state == TRANSFER_READY) {
		c->rx.early = c->in;
		c->rx.early_len = c->in_len;
		transfer_go(&c->rx);
	}
	if (c->state == TCP_DRAINING)
		drain(c);
	if (c->state != TCP_DEAD)
		watch(c);
	/* Touched again, it is looked at again. */
	if (c->state == TCP_DEAD && !c->touched)
		reap(c);
}

void
tcp_settle(struct driver *d)
{
	struct tcp_conn *c;

	while ((c = STAILQ_FIRST(&d->tcp.touched)) != NULL) {
		STAILQ_REMOVE_HEAD(&d->tcp.touched, touched_link);
		c->touched = false;
		advance(c);
	}
}

static void
hurry(struct tcp_conn *c)
{
	c->hurry = true;
	tcp_touch(c);
}

/* Whether any connection has anything to send; all those may be hurried. */
static bool
any_queued(const struct driver *d, bool hurried)
{
	bool any = false;

	for (size_t i = 0; i < HANDLE_BUCKETS; i++) {
		struct handle *h = d->tcp.table.bucket[i];

		for (; h != NULL; h = h->next) {
			struct tcp_conn *c =
			    CONTAINER(h, struct tcp_conn, handle);

			if (TAILQ_EMPTY(&c->out))
				continue;
			any = true;
			if (hurried)
				hurry(c);
		}
	}
	return any;
}

void
tcp_marks_due(struct timer *t)
{
	any_queued(CONTAINER(t, struct driver, tcp.mark_timer), true);
}

/* Nobody waits for a mark: it need not wake the other end by itself. */
void
tcp_send(struct driver *d, const struct action *a, const uint8_t *data)
{
	struct tcp_conn *c = tcp_find(d, a->conn);
	struct timer *timer = &d->tcp.mark_timer;

	if (c == NULL || c->closing || c->state == TCP_DRAINING ||
	    tcp_queue_frame(c, data, a->len,
		a->file == 0 ? NULL : file_find(d, a->file)) == -1)
		return;
	if (data[0] != MSG_mark)
		hurry(c);
	else if (timer->index == -1)
		timer_start(&d->loop, timer, d->loop.now_us + TCP_MARK_US);
}

void
tcp_close(struct driver *d, const struct action *a)
{
	struct tcp_conn *c = tcp_find(d, a->conn);
	struct loop *l = &d->loop;

	drive_forget_conn(d, a->conn);
	if (c == NULL || c->state == TCP_DRAINING)
		return;
	tcp_touch(c);
	if (c->state == TCP_OPEN) {
		c->state = TCP_DRAINING;
		timer_start(l, &c->timer, l->now_us + DRAIN_US);
	} else if (TAILQ_EMPTY(&c->out)) {
		tcp_kill(c);
	} else {
		c->closing = true;
	}
}

bool
tcp_busy(const struct driver *d)
{
	return any_queued(d, false);
}
