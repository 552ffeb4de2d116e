#include <assert.h>
#include <string.h>

#include "ring/core.h"

/*
 * Silent peers: pings, RTO (RFC 6298), indirect pings (SWIM), suspicions
 * that shrink with independent accusers (Lifeguard).
 */
enum {
	RTO_MIN_US = 20000,
	RTO_MAX_US = 1000000,
	RTO_FIRST_US = 200000, /* no sample yet */
	SLOW_MAX_US = 500000, /* own lateness counts up to this, */
	SLOW_HALF_US = 500000, /* and half after this */
	INDIRECT = 2, /* peers asked to ping for us */
	SUSPICION_MIN_US = 300000, /* with two other accusers */
	SUSPICION_ONE_US = 632000, /* with one: max-(max-min)log2/log3 */
	SUSPICION_MAX_US = 1200000, /* alone */
};

/* How late this peer itself was of late. */
static uint64_t
slowness(const struct peer *p)
{
	uint64_t halves = (p->now_us - p->slow_since_us) / SLOW_HALF_US;

	return halves < 32 ? p->slow_us >> halves : 0;
}

/* Where one peer must wait for a processor, the others do, too. */
static uint64_t
rto(const struct peer *p, const struct watch *w)
{
	uint64_t us = w->srtt_us + 4 * (uint64_t)w->rttvar_us;

	if (w->srtt_us == 0)
		us = RTO_FIRST_US;
	us = (us < RTO_MIN_US ? RTO_MIN_US : us) + 2 * slowness(p);
	return us > RTO_MAX_US ? RTO_MAX_US : us;
}

/* Probes and accusations under way are few: a list spares the scan of all. */
static void
follow(struct peer *p, unsigned id)
{
	for (unsigned i = 0; i < p->followed_count; i++)
		if (p->followed[i] == id)
			return;
	assert(p->followed_count < SPACE_MAX);
	p->followed[p->followed_count++] = (uint16_t)id;
}

void
detect_probe(struct peer *p, unsigned id, bool marked)
{
	struct probe *b = &p->watch[id].probe;

	b->last_seq = ping_send(p, id, p->view[id].addr, marked);
	if (!b->active) {
		b->active = true;
		b->tries = 0;
		b->first_seq = b->last_seq;
		follow(p, id);
	}
	b->seqs[b->tries % PROBE_TRIES] = b->last_seq;
	b->sent_us[b->tries % PROBE_TRIES] = p->now_us;
	b->tries++;
	b->expires_us = p->now_us + rto(p, &p->watch[id]);
}

void
detect_doubt(struct peer *p, unsigned id)
{
	if (id == p->config.id || !member_is(p, id) ||
	    p->watch[id].probe.active || p->watch[id].accusing)
		return;
	detect_probe(p, id, false);
}

/* Asks members other than the silent one to ping it. */
static void
ask_others(struct peer *p, unsigned id)
{
	unsigned at = (unsigned)random_below(&p->random, p->space);
	struct message m;

	m.type = MSG_ping_req;
	m.ping_req.seq = p->watch[id].probe.last_seq;
	m.ping_req.target = (uint16_t)id;
	m.ping_req.addr = p->view[id].addr;
	for (unsigned i = 0, asked = 0; i < p->space && asked < INDIRECT; i++) {
		unsigned by = (at + i) & (p->space - 1);

		if (by == id || by == p->config.id ||
		    p->view[by].state != MEMBER_ALIVE)
			continue;
		act_datagram(p, p->view[by].addr, &m);
		asked++;
	}
}

static void
set_dead_time(const struct peer *p, struct watch *w)
{
	static const uint64_t after[] = {
	    SUSPICION_MAX_US, SUSPICION_ONE_US, SUSPICION_MIN_US};

	assert(w->accuser_count <= ACCUSERS_MAX);
	w->dead_us = w->accused_us + after[w->accuser_count] + 2 * slowness(p);
}

