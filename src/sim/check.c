#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/check.h"
#include "sim/plan.h"
#include "sim/sim.h"

static bool
counts(const struct member *m)
{
	return m->state == MEMBER_ALIVE || m->state == MEMBER_SUSPECT;
}

void
check_born(struct sim *s, struct node *n)
{
	n->forgot = disk_forgot(s, n);
	memset(n->then, 0, sizeof(n->then));
	memset(n->told, 0, sizeof(n->told));
	for (unsigned i = 0; i < n->disk.view_count; i++)
		if (n->disk.view[i].state < MEMBER_LEFT &&
		    n->disk.view[i].id != n->id)
			plan_put(n->then, n->disk.view[i].id);
	if (n->forgot)
		s->forgot_us = s->now_us;
	memset(n->shadow, 0, s->space * sizeof(n->shadow[0]));
	n->incarnation = 0;
	n->expected_count = 0;
	n->member = false;
	n->recalls = n->disk.incarnation == 0;
	memset(n->known_by, 0, sizeof(n->known_by));
	for (unsigned i = 0; i < n->contact_count; i++) {
		const struct node *o = node_of(s, n->contacts[i]);

		if (o != NULL && check_live(o) &&
		    o->shadow[n->id].incarnation > 0)
			plan_put(n->known_by, o->id);
	}
	if (n->disk.power_us > n->born_us)
		n->lit_us = s->now_us;
	n->known_us = n->born_us = s->now_us;
	n->served = false;
	n->serving_us = 0;
	n->spins = 0;
	n->saved_us = s->now_us;
	n->unsaved = false;
}

bool
check_live(const struct node *n)
{
	return n->running && !n->exiting &&
	       (n->goal == GOAL_SERVE || n->goal == GOAL_JOIN);
}

bool
check_contact(const struct node *n, const struct node *other)
{
	for (unsigned i = 0; i < n->contact_count; i++)
		if (n->contacts[i] == other->id)
			return true;
	return false;
}

/* Were all disks lost that were there then? */
static bool
all_lost(const struct sim *s, uint64_t then_us)
{
	for (unsigned i = 0; i < s->node_count; i++)
		if (s->nodes[i].disk.wiped_us <= then_us)
			return false;
	return true;
}

/* May this process have an incarnation that another one had? */
static bool
reuse_excused(struct sim *s, const struct node *n, const struct lineage *l,
    uint32_t incarnation)
{
	if (l->node != n)
		return !l->node->running || l->node->incarnation != incarnation;
	if (l->wipes == n->disk.wipes)
		return false;
	if (!s->calm || !n->recalls || all_lost(s, l->us))
		return true;
	/* Its disk was lost: who was there must remember, and be asked. */
	for (unsigned i = 0; i < s->node_count; i++) {
		const struct node *o = &s->nodes[i];

		if (check_live(o) && o->process < n->process &&
		    (check_contact(n, o)
			    ? plan_has(n->known_by, o->id)
			    : n->shadow[o->id].state != MEMBER_NONE) &&
		    o->shadow[n->id].incarnation >= incarnation)
			return false;
	}
	return true;
}

/* I3 */
static void
check_lineage(struct sim *s, struct node *n, uint32_t incarnation)
{
	struct lineage *l;

	if (incarnation < n->incarnation)
		sim_fail(s, CHECK_LINEAGE, n,
		    "its incarnation fell from %u to %u", n->incarnation,
		    incarnation);
	n->incarnation = incarnation;
	for (unsigned i = 0; i < s->lineage_count; i++) {
		l = &s->lineages[i];
		if (l->id != n->id || l->incarnation != incarnation ||
		    l->process == n->process)
			continue;
		if (!reuse_excused(s, n, l, incarnation))
			sim_fail(s, CHECK_LINEAGE, n,
			    "process %u has incarnation %u, which process %u "
			    "had",
			    n->process, incarnation, l->process);
	}
	if (n->disk.incarnation < incarnation)
		sim_fail(s, CHECK_LINEAGE, n,
		    "incarnation %u is used, and %u is on its disk",
		    incarnation, n->disk.incarnation);
	if (s->lineage_count < LINEAGES_MAX)
		s->lineages[s->lineage_count++] = (struct lineage){n->id,
		    incarnation, n->process, n, n->disk.wipes, s->now_us};
}

