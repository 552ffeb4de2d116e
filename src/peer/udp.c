#include <sys/epoll.h>
#include <sys/socket.h>

/* Before linux/errqueue.h, which needs its types. */
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/in.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/auth.h"
#include "peer/drive.h"

enum { ERRORS_MAX = 64, RETRIES_MAX = 8, ROOM = DATAGRAM_LEN_MAX + 1 };

struct udp_in {
	struct mmsghdr head[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	uint8_t data[UDP_BATCH][ROOM]; /* one more byte: too long shows */
};

struct udp_out {
	size_t count; /* destinations */
	size_t sealed; /* datagrams */
	struct mmsghdr head[UDP_OUT_MAX];
	struct sockaddr_in to[UDP_OUT_MAX];
	struct iovec iov[UDP_OUT_MAX]; /* of each datagram */
	uint8_t data[UDP_OUT_MAX][DATAGRAM_LEN_MAX];
};

static uint64_t
get(const uint8_t *data, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | data[i];
	return value;
}

static void
put(uint8_t *out, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

/* False: not of this ring, or not for the first time. */
static bool
open_datagram(struct driver *d, const uint8_t *data, size_t len,
    struct event *ev, struct message *m)
{
	size_t body;

	if (len <= UDP_ENVELOPE_LEN + DATAGRAM_MAC_LEN ||
	    len > DATAGRAM_LEN_MAX || data[0] != UDP_VERSION)
		return false;
	body = len - UDP_ENVELOPE_LEN - DATAGRAM_MAC_LEN;
	if (!auth_datagram_good(&d->key, data, len - DATAGRAM_MAC_LEN,
		data + len - DATAGRAM_MAC_LEN))
		return false;
	ev->from = (uint16_t)get(data + 1, 2);
	ev->incarnation = (uint32_t)get(data + 3, 4);
	ev->message = m;
	return ev->from < 1u << d->setup->bits &&
	       message_decode(m, data + UDP_ENVELOPE_LEN, body) == (long)body &&
	       m->type < MSG_hello &&
	       replay_fresh(
		   &d->udp.heard[ev->from], ev->incarnation, get(data + 7, 8));
}

static void
take_datagram(struct driver *d, const struct mmsghdr *head)
{
	const struct sockaddr_in *from = head->msg_hdr.msg_name;
	struct event ev = {.type = EV_DATAGRAM,
	    .addr = {ntohl(from->sin_addr.s_addr), ntohs(from->sin_port)}};
	struct message m;

	if (open_datagram(
		d, head->msg_hdr.msg_iov->iov_base, head->msg_len, &ev, &m))
		drive_event(d, &ev);
	else
		d->dropped++;
}

/* Returns how many came. */
static int
receive_batch(struct driver *d)
{
	struct udp_in *in = d->udp.in;
	struct sockaddr_in from[UDP_BATCH];
	int n;

	for (int i = 0; i < UDP_BATCH; i++) {
		in->iov[i] = (struct iovec){in->data[i], ROOM};
		in->head[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
		    .msg_namelen = sizeof(from[i]),
		    .msg_iov = &in->iov[i],
		    .msg_iovlen = 1};
	}
	n = recvmmsg(d->udp.source.fd, in->head, UDP_BATCH, 0, NULL);
	for (int i = 0; i < n; i++)
		take_datagram(d, &in->head[i]);
	return n;
}

static bool
is_refusal(struct msghdr *h)
{
	struct cmsghdr *c;
	struct sock_extended_err err;

	for (c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&err, CMSG_DATA(c), sizeof(err));
		return err.ee_errno == ECONNREFUSED;
	}
	return false;
}

/* The kernel tells whose port refused what we sent. */
static void
take_errors(struct driver *d)
{
	for (int i = 0; i < ERRORS_MAX; i++) {
		struct sockaddr_in to;
		uint8_t data[64];
		_Alignas(struct cmsghdr) uint8_t control[256];
		struct iovec iov = {data, sizeof(data)};
		struct msghdr h = {.msg_name = &to,
		    .msg_namelen = sizeof(to),
		    .msg_iov = &iov,
		    .msg_iovlen = 1,
		    .msg_control = control,
		    .msg_controllen = sizeof(control)};
		struct event ev = {.type = EV_UNREACHABLE};

		if (recvmsg(d->udp.source.fd, &h, MSG_ERRQUEUE) == -1)
			return;
		if (!is_refusal(&h))
			continue;
		ev.addr.ip = ntohl(to.sin_addr.s_addr);
		ev.addr.port = ntohs(to.sin_port);
		drive_event(d, &ev);
	}
}

static void
on_ready(struct source *s, uint32_t events)
{
	struct udp *u = CONTAINER(s, struct udp, source);
	struct driver *d = CONTAINER(u, struct driver, udp);

	if ((events & EPOLLERR) != 0)
		take_errors(d);
	if (u->in == NULL && (u->in = malloc(sizeof(*u->in))) == NULL)
		abort();
	for (int i = 0; i < UDP_BATCHES_MAX; i++)
		if (receive_batch(d) < UDP_BATCH)
			return;
}

void
udp_init(struct driver *d)
{
	d->udp = (struct udp){.source = {.fd = -1}};
}

int
udp_bind(struct driver *d)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(d->addr.ip),
	    .sin_port = htons(d->addr.port)};
	int one = 1, saved;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	/* Also who lost its disk, and counts from 1 again, goes on higher. */
	d->udp.seq = clock_wall_us();
	d->udp.heard =
	    calloc((size_t)1 << d->setup->bits, sizeof(*d->udp.heard));
	if (d->udp.heard == NULL)
		abort();
	if (setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one)) == 0 &&
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0 &&
	    loop_add(&d->loop, &d->udp.source, fd, EPOLLIN, on_ready) == 0)
		return 0;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

