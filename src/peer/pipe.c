#include <sys/epoll.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/drive.h"
#include "peer/records.h"
#include "wire/frame.h"

static bool
can_be_lost(unsigned type)
{
	return type == MSG_event || type == MSG_line;
}

static bool
reserve(struct pipe *p, size_t need)
{
	size_t room = p->room;
	uint8_t *queue;

	if (p->sent > 0) {
		memmove(p->queue, p->queue + p->sent, p->len - p->sent);
		p->len -= p->sent;
		p->sent = 0;
	}
	if (p->len + need <= room)
		return true;
	while (room < p->len + need)
		room = room == 0 ? 4096 : room * 2;
	queue = realloc(p->queue, room);
	if (queue == NULL)
		return false;
	p->queue = queue;
	p->room = room;
	return true;
}

static bool
can_wait(const struct message *m)
{
	return m->type == MSG_line ||
	       (m->type == MSG_event && event_kind_is_traffic(m->event.kind));
}

static bool
put(struct driver *d, const uint8_t *data, size_t len)
{
	struct pipe *p = &d->pipe;
	size_t waiting = p->len - p->sent, need = FRAME_HEADER + len;

	assert(len > 0 && len <= MESSAGE_LEN_MAX);
	if (p->out_fd == -1 ||
	    waiting + need >
		(can_be_lost(data[0]) ? PIPE_QUEUE_SOFT : PIPE_QUEUE_MAX) ||
	    (p->room - p->len < need && !reserve(p, need)))
		return false;
	frame_header(p->queue + p->len, len);
	memcpy(p->queue + p->len + FRAME_HEADER, data, len);
	p->len += need;
	return true;
}

bool
pipe_send_bytes(struct driver *d, const uint8_t *data, size_t len)
{
	d->pipe.hurry = true;
	return put(d, data, len);
}

bool
pipe_send(struct driver *d, const struct message *m)
{
	uint8_t data[MESSAGE_LEN_MAX];
	size_t len = message_encode(m, data, sizeof(data));

	assert(len > 0);
	d->pipe.hurry |= !can_wait(m);
	return put(d, data, len);
}

static void
gone(struct driver *d)
{
	d->pipe.closed = true;
	d->exiting = true;
	d->exit_code = EXIT_FAILED;
}

void
pipe_flush(struct driver *d)
{
	struct pipe *p = &d->pipe;

	while (p->sent < p->len) {
		ssize_t n =
		    write(p->out_fd, p->queue + p->sent, p->len - p->sent);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1) {
			gone(d);
			return;
		}
		p->sent += (size_t)n;
	}
	if (p->sent < p->len)
		return;
	free(p->queue);
	p->queue = NULL;
	p->sent = p->len = p->room = 0;
	p->hurry = false;
	timer_stop(&d->loop, &p->wait);
}

static void
on_wait(struct timer *t)
{
	CONTAINER(t, struct pipe, wait)->hurry = true;
}

/* Has what is queued waited long enough for more? */
static bool
is_due(struct driver *d)
{
	struct pipe *p = &d->pipe;

	if (p->hurry || d->exiting || p->len - p->sent >= PIPE_WAIT_BYTES)
		return true;
	if (p->sent < p->len && p->wait.index == -1)
		timer_start(&d->loop, &p->wait, d->loop.now_us + PIPE_WAIT_US);
	return false;
}

static void
on_writable(struct source *s, uint32_t events)
{
	struct pipe *p = CONTAINER(s, struct pipe, out);
	struct driver *d = CONTAINER(p, struct driver, pipe);

	if ((events & EPOLLERR) != 0)
		gone(d);
	else
		pipe_flush(d);
}

static void
send_members(struct driver *d, uint64_t op)
{
	struct message m = {.type = MSG_members};
	unsigned next = 0;

	m.members.op = op;
	m.members.hash = peer_view_hash(d->core);
	do {
		m.members.list.count = 0;
		m.members.last = !peer_members(d->core, &next, &m.members.list);
		pipe_send(d, &m);
	} while (!m.members.last);
}

static void
send_records(struct driver *d, const struct msg_records_ask *ask)
{
	struct message m = {.type = MSG_records};

	records_answer(&d->catalog, ask, &m.records);
	m.records.hash = peer_view_hash(d->core);
	pipe_send(d, &m);
}

static void
take_message(struct driver *d, const struct message *m)
{
	struct event ev = {.message = m};

	switch (m->type) {
	case MSG_command:
		ev.type = EV_COMMAND;
		ev.op = m->command.op;
		break;
	case MSG_cancel:
		ev.type = EV_CANCEL;
		ev.op = m->cancel.op;
		break;
	case MSG_freeze:
		ev.type = EV_FREEZE;
		ev.deadline_ms = m->freeze.deadline_ms;
		break;
	case MSG_members_ask:
		send_members(d, m->members_ask.op);
		return;
	case MSG_records_ask:
		send_records(d, &m->records_ask);
		return;
	default:
		gone(d);
		return;
	}
	drive_event(d, &ev);
}

