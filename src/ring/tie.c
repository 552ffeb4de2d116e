#include <assert.h>
#include <string.h>

#include "ring/files_repair.h"

/* No clock is further: a later one is a lie, and would wrap. */
static const uint64_t CLOCK_MAX = UINT64_C(1) << 62;

struct tie *
tie_find(struct ties *t, uint32_t handle)
{
	if (handle == 0)
		return NULL;
	for (unsigned i = 0; i < t->top; i++)
		if (t->at[i].handle == handle && t->at[i].kind != TIE_FREE)
			return &t->at[i];
	return NULL;
}

struct tie *
tie_add(struct ties *t, uint32_t handle, enum tie_kind kind, unsigned at,
    unsigned leg)
{
	unsigned i = 0;

	assert(handle != 0 && kind != TIE_FREE && at <= NOBODY);
	while (i < t->top && t->at[i].kind != TIE_FREE)
		i++;
	if (i == TIES_MAX)
		return NULL;
	if (i == t->top)
		t->top++;
	t->at[i] = (struct tie){.handle = handle,
	    .kind = (uint8_t)kind,
	    .at = (uint16_t)at,
	    .leg = (uint8_t)leg};
	return &t->at[i];
}

void
tie_del(struct ties *t, uint32_t handle)
{
	struct tie *tie = tie_find(t, handle);

	if (tie == NULL)
		return;
	tie->kind = TIE_FREE;
	while (t->top > 0 && t->at[t->top - 1].kind == TIE_FREE)
		t->top--;
}

void
tie_give(struct ties *t, uint32_t handle, enum tie_kind kind, unsigned at)
{
	struct tie *tie = tie_find(t, handle);

	assert(tie != NULL && tie->kind == TIE_IDLE);
	tie->kind = (uint8_t)kind;
	tie->at = (uint16_t)at;
}

uint32_t
stream_start(
    struct peer *p, unsigned id, enum tie_kind kind, unsigned at, unsigned leg)
{
	struct ties *t = &p->files.streams;
	struct conn *c;

	if (!peer_usable(p, id) || (c = stream_open(p, id)) == NULL)
		return 0;
	if (tie_add(t, c->handle, kind, at, leg) == NULL) {
		conn_close(p, c);
		return 0;
	}
	return c->handle;
}

void
stream_end(struct peer *p, uint32_t *conn)
{
	struct conn *c;

	if (*conn == 0)
		return;
	c = conn_find(p, *conn);
	tie_del(&p->files.streams, *conn);
	*conn = 0;
	if (c != NULL)
		conn_close(p, c);
}

void
stream_send(struct peer *p, uint32_t conn, const struct message *m)
{
	struct conn *c = conn == 0 ? NULL : conn_find(p, conn);

	if (c != NULL)
		conn_send(p, c, m);
}

uint32_t
file_new(struct peer *p, enum tie_kind kind, unsigned at)
{
	if (++p->next_file == 0)
		p->next_file = 1;
	if (tie_add(&p->files.handles, p->next_file, kind, at, 0) == NULL)
		return 0;
	return p->next_file;
}

void
file_end(struct peer *p, uint32_t *file)
{
	if (*file == 0)
		return;
	tie_del(&p->files.handles, *file);
	act(p, ACT_DISCARD)->file = *file;
	*file = 0;
}

uint32_t
file_take(struct peer *p, enum tie_kind kind, unsigned at, uint32_t from,
    const struct record *r)
{
	uint32_t file = file_new(p, kind, at);
	struct action *a;

	if (file == 0)
		return 0;
	a = act_file(p, ACT_TAKE, file);
	a->target = from;
	a->record = *r;
	return file;
}

struct action *
act_file(struct peer *p, enum action_type type, uint32_t file)
{
	struct action *a = act(p, type);

	assert(file != 0);
	a->file = file;
	return a;
}

void
raw_send(struct peer *p, uint32_t conn, uint32_t file, uint64_t offset,
    uint64_t size)
{
	struct action *a = act_file(p, ACT_RAW_SEND, file);

	a->conn = conn;
	a->offset = offset;
	a->size = size;
}

void
raw_receive(struct peer *p, uint32_t conn, uint32_t file, uint64_t offset,
    uint64_t size)
{
	struct action *a = act_file(p, ACT_RAW_RECV, file);

	a->conn = conn;
	a->offset = offset;
	a->size = size;
}

void
top_raise(unsigned *top, unsigned at)
{
	if (*top <= at)
		*top = at + 1;
}

void
files_wake(struct peer *p, uint64_t us)
{
	if (us < p->files.due_us)
		p->files.due_us = us;
}

uint64_t
files_stall(struct peer *p, unsigned id, struct stall *s)
{
	/* Each report stands for a quarter of a second without a byte. */
	if (p->now_us - s->last_us > 2 * RTO_US)
		s->count = 0;
	s->count++;
	s->last_us = p->now_us;
	if (id != p->config.id)
		detect_doubt(p, id);
	return (uint64_t)s->count * RTO_US;
}

