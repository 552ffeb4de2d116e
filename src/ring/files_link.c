#include "ring/files_repair.h"

/* What comes on links about files: questions, and answers by number. */

/* Whoever asked c's peer under this number; nobody: the answer is late. */
static void
answered(
    struct peer *p, struct conn *c, const struct message *m, uint64_t number)
{
	struct files *f = &p->files;

	for (unsigned i = 0; i < f->op_top; i++)
		if (f->ops[i].state != OP_FREE && f->ops[i].linked &&
		    f->ops[i].number == number && f->ops[i].owner == c->id) {
			op_message(p, &f->ops[i], m);
			return;
		}
	for (unsigned i = 0; i < f->write_top; i++)
		if (f->writes[i].state != WRITE_FREE &&
		    f->writes[i].number == number) {
			spread_answer(p, &f->writes[i], c->id, m);
			return;
		}
	for (unsigned i = 0; i < f->pull_top; i++)
		if (f->pulls[i].state != PULL_FREE && f->pulls[i].linked &&
		    f->pulls[i].op == number && f->pulls[i].from == c->id) {
			pull_message(p, &f->pulls[i], m);
			return;
		}
}

static void
mark_message(struct peer *p, struct conn *c, const struct msg_mark *m)
{
	struct record r;

	if (!peer_current(p, c->id, c->incarnation))
		return;
	if (files_find(p, &m->name, &r) &&
	    version_cmp(&r.version, &m->version) == 0)
		act(p, ACT_MARK)->record = r;
}

void
files_link_message(struct peer *p, struct conn *c, const struct message *m)
{
	switch (m->type) {
	case MSG_lookup:
		lookup_message(p, &m->lookup);
		break;
	case MSG_owner:
		lookup_owner(p, &m->owner);
		break;
	case MSG_mark:
		mark_message(p, c, &m->mark);
		break;
	case MSG_ask:
		query_ask(p, c, &m->ask);
		break;
	case MSG_answer:
		query_answer(p, c, &m->answer);
		answered(p, c, m, m->answer.op);
		break;
	case MSG_give:
		write_give(p, c, &m->give);
		break;
	case MSG_get:
		serve_get(p, c, &m->get, true);
		break;
	case MSG_held:
		answered(p, c, m, m->held.op);
		break;
	case MSG_stored:
		answered(p, c, m, m->stored.op);
		break;
	case MSG_found:
		answered(p, c, m, m->found.op);
		break;
	case MSG_bring:
		answered(p, c, m, m->bring.op);
		break;
	case MSG_refuse:
		answered(p, c, m, m->refuse.op);
		break;
	case MSG_sync_ask:
		session_sync_ask(p, c, &m->sync_ask);
		break;
	case MSG_sync_diff:
		session_sync_diff(p, c, &m->sync_diff);
		break;
	case MSG_sync_list:
		session_sync_list(p, c, &m->sync_list);
		break;
	case MSG_sync_done:
		session_sync_done(p, c, &m->sync_done);
		break;
	case MSG_offer:
		release_offer(p, c, &m->offer);
		break;
	case MSG_promise_ask:
		release_ask(p, c, &m->promise_ask);
		break;
	case MSG_promise:
		release_promise(p, c, &m->promise);
		break;
	case MSG_accept:
		offer_accept(p, c, &m->accept);
		break;
	default: /* what belongs on a stream: ignored */
		break;
	}
}

void
files_link_lost(struct peer *p, unsigned id)
{
	session_link_lost(p, id);
	op_link_lost(p, id);
	spread_link_lost(p, id);
	pull_link_lost(p, id);
	for (unsigned i = 0; i < p->files.query_top; i++) {
		struct query *q = &p->files.queries[i];

		if (q->kind != TIE_FREE &&
		    q->timer_us > p->now_us + PAUSE_MIN_US) {
			q->timer_us = p->now_us + PAUSE_MIN_US;
			files_wake(p, q->timer_us);
		}
	}
	if (p->files.offer.active && p->files.offer.to == id) {
		p->files.offer.timer_us = p->now_us + PAUSE_MIN_US;
		files_wake(p, p->files.offer.timer_us);
	}
}
