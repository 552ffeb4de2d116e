#ifndef PEER_TCP_H
#define PEER_TCP_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/loop.h"
#include "peer/handle.h"
#include "ring/peer.h"

/*
 * Connections between peers: listening, connecting, handshake, frames, raw
 * bytes. Nobody is listened to before he proved that he knows the ring's key.
 */
enum {
	TCP_CONNS_MAX = 1536, /* all, in every state */
	TCP_FRESH_MAX = 128, /* inbound that proved nothing yet */
	TCP_ACCEPTS_MAX = 16, /* in a turn */
	TCP_READ_BYTES = 65536, /* in a turn and connection */
	TCP_QUEUE_MAX = 4 << 20, /* bytes waiting on one connection */
	TCP_BACKLOG = 1024,
	ACCEPT_PAUSE_US = 100000, /* when no descriptor is left at all */
	TCP_MARK_US = 5000, /* that marks wait for what else is sent there */
};

struct driver;

struct tcp_conn;

struct tcp {
	struct source listener;
	int spare_fd; /* given up to turn somebody away */
	struct timer accept_timer;
	struct timer mark_timer;
	struct handle_table table;
	unsigned alive; /* connections that are not freed yet */
	TAILQ_HEAD(, tcp_conn) fresh; /* oldest first */
	unsigned fresh_count;
	STAILQ_HEAD(, tcp_conn) touched; /* to look at when the turn ends */
	uint8_t *scratch;
	uint32_t next_inbound;
};

void tcp_init(struct driver *);

/* Listens at d->addr; 0, or -1 with errno. */
int tcp_listen(struct driver *);
void tcp_free(struct driver *);

/* Applies ACT_CONNECT, ACT_SEND, ACT_CLOSE, ACT_RAW_SEND, ACT_RAW_RECV. */
void tcp_connect(struct driver *, const struct action *);
void tcp_send(struct driver *, const struct action *, const uint8_t *);
void tcp_close(struct driver *, const struct action *);
void tcp_raw_send(struct driver *, const struct action *);
void tcp_raw_receive(struct driver *, const struct action *);

/* The end of a turn: sends what was queued, says what is waited for. */
void tcp_settle(struct driver *);

/* Has anything left to send? */
bool tcp_busy(const struct driver *);

#endif