/* I2 */
static void
check_entry(struct sim *s, struct node *n, const struct member *old,
    const struct member *m)
{
	const struct node *about = node_of(s, m->id);
	bool down = m->incarnation < old->incarnation;

	if (m->incarnation == old->incarnation)
		down = m->state < old->state || m->revision < old->revision;
	if (down)
		sim_fail(s, CHECK_ORDER, n,
		    "entry %u went from (%u, state %u, revision %u) down to "
		    "(%u, %u, %u)",
		    m->id, old->incarnation, old->state, old->revision,
		    m->incarnation, m->state, m->revision);
	if (m->state != MEMBER_DEAD || old->state == MEMBER_DEAD ||
	    about == NULL || !about->running ||
	    about->incarnation != m->incarnation)
		return;
	s->false_deads++;
	if (!about->paused)
		node_of(s, m->id)->accused = m->incarnation;
	/* With its disk lost, it may be taken for an earlier life. */
	if (s->calm && about->disk.wipes == 0)
		sim_fail(s, CHECK_FALSE_DEAD, n,
		    "calls peer %u dead (incarnation %u), which runs, and "
		    "nothing is wrong with the network",
		    m->id, m->incarnation);
}

/* Successors anew, from the shadow of its view alone. */
static void
derive(struct sim *s, struct node *n)
{
	n->expected_count = 0;
	n->member = counts(&n->shadow[n->id]);
	for (unsigned i = 1; i < s->space; i++) {
		unsigned id = (n->id + i) & (s->space - 1);

		if (counts(&n->shadow[id]))
			n->expected[n->expected_count++] = (uint16_t)id;
	}
}

bool
check_knows(const struct node *n, const struct node *other)
{
	const struct member *m = &n->shadow[other->id];

	return m->incarnation == other->incarnation &&
	       m->state >= MEMBER_ALIVE && m->state <= MEMBER_LEAVING;
}

/* Who is paused serves nobody; who is syncing decides nothing by itself. */
bool
check_acts(const struct node *n, bool syncing)
{
	return check_live(n) && n->incarnation > 0 && !n->paused &&
	       (syncing || !(n->shadow[n->id].flags & MEMBER_SYNCING));
}

/* Bytes between fields may differ by chance: then it is only slower. */
static bool
same(const void *a, const void *b, size_t len)
{
	return memcmp(a, b, len) == 0;
}

/* The durable view is a hint, written now and then. */
static void
save_view(struct sim *s, struct node *n)
{
	n->unsaved = s->now_us <= n->saved_us;
	if (n->unsaved)
		return;
	disk_save(n);
	n->saved_us = s->now_us + random_below(&s->net, 2 * SECOND);
}

static void
compare_view(struct sim *s, struct node *n)
{
	const struct member *view = peer_view(n->peer, 0);

	assert(peer_view(n->peer, 1) == view + 1);
	if (same(view, n->shadow, s->space * sizeof(view[0]))) {
		if (n->unsaved)
			save_view(s, n);
		return;
	}
	for (unsigned id = 0; id < s->space; id++) {
		if (same(&view[id], &n->shadow[id], sizeof(view[id])))
			continue;
		check_entry(s, n, &n->shadow[id], &view[id]);
		n->shadow[id] = view[id];
		check_saw(s, n, id);
	}
	derive(s, n);
	commands_view_changed(s, n);
	check_served(s, n);
	check_missed(s, n);
	check_split(s, n);
	save_view(s, n);
}

