#include <string.h>

#include "ring/files_repair.h"

/*
 * A version was found damaged here: the driver has set it aside, and the index
 * knows it no more. The other replicas are asked for it, one after the other;
 * if none has it, the next comparison with the owner, or with its replicas,
 * may bring it or what replaced it. Until then the name is known as lost.
 */
enum {
	AGAIN_US = 10000, /* between looks at one that is on its way */
	GIVE_UP_US = 10000000,
};

static void
mend_start(struct peer *p, const struct record *r)
{
	for (unsigned i = 0; i < MENDS_MAX; i++) {
		struct mend *m = &p->files.mends[i];

		if (m->used)
			continue;
		m->used = true;
		m->next = 0;
		m->record = *r;
		m->timer_us = p->now_us;
		m->expires_us = p->now_us + GIVE_UP_US;
		files_wake(p, m->timer_us);
		return;
	}
}

void
files_damaged(struct peer *p, const struct record *r)
{
	int key = files_key(p, &r->name);

	note_damaged(p, &r->name, "its content has changed");
	release_forget(p);
	write_lost(p, r);
	if (key < 0)
		return;
	if (ring_owner(p, (unsigned)key) == p->config.id)
		range_touched(p);
	mend_start(p, r);
}

/* Asks the next one that should have it; false: there is none. */
static bool
mend_ask(struct peer *p, struct mend *m)
{
	uint16_t ids[COPIES_MAX + 1];
	int key = files_key(p, &m->record.name);
	unsigned n = ring_replicas(p, (unsigned)key, ids);
	bool in_set = false;

	for (unsigned i = 0; i < n; i++)
		in_set |= ids[i] == p->config.id;
	if (!in_set || !member_writable(p, p->config.id))
		return false;
	if (m->next < n && ids[m->next] == p->config.id)
		m->next++;
	if (m->next >= n)
		return false;
	if (pull_start(p, ids[m->next], &m->record, NOBODY, 0))
		m->next++;
	return true;
}

static void
mend_step(struct peer *p, struct mend *m)
{
	struct record held;

	m->timer_us = p->now_us + AGAIN_US;
	if (pull_active(p, &m->record))
		return;
	if (m->expires_us <= p->now_us ||
	    (files_find(p, &m->record.name, &held) &&
		version_cmp(&held.version, &m->record.version) >= 0) ||
	    !mend_ask(p, m))
		m->used = false;
}

uint64_t
mend_tick(struct peer *p)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < MENDS_MAX; i++) {
		struct mend *m = &p->files.mends[i];

		if (m->used && m->timer_us <= p->now_us)
			mend_step(p, m);
		if (m->used && m->timer_us < next)
			next = m->timer_us;
	}
	return next;
}
