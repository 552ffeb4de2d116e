#ifndef PEER_UDP_H
#define PEER_UDP_H

#include <stddef.h>
#include <stdint.h>

#include "os/loop.h"
#include "peer/replay.h"
#include "ring/peer.h"

/*
 * Datagrams between peers. Envelope: version (u8), sender (u16), its
 * incarnation (u32), sequence (u64), all big-endian; then one message; then a
 * keyed MAC over all before it. The sequence begins with the wall clock in
 * microseconds and goes up by one with each datagram; what a receiver heard
 * already it drops. What is sent waits until the turn ends.
 */
enum {
	UDP_VERSION = 1,
	UDP_ENVELOPE_LEN = 15,
	UDP_BATCH = 16, /* received by one system call */
	UDP_BATCHES_MAX = 32, /* in a turn: more than a socket holds */
	UDP_OUT_MAX = 64, /* destinations sent to by one system call */
};

struct driver;

struct udp_in;
struct udp_out;

struct udp {
	struct source source;
	uint64_t seq; /* of the last one sealed */
	struct replay *heard; /* of each identifier */
	struct udp_in *in; /* made at first use */
	struct udp_out *out;
};

void udp_init(struct driver *);

/* Binds d->addr; 0, or -1 with errno. */
int udp_bind(struct driver *);
void udp_free(struct driver *);

/* Seals a message for any number of udp_send_to() that follow. */
void udp_seal(struct driver *, const uint8_t *message, size_t len);
void udp_send_to(struct driver *, struct addr);

/* Sends what waits. */
void udp_settle(struct driver *);

#endif
