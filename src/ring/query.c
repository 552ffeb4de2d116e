#include <assert.h>
#include <string.h>

#include "ring/files_repair.h"

static const uint64_t ONE = 1;

static void
query_done(struct peer *p, struct query *q)
{
	struct query done = *q;

	q->kind = TIE_FREE;
	if (done.kind == TIE_SERVE)
		serve_queried(p, &p->files.serves[done.at], &done);
	else
		write_queried(p, &p->files.writes[done.at], &done);
}

/* Somebody stays silent: nothing can be said for sure. */
static void
query_give_up(struct peer *p, struct query *q)
{
	q->blind = true;
	q->missing |= ONE;
	query_done(p, q);
}

static void
query_learn(struct query *q, unsigned id, const struct record *r)
{
	int cmp = q->known ? version_cmp(&r->version, &q->best.version) : 1;

	if (cmp > 0) {
		q->best = *r;
		q->known = true;
		q->holder_count = 0;
	}
	if (cmp >= 0) {
		q->best.acknowledged |= r->acknowledged;
		if (q->holder_count < SET_MAX)
			q->holders[q->holder_count++] = (uint16_t)id;
	}
}

/* Found damaged at id: known, and held by nobody unless another says so. */
static void
query_learn_lost(struct query *q, unsigned id, const struct record *r)
{
	int cmp = q->was_lost ? version_cmp(&r->version, &q->lost.version) : 1;

	if (cmp > 0) {
		q->lost = *r;
		q->was_lost = true;
		q->loser_count = 0;
	}
	if (cmp < 0)
		return;
	q->lost.acknowledged |= r->acknowledged;
	if (q->loser_count < SET_MAX)
		q->losers[q->loser_count++] = (uint16_t)id;
}

bool
query_lost(const struct query *q)
{
	return q->was_lost && (!q->known || version_cmp(&q->best.version,
						&q->lost.version) < 0);
}

/*
 * What nobody marked was acknowledged only if all holders it then had were
 * without it now: one that is left would have it, or have died.
 */
bool
query_denied(const struct peer *p, const struct query *q)
{
	if (!query_lost(q) || !q->known || q->lost.acknowledged || q->bereft)
		return query_lost(q);
	return q->loser_count + range_dead(p, q->key) >= p->config.copies;
}

static void
query_send(struct peer *p, struct query *q)
{
	struct message m;

	m.type = MSG_ask;
	m.ask.op = q->op;
	m.ask.name = q->name;
	m.ask.set = q->set;
	for (unsigned i = 0; i < q->count; i++)
		if (q->missing & ONE << i)
			link_send(p, q->ids[i], &m);
	q->timer_us = p->now_us + q->rto_us;
	files_wake(p, q->timer_us);
}

static void
query_add(struct query *q, unsigned id)
{
	for (unsigned i = 0; i < q->count; i++)
		if (q->ids[i] == id)
			return;
	/* More than can be asked: nothing can be said for sure. */
	if (q->count == ASKED_MAX)
		q->blind = q->partial = true;
	else
		q->ids[q->count++] = (uint16_t)id;
}

/*
 * Who is leaving or can't write is in no set any more, and may yet hold what
 * the set has not got: from the key on as far as the set reaches.
 */
static void
query_add_former(struct peer *p, struct query *q, unsigned last)
{
	unsigned arc = ring_distance(p, q->key, last);

	for (unsigned i = 0; i <= arc; i++) {
		unsigned id = (q->key + i) & (p->space - 1);

		if (id != p->config.id &&
		    (p->view[id].state == MEMBER_LEAVING ||
			(member_is(p, id) && !member_writable(p, id))))
			query_add(q, id);
	}
}

/* Who was away, perhaps on another side, may bring what the set has not got. */
static void
query_add_reunited(struct peer *p, struct query *q)
{
	const struct idset *set = &p->files.reunited;

	for (int id = idset_next(set, 0); id >= 0;
	     id = idset_next(set, (unsigned)id + 1))
		if (peer_usable(p, (unsigned)id))
			query_add(q, (unsigned)id);
}

/*
 * What it is fetching, the set may not have heard of. False: who sent it is
 * gone, and nobody else can be asked until it is written here.
 */
static bool
query_add_sources(const struct peer *p, struct query *q)
{
	bool all = true;

	for (unsigned i = 0; i < p->files.pull_top; i++) {
		const struct pull *l = &p->files.pulls[i];

		if (l->state == PULL_FREE ||
		    name_cmp(&l->record.name, &q->name) != 0)
			continue;
		if (peer_usable(p, l->from))
			query_add(q, l->from);
		else
			all = false;
	}
	return all;
}

/*
 * All that should hold it have lost it: one that should not may have it yet,
 * and not know so. Everybody else is asked, as many as can be at a time; false:
 * there is nobody left.
 */
