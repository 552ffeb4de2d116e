#include <sys/epoll.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "peer/conn.h"
#include "peer/drive.h"

/*
 * Who connects to us: bounded. To keep a peer out, strangers must connect
 * TCP_FRESH_MAX times while it shakes hands, whatever they say.
 */

/* Room for one more: the oldest goes. */
static void
evict(struct driver *d)
{
	if (d->tcp.fresh_count < TCP_FRESH_MAX)
		return;
	d->dropped++;
	tcp_kill(TAILQ_FIRST(&d->tcp.fresh));
}

static void
accepted(struct driver *d, int fd)
{
	struct tcp *t = &d->tcp;
	struct tcp_conn *c;
	int one = 1;

	evict(d);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c = tcp_new(d, fd, CONN_INBOUND | t->next_inbound++);
	c->state = TCP_ACCEPTED;
	c->inbound = c->fresh = true;
	TAILQ_INSERT_TAIL(&t->fresh, c, fresh_link);
	t->fresh_count++;
	timer_start(&d->loop, &c->timer, d->loop.now_us + HANDSHAKE_US);
}

static void
open_spare(struct tcp *t)
{
	if (t->spare_fd == -1)
		t->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Whoever waits is told so by a hang-up, instead of waiting for ever. */
static void
turn_away(struct driver *d)
{
	struct tcp *t = &d->tcp;
	int fd = -1;

	d->dropped++;
	if (t->spare_fd != -1) {
		close(t->spare_fd);
		t->spare_fd = -1;
		fd = accept(t->listener.fd, NULL, NULL);
		if (fd != -1)
			close(fd);
		open_spare(t);
	}
	if (fd == -1 || t->spare_fd == -1) {
		loop_set(&d->loop, &t->listener, 0);
		timer_start(&d->loop, &t->accept_timer,
		    d->loop.now_us + ACCEPT_PAUSE_US);
	}
}

static void
accept_again(struct timer *timer)
{
	struct tcp *t = CONTAINER(timer, struct tcp, accept_timer);
	struct driver *d = CONTAINER(t, struct driver, tcp);

	open_spare(t);
	loop_set(&d->loop, &t->listener, EPOLLIN);
}

static void
on_listener(struct source *s, uint32_t events)
{
	struct tcp *t = CONTAINER(s, struct tcp, listener);
	struct driver *d = CONTAINER(t, struct driver, tcp);

	(void)events;
	for (int i = 0; i < TCP_ACCEPTS_MAX; i++) {
		int fd =
		    accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd == -1 && (errno == EMFILE || errno == ENFILE ||
				    errno == ENOBUFS || errno == ENOMEM)) {
			turn_away(d);
			return;
		}
		if (fd == -1 && errno == EAGAIN)
			return;
		if (fd == -1)
			continue;
		if (t->alive >= TCP_CONNS_MAX) {
			d->dropped++;
			close(fd);
			continue;
		}
		accepted(d, fd);
	}
}

int
tcp_listen(struct driver *d)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(d->addr.ip),
	    .sin_port = htons(d->addr.port)};
	struct tcp *t = &d->tcp;
	int fd, one = 1;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, TCP_BACKLOG) == -1 ||
	    loop_add(&d->loop, &t->listener, fd, EPOLLIN, on_listener) == -1) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	open_spare(t);
	return 0;
}

void
tcp_init(struct driver *d)
{
	struct tcp *t = &d->tcp;

	*t = (struct tcp){.listener = {.fd = -1}, .spare_fd = -1};
	TAILQ_INIT(&t->fresh);
	STAILQ_INIT(&t->touched);
	timer_init(&t->accept_timer, accept_again);
	timer_init(&t->mark_timer, tcp_marks_due);
}

void
tcp_free(struct driver *d)
{
	struct tcp *t = &d->tcp;
	int fd = t->listener.fd;

	for (size_t i = 0; i < HANDLE_BUCKETS; i++)
		while (t->table.bucket[i] != NULL)
			tcp_kill(CONTAINER(
			    t->table.bucket[i], struct tcp_conn, handle));
	tcp_settle(d);
	timer_stop(&d->loop, &t->accept_timer);
	timer_stop(&d->loop, &t->mark_timer);
	loop_del(&d->loop, &t->listener);
	if (fd != -1)
		close(fd);
	if (t->spare_fd != -1)
		close(t->spare_fd);
	free(t->scratch);
}