bool
peer_usable(const struct peer *p, unsigned id)
{
	uint8_t state = id < p->space ? p->view[id].state : MEMBER_NONE;

	return state == MEMBER_ALIVE || state == MEMBER_SUSPECT ||
	       state == MEMBER_LEAVING;
}

bool
peer_current(const struct peer *p, unsigned id, uint32_t incarnation)
{
	if (MUTANT(NO_FENCE))
		return true;
	return peer_usable(p, id) && p->view[id].incarnation == incarnation;
}

bool
digest_same(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, DIGEST_LEN) == 0;
}

int
files_key(struct peer *p, const struct name *name)
{
	const struct index *x = &p->config.index;
	int key = x->key(x->ctx, name);

	assert(key < (int)p->space);
	return key;
}

bool
files_find(struct peer *p, const struct name *name, struct record *out)
{
	const struct index *x = &p->config.index;

	return x->find(x->ctx, name, out);
}

bool
files_lost(struct peer *p, const struct name *name, struct record *out)
{
	const struct index *x = &p->config.index;
	const struct record *r = p->files.lacked.at;
	bool lost = x->lost(x->ctx, name, out);
	struct record held;

	for (unsigned i = 0; i < LACKED_MAX && r->acknowledged; i++, r++) {
		if (name_cmp(&r->name, name) != 0 ||
		    (lost && version_cmp(&r->version, &out->version) <= 0) ||
		    (files_find(p, name, &held) &&
			version_cmp(&r->version, &held.version) <= 0))
			continue;
		*out = *r;
		lost = true;
	}
	return lost;
}

void
files_lacked(struct peer *p, const struct record *r)
{
	struct lacked *l = &p->files.lacked;
	struct record known;
	unsigned at = 0;

	if (!r->acknowledged ||
	    (files_lost(p, &r->name, &known) &&
		version_cmp(&known.version, &r->version) >= 0))
		return;
	/* The place of one that came meanwhile, or was not used yet. */
	while (at < LACKED_MAX && l->at[at].acknowledged &&
	       (!files_find(p, &l->at[at].name, &known) ||
		   version_cmp(&known.version, &l->at[at].version) < 0))
		at++;
	if (at == LACKED_MAX) {
		at = l->next;
		l->next = (l->next + 1) % LACKED_MAX;
	}
	l->at[at] = *r;
}

void
files_doubt(struct peer *p, const struct record *r)
{
	act(p, ACT_VERIFY)->record = *r;
}

void
files_saw(struct peer *p, const struct version *v)
{
	if (v->clock > p->files.high_clock && v->clock < CLOCK_MAX)
		p->files.high_clock = v->clock;
}

void
note_damaged(struct peer *p, const struct name *name, const char *reason)
{
	struct msg_event e = {.kind = EVENT_damaged, .name = *name};

	e.about = p->config.id;
	text_set(&e.reason, reason);
	act_note(p, &e);
}

bool
owns(const struct peer *p, unsigned key)
{
	/* Who comes back speaks for nobody until it has met who was there. */
	return (p->phase == PHASE_SERVING ||
		   (p->phase == PHASE_SYNCING && range_served(p))) &&
	       member_is(p, p->config.id) && ring_owner(p, key) == p->config.id;
}

/* The members from key on, as far as the last one that matters for it. */
static void
members_fill(struct peer *p, unsigned key, struct members *list)
{
	uint16_t ids[COPIES_MAX + 1];
	unsigned n = ring_replicas(p, key, ids);
	unsigned last = n > 0 ? ids[n - 1] : p->config.id;
	unsigned far = ring_distance(p, key, last);
	unsigned self = ring_distance(p, key, p->config.id);

	if (self > far)
		far = self;
	list->count = 0;
	for (unsigned i = 0; i <= far && list->count < MEMBERS_MAX; i++) {
		const struct member *m = &p->view[(key + i) & (p->space - 1)];

		if (m->state != MEMBER_NONE && m->incarnation > 0)
			list->at[list->count++] = *m;
	}
}

void
refuse_fill(struct peer *p, struct message *m, uint64_t op,
    enum wire_error error, unsigned key)
{
	m->type = MSG_refuse;
	m->refuse.op = op;
	m->refuse.error = (uint8_t)error;
	m->refuse.taken = 0;
	m->refuse.ids.count = 0;
	m->refuse.members.count = 0;
	text_set(&m->refuse.text, "");
	if (error == ERROR_disk) {
		m->refuse.ids.at[m->refuse.ids.count++] = p->config.id;
		m->refuse.text = p->disk_text;
	}
	if (error == ERROR_not_owner || error == ERROR_not_serving)
		members_fill(p, key, &m->refuse.members);
}

void
refuse_stream(struct peer *p, uint32_t conn, uint64_t op, enum wire_error error,
    unsigned key)
{
	struct message m;

	refuse_fill(p, &m, op, error, key);
	stream_send(p, conn, &m);
	stream_end(p, &conn);
}
