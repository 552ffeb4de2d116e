#ifndef UNIT_CORE_H
#define UNIT_CORE_H

/* A protocol core without files, for unit tests that drive it by hand. */

#include <stdlib.h>
#include <string.h>

#include "ring/core.h"
#include "unit.h"

static inline int
no_key(void *ctx, const struct name *name)
{
	(void)ctx;
	(void)name;
	return -1;
}

static inline bool
no_record(void *ctx, const struct name *name, struct record *record)
{
	(void)ctx;
	(void)name;
	(void)record;
	return false;
}

static inline bool
no_next(
    void *ctx, uint16_t key, const struct name *after, struct record *record)
{
	(void)ctx;
	(void)key;
	(void)after;
	(void)record;
	return false;
}

static inline uint64_t
no_sum(void *ctx, uint16_t key)
{
	(void)ctx;
	(void)key;
	return 0;
}

static inline uint64_t
no_bytes(void *ctx, uint32_t file)
{
	(void)ctx;
	(void)file;
	return 0;
}

/* A peer that serves, alone as yet; freed by the caller. */
static inline struct peer *
core_new(uint16_t id, struct actions *out)
{
	struct peer_config config = {.id = id,
	    .bits = 8,
	    .copies = 3,
	    .port_base = 12000,
	    .host_ip = 0x7f000001,
	    .addr = {0x7f000001, (uint16_t)(12000 + id)},
	    .seed = 1,
	    .note_pings = true,
	    .join_through = -1};
	struct peer *p = calloc(1, peer_size());

	assert_non_null(p);
	config.index = (struct index){
	    NULL, no_key, no_record, no_next, no_record, no_sum, no_sum};
	config.arrivals = (struct arrivals){NULL, no_bytes};
	peer_init(p, &config, 0);
	p->out = out;
	p->phase = PHASE_SERVING;
	p->incarnation = 1;
	view_set_self(p, MEMBER_ALIVE, 0);
	return p;
}

static inline struct member
member_of(unsigned id, uint32_t incarnation, enum member_state state)
{
	return (struct member){.id = (uint16_t)id,
	    .incarnation = incarnation,
	    .state = (uint8_t)state,
	    .revision = 1,
	    .addr = {0x7f000001, (uint16_t)(12000 + id)}};
}

/* The same in the ring of the exercise. */
static inline struct peer *
core_ring(uint16_t id, struct actions *out)
{
	static const uint16_t ids[] = {2, 4, 5, 8, 9, 14, 19};
	struct peer *p = core_new(id, out);

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct member m = member_of(ids[i], 1, MEMBER_ALIVE);

		if (ids[i] != id)
			view_merge(p, &m);
	}
	return p;
}

#endif
