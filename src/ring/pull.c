#include <assert.h>
#include <string.h>

#include "ring/files_repair.h"

/* Versions fetched from another holder, to be held here. */

static unsigned
pull_index(const struct peer *p, const struct pull *l)
{
	assert(l >= p->files.pulls && l < p->files.pulls + PULLS_MAX);
	return (unsigned)(l - p->files.pulls);
}

static struct pull *
pull_of(struct peer *p, const struct record *r)
{
	for (unsigned i = 0; i < p->files.pull_top; i++) {
		struct pull *l = &p->files.pulls[i];

		if (l->state != PULL_FREE &&
		    name_cmp(&l->record.name, &r->name) == 0 &&
		    version_cmp(&l->record.version, &r->version) == 0)
			return l;
	}
	return NULL;
}

bool
pull_active(struct peer *p, const struct record *r)
{
	return pull_of(p, r) != NULL;
}

static struct pull *
pull_new(struct peer *p)
{
	for (unsigned i = 0; i < PULLS_MAX; i++) {
		if (p->files.pulls[i].state != PULL_FREE)
			continue;
		top_raise(&p->files.pull_top, i);
		return &p->files.pulls[i];
	}
	return NULL;
}

bool
pull_room(const struct peer *p)
{
	for (unsigned i = 0; i < PULLS_MAX; i++)
		if (p->files.pulls[i].state == PULL_FREE)
			return true;
	return false;
}

static void
pull_commit(struct peer *p, struct pull *l)
{
	struct action *a = act_file(p, ACT_COMMIT, l->file);
	struct record held;

	l->replaces = files_find(p, &l->record.name, &held) &&
		      version_cmp(&held.version, &l->record.version) < 0;
	if (l->replaces)
		l->was = held.version;
	apart_replaces(p, &l->record);
	a->record = l->record;
	l->state = PULL_COMMITTING;
}

/* Small: on the link, in one message. */
static bool
pull_ask(struct peer *p, struct pull *l, bool small)
{
	struct message m;

	l->linked = small;
	if (!small)
		l->conn =
		    stream_start(p, l->from, TIE_PULL, pull_index(p, l), 0);
	m.type = MSG_get;
	m.get.op = l->op = ++p->next_op;
	m.get.name = l->record.name;
	m.get.exact = EXACT_COPY;
	m.get.version = l->record.version;
	m.get.offset = 0;
	if (small ? !link_give(p, l->from, &m, 0) : l->conn == 0)
		return false;
	stream_send(p, l->conn, &m);
	l->state = PULL_ASKING;
	return true;
}

static bool
pull_begin(struct peer *p, struct pull *l)
{
	unsigned at = pull_index(p, l);

	if (l->record.deleted) {
		l->file = file_new(p, TIE_PULL, at);
		if (l->file != 0)
			pull_commit(p, l);
		return l->file != 0;
	}
	return pull_ask(p, l, l->record.size <= SMALL_MAX);
}

bool
pull_start(struct peer *p, unsigned from, const struct record *r,
    unsigned session, unsigned item)
{
	struct pull *l = pull_of(p, r);
	struct record held;

	if (session == NOBODY &&
	    (l != NULL || from == p->config.id ||
		(files_find(p, &r->name, &held) &&
		    version_cmp(&held.version, &r->version) >= 0)))
		return true;
	if (l == NULL) {
		l = pull_new(p);
		if (l == NULL)
			return false;
		memset(l, 0, sizeof(*l));
		l->from = (uint16_t)from;
		l->record = *r;
		if (!pull_begin(p, l))
			return false;
		l->progress_us = p->now_us;
		l->timer_us = p->now_us + RTO_US;
		files_wake(p, l->timer_us);
	} else if (l->session != NOBODY &&
		   p->files.sessions[l->session].number == l->number &&
		   p->files.sessions[l->session].active >> l->item & 1) {
		/* Another comparison waits for it: this one asks again. */
		return false;
	}
	l->session = (uint16_t)session;
	l->item = (uint8_t)item;
	l->number = session == NOBODY ? 0 : p->files.sessions[session].number;
	return true;
}

