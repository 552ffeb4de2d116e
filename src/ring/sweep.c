#include "ring/core.h"

/*
 * The identifier probe: without it about 1 in 720 random schedules of kills,
 * restarts and partitions never became one ring again.
 */
enum {
	SWEEP_US = 20000000, /* of all absent identifiers, by all members */
	SWEEP_MIN_US = 2000,
	CONTACT_FIRST_US = 20000, /* after this not one, but all are asked, */
	CONTACT_EACH_US = 2000, /* and later where many start together */
	CONTACT_NEXT_US = 5000, /* between batches */
	CONTACT_MAX_US = 1000000, /* between rounds */
	CONTACT_BATCH = 16,
};

static uint64_t
sweep_interval_us(const struct peer *p)
{
	unsigned members = p->member_count > 0 ? p->member_count : 1;
	uint64_t absent = members < p->space ? p->space - members : 1;
	uint64_t us = SWEEP_US * (uint64_t)members / absent;

	return us < SWEEP_MIN_US ? SWEEP_MIN_US : us;
}

void
sweep_init(struct peer *p)
{
	for (unsigned i = 0; i < p->space; i++) {
		unsigned j = (unsigned)random_below(&p->random, i + 1);

		p->sweep[i] = p->sweep[j];
		p->sweep[j] = (uint16_t)i;
	}
	p->sweep_us = p->now_us + sweep_interval_us(p);
	p->contact_us = p->now_us;
	p->contact_wait_us =
	    CONTACT_FIRST_US + sweep_contacts(p) * CONTACT_EACH_US;
}

void
sweep_view_changed(struct peer *p)
{
	uint64_t at = p->now_us + sweep_interval_us(p);

	if (p->sweep_us > at)
		p->sweep_us = at;
}

unsigned
sweep_contacts(const struct peer *p)
{
	unsigned contacts = 0;

	for (unsigned id = 0; id < p->space; id++)
		contacts += p->watch[id].contact;
	return contacts;
}

static struct addr
address_of(const struct peer *p, unsigned id)
{
	struct addr addr = {.ip = p->config.host_ip,
	    .port = (uint16_t)(p->config.port_base + id)};

	return p->view[id].addr.port != 0 ? p->view[id].addr : addr;
}

static void
sweep_one(struct peer *p)
{
	p->sweep_us = p->now_us + sweep_interval_us(p);
	for (unsigned i = 0; i < p->space; i++) {
		unsigned id = p->sweep[p->sweep_at];

		p->sweep_at = (p->sweep_at + 1) % p->space;
		if (id == p->config.id || member_is(p, id) ||
		    p->view[id].state == MEMBER_SUSPECT)
			continue;
		ping_send(p, id, address_of(p, id), false);
		return;
	}
}

/*
 * All that it knew are gone: others may have come while it was away, or its
 * view, which is but a hint, may have missed whom it met last.
 */
static bool
scans(const struct peer *p)
{
	return !p->scanned && p->contact_pass >= 2 && p->incarnation > 1 &&
	       p->phase == PHASE_SYNCING && p->member_count == 1;
}

/*
 * Contacts that were not heard of: first the one that would be the successor,
 * then all the others in a random order, a few at a time; then, if there is
 * nobody, all identifiers once. Contacts again and again, less and less often,
 * while some are missing.
 */
static void
try_contacts(struct peer *p)
{
	bool all = scans(p);
	unsigned asked = 0;

	if (all && !p->scanning)
		p->contact_at = 0;
	p->scanning = all;
	p->contact_us = p->now_us + CONTACT_NEXT_US;
	while (asked < CONTACT_BATCH && p->contact_at < p->space) {
		unsigned id =
		    p->contact_pass == 0
			? (p->config.id + 1 + p->contact_at) & (p->space - 1)
			: p->sweep[p->contact_at];

		p->contact_at++;
		if (!p->watch[id].contact && (!all || id == p->config.id))
			continue;
		ping_send(p, id, address_of(p, id), false);
		asked++;
		if (p->contact_pass == 0)
			p->contact_at = p->space;
	}
	if (p->contact_at < p->space)
		return;
	p->contact_at = 0;
	p->contact_pass++;
	p->contact_us = !all && p->contact_pass > 2 && sweep_contacts(p) == 0
			    ? UINT64_MAX
			    : p->now_us + p->contact_wait_us;
	p->scanned |= all;
	if ((all || p->contacts_asked_us == 0) && p->contact_pass >= 2 &&
	    !scans(p))
		p->contacts_asked_us = p->now_us;
	if (p->contact_pass >= 2 && p->contact_wait_us < CONTACT_MAX_US)
		p->contact_wait_us *= 2;
}

static uint64_t
contacts_due(const struct peer *p)
{
	return scans(p) && !p->scanning ? p->now_us : p->contact_us;
}

static bool
sweeping(const struct peer *p)
{
	return p->phase >= PHASE_SYNCING && p->phase <= PHASE_LEAVING &&
	       p->gather_us == 0;
}

void
sweep_tick(struct peer *p)
{
	if (sweep_deadline(p) > p->now_us)
		return;
	if (contacts_due(p) <= p->now_us)
		try_contacts(p);
	if (p->sweep_us <= p->now_us && !MUTANT(NO_PROBE))
		sweep_one(p);
}

uint64_t
sweep_deadline(const struct peer *p)
{
	uint64_t at = UINT64_MAX;

	if (!sweeping(p))
		return at;
	if (!MUTANT(NO_PROBE))
		at = p->sweep_us;
	return contacts_due(p) < at ? contacts_due(p) : at;
}
