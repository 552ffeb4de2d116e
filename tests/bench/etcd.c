/*
 * Three members, asked at their leader over gRPC itself: its JSON gateway
 * would double what a small put costs. HTTP/2 (RFC 9113) as far as one
 * unary call at a time on a connection needs it, with headers from HPACK's
 * static table (RFC 7541) or spelled out. A get is linearizable, which is
 * etcd's default.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "load.h"

enum {
	PORT_AT = 40, /* of ours: for clients, and 3 on for each other */
	FRAME_HEAD = 9,
	FRAME_DATA = 0,
	FRAME_HEADERS = 1,
	FRAME_RESET = 3,
	FRAME_SETTINGS = 4,
	FRAME_PING = 6,
	FRAME_GOAWAY = 7,
	FRAME_WINDOW = 8,
	END_STREAM = 1,
	ACK = 1,
	END_HEADERS = 4,
	MESSAGE_HEAD = 5, /* gRPC: compressed or not, and a length */
	KEY_LEN = 4,
	ANSWER_ROOM = 128,
	WINDOW_MORE = INT32_MAX - 65535,
};

/* The beginning of the last answer. */
static uint8_t answer[ANSWER_ROOM];
static size_t answer_len;

static size_t
frame_head(uint8_t *out, size_t len, int type, int flags, uint32_t stream)
{
	uint8_t head[FRAME_HEAD] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8),
	    (uint8_t)len, (uint8_t)type, (uint8_t)flags};

	stream = htonl(stream);
	memcpy(head + 5, &stream, sizeof(stream));
	memcpy(out, head, sizeof(head));
	return sizeof(head);
}

static int
etcd_open(const struct target *t)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	uint32_t more = htonl(WINDOW_MORE);
	uint8_t out[ANSWER_ROOM];
	size_t n = sizeof(preface) - 1;
	int fd = loopback_connect(t->port), on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	memcpy(out, preface, n);
	n += frame_head(out + n, 0, FRAME_SETTINGS, 0, 0);
	n += frame_head(out + n, sizeof(more), FRAME_WINDOW, 0, 0);
	memcpy(out + n, &more, sizeof(more));
	load_send(fd, out, n + sizeof(more));
	return fd;
}

static size_t
put_text(uint8_t *out, const char *text)
{
	size_t len = strlen(text);

	out[0] = (uint8_t)len;
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
	memcpy(out + 1, text, len);
	return len + 1;
}

static size_t
put_headers(uint8_t *out, const char *path)
{
	size_t n = 0;

	out[n++] = 0x83; /* :method POST */
	out[n++] = 0x86; /* :scheme http */
	out[n++] = 0x04; /* :path */
	n += put_text(out + n, path);
	out[n++] = 0x01; /* :authority */
	n += put_text(out + n, "127.0.0.1");
	out[n++] = 0x0f; /* content-type: number 31, its first 15 here */
	out[n++] = 31 - 15;
	n += put_text(out + n, "application/grpc");
	out[n++] = 0x00;
	n += put_text(out + n, "te");
	n += put_text(out + n, "trailers");
	return n;
}

/* One call: headers, then the message. */
static size_t
call_encode(struct lane *l, const char *path, const uint8_t *body, size_t len,
    uint8_t out[LANE_ROOM])
{
	size_t n = put_headers(out + FRAME_HEAD, path);

	l->stream = l->stream == 0 ? 1 : l->stream + 2;
	l->got = 0;
	n += frame_head(out, n, FRAME_HEADERS, END_HEADERS, l->stream);
	n += frame_head(
	    out + n, MESSAGE_HEAD + len, FRAME_DATA, END_STREAM, l->stream);
	out[n++] = 0;
	for (int shift = 24; shift >= 0; shift -= 8)
		out[n++] = (uint8_t)(len >> shift);
	memcpy(out + n, body, len);
	return n + len;
}

/* PutRequest and RangeRequest: 1 is the key, 2 the value. */
static size_t
etcd_encode(struct lane *l, uint8_t out[LANE_ROOM])
{
	static uint8_t body[VALUE_LEN + ANSWER_ROOM];
	const struct operation *op = &l->op;
	size_t n = 0;

	body[n++] = 1 << 3 | 2;
	n += put_text(body + n, op->name);
	if (!op->put)
		return call_encode(l, "/etcdserverpb.KV/Range", body, n, out);
	body[n++] = 2 << 3 | 2;
	body[n++] = VALUE_LEN % 128 | 0x80;
	body[n++] = VALUE_LEN / 128;
	memcpy(body + n, load_values[op->value], VALUE_LEN);
	return call_encode(l, "/etcdserverpb.KV/Put", body, n + VALUE_LEN, out);
}

/* A frame of the connection itself. */
static void
take_control(struct lane *l, int type, int flags, size_t len)
{
	uint8_t out[FRAME_HEAD + 8];
	size_t n;

	if (type == FRAME_GOAWAY || type == FRAME_RESET)
		errx(1, "etcd: hung up, frame %d", type);
	if ((type != FRAME_SETTINGS && type != FRAME_PING) || (flags & ACK))
		return;
	if (type == FRAME_SETTINGS)
		len = 0;
	if (len > 8)
		errx(1, "etcd: a ping of %zu bytes", len);
	n = frame_head(out, len, type, ACK, 0);
	memcpy(out + n, l->in + FRAME_HEAD, len);
	load_send(l->fd, out, n + len);
}

