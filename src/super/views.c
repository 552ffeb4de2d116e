#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "super/check.h"

/* Views, and the neighbours that follow from them: PROTOCOL.md, I1, Q1, Q2. */

void
views_ask(struct check *k)
{
	for (unsigned i = 0; i < k->count; i++) {
		if (k->all[i]->down)
			continue;
		k->reference = k->all[i]->id;
		memset(k->view, 0, sizeof(k->view));
		k->phase = CHECK_REFERENCE;
		witness_ask_members(k->all[i]);
		break;
	}
	check_await(k);
}

/* The others are compared with it as they come. */
static void
ask_others(struct check *k)
{
	k->phase = CHECK_VIEWS;
	for (unsigned i = 0; i < k->count; i++)
		if (!k->all[i]->down && k->all[i]->id != k->reference)
			witness_ask_members(k->all[i]);
}

static bool
same_member(const struct member *a, const struct member *b)
{
	return a->state == b->state &&
	       (a->state == MEMBER_NONE ||
		   (a->incarnation == b->incarnation && a->flags == b->flags &&
		       a->revision == b->revision));
}

/* What the witness has of one identifier, and the reference has not. */
static void
compare(struct witness *w, unsigned id, const struct member *m)
{
	const struct member *r = &w->check->view[id];
	char text[128];

	if (same_member(m, r) || w->differs++ > 0)
		return;
	if (m->state != r->state)
		snprintf(text, sizeof(text), "peer %u is %s there, and not %s",
		    id, member_state_text(m->state),
		    member_state_text(r->state));
	else if (m->incarnation != r->incarnation)
		snprintf(text, sizeof(text),
		    "peer %u has incarnation %u there, and not %u", id,
		    m->incarnation, r->incarnation);
	else
		snprintf(
		    text, sizeof(text), "peer %u has other flags there", id);
	text_set(&w->difference, text);
}

static void
compare_upto(struct witness *w, unsigned end)
{
	static const struct member none;

	for (; w->upto < end; w->upto++)
		compare(w, w->upto, &none);
}

static void
compare_page(struct witness *w, const struct msg_members *m)
{
	for (unsigned i = 0; i < m->list.count; i++) {
		const struct member *at = &m->list.at[i];

		if (at->id >= SPACE_MAX || at->id < w->upto)
			continue;
		compare_upto(w, at->id);
		compare(w, w->upto++, at);
	}
	if (m->last)
		compare_upto(w, SPACE_MAX);
}

static bool
all_answered(const struct check *k)
{
	for (unsigned i = 0; i < k->count; i++)
		if (!k->all[i]->down && k->all[i]->asked)
			return false;
	return true;
}

void
views_members(struct check *k, struct witness *w, const struct msg_members *m)
{
	if (!w->asked || w->op != m->op ||
	    (k->phase != CHECK_REFERENCE && k->phase != CHECK_VIEWS))
		return;
	if (k->phase == CHECK_REFERENCE) {
		for (unsigned i = 0; i < m->list.count; i++)
			if (m->list.at[i].id < SPACE_MAX)
				k->view[m->list.at[i].id] = m->list.at[i];
	} else {
		compare_page(w, m);
	}
	if (!m->last)
		return;
	w->asked = false;
	w->hash = m->hash;
	check_await(k);
	if (k->phase == CHECK_REFERENCE)
		ask_others(k);
	if (k->phase == CHECK_VIEWS && all_answered(k)) {
		views_judge(k);
		if (k->phase == CHECK_VIEWS)
			files_begin(k);
	}
}

static bool
is_member(const struct check *k, unsigned id)
{
	return k->view[id].state == MEMBER_ALIVE ||
	       k->view[id].state == MEMBER_SUSPECT;
}

static void
found(struct check *k, enum finding_kind kind, unsigned peer, const char *text)
{
	static struct msg_finding m;

	memset(&m, 0, sizeof(m));
	m.kind = (uint8_t)kind;
	m.peer = (uint16_t)peer;
	text_set(&m.text, text);
	findings_add(&k->found, &m, hash_bytes(m.text.text, m.text.len), true);
}

