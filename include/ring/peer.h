#ifndef RING_PEER_H
#define RING_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mutant.h"
#include "base/types.h"
#include "ring/action.h"
#include "ring/event.h"
#include "ring/index.h"
#include "wire/codes.h"
#include "wire/message.h"

/*
 * The protocol core: one peer as a state machine. It makes no system call.
 * Whoever drives it (peer/ with sockets and disks, sim/ with virtual ones)
 * hands it one event at a time and then applies all actions, in order, before
 * the next event. Times are microseconds of one monotonic clock.
 *
 * Connections and open files are named by handles. The core picks those of
 * connections that it opens and of all files; the driver picks those of
 * inbound connections, with CONN_INBOUND set. No handle is used twice.
 */

struct peer_config {
	uint16_t id;
	uint8_t bits, copies, route;
	uint32_t ping_ms; /* 0: auto */
	uint16_t port_base; /* an address nobody told: host, base + id */
	uint32_t host_ip;
	struct addr addr; /* this peer's own */
	uint32_t incarnation; /* to use now, durable; 0: none stored */
	bool kept; /* its disk has all that it ever acknowledged */
	uint64_t seed;
	int join_through; /* identifier of a contact, or -1 */
	const struct member *contacts; /* id, addr; copied by peer_init */
	size_t contact_count;
	const struct member *remembered; /* the durable view; copied */
	size_t remembered_count;
	struct index index;
	struct arrivals arrivals;
	bool note_pings; /* make notes of marked pings */
};

struct peer;

/* Bytes of memory a peer needs; aligned as malloc does. */
size_t peer_size(void);

/*
 * Prepares a peer in p, which must be zeroed (untouched pages of its tables
 * cost nothing); it acts from its first step on.
 */
void peer_init(struct peer *p, const struct peer_config *, uint64_t now_us);

/* One event in, an ordered array of actions out (out is emptied first). */
void peer_step(
    struct peer *p, uint64_t now_us, const struct event *, struct actions *out);

/* When peer_step wants EV_TICK; UINT64_MAX: never. */
uint64_t peer_deadline(const struct peer *p);

/* What the supervisor is told, but for what is the driver's: files, bytes,
 * owned, dropped. */
void peer_report(const struct peer *p, struct msg_report *);

/* Files in the range that it owns: looks at each of its keys. */
uint64_t peer_owned(const struct peer *p);

/*
 * Copies members from identifier *next on into list, advances *next. Returns
 * false when there are no more.
 */
bool peer_members(const struct peer *p, unsigned *next, struct members *list);
/* Likewise what its next process should remember: config.remembered. */
bool peer_remembers(const struct peer *p, unsigned *next, struct members *list);

/* For checks of invariants and for the durable view. */
uint32_t peer_incarnation(const struct peer *p);
const struct member *peer_view(const struct peer *p, unsigned id);
uint64_t peer_view_hash(const struct peer *p);
size_t peer_successors(const struct peer *p, uint16_t *out, size_t max);

/* Nothing under way: no operation, transfer, suspicion. */
bool peer_idle(const struct peer *p);

#endif
