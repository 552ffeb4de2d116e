#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "ring/core.h"

/* How views spread: broadcasts, relays, and repair by exchange. */
enum {
	RELAY_US = 1000, /* news are gathered so long, */
	RELAY_MEMBER_US = 150, /* and longer, the more members talk */
	NEWS_MEMBER_US = 150, /* between broadcasts, also by members */
	EXCHANGE_US = 20000, /* between two summaries to one peer */
	FINGERS_MAX = BITS_MAX + 1,
};

void
gossip_broadcast(struct peer *p, unsigned id)
{
	idset_add(&p->news, id);
	p->has_news = true;
}

void
gossip_relay(struct peer *p, unsigned id)
{
	idset_add(&p->relay, id);
	if (!p->has_relay)
		p->relay_us =
		    p->now_us + RELAY_US + p->member_count * RELAY_MEMBER_US;
	p->has_relay = true;
}

static void
gossip_begin(struct message *m, enum spread spread)
{
	m->type = MSG_gossip;
	m->gossip.spread = (uint8_t)spread;
	m->gossip.members.count = 0;
}

void
gossip_tell(struct peer *p, struct addr addr, unsigned id)
{
	struct message m;

	if (p->view[id].state == MEMBER_NONE)
		return;
	gossip_begin(&m, SPREAD_EXCHANGE);
	m.gossip.members.at[m.gossip.members.count++] = p->view[id];
	act_datagram(p, addr, &m);
}

/* Everybody who should hear of changes: members, and those who are going. */
static bool
hears(const struct peer *p, unsigned id)
{
	unsigned state = p->view[id].state;

	return id != p->config.id && state >= MEMBER_ALIVE &&
	       state <= MEMBER_LEAVING;
}

/* Where entries go: to many, on a connection, or to one address. */
struct sink {
	const struct idset *to;
	struct conn *conn;
	struct addr addr;
};

static void
sink_send(struct peer *p, const struct sink *s, const struct message *m)
{
	if (s->to != NULL)
		act_multicast(p, s->to, m);
	else if (s->conn != NULL)
		conn_send(p, s->conn, m);
	else
		act_datagram(p, s->addr, m);
}

/* The entries of set (NULL: all), in as many messages as it takes. */
static void
send_set(struct peer *p, const struct idset *set, enum spread spread,
    const struct sink *sink)
{
	struct members *list;
	struct message m;

	gossip_begin(&m, spread);
	list = &m.gossip.members;
	for (unsigned id = 0; id < p->space; id++) {
		if (p->view[id].state == MEMBER_NONE ||
		    (set != NULL && !idset_has(set, id)))
			continue;
		list->at[list->count++] = p->view[id];
		if (list->count == MEMBERS_MAX) {
			sink_send(p, sink, &m);
			list->count = 0;
		}
	}
	if (list->count > 0)
		sink_send(p, sink, &m);
}

/*
 * Of many that die at once, each peer soon finds most: what it tells a little
 * later, others will have told. What it says of itself does not wait.
 */
static uint64_t
news_deadline(const struct peer *p)
{
	return !p->has_news                        ? UINT64_MAX
	       : idset_has(&p->news, p->config.id) ? p->now_us
						   : p->news_us;
}

void
gossip_flush(struct peer *p)
{
	struct idset to;

	if (news_deadline(p) > p->now_us)
		return;
	p->news_us = p->now_us + p->member_count * NEWS_MEMBER_US;
	memset(&to, 0, sizeof(to));
	for (unsigned id = 0; id < p->space; id++)
		/* Who is called dead shall hear of it too, to refute. */
		if (hears(p, id) || (idset_has(&p->news, id) &&
					p->view[id].state == MEMBER_DEAD))
			idset_add(&to, id);
	send_set(p, &p->news, SPREAD_BROADCAST, &(struct sink){.to = &to});
	memset(&p->news, 0, sizeof(p->news));
	p->has_news = false;
}

unsigned
gossip_fingers(const struct peer *p, uint16_t *out)
{
	unsigned n = 0, at = 0, want = 1;

	for (unsigned i = 1; i < p->space; i++) {
		unsigned id = (p->config.id + i) & (p->space - 1);

		if (!hears(p, id) && !p->watch[id].contact)
			continue;
		if (++at == want) {
			assert(n < FINGERS_MAX);
			out[n++] = (uint16_t)id;
			want *= 2;
		}
	}
	return n;
}

static uint64_t
relay_deadline(const struct peer *p)
{
	/* In a new ring nothing needs to be passed on: gather.c. */
	return p->has_relay && p->phase >= PHASE_SYNCING && p->gather_us == 0
		   ? p->relay_us
		   : UINT64_MAX;
}

uint64_t
gossip_deadline(const struct peer *p)
{
	uint64_t news_us = news_deadline(p), relay_us = relay_deadline(p);

	return news_us < relay_us ? news_us : relay_us;
}