void
pull_end(struct peer *p, struct pull *l, enum pulled how)
{
	struct session *s =
	    l->session == NOBODY ? NULL : &p->files.sessions[l->session];
	int key = files_key(p, &l->record.name);

	assert(l->state != PULL_FREE);
	stream_end(p, &l->conn);
	file_end(p, &l->file);
	l->state = PULL_FREE;
	/* It has what did not come: nobody denies that without asking it. */
	if (how != PULLED)
		idset_add(&p->files.reunited, l->from);
	if (how == PULLED && key >= 0 &&
	    ring_owner(p, (unsigned)key) == p->config.id)
		range_touched(p);
	if (s != NULL && s->role != SESSION_FREE && s->number == l->number)
		session_pulled(p, s, l->item, how);
	files_wake(p, p->now_us);
}

static void
pull_create(struct peer *p, struct pull *l)
{
	struct action *a;

	l->file = file_new(p, TIE_PULL, pull_index(p, l));
	if (l->file == 0) {
		pull_end(p, l, PULLED_NOT);
		return;
	}
	l->state = PULL_CREATING;
	a = act_file(p, ACT_CREATE_TEMP, l->file);
	a->record = l->record;
}

/* If its holder dies now, that there was one must be known. */
static void
pull_damaged(struct peer *p, struct pull *l)
{
	note_damaged(p, &l->record.name, "what arrived is not the content");
	files_lacked(p, &l->record);
	pull_end(p, l, PULLED_NOT);
}

static void
pull_take(struct peer *p, struct pull *l)
{
	l->linked = false;
	if (!digest_same(&p->files.brought, &l->record.digest)) {
		pull_damaged(p, l);
		return;
	}
	l->file = file_take(p, TIE_PULL, pull_index(p, l), 0, &l->record);
	if (l->file == 0)
		pull_end(p, l, PULLED_NOT);
	else
		pull_commit(p, l);
}

/* It was replaced there: what replaced it is wanted, unless it is here. */
static bool
pull_newer(struct peer *p, struct pull *l, const struct record *r)
{
	struct record held;

	if (name_cmp(&r->name, &l->record.name) != 0 ||
	    version_cmp(&r->version, &l->record.version) <= 0 ||
	    p->now_us - l->progress_us >= LIMIT_US)
		return false;
	files_saw(p, &r->version);
	stream_end(p, &l->conn);
	if (files_find(p, &r->name, &held) &&
	    version_cmp(&held.version, &r->version) >= 0) {
		pull_end(p, l, PULLED);
	} else if (write_brings(p, r)) {
		pull_end(p, l, PULLED_NOT_NOW);
	} else {
		l->record = *r;
		l->timer_us = p->now_us + RTO_US;
		if (!pull_begin(p, l))
			pull_end(p, l, PULLED_NOT);
	}
	return true;
}

void
pull_message(struct peer *p, struct pull *l, const struct message *m)
{
	const struct record *r =
	    m->type == MSG_bring ? &m->bring.record : &m->found.record;

	if (l->state != PULL_ASKING)
		return;
	if (m->type == MSG_refuse && m->refuse.error == ERROR_busy) {
		pull_end(p, l, PULLED_NOT_NOW);
		return;
	}
	if (m->type == MSG_refuse && m->refuse.error == ERROR_damaged)
		files_lacked(p, &l->record);
	if (m->type == MSG_answer && pull_newer(p, l, &m->answer.record))
		return;
	if (m->type != (l->linked ? MSG_bring : MSG_found) ||
	    version_cmp(&r->version, &l->record.version) != 0 ||
	    name_cmp(&r->name, &l->record.name) != 0) {
		pull_end(p, l, PULLED_NOT);
		return;
	}
	l->record = *r;
	l->progress_us = p->now_us;
	if (l->linked)
		pull_take(p, l);
	else
		pull_create(p, l);
}