static void
take_data(struct lane *l, size_t len)
{
	if (l->got == 0) {
		answer_len = len < sizeof(answer) ? len : sizeof(answer);
		memcpy(answer, l->in + FRAME_HEAD, answer_len);
	}
	l->got += len;
}

static size_t
etcd_decode(struct lane *l, bool *done)
{
	const uint8_t *in = l->in;
	size_t len;

	if (l->len < FRAME_HEAD)
		return 0;
	len = (size_t)in[0] << 16 | (size_t)in[1] << 8 | in[2];
	if (FRAME_HEAD + len > sizeof(l->in))
		errx(1, "etcd: a frame of %zu bytes", len);
	if (l->len < FRAME_HEAD + len)
		return 0;
	if (in[3] == FRAME_DATA)
		take_data(l, len);
	else if (in[3] != FRAME_HEADERS)
		take_control(l, in[3], in[4], len);
	*done = in[3] <= FRAME_HEADERS && (in[4] & END_STREAM) != 0;
	/* A refusal has headers alone. */
	if (*done && l->got <= (l->op.put ? MESSAGE_HEAD : VALUE_LEN))
		l->refused = true;
	return FRAME_HEAD + len;
}

/* Reads a number of a protobuf message: its length, 0: there is none. */
static size_t
varint(const uint8_t *at, size_t len, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < len && i < 10; i++) {
		*value |= (uint64_t)(at[i] & 0x7f) << 7 * i;
		if ((at[i] & 0x80) == 0)
			return i + 1;
	}
	return 0;
}

/* Field number of a message: its value, or where its bytes begin; 0. */
static uint64_t
field(const uint8_t *at, size_t len, unsigned number, size_t *where)
{
	uint64_t tag, value;
	size_t i = 0, n;

	while ((n = varint(at + i, len - i, &tag)) > 0) {
		i += n;
		n = varint(at + i, len - i, &value);
		i += n;
		*where = i;
		if (n == 0 || tag >> 3 == number)
			return n == 0 ? 0 : value;
		if ((tag & 7) == 2)
			i += value;
		if (i > len)
			return 0;
	}
	return 0;
}

/* StatusResponse: 1 is a head, in which 2 is who answers; 4 is the leader. */
static bool
leads(struct target *t)
{
	static uint8_t out[LANE_ROOM];
	static struct lane l;
	const uint8_t *body = answer + MESSAGE_HEAD;
	size_t len, where = 0, unused;
	uint64_t self, leader, head;
	bool done = false;

	memset(&l, 0, sizeof(l));
	l.op.put = true;
	l.fd = etcd_open(t);
	load_send(l.fd, out,
	    call_encode(
		&l, "/etcdserverpb.Maintenance/Status", answer, 0, out));
	while (!done) {
		ssize_t n = read(l.fd, l.in + l.len, sizeof(l.in) - l.len);
		size_t used = 1;

		if (n <= 0)
			errx(1, "etcd hung up");
		l.len += (size_t)n;
		while (!done && used > 0) {
			used = etcd_decode(&l, &done);
			l.len -= used;
			memmove(l.in, l.in + used, l.len);
		}
	}
	(void)close(l.fd);
	if (l.refused)
		return false;
	len = answer_len - MESSAGE_HEAD;
	head = field(body, len, 1, &where);
	self = head > len - where ? 0 : field(body + where, head, 2, &unused);
	leader = field(body, len, 4, &unused);
	return leader != 0 && leader == self;
}

static bool
listens(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;

	(void)close(fd);
	return is;
}

static void
find_leader(const struct service *s, struct target *t)
{
	deadline("etcd and its leader");
	for (unsigned i = 0;; i = (i + 1) % SERVICE_COPIES) {
		t->port = (uint16_t)(bench.port + PORT_AT + i);
		if (listens(t->port) && leads(t))
			return;
		service_wait(s);
	}
}

bool
etcd_start(struct service *s, struct target *t)
{
	const char *program = getenv("ETCD");
	char note[NOTE_LEN_MAX];
	unsigned port = bench.port + PORT_AT, to = port + SERVICE_COPIES;

	if (!service_find(s, "etcd", program != NULL ? program : "etcd"))
		return false;
	*t = (struct target){.name = "etcd",
	    .open = etcd_open,
	    .encode = etcd_encode,
	    .decode = etcd_decode};
	for (unsigned i = 0; i < SERVICE_COPIES; i++)
		service_start(s, i,
		    "--name n%u --data-dir data --log-level error "
		    "--listen-client-urls http://127.0.0.1:%u "
		    "--advertise-client-urls http://127.0.0.1:%u "
		    "--listen-peer-urls http://127.0.0.1:%u "
		    "--initial-advertise-peer-urls http://127.0.0.1:%u "
		    "--initial-cluster n0=http://127.0.0.1:%u,"
		    "n1=http://127.0.0.1:%u,n2=http://127.0.0.1:%u",
		    i, port + i, port + i, to + i, to + i, to, to + 1, to + 2);
	find_leader(s, t);
	(void)snprintf(note, sizeof(note),
	    "etcd %s: gRPC to the leader of three; it always flushes",
	    s->version);
	report_note(note);
	return true;
}