/* The reference's view against what is true of one child. */
static void
judge_member(struct check *k, const struct child *c)
{
	const struct member *m = &k->view[c->id];
	const char *state = member_state_text(m->state);
	char text[160];

	if (c->pid == 0) {
		if (m->state != MEMBER_ALIVE && m->state != MEMBER_SUSPECT &&
		    m->state != MEMBER_LEAVING)
			return;
		snprintf(text, sizeof(text),
		    "view of %u: peer %u is %s, but its process is %s",
		    k->reference, c->id, state,
		    peer_state_text(child_state(c)));
	} else if (check_witness(k, c->id) == NULL) {
		/* A paused one may be fenced, or not yet. */
		return;
	} else if (m->state != MEMBER_ALIVE) {
		snprintf(text, sizeof(text),
		    "view of %u: peer %u is %s, but it is up", k->reference,
		    c->id, state);
	} else if (m->incarnation != c->report.incarnation) {
		snprintf(text, sizeof(text),
		    "view of %u: peer %u has incarnation %u, but it is %u",
		    k->reference, c->id, m->incarnation, c->report.incarnation);
	} else {
		return;
	}
	found(k, FINDING_view, k->reference, text);
}

static void
judge_view(struct check *k, const struct witness *w)
{
	char more[32] = "", text[TEXT_LEN_MAX + 1];

	if (w->differs == 0)
		return;
	if (w->differs > 1)
		snprintf(more, sizeof(more), ", and %u more", w->differs - 1);
	snprintf(text, sizeof(text),
	    "view of %u differs from that of %u: "
	    "%.300s%s",
	    w->id, k->reference, w->difference.text, more);
	found(k, FINDING_view, w->id, text);
}

/* The nth member from id on, clockwise or (step -1) the other way. */
static unsigned
neighbour(const struct check *k, unsigned id, int step, unsigned nth)
{
	unsigned at = id, space = 1u << k->super->config.bits;

	for (unsigned i = 1; i < space && nth > 0; i++) {
		at = (at + (unsigned)step) & (space - 1);
		nth -= at != id && is_member(k, at);
	}
	return nth == 0 ? at : id;
}

static void
judge_neighbour(struct check *k, unsigned id, enum finding_kind kind,
    const char *name, unsigned has, unsigned should)
{
	char text[128];

	if (has == should)
		return;
	snprintf(text, sizeof(text), "peer %u has %s %u, should be %u", id,
	    name, has, should);
	found(k, kind, id, text);
}

static void
judge_neighbours(struct check *k, unsigned id)
{
	const struct msg_report *r = &k->super->children[id]->report;

	judge_neighbour(k, id, FINDING_first, "first successor", r->first,
	    neighbour(k, id, 1, 1));
	if (idset_count(&k->situation.members) >= 3)
		judge_neighbour(k, id, FINDING_second, "second successor",
		    r->second, neighbour(k, id, 1, 2));
	judge_neighbour(k, id, FINDING_predecessor, "predecessor",
	    r->predecessor, neighbour(k, id, -1, 1));
}

/* By it files are judged. */
static void
take_situation(struct check *k)
{
	struct situation *s = &k->situation;

	memset(s, 0, sizeof(*s));
	s->space = 1u << k->super->config.bits;
	s->copies = k->super->config.copies;
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *c = k->super->children[id];
		const struct witness *w = check_witness(k, id);

		if (w != NULL && !w->down)
			idset_add(&s->asked, id);
		else if ((c != NULL && c->pid != 0) ||
			 (c == NULL && is_member(k, id)))
			s->blind = true;
		if (!is_member(k, id))
			continue;
		idset_add(&s->members, id);
		if ((k->view[id].flags & MEMBER_READONLY) == 0)
			idset_add(&s->writable, id);
	}
}

void
views_judge(struct check *k)
{
	struct child *const *children = k->super->children;

	take_situation(k);
	for (unsigned i = 0; i < k->count; i++) {
		const struct witness *w = k->all[i];

		if (w->down)
			continue;
		/* Neighbours are of the report: it must be of this view. */
		if (w->hash != children[w->id]->report.hash) {
			check_again(k, "the view of peer %u changes", w->id);
			return;
		}
		if ((k->view[w->id].flags & MEMBER_SYNCING) != 0) {
			check_again(k, "peer %u is syncing", w->id);
			return;
		}
		judge_view(k, w);
		judge_neighbours(k, w->id);
	}
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (children[id] != NULL)
			judge_member(k, children[id]);
}