static void
pull_receive(struct peer *p, struct pull *l)
{
	struct message m;

	l->state = PULL_RECEIVING;
	m.type = MSG_go;
	m.go.op = pull_index(p, l);
	m.go.offset = 0;
	stream_send(p, l->conn, &m);
	raw_receive(p, l->conn, l->file, 0, l->record.size);
}

static void
pull_committed(struct peer *p, struct pull *l, const struct event *ev)
{
	bool good = ev->error == ERROR_none || ev->error == ERROR_older;

	if (ev->error == ERROR_none && l->replaces)
		apart_won(
		    p, l->from, &l->record.name, &l->was, &l->record.version);
	if (!good)
		write_disk_failed(p, ev->text);
	else if (ev->error == ERROR_none)
		note_name(
		    p, EVENT_copied, l->from, &l->record.name, l->record.size);
	pull_end(p, l, good ? PULLED : PULLED_NOT);
}

static void
pull_received(struct peer *p, struct pull *l, const struct digest *digest)
{
	if (digest_same(digest, &l->record.digest)) {
		stream_end(p, &l->conn);
		pull_commit(p, l);
		return;
	}
	/* Its holder looks at what it has. */
	refuse_stream(
	    p, l->conn, pull_index(p, l), ERROR_damaged, p->config.id);
	pull_damaged(p, l);
}

void
pull_event(struct peer *p, struct pull *l, const struct event *ev)
{
	if (ev->type == EV_FILE && l->state == PULL_COMMITTING) {
		pull_committed(p, l, ev);
	} else if (ev->type == EV_FILE && ev->error != ERROR_none) {
		if (ev->error == ERROR_disk)
			write_disk_failed(p, ev->text);
		pull_end(p, l, PULLED_NOT);
	} else if (ev->type == EV_FILE && l->state == PULL_CREATING) {
		pull_receive(p, l);
	} else if (ev->type == EV_RAW_RECEIVED && l->state == PULL_RECEIVING) {
		pull_received(p, l, &ev->digest);
	} else if (ev->type == EV_CONN_STALLED &&
		   files_stall(p, l->from, &l->stall) >= LIMIT_US) {
		pull_end(p, l, PULLED_NOT);
	}
}

void
pull_closed(struct peer *p, struct pull *l)
{
	l->conn = 0;
	if (l->state != PULL_COMMITTING)
		pull_end(p, l, PULLED_NOT);
}

void
pull_link_lost(struct peer *p, unsigned id)
{
	for (unsigned i = 0; i < p->files.pull_top; i++) {
		struct pull *l = &p->files.pulls[i];

		if (l->state == PULL_ASKING && l->linked && l->from == id)
			pull_end(p, l, PULLED_NOT);
	}
}

void
pull_view_changed(struct peer *p)
{
	for (unsigned i = 0; i < p->files.pull_top; i++) {
		struct pull *l = &p->files.pulls[i];

		if (l->state != PULL_FREE && l->state != PULL_COMMITTING &&
		    !peer_usable(p, l->from))
			pull_end(p, l, PULLED_NOT);
	}
}

uint64_t
pull_tick(struct peer *p)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < p->files.pull_top; i++) {
		struct pull *l = &p->files.pulls[i];

		if (l->state != PULL_ASKING)
			continue;
		if (l->timer_us <= p->now_us) {
			detect_doubt(p, l->from);
			l->timer_us = p->now_us + RTO_US;
			if ((l->linked ? link_find(p, l->from) == NULL
				       : conn_find(p, l->conn) == NULL) ||
			    p->now_us - l->progress_us >= LIMIT_US) {
				pull_end(p, l, PULLED_NOT);
				continue;
			}
		}
		if (l->timer_us < next)
			next = l->timer_us;
	}
	return next;
}
