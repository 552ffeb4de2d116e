#include <sys/socket.h>
#include <sys/uio.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "peer/conn.h"
#include "peer/drive.h"
#include "wire/frame.h"

/* What goes over an open connection: frames and raw bytes, both ways. */

enum {
	OUT_ROOM_MIN = 2048,
	OUT_PARTS_MAX = 64, /* of the queue, sent by one call */
	SCRATCH_LEN = FRAME_LEN_MAX + TCP_READ_BYTES,
};

static struct tcp_out *
out_new(struct tcp_conn *c, size_t room)
{
	struct tcp_out *o = malloc(sizeof(*o) + room);

	if (o == NULL)
		abort();
	*o = (struct tcp_out){.room = room};
	TAILQ_INSERT_TAIL(&c->out, o, next);
	return o;
}

static void
out_pop(struct tcp_conn *c)
{
	struct tcp_out *o = TAILQ_FIRST(&c->out);

	assert(o != NULL);
	TAILQ_REMOVE(&c->out, o, next);
	c->out_bytes -= o->len;
	if (o->file != NULL)
		file_unref(o->file);
	free(o);
}

void
tcp_drop_queue(struct tcp_conn *c)
{
	while (!TAILQ_EMPTY(&c->out))
		out_pop(c);
	assert(c->out_bytes == 0);
}

int
tcp_queue_frame(struct tcp_conn *c, const uint8_t *data, size_t len,
    const struct open_file *content)
{
	struct tcp_out *o = TAILQ_LAST(&c->out, tcp_queue);
	size_t more = content == NULL ? 0 : content->size;
	size_t need = FRAME_HEADER + len + more;

	if (c->out_bytes + need > TCP_QUEUE_MAX) {
		tcp_fail(c, CLOSE_LOCAL);
		return -1;
	}
	if (o == NULL || o->file != NULL || o->room - o->len < need)
		o = out_new(c, need < OUT_ROOM_MIN ? OUT_ROOM_MIN : need);
	frame_header(o->data + o->len, len + more);
	memcpy(o->data + o->len + FRAME_HEADER, data, len);
	if (more > 0)
		memcpy(o->data + o->len + FRAME_HEADER + len, content->content,
		    more);
	o->len += need;
	c->out_bytes += need;
	return 0;
}

void
tcp_raw_send(struct driver *d, const struct action *a)
{
	struct tcp_conn *c = tcp_find(d, a->conn);
	struct open_file *f = file_find(d, a->file);
	struct tcp_out *o;

	if (c == NULL || f == NULL)
		return;
	o = out_new(c, 0);
	o->file = f;
	file_ref(f);
	o->offset = a->offset;
	o->size = a->size;
	c->hurry = true;
	tcp_touch(c);
}

void
tcp_raw_receive(struct driver *d, const struct action *a)
{
	struct tcp_conn *c = tcp_find(d, a->conn);
	struct open_file *f = file_find(d, a->file);
	struct event ev = {.type = EV_RAW_RECEIVED,
	    .conn = a->conn,
	    .file = a->file,
	    .size = 0};

	if (c == NULL || f == NULL)
		return;
	if (c->rx.state != TRANSFER_IDLE) {
		tcp_fail(c, CLOSE_LOCAL);
		return;
	}
	if (a->size == 0 && file_digest(f, a->offset, &ev.digest)) {
		drive_defer(d, &ev, NULL);
		return;
	}
	transfer_begin(&c->rx, f, a->offset, a->size);
	tcp_touch(c);
}

/* Takes n bytes that were sent off the queue. */
static void
sent_bytes(struct tcp_conn *c, size_t n)
{
	while (n > 0) {
		/* What was freed was taken off the list before. */
		struct tcp_out *o = TAILQ_FIRST(&c->out);
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		size_t left = o->len - o->sent, part = n < left ? n : left;

		assert(o->file == NULL);
		o->sent += part;
		n -= part;
		if (o->sent == o->len)
			out_pop(c);
	}
}

/* All that is queued before the next part of a file, as far as it goes. */
static bool
send_bytes(struct tcp_conn *c, struct tcp_out *o)
{
	struct iovec parts[OUT_PARTS_MAX];
	struct msghdr m = {.msg_iov = parts};
	ssize_t n;

	for (; o != NULL && o->file == NULL && m.msg_iovlen < OUT_PARTS_MAX;
	     o = TAILQ_NEXT(o, next))
		parts[m.msg_iovlen++] =
		    (struct iovec){o->data + o->sent, o->len - o->sent};
	n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
	if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		c->blocked = true;
		return false;
	}
	if (n == -1) {
		tcp_fail(c, CLOSE_HANGUP);
		return false;
	}
	c->moved_us = c->driver->loop.now_us;
	sent_bytes(c, (size_t)n);
	return true;
}

/* A part of a file is out: says so, and goes on with what follows. */
static void
sent_file(struct tcp_conn *c, struct tcp_out *o)
{
	struct event ev = {.type = EV_RAW_SENT,
	    .conn = c->handle.id,
	    .file = o->file->handle.id,
	    .size = o->size};

	file_digest(o->file, o->offset + o->size, &ev.digest);
	if (c->state == TCP_OPEN && !o->file->discarded)
		drive_defer(c->driver, &ev, NULL);
	transfer_end(&c->tx);
	out_pop(c);
	tcp_touch(c);
}