static bool
query_widen(const struct peer *p, struct query *q)
{
	if (!query_denied(p, q) || q->blind)
		return false;
	if (q->wide == 0)
		q->first = q->count;
	q->count = q->first;
	q->vouching &= (ONE << q->first) - 1;
	for (; q->wide < p->space && q->count < ASKED_MAX; q->wide++)
		if (q->wide != p->config.id && peer_usable(p, q->wide))
			query_add(q, q->wide);
	q->missing = (ONE << q->count) - (ONE << q->first);
	/* There is no room for them: nothing can be said for sure. */
	if (q->first == ASKED_MAX)
		q->blind = q->partial = true;
	return q->missing != 0;
}

static void
query_answered(struct peer *p, struct query *q)
{
	if (query_widen(p, q))
		query_send(p, q);
	else
		query_done(p, q);
}

/*
 * Where the set ends, or would end if all could write: who can't may have been
 * in it before others came.
 */
static unsigned
query_last(const struct peer *p, unsigned key, unsigned last)
{
	unsigned at = ring_successor_of(p, (key - 1) & (p->space - 1));

	for (unsigned i = 1; i < p->config.copies; i++) {
		unsigned next = ring_successor_of(p, at);

		if (ring_distance(p, key, next) <= ring_distance(p, key, at))
			break;
		at = next;
	}
	return ring_distance(p, key, at) > ring_distance(p, key, last) ? at
								       : last;
}

/* Asks from the start: the set, and who had the range before. */
static void
query_begin(struct peer *p, struct query *q)
{
	uint16_t ids[COPIES_MAX + 1], formers[COPIES_MAX];
	unsigned n = ring_replicas(p, q->key, ids), self = p->config.id;
	bool all;
	unsigned before = range_formers(p, formers, &all);
	struct record own;

	q->known = q->blind = q->bereft = q->was_lost = q->partial = false;
	q->holder_count = q->loser_count = q->count = q->wide = 0;
	q->op = ++p->next_op;
	q->set = ring_set_hash(p, ids, n);
	q->rto_us = RTO_US;
	if (files_find(p, &q->name, &own))
		query_learn(q, p->config.id, &own);
	if (files_lost(p, &q->name, &own))
		query_learn_lost(q, p->config.id, &own);
	/* Peers that are syncing can't vouch that there is nothing. */
	q->blind = p->phase != PHASE_SERVING;
	for (unsigned i = 0; i < n; i++) {
		q->blind &= (p->view[ids[i]].flags & MEMBER_SYNCING) != 0;
		if (ids[i] != p->config.id)
			query_add(q, ids[i]);
	}
	for (unsigned i = 0; i < before; i++)
		query_add(q, formers[i]);
	if (!all)
		q->blind = q->partial = true;
	/*
	 * If nobody can write, anybody may have been the last who could; and of
	 * fewer than copies each one was in the set.
	 */
	query_add_former(p, q,
	    n < p->config.copies ||
		    (member_is(p, self) && !member_writable(p, self))
		? (q->key - 1) & (p->space - 1)
		: query_last(p, q->key, ids[n - 1]));
	query_add_reunited(p, q);
	all = query_add_sources(p, q);
	q->blind |= p->files.reunion_us > p->now_us;
	q->vouching = 0;
	q->missing = (ONE << q->count) - 1;
	if (!all)
		query_give_up(p, q);
	else if (q->missing == 0)
		query_answered(p, q);
	else
		query_send(p, q);
}

bool
query_start(struct peer *p, enum tie_kind kind, unsigned at,
    const struct name *name, unsigned key)
{
	struct query *q = NULL;

	assert(kind == TIE_SERVE || kind == TIE_WRITE);
	for (unsigned i = 0; i < QUERIES_MAX && q == NULL; i++)
		if (p->files.queries[i].kind == TIE_FREE)
			q = &p->files.queries[i];
	if (q == NULL)
		return false;
	top_raise(&p->files.query_top, (unsigned)(q - p->files.queries));
	memset(q, 0, sizeof(*q));
	q->kind = (uint8_t)kind;
	q->at = (uint16_t)at;
	q->name = *name;
	q->key = (uint16_t)key;
	q->expires_us = p->now_us + LIMIT_US;
	query_begin(p, q);
	return true;
}

void
query_cancel(struct peer *p, enum tie_kind kind, unsigned at)
{
	for (unsigned i = 0; i < p->files.query_top; i++)
		if (p->files.queries[i].kind == kind &&
		    p->files.queries[i].at == at)
			p->files.queries[i].kind = TIE_FREE;
}

void
query_ask(struct peer *p, struct conn *c, const struct msg_ask *in)
{
	int key = files_key(p, &in->name);
	uint16_t ids[COPIES_MAX + 1];
	struct message m;
	uint64_t doubt;
	unsigned n;

	if (key < 0)
		return;
	memset(&m, 0, sizeof(m));
	m.type = MSG_answer;
	m.answer.op = in->op;
	/* An older one that it holds would not count. */
	if (files_lost(p, &in->name, &m.answer.record))
		m.answer.known = KNOWN_LOST;
	else if (files_find(p, &in->name, &m.answer.record))
		m.answer.known = KNOWN_YES;
	else if (range_bereft(p, (unsigned)key, NULL) > 0)
		m.answer.known = KNOWN_BEREFT;
	else if (p->files.reunion_us > p->now_us)
		m.answer.known = KNOWN_SOON;
	n = ring_replicas(p, (unsigned)key, ids);
	doubt = range_doubt(p, p->config.id, (unsigned)key,
	    ring_set_hash(p, ids, n) == in->set);
	if (doubt > 0 && doubt >= m.answer.record.version.clock)
		m.answer.known |= KNOWN_UNSURE;
	m.answer.record.name = in->name;
	conn_send(p, c, &m);
}

