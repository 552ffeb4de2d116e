#ifndef SIM_NET_H
#define SIM_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/queue.h"
#include "sim/sim.h"

/* The virtual network: datagrams, and connections as ordered queues. */
enum {
	DATAGRAM_ENVELOPE = 31, /* bytes around a message, with its mac */
	WAITING_MAX = 256, /* datagrams kept for a paused process */
	CHUNK = 65536, /* raw bytes that travel as one */
	CHUNKS_MAX = 8, /* of them on the way */
	STALL_US = 250 * MS,
	HANDSHAKE_US = 1 * SECOND,
	DRAIN_US = 1 * SECOND, /* for what was queued before a close */
	RETRANSMIT_US = 200 * MS, /* doubled each time, up to: */
	RETRANSMIT_MAX_US = 3200 * MS,
};

enum end_state {
	END_CLOSED, /* or not there yet */
	END_CONNECTING,
	END_ACCEPTED, /* waits for the proof */
	END_OPEN,
	END_CLOSING, /* flushes; its process hears no more of it */
};

struct end {
	struct circuit *circuit;
	uint8_t side;
	struct node *node; /* NULL: nobody is there */
	uint32_t process, handle;
	uint32_t theirs; /* incarnation of the other one, by the handshake */
	enum end_state state;
	struct items queued; /* not on the way yet */
	struct items wire; /* on the way to the other end */
	uint64_t wire_us; /* when the last of them gets there */
	uint64_t pace_us; /* no raw bytes before */
	unsigned chunks, tries;
	bool armed, pumping, ended;

	bool receiving; /* raw bytes into file */
	uint32_t file;
	uint64_t offset, left;
	uint64_t drain_us; /* closing: it must be on its way by then */
	uint64_t moved_us; /* when raw bytes last moved, either way */
	bool watched; /* for a stall */

	struct end *next, *previous; /* of the same node */
};

struct circuit {
	struct circuit *next;
	uint32_t generation;
	uint8_t role; /* enum conn_role */
	uint16_t target;
	bool used;
	struct end ends[2]; /* who connects, who accepts */
};

/* net.c */
uint64_t net_delay_us(struct sim *);
bool net_blocked(
    const struct sim *, const struct node *from, const struct node *to);
void net_datagram(struct sim *, struct node *from, struct addr to,
    const uint8_t *data, size_t len);
void net_arrived(struct sim *, struct item *);
/* Both ways between sides; add 1 or -1. A set holds node indexes. */
void net_partition(struct sim *, const bool *side, bool one_way, int add);
void net_one_way(
    struct sim *, const struct node *from, const struct node *to, int add);
void net_heal(struct sim *);

/* circuit.c */
void circuit_connect(struct sim *, struct node *, const struct action *);
void circuit_close(struct sim *, struct end *);
void circuit_abandon(struct sim *, struct node *); /* its process is gone */
void circuit_break(struct sim *, struct circuit *);
void circuit_wire(struct sim *, struct item *);
void circuit_late(struct sim *, struct item *);
struct end *end_find(const struct node *, uint32_t handle);
struct end *end_other(const struct end *);
/* The end that an item is for, or NULL: gone meanwhile. */
struct end *end_of(const struct item *);
struct item *end_item(struct sim *, struct end *, enum item_kind);
void end_put(struct sim *, struct end *, struct item *, enum frame);
void end_shut(struct sim *, struct end *); /* at once, with an end of file */
void circuit_reset(struct sim *);
void circuit_free(struct sim *); /* after a reset */

/* handshake.c: a frame that its process reads. */
void frame_read(struct sim *, struct item *);
void end_closed(struct sim *, struct end *, enum close_reason);

/* stream.c: queues and raw bytes. */
void circuit_send(struct sim *, struct end *, struct item *, enum frame);
void circuit_pump(struct sim *, struct end *);
void circuit_expect(struct sim *, struct end *, const struct action *);
void circuit_raw(struct sim *, struct end *, const struct item *);
void circuit_stalled(struct sim *, struct item *);

#endif