static bool
send_file(struct tcp_conn *c, struct tcp_out *o)
{
	if (c->tx.state == TRANSFER_IDLE && o->size == 0 && o->file->ready) {
		sent_file(c, o);
		return true;
	}
	if (c->tx.state == TRANSFER_IDLE)
		transfer_begin(&c->tx, o->file, o->offset, o->size);
	c->tx.fd = c->fd;
	transfer_go(&c->tx);
	return false;
}

void
tcp_flush(struct tcp_conn *c)
{
	struct tcp_out *o;
	bool more = true;

	while (more && !c->blocked &&
	       (c->state == TCP_OPEN || c->state == TCP_DRAINING)) {
		o = TAILQ_FIRST(&c->out);
		c->hurry = o != NULL;
		if (o == NULL)
			return;
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): as above */
		more = o->file != NULL ? send_file(c, o) : send_bytes(c, o);
	}
}

static void
keep(struct tcp_conn *c, const uint8_t *data, size_t len)
{
	uint8_t *copy = NULL;

	if (len > 0) {
		copy = malloc(len);
		if (copy == NULL)
			abort();
		memcpy(copy, data, len);
	}
	free(c->in);
	c->in = copy;
	c->in_len = len;
}

/* Gossip goes both ways: as a datagram and, with much to say, here. */
static bool
is_between_peers(enum message_type type)
{
	return type < MSG_command && type != MSG_hello &&
	       type != MSG_challenge && type != MSG_proof;
}

/* m and the content that follows it. */
static void
deliver(struct tcp_conn *c, const struct message *m, const uint8_t *content)
{
	struct driver *d = c->driver;
	struct event ev = {
	    .type = EV_MESSAGE, .conn = c->handle.id, .message = m};

	if (c->state != TCP_OPEN)
		handshake_message(c, m);
	else if (!is_between_peers(m->type))
		tcp_fail(c, CLOSE_REJECTED);
	else {
		if (m->type == MSG_give || m->type == MSG_bring)
			ev.digest = hash_content(content, frame_content(m));
		d->brought = content;
		drive_event(d, &ev);
		d->brought = NULL;
	}
}

/* Frames are handed over one by one, until raw bytes are expected. */
static void
parse(struct tcp_conn *c, const uint8_t *data, size_t len)
{
	struct message m;
	long n = 1;

	while (len > 0 && c->rx.state == TRANSFER_IDLE &&
	       c->state != TCP_DRAINING && c->state != TCP_DEAD) {
		n = frame_decode(&m, data, len);
		if (n <= 0)
			break;
		data += n;
		len -= (size_t)n;
		deliver(c, &m, data - frame_content(&m));
	}
	if (c->state == TCP_DEAD)
		return;
	if (n < 0 || (c->state < TCP_OPEN && len >= HANDSHAKE_LEN_MAX)) {
		tcp_fail(c, CLOSE_REJECTED);
		return;
	}
	if (c->state != TCP_DRAINING)
		keep(c, data, len);
}

void
tcp_parse_rest(struct tcp_conn *c)
{
	uint8_t *data = c->in;
	size_t len = c->in_len;

	c->in = NULL;
	c->in_len = 0;
	parse(c, data, len);
	free(data);
}

static void
discard_input(struct tcp_conn *c)
{
	uint8_t *scratch = c->driver->tcp.scratch;
	ssize_t n = recv(c->fd, scratch, SCRATCH_LEN, 0);

	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		tcp_kill(c);
}

void
tcp_read(struct tcp_conn *c)
{
	struct tcp *t = &c->driver->tcp;
	size_t want = TCP_READ_BYTES, have = c->in_len;
	ssize_t n;

	if (t->scratch == NULL && (t->scratch = malloc(SCRATCH_LEN)) == NULL)
		abort();
	if (c->state == TCP_DRAINING) {
		discard_input(c);
		return;
	}
	if (c->state < TCP_OPEN)
		want = HANDSHAKE_LEN_MAX - have;
	assert(have + want <= SCRATCH_LEN);
	if (have > 0)
		memcpy(t->scratch, c->in, have);
	n = recv(c->fd, t->scratch + have, want, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		tcp_fail(c, CLOSE_HANGUP);
		return;
	}
	c->moved_us = c->driver->loop.now_us;
	parse(c, t->scratch, have + (size_t)n);
}

static void
received(struct tcp_conn *c)
{
	struct transfer *t = &c->rx;
	struct event ev = {.type = EV_RAW_RECEIVED,
	    .conn = c->handle.id,
	    .file = t->file->handle.id,
	    .size = t->end};

	file_digest(t->file, t->end, &ev.digest);
	transfer_end(t);
	if (c->state == TCP_OPEN)
		drive_event(c->driver, &ev);
	if (c->state == TCP_OPEN)
		tcp_parse_rest(c);
}

void
tcp_transferred(struct transfer *t)
{
	struct tcp_conn *c = t->conn;
	struct tcp_out *o = TAILQ_FIRST(&c->out);

	tcp_touch(c);
	if (t->moved > 0)
		c->moved_us = c->driver->loop.now_us;
	if (c->state == TCP_DEAD)
		return;
	if (!t->sends && t->early_len != c->in_len)
		keep(c, t->early, t->early_len);
	if (transfer_complete(t)) {
		if (!t->sends)
			received(c);
		else
			sent_file(c, o);
	} else if (t->hangup) {
		tcp_fail(c, CLOSE_HANGUP);
	}
}