static void
parse(struct driver *d, const uint8_t *data, size_t len)
{
	struct pipe *p = &d->pipe;
	struct message m;
	long n = 0;

	while (!d->exiting && (n = frame_decode(&m, data, len)) > 0) {
		data += n;
		len -= (size_t)n;
		take_message(d, &m);
	}
	if (n < 0) {
		gone(d);
		return;
	}
	free(p->unread);
	p->unread = len == 0 ? NULL : malloc(len);
	if (len > 0 && p->unread == NULL)
		abort();
	if (len > 0)
		memcpy(p->unread, data, len);
	p->unread_len = len;
}

static void
on_readable(struct source *s, uint32_t events)
{
	struct pipe *p = CONTAINER(s, struct pipe, in);
	struct driver *d = CONTAINER(p, struct driver, pipe);
	uint8_t *data = malloc(p->unread_len + PIPE_READ_BYTES);
	ssize_t n;

	(void)events;
	if (data == NULL)
		abort();
	if (p->unread_len > 0)
		memcpy(data, p->unread, p->unread_len);
	n = read(s->fd, data + p->unread_len, PIPE_READ_BYTES);
	if (n > 0)
		parse(d, data, p->unread_len + (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		gone(d);
	free(data);
}

static int
set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags == -1 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int
pipe_init(struct driver *d, int in, int out)
{
	struct pipe *p = &d->pipe;

	*p = (struct pipe){.in = {.fd = -1}, .out = {.fd = -1}, .out_fd = out};
	timer_init(&p->wait, on_wait);
	if (out != -1 && set_nonblocking(out) == -1)
		return -1;
	if (in == -1)
		return 0;
	if (set_nonblocking(in) == -1)
		return -1;
	return loop_add(&d->loop, &p->in, in, EPOLLIN, on_readable);
}

void
pipe_free(struct driver *d)
{
	struct pipe *p = &d->pipe;

	loop_del(&d->loop, &p->in);
	loop_del(&d->loop, &p->out);
	timer_stop(&d->loop, &p->wait);
	free(p->queue);
	free(p->unread);
	p->queue = p->unread = NULL;
	p->len = p->sent = p->room = p->unread_len = 0;
}

bool
pipe_busy(const struct driver *d)
{
	return !d->pipe.closed && d->pipe.sent < d->pipe.len;
}

/* Counted again after a change: reports are made in every turn. */
static uint64_t
owned(struct driver *d)
{
	struct pipe *p = &d->pipe;
	uint64_t view = peer_view_hash(d->core);

	if (p->owned_changes != d->catalog.changes || p->owned_view != view) {
		p->owned = peer_owned(d->core);
		p->owned_changes = d->catalog.changes;
		p->owned_view = view;
	}
	return p->owned;
}

static void
send_report(struct driver *d)
{
	struct pipe *p = &d->pipe;
	uint8_t data[sizeof(p->report)];
	struct message m;
	size_t len;

	if (d->core == NULL)
		return;
	/* Not all of m is cleared: this runs in every turn. */
	m.type = MSG_report;
	m.report = (struct msg_report){.state = 0};
	peer_report(d->core, &m.report);
	m.report.files = d->catalog.files;
	m.report.bytes = d->catalog.bytes;
	m.report.owned = owned(d);
	len = message_encode(&m, data, sizeof(data));
	assert(len > 0);
	/* Compared without: a flood of strangers must not reach the pipe. */
	if (len == p->report_len && memcmp(data, p->report, len) == 0 &&
	    (d->dropped == p->dropped ||
		d->loop.now_us < p->reported_us + COUNTERS_US))
		return;
	m.report.dropped = d->dropped;
	/* No room: the next turn tries again. */
	if (!pipe_send(d, &m))
		return;
	memcpy(p->report, data, len);
	p->report_len = len;
	p->reported_us = d->loop.now_us;
	p->dropped = d->dropped;
}

void
pipe_settle(struct driver *d)
{
	struct pipe *p = &d->pipe;

	if (p->out_fd == -1 || p->closed)
		return;
	send_report(d);
	if (p->out.fd == -1 && !is_due(d))
		return;
	if (p->out.fd == -1)
		pipe_flush(d);
	if (pipe_busy(d) && p->out.fd == -1) {
		if (loop_add(&d->loop, &p->out, p->out_fd, EPOLLOUT,
			on_writable) == -1)
			gone(d);
	} else if (!pipe_busy(d)) {
		loop_del(&d->loop, &p->out);
	}
}