void
gossip_tick(struct peer *p)
{
	uint16_t fingers[FINGERS_MAX];
	struct idset to;
	unsigned n;

	if (relay_deadline(p) > p->now_us)
		return;
	memset(&to, 0, sizeof(to));
	n = gossip_fingers(p, fingers);
	for (unsigned i = 0; i < n; i++)
		idset_add(&to, fingers[i]);
	send_set(p, &p->relay, SPREAD_RELAY, &(struct sink){.to = &to});
	memset(&p->relay, 0, sizeof(p->relay));
	p->has_relay = false;
}

void
gossip_send(struct peer *p, const struct idset *set, struct addr addr)
{
	send_set(p, set, SPREAD_EXCHANGE, &(struct sink){.addr = addr});
}

void
gossip_keep(struct peer *p, const struct idset *set)
{
	for (unsigned id = 0; id < p->space; id++)
		if (idset_has(set, id))
			idset_del(&p->relay, id);
	p->has_relay = idset_next(&p->relay, 0) >= 0;
}

static unsigned
bucket_of(const struct peer *p, unsigned id)
{
	return (unsigned)((uint64_t)id * BUCKETS / p->space);
}

static void
summarize(const struct peer *p, struct hashes *out)
{
	memset(out, 0, sizeof(*out));
	out->count = BUCKETS;
	for (unsigned id = 0; id < p->space; id++)
		out->at[bucket_of(p, id)] ^= view_member_hash(&p->view[id]);
}

static void
summary_fill(const struct peer *p, bool asks, struct message *m)
{
	m->type = MSG_summary;
	m->summary.hash = p->view_hash;
	m->summary.asks = asks;
	summarize(p, &m->summary.buckets);
}

void
gossip_summary(struct peer *p, unsigned id, struct addr addr, bool asks)
{
	struct watch *w = &p->watch[id];
	struct message m;

	if (asks && (w->exchange_us > p->now_us || p->quiet_us > p->now_us))
		return;
	w->exchange_us = p->now_us + EXCHANGE_US;
	summary_fill(p, asks, &m);
	act_datagram(p, addr, &m);
}

void
gossip_compare(struct peer *p, unsigned id)
{
	struct message m;

	summary_fill(p, false, &m);
	link_send(p, id, &m);
}

static void
summary_message(struct peer *p, const struct event *ev)
{
	const struct msg_summary *s = &ev->message->summary;
	struct sink sink = {.addr = ev->addr};
	struct idset differ;
	struct hashes mine;

	if (s->hash == p->view_hash || s->buckets.count != BUCKETS ||
	    p->quiet_us > p->now_us)
		return;
	/* At start many are alive: each says so itself, as this one does. */
	if (ev->type == EV_MESSAGE) {
		sink.conn = link_find(p, ev->from);
		if (sink.conn == NULL)
			return;
	}
	/* Before the entries, which may change them. */
	if (s->asks)
		gossip_summary(p, ev->from, ev->addr, false);
	summarize(p, &mine);
	memset(&differ, 0, sizeof(differ));
	for (unsigned id = 0; id < p->space; id++) {
		unsigned b = bucket_of(p, id);

		if (mine.at[b] != s->buckets.at[b] &&
		    (sink.conn == NULL || id == p->config.id ||
			p->view[id].state >= MEMBER_LEFT))
			idset_add(&differ, id);
	}
	send_set(p, &differ, SPREAD_EXCHANGE, &sink);
}

/* Everybody has been told by another; of accusers, two are enough. */
static void
news_heard(struct peer *p, const struct member *m)
{
	if (m->state == MEMBER_SUSPECT
		? p->watch[m->id].accuser_count == ACCUSERS_MAX
		: view_member_hash(m) == view_member_hash(&p->view[m->id]))
		idset_del(&p->news, m->id);
	p->has_news = idset_next(&p->news, 0) >= 0;
}

static void
news_message(struct peer *p, const struct event *ev)
{
	const struct msg_gossip *g = &ev->message->gossip;

	for (unsigned i = 0; i < g->members.count; i++) {
		const struct member *m = &g->members.at[i];

		if (m->id >= p->space)
			continue;
		p->why = g->spread == SPREAD_BROADCAST ? "" : "by exchange";
		if (view_merge(p, m) && g->spread != SPREAD_BROADCAST)
			gossip_relay(p, m->id);
		p->why = "";
		if (m->id == ev->from && (m->flags & MEMBER_SYNCING) != 0)
			files_syncing(p, m->id);
		if (g->spread != SPREAD_BROADCAST)
			continue;
		if (m->state == MEMBER_SUSPECT &&
		    m->incarnation == p->view[m->id].incarnation)
			detect_accused(p, m->id, ev->from);
		news_heard(p, m);
	}
}

void
gossip_message(struct peer *p, const struct event *ev)
{
	if (ev->message->type == MSG_summary)
		summary_message(p, ev);
	else
		news_message(p, ev);
}

void
gossip_send_view(struct peer *p, struct conn *c)
{
	send_set(p, NULL, SPREAD_EXCHANGE, &(struct sink){.conn = c});
}