static void
query_heard(struct query *q, unsigned id, const struct msg_answer *in)
{
	unsigned known = in->known & KNOWN_MASK;
	bool meant = name_cmp(&in->record.name, &q->name) == 0;

	if (known == KNOWN_YES && meant)
		query_learn(q, id, &in->record);
	if (known == KNOWN_LOST && meant)
		query_learn_lost(q, id, &in->record);
	/* Others don't know whom the range misses. */
	q->bereft |= known == KNOWN_BEREFT && q->wide == 0;
	q->blind |= known == KNOWN_SOON && q->wide == 0;
}

void
query_answer(struct peer *p, struct conn *c, const struct msg_answer *in)
{
	for (unsigned i = 0; i < p->files.query_top; i++) {
		struct query *q = &p->files.queries[i];

		if (q->kind == TIE_FREE || q->op != in->op)
			continue;
		for (unsigned j = 0; j < q->count; j++) {
			if (q->ids[j] != c->id || !(q->missing & ONE << j))
				continue;
			q->missing &= ~(ONE << j);
			if (!(in->known & KNOWN_UNSURE))
				q->vouching |= ONE << j;
			query_heard(q, c->id, in);
		}
		if (q->known)
			files_saw(p, &q->best.version);
		if (q->was_lost)
			files_saw(p, &q->lost.version);
		if (q->missing == 0)
			query_answered(p, q);
		return;
	}
}

void
query_view_changed(struct peer *p)
{
	for (unsigned i = 0; i < p->files.query_top; i++)
		if (p->files.queries[i].kind != TIE_FREE)
			query_begin(p, &p->files.queries[i]);
}

static void
query_timer(struct peer *p, struct query *q)
{
	if (q->expires_us <= p->now_us) {
		query_give_up(p, q);
		return;
	}
	for (unsigned i = 0; i < q->count; i++)
		if (q->missing & ONE << i)
			detect_doubt(p, q->ids[i]);
	query_send(p, q);
}

uint64_t
query_tick(struct peer *p)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < p->files.query_top; i++) {
		struct query *q = &p->files.queries[i];

		if (q->kind != TIE_FREE && q->timer_us <= p->now_us)
			query_timer(p, q);
		if (q->kind != TIE_FREE && q->timer_us < next)
			next = q->timer_us;
	}
	return next;
}

bool
query_holds(const struct query *q, unsigned id)
{
	for (unsigned i = 0; i < q->holder_count; i++)
		if (q->holders[i] == id)
			return true;
	return false;
}

/* A majority is not enough: its processes may end, and older be left. */
static bool
query_all_hold(const struct peer *p, const struct query *q)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, q->key, ids);
	bool all = true;

	for (unsigned i = 0; i < n; i++)
		all = all && query_holds(q, ids[i]);
	return all;
}

bool
query_sure(const struct peer *p, const struct query *q)
{
	return q->known && (q->best.acknowledged || query_all_hold(p, q) ||
			       MUTANT(NO_WRITE_BACK));
}

/* Others may have called it dead, and gone on; and none of them was asked. */
static bool
is_unheard(const struct peer *p, const struct query *q)
{
	return p->fenced || (q->count == 0 && p->files.doubt_us > p->now_us);
}

bool
query_vouched(const struct peer *p, const struct query *q)
{
	uint64_t clock = q->best.version.clock;

	if (p->phase == PHASE_SERVING && !is_unheard(p, q) &&
	    clock > range_doubt(p, p->config.id, q->key, true))
		return true;
	for (unsigned i = 0; i < q->count; i++)
		if ((q->vouching & ONE << i) &&
		    !(p->view[q->ids[i]].flags & MEMBER_SYNCING) &&
		    clock > range_doubt(p, q->ids[i], q->key, true))
			return true;
	return false;
}

enum wire_error
query_silence(struct peer *p, const struct query *q, struct ids *ids)
{
	unsigned dead = range_bereft(p, q->key, ids);
	bool lost = query_lost(q);

	if (lost || !(q->known && q->best.deleted && query_vouched(p, q))) {
		if (q->blind || is_unheard(p, q))
			return ERROR_not_serving;
		if (dead > 0 || q->bereft)
			return ERROR_unavailable;
		if (absent_soon(p, NULL))
			return ERROR_not_serving;
	}
	ids->count = lost ? (uint16_t)q->loser_count : 0;
	memcpy(ids->at, q->losers, ids->count * sizeof(ids->at[0]));
	return lost ? ERROR_damaged : ERROR_no_such_file;
}
