#include <string.h>

#include "ring/core.h"

/*
 * A new ring's first meeting. All start together and know of each other as
 * contacts, so each entry of the view travels to each peer once: who knows the
 * 2^k expected peers that end with itself tells them to the one 2^k places
 * further on (dissemination barrier: Hensgen, Finkel, Manber 1988). Who misses
 * somebody for too long goes on as in a ring that is there already.
 */
enum { GATHER_US = 200000, GATHER_MEMBER_US = 2000 };

static unsigned
expected_step(const struct peer *p, unsigned id, unsigned step)
{
	do
		id = (id + step) & (p->space - 1);
	while (!idset_has(&p->gather, id));
	return id;
}

void
gather_begin(struct peer *p)
{
	memset(&p->gather, 0, sizeof(p->gather));
	for (unsigned id = 0; id < p->space; id++)
		if (p->watch[id].contact || p->view[id].state != MEMBER_NONE)
			idset_add(&p->gather, id);
	p->gather_count = idset_count(&p->gather);
	p->gather_at = p->config.id;
	p->gather_run = 1;
	p->gather_round = 0;
	p->gather_us = p->now_us + GATHER_US +
		       (uint64_t)p->gather_count * GATHER_MEMBER_US;
	p->quiet_us = p->gather_us;
}

/* To the one 2^round places on: itself and those before it. */
static void
gather_tell(struct peer *p)
{
	unsigned n = 1u << p->gather_round++, rest = p->gather_count - n;
	unsigned id = p->config.id, to = id;
	struct idset entries;

	memset(&entries, 0, sizeof(entries));
	for (unsigned i = 0; i < n; i++) {
		to = expected_step(p, to, 1);
		if (i < rest)
			idset_add(&entries, id);
		id = expected_step(p, id, p->space - 1);
	}
	gossip_send(p, &entries, p->view[to].addr);
}

void
gather_end(struct peer *p)
{
	if (p->gather_us == 0)
		return;
	p->gather_us = 0;
	if (p->gather_run == p->gather_count)
		gossip_keep(p, &p->gather);
	else
		gossip_relay(p, p->config.id);
	view_derive(p);
	start_gathered(p);
}

void
gather_step(struct peer *p)
{
	unsigned next;

	while (p->gather_run < p->gather_count) {
		next = expected_step(p, p->gather_at, p->space - 1);
		if (p->view[next].state == MEMBER_NONE)
			break;
		p->gather_at = next;
		p->gather_run++;
	}
	while (1u << p->gather_round < p->gather_count &&
	       1u << p->gather_round <= p->gather_run)
		gather_tell(p);
	if (p->gather_run == p->gather_count || p->gather_us <= p->now_us)
		gather_end(p);
}
