#include <sys/socket.h>

#include <netinet/in.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "peer/conn.h"
#include "peer/drive.h"
#include "wire/frame.h"

/* Sent past the queue, into a socket that is still empty. */
static void
say(struct tcp_conn *c, const struct message *m)
{
	uint8_t data[HANDSHAKE_LEN_MAX];
	size_t len = frame_encode(m, data, sizeof(data));
	ssize_t n;

	assert(len > 0);
	do
		n = send(c->fd, data, len, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)len)
		tcp_fail(c, CLOSE_HANGUP);
}

static void
introduce(struct tcp_conn *c)
{
	const struct driver *d = c->driver;

	c->self.id = d->setup->id;
	c->self.incarnation = peer_incarnation(d->core);
	c->self.addr = d->addr;
	auth_nonce(&c->self.nonce);
}

static void
opened(struct tcp_conn *c)
{
	struct event ev = {.type = EV_CONN_OPEN,
	    .conn = c->handle.id,
	    .role = c->role,
	    .from = c->other.id,
	    .incarnation = c->other.incarnation,
	    .addr = c->other.addr};

	tcp_opened(c);
	if (c->state == TCP_OPEN)
		drive_event(c->driver, &ev);
}

/* A port of ours that was free a moment ago can be given to ourselves. */
static bool
is_self_connected(int fd)
{
	struct sockaddr_in a = {0}, b = {0};
	socklen_t a_len = sizeof(a), b_len = sizeof(b);

	return getsockname(fd, (struct sockaddr *)&a, &a_len) == 0 &&
	       getpeername(fd, (struct sockaddr *)&b, &b_len) == 0 &&
	       a.sin_port == b.sin_port &&
	       a.sin_addr.s_addr == b.sin_addr.s_addr;
}

void
handshake_start(struct tcp_conn *c)
{
	struct message m = {.type = MSG_hello};

	if (is_self_connected(c->fd)) {
		tcp_fail(c, CLOSE_REFUSED);
		return;
	}
	introduce(c);
	m.hello = (struct msg_hello){.protocol = PROTOCOL,
	    .role = c->role,
	    .id = c->self.id,
	    .incarnation = c->self.incarnation,
	    .addr = c->self.addr,
	    .target = c->expected,
	    .nonce = c->self.nonce};
	c->state = TCP_HELLO_SENT;
	say(c, &m);
}

static bool
on_hello(struct tcp_conn *c, const struct msg_hello *h)
{
	const struct driver *d = c->driver;
	struct message m = {.type = MSG_challenge};

	if (h->protocol != PROTOCOL || h->role > CONN_STREAM ||
	    h->id >= 1u << d->setup->bits || h->target != d->setup->id)
		return false;
	c->role = h->role;
	c->other = (struct party){h->id, h->incarnation, h->addr, h->nonce};
	introduce(c);
	m.challenge = (struct msg_challenge){.id = c->self.id,
	    .incarnation = c->self.incarnation,
	    .addr = c->self.addr,
	    .nonce = c->self.nonce};
	auth_proof(
	    &d->key, 'A', c->role, &c->other, &c->self, &m.challenge.mac);
	c->state = TCP_CHALLENGED;
	say(c, &m);
	return true;
}

static bool
on_challenge(struct tcp_conn *c, const struct msg_challenge *h)
{
	const struct secret *key = &c->driver->key;
	struct message m = {.type = MSG_proof};
	struct secret want;

	c->other = (struct party){h->id, h->incarnation, h->addr, h->nonce};
	auth_proof(key, 'A', c->role, &c->self, &c->other, &want);
	if (!auth_equal(&want, &h->mac) || h->id != c->expected)
		return false;
	auth_proof(key, 'C', c->role, &c->self, &c->other, &m.proof.mac);
	say(c, &m);
	if (c->state != TCP_DEAD)
		opened(c);
	return true;
}

static bool
on_proof(struct tcp_conn *c, const struct msg_proof *h)
{
	struct secret want;

	auth_proof(&c->driver->key, 'C', c->role, &c->other, &c->self, &want);
	if (!auth_equal(&want, &h->mac))
		return false;
	opened(c);
	return true;
}

void
handshake_message(struct tcp_conn *c, const struct message *m)
{
	bool good = false;

	if (c->state == TCP_ACCEPTED && m->type == MSG_hello)
		good = on_hello(c, &m->hello);
	else if (c->state == TCP_HELLO_SENT && m->type == MSG_challenge)
		good = on_challenge(c, &m->challenge);
	else if (c->state == TCP_CHALLENGED && m->type == MSG_proof)
		good = on_proof(c, &m->proof);
	if (!good)
		tcp_fail(c, CLOSE_REJECTED);
}