void
udp_free(struct driver *d)
{
	int fd = d->udp.source.fd;

	loop_del(&d->loop, &d->udp.source);
	if (fd != -1)
		close(fd);
	free(d->udp.in);
	free(d->udp.out);
	free(d->udp.heard);
	udp_init(d);
}

void
udp_seal(struct driver *d, const uint8_t *message, size_t len)
{
	size_t total = UDP_ENVELOPE_LEN + len + DATAGRAM_MAC_LEN;
	struct udp *u = &d->udp;
	struct udp_out *out;
	uint8_t *data;

	assert(len > 0 && total <= DATAGRAM_LEN_MAX);
	if (u->out == NULL) {
		u->out = malloc(sizeof(*u->out));
		if (u->out == NULL)
			abort();
		u->out->count = u->out->sealed = 0;
	}
	if (u->out->sealed == UDP_OUT_MAX)
		udp_settle(d);
	out = u->out;
	data = out->data[out->sealed];
	put(data, UDP_VERSION, 1);
	put(data + 1, d->setup->id, 2);
	put(data + 3, peer_incarnation(d->core), 4);
	put(data + 7, ++u->seq, 8);
	memcpy(data + UDP_ENVELOPE_LEN, message, len);
	auth_datagram(&d->key, data, total - DATAGRAM_MAC_LEN,
	    data + total - DATAGRAM_MAC_LEN);
	out->iov[out->sealed++] = (struct iovec){data, total};
}

static void
flush(struct driver *d)
{
	struct udp_out *out = d->udp.out;
	unsigned done = 0, tries = 0;

	while (done < out->count) {
		int n = sendmmsg(d->udp.source.fd, out->head + done,
		    (unsigned)out->count - done, 0);

		if (n > 0) {
			done += (unsigned)n;
			tries = 0;
		} else if (errno == ECONNREFUSED && ++tries < RETRIES_MAX) {
			/* Another one's refusal: the error queue has it. */
			continue;
		} else {
			d->dropped++;
			done++;
			tries = 0;
		}
	}
	out->count = 0;
}

void
udp_send_to(struct driver *d, struct addr addr)
{
	struct udp_out *out = d->udp.out;
	struct mmsghdr *head;

	assert(out != NULL && out->sealed > 0);
	if (out->count == UDP_OUT_MAX)
		flush(d);
	out->to[out->count] = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(addr.ip),
	    .sin_port = htons(addr.port)};
	head = &out->head[out->count];
	head->msg_hdr = (struct msghdr){.msg_name = &out->to[out->count],
	    .msg_namelen = sizeof(out->to[0]),
	    .msg_iov = &out->iov[out->sealed - 1],
	    .msg_iovlen = 1};
	out->count++;
}

void
udp_settle(struct driver *d)
{
	if (d->udp.out == NULL)
		return;
	flush(d);
	d->udp.out->sealed = 0;
}
