#ifndef PEER_CONN_H
#define PEER_CONN_H

#include "peer/auth.h"
#include "peer/tcp.h"
#include "peer/transfer.h"

/* One connection: the inside of tcp.c, stream.c and handshake.c. */
enum {
	HANDSHAKE_US = 1000000, /* for who connects to us */
	HANDSHAKE_LEN_MAX = 256, /* bytes unread before it is over */
	STALL_US = 250000, /* no byte moved for so long */
	DRAIN_US = 1000000, /* to flush what was queued, after close */
};

enum tcp_state {
	TCP_CONNECTING,
	TCP_HELLO_SENT, /* connector: waits for the challenge */
	TCP_ACCEPTED, /* acceptor: waits for hello */
	TCP_CHALLENGED, /* acceptor: waits for the proof */
	TCP_OPEN,
	TCP_DRAINING, /* closed by the core: what is queued goes out */
	TCP_DEAD, /* freed at the end of the turn */
};

/* Bytes to send, or (file != NULL) a part of a file. */
struct tcp_out {
	TAILQ_ENTRY(tcp_out) next;
	struct open_file *file;
	uint64_t offset, size;
	size_t len, sent, room;
	uint8_t data[];
};

struct tcp_conn {
	struct handle handle;
	struct driver *driver;
	struct source source;
	int fd;
	struct timer timer; /* handshake, stall or drain: by state */
	TAILQ_ENTRY(tcp_conn) fresh_link;
	STAILQ_ENTRY(tcp_conn) touched_link;
	enum tcp_state state;
	uint8_t role; /* enum conn_role */
	bool inbound, fresh, touched;
	bool closing; /* the core closed it before it was open */
	bool blocked; /* the socket takes no more */
	bool hurry; /* there is more than marks to send */
	bool finished; /* our side is shut */
	uint16_t expected; /* identifier, of a connector */
	struct party self, other;
	uint8_t *in; /* read, but not yet understood */
	size_t in_len;
	TAILQ_HEAD(tcp_queue, tcp_out) out;
	size_t out_bytes;
	struct transfer rx, tx;
	uint64_t moved_us; /* when bytes last moved, or waiting began */
};

struct tcp_conn *tcp_find(struct driver *, uint32_t handle);
struct tcp_conn *tcp_new(struct driver *, int fd, uint32_t handle);
/* Looks at it at the end of the turn. */
void tcp_touch(struct tcp_conn *);
/* The handshake is done. */
void tcp_opened(struct tcp_conn *);
/* Over; the core is told if it knows of it. */
void tcp_fail(struct tcp_conn *, enum close_reason);
/* Gone without a word. */
void tcp_kill(struct tcp_conn *);
void tcp_ready(struct source *, uint32_t events);
/* Marks have waited long enough. */
void tcp_marks_due(struct timer *);
/* A helper moved bytes. */
void tcp_transferred(struct transfer *);
void tcp_read(struct tcp_conn *);
void tcp_parse_rest(struct tcp_conn *);
/* Sends what the socket takes now. */
void tcp_flush(struct tcp_conn *);
void tcp_drop_queue(struct tcp_conn *);
/*
 * Queues a frame of a message and of what follows it (NULL: nothing), for the
 * next flush; 0, or -1: too many bytes wait, the connection failed.
 */
int tcp_queue_frame(struct tcp_conn *, const uint8_t *data, size_t len,
    const struct open_file *content);

/* Begins the handshake of a connector; goes on with m (handshake.c). */
void handshake_start(struct tcp_conn *);
void handshake_message(struct tcp_conn *, const struct message *m);

#endif