/* I1 */
static void
check_list(struct sim *s, struct node *n)
{
	uint16_t list[SPACE_MAX];
	size_t count = peer_successors(n->peer, list, SPACE_MAX);
	size_t want = s->copies > 2 ? s->copies : 2;

	if (!n->member)
		return;
	if (count == 1 && list[0] == n->id)
		count = 0;
	if (want > n->expected_count)
		want = n->expected_count;
	if (count < want || count > n->expected_count) {
		sim_fail(s, CHECK_LIST, n,
		    "%zu successors, where its view has %u others", count,
		    n->expected_count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (list[i] != n->expected[i]) {
			sim_fail(s, CHECK_LIST, n,
			    "successor %zu is %u, and %u by its view", i + 1,
			    list[i], n->expected[i]);
			return;
		}
}

void
check_step(struct sim *s, struct node *n)
{
	uint32_t incarnation = peer_incarnation(n->peer);

	if (incarnation != n->incarnation)
		check_lineage(s, n, incarnation);
	compare_view(s, n);
	check_list(s, n);
}

/*
 * I4: only without faults of the network, and with time for news to come.
 * Rings that have not met yet know nothing of each other, on both sides.
 */
static void
check_alone(struct sim *s, struct node *n)
{
	bool listed = false;

	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *o = &s->nodes[i];

		if (o == n || !check_live(o) || o->incarnation == 0)
			continue;
		if (check_knows(n, o)) {
			n->known_us = s->now_us;
			return;
		}
		listed |= check_knows(o, n);
	}
	if (!listed)
		n->known_us = s->now_us;
	else if (s->now_us - n->known_us > 2 * SECOND)
		sim_fail(s, CHECK_KNOWN, n,
		    "knows no live peer for two seconds, nobody was wrongly "
		    "called dead, and others list it");
}

void
check_known(struct sim *s)
{
	check_apart(s);
	for (unsigned i = 0; i < s->node_count && s->calm; i++)
		if (check_live(&s->nodes[i]))
			check_alone(s, &s->nodes[i]);
}

static char why[256];

/* Q1 */
static bool
rest_view(struct sim *s, const struct node *n)
{
	for (unsigned id = 0; id < s->space; id++) {
		const struct member *m = &n->shadow[id];
		const struct node *o = node_of(s, id);
		bool good =
		    o != NULL && check_live(o)
			? m->state == MEMBER_ALIVE &&
			      m->incarnation == o->incarnation &&
			      (m->flags & ~MEMBER_KEPT) == 0
			: m->state == MEMBER_NONE || m->state >= MEMBER_LEFT;

		if (good)
			continue;
		snprintf(why, sizeof(why),
		    "peer %u lists %u as (%u, state %u, flags %u), and it is "
		    "%s, incarnation %u",
		    n->id, id, m->incarnation, m->state, m->flags,
		    o == NULL       ? "nowhere"
		    : check_live(o) ? "live"
		    : o->running    ? "going"
				    : "down",
		    o == NULL ? 0 : o->incarnation);
		return false;
	}
	return true;
}

/* Q2 */
static bool
rest_cycle(struct sim *s, const struct node *n)
{
	struct msg_report r;
	unsigned next = n->id, before = n->id;

	memset(&r, 0, sizeof(r));
	peer_report(n->peer, &r);
	for (unsigned i = 1; i < s->space; i++) {
		const struct node *o = node_of(s, (n->id + i) & (s->space - 1));

		if (o == NULL || !check_live(o))
			continue;
		if (next == n->id)
			next = o->id;
		before = o->id;
	}
	if (r.state == PEER_UP && r.first == next && r.predecessor == before)
		return true;
	snprintf(why, sizeof(why),
	    "peer %u (state %s) has successor %u and predecessor %u, which "
	    "should be %u and %u",
	    n->id, peer_state_text(r.state), r.first, r.predecessor, next,
	    before);
	return false;
}

const char *
check_rest(struct sim *s)
{
	const struct node *first = NULL;

	if (s->steps_left > 0)
		return "steps of the plan are still to come";
	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[i];

		if (n->starting || (n->running && !check_live(n))) {
			snprintf(why, sizeof(why), "peer %u is %s", n->id,
			    n->running ? "still going" : "starting");
			return why;
		}
		if (!n->running)
			continue;
		if (!rest_view(s, n) || !rest_cycle(s, n))
			return why;
		if (first == NULL)
			first = n;
		if (peer_view_hash(n->peer) != peer_view_hash(first->peer)) {
			snprintf(why, sizeof(why),
			    "the views of %u and %u differ", first->id, n->id);
			return why;
		}
		if (!peer_idle(n->peer)) {
			snprintf(
			    why, sizeof(why), "peer %u is not idle", n->id);
			return why;
		}
	}
	if (!commands_done(s))
		return "a command has had no final reply";
	return NULL;
}