static void
accuse(struct peer *p, unsigned id)
{
	struct watch *w = &p->watch[id];
	struct member m = p->view[id];

	assert(member_is(p, id) || MUTANT(MOVE_ON_SUSPICION));
	/* Pings go on meanwhile: it is given no more time for that. */
	if (p->freeze_us != 0 || w->accusing)
		return;
	w->accusing = true;
	follow(p, id);
	w->accused_us = p->now_us;
	set_dead_time(p, w);
	m.state = MEMBER_SUSPECT;
	p->why = "no answer to pings";
	view_merge(p, &m);
	p->why = "";
	/* Said again when others were first: each accuser counts. */
	gossip_broadcast(p, id);
}

void
detect_accused(struct peer *p, unsigned id, unsigned by)
{
	struct watch *w = &p->watch[id];

	if (by == id || id == p->config.id ||
	    p->view[id].state != MEMBER_SUSPECT)
		return;
	for (unsigned i = 0; i < w->accuser_count; i++)
		if (w->accusers[i] == by)
			return;
	if (w->accuser_count < ACCUSERS_MAX)
		w->accusers[w->accuser_count++] = (uint16_t)by;
	if (w->accusing)
		set_dead_time(p, w);
	else if (ring_lists(p, p->config.id, id) ||
		 ring_lists(p, id, p->config.id))
		detect_doubt(p, id);
}

void
detect_alive(struct peer *p, unsigned id)
{
	struct watch *w = &p->watch[id];

	if (p->view[id].state != MEMBER_SUSPECT)
		return;
	/* It must raise its incarnation itself; it may not know yet. */
	if (w->accusing) {
		w->accusing = false;
		w->accuser_count = 0;
		gossip_tell(p, p->view[id].addr, id);
		detect_doubt(p, id);
	}
}

void
detect_dead(struct peer *p, unsigned id, const char *reason)
{
	struct member m = p->view[id];

	if (id == p->config.id || p->freeze_us != 0 || m.state == MEMBER_NONE ||
	    m.state >= MEMBER_LEFT)
		return;
	m.state = MEMBER_DEAD;
	p->why = reason;
	if (view_merge(p, &m))
		gossip_broadcast(p, id);
	p->why = "";
	files_link_lost(p, id);
}

/* The last ping was not answered in time. */
static void
probe_expired(struct peer *p, unsigned id)
{
	struct probe *b = &p->watch[id].probe;

	if (!member_is(p, id)) {
		b->active = false;
	} else if (b->tries < PROBE_TRIES) {
		detect_probe(p, id, false);
		if (b->tries == 2)
			ask_others(p, id);
	} else {
		b->active = false;
		accuse(p, id);
	}
}

void
detect_tick(struct peer *p)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < p->followed_count; i++) {
		unsigned id = p->followed[i];
		struct watch *w = &p->watch[id];

		if (w->probe.active && w->probe.expires_us <= p->now_us)
			probe_expired(p, id);
		if (w->accusing && w->dead_us <= p->now_us) {
			w->accusing = false;
			detect_dead(p, id, "suspected, and silent since");
		}
		if (p->view[id].state >= MEMBER_LEAVING)
			w->accusing = false;
		if (w->probe.active || w->accusing)
			p->followed[kept++] = (uint16_t)id;
	}
	p->followed_count = kept;
}

uint64_t
detect_deadline(const struct peer *p)
{
	uint64_t at = UINT64_MAX;

	for (unsigned i = 0; i < p->followed_count; i++) {
		const struct watch *w = &p->watch[p->followed[i]];

		if (w->probe.active && w->probe.expires_us < at)
			at = w->probe.expires_us;
		if (w->accusing && w->dead_us < at)
			at = w->dead_us;
	}
	return at;
}

/* This peer itself was late: what it waits for gets as much more time. */
void
detect_forgive(struct peer *p, uint64_t late_us)
{
	if (late_us > slowness(p)) {
		p->slow_us = late_us < SLOW_MAX_US ? late_us : SLOW_MAX_US;
		p->slow_since_us = p->now_us;
	}
	for (unsigned i = 0; i < p->followed_count; i++) {
		struct watch *w = &p->watch[p->followed[i]];

		w->probe.expires_us += late_us;
		w->accused_us += late_us;
		w->dead_us += late_us;
	}
}
