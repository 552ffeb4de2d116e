#ifndef PEER_RUN_H
#define PEER_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"
#include "wire/message.h"

/* All that a peer process is told by whoever starts it. */
struct peer_setup {
	uint16_t id;
	uint8_t bits, copies, route; /* enum route */
	bool any_names; /* names any; else digits */
	bool sync; /* acknowledged means on disk */
	bool log_pings;
	uint64_t scrub; /* bytes a second of files at rest; 0: none */
	uint32_t ping_ms; /* 0: auto */
	uint16_t port; /* base: peer N is at port + N unless told else */
	uint32_t host_ip; /* of addresses that nobody told */
	char ring[64];
	char data[PATH_LEN_MAX +
		  1]; /* this peer's own folder, made if missing */
	struct secret key; /* the ring's */
	int join_through; /* identifier of a member, or -1 */
	const struct member *contacts; /* id and addr; may include itself */
	size_t contact_count;
	int in, out; /* pipes from and to the supervisor, or -1 */
};

/*
 * Runs one peer in this process until it leaves; called after fork, with all
 * else that the supervisor had open already closed. Sends MSG_started on out
 * when its folder is locked and its ports are bound, or when that failed.
 * Returns the exit status of the process: 0 after a graceful departure or a
 * freeze, 1 otherwise.
 */
int peer_run(const struct peer_setup *);

#endif
