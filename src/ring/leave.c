#include <assert.h>
#include <string.h>

#include "ring/core.h"

/* Graceful departure, and the freeze of a whole ring. */
enum {
	LEAVE_US = 10000000, /* unless the command says otherwise */
	REDIRECT_US = 1000000, /* who asks is still told where to go */
	AGAIN_US = 200000,
	FREEZE_US = 30000, /* all have heard of it: nobody looks dead */
};

static void
quit_reply(struct peer *p, enum wire_error error)
{
	struct msg_reply r = {.op = p->quit_op,
	    .command = COMMAND_QUIT,
	    .error = (uint8_t)error,
	    .last = 1};

	if (p->quit_op != 0)
		act_reply(p, &r);
	p->quit_op = 0;
}

static void
announce(struct peer *p)
{
	struct message m;

	p->leave_again_us = p->now_us + AGAIN_US;
	m.type = MSG_leaving;
	m.leaving.incarnation = p->incarnation;
	for (int id = idset_next(&p->leave_waits, 0); id >= 0;
	     id = idset_next(&p->leave_waits, (unsigned)id + 1))
		link_send(p, (unsigned)id, &m);
}

void
leave_begin(struct peer *p, const struct msg_command *cmd)
{
	struct msg_reply r = {.op = cmd->op,
	    .command = COMMAND_QUIT,
	    .error = ERROR_leaving,
	    .last = 1};

	if (p->phase < PHASE_SYNCING || p->phase >= PHASE_LEAVING ||
	    p->freeze_us != 0) {
		if (p->phase < PHASE_SYNCING)
			r.error = ERROR_not_serving;
		act_reply(p, &r);
		return;
	}
	gather_end(p);
	memset(&p->leave_waits, 0, sizeof(p->leave_waits));
	for (unsigned id = 0; id < p->space; id++)
		if (id != p->config.id && member_is(p, id) &&
		    (ring_lists(p, id, p->config.id) ||
			ring_lists(p, p->config.id, id)))
			idset_add(&p->leave_waits, id);
	p->quit_op = cmd->op;
	p->phase = PHASE_LEAVING;
	p->leave_us =
	    p->now_us +
	    (cmd->timeout_ms > 0 ? cmd->timeout_ms * 1000ull : LEAVE_US);
	view_set_self(p, MEMBER_LEAVING, p->view[p->config.id].flags);
	note(p, EVENT_leaving, p->config.id, "");
	gossip_broadcast(p, p->config.id);
	announce(p);
}

/* leaving: one that goes; leaving_ok: one that knows that we go. */
void
leave_message(struct peer *p, struct conn *c, const struct message *m)
{
	struct member gone = p->view[c->id];
	struct message ok;

	if (m->type == MSG_leaving_ok) {
		if (m->leaving_ok.incarnation == p->incarnation)
			idset_del(&p->leave_waits, c->id);
		return;
	}
	if (m->leaving.incarnation != c->incarnation)
		return;
	gone.id = c->id;
	gone.incarnation = c->incarnation;
	gone.state = MEMBER_LEAVING;
	view_merge(p, &gone);
	ok.type = MSG_leaving_ok;
	ok.leaving_ok.incarnation = m->leaving.incarnation;
	conn_send(p, c, &ok);
}

static void
leave_now(struct peer *p)
{
	view_set_self(p, MEMBER_LEFT, p->view[p->config.id].flags);
	note(p, EVENT_left, p->config.id, "");
	gossip_broadcast(p, p->config.id);
	p->phase = PHASE_REDIRECTING;
	p->leave_us = p->now_us + (p->member_count > 0 ? REDIRECT_US : 0);
}

static void
leave_over(struct peer *p, enum wire_error error)
{
	files_stop(p);
	quit_reply(p, error);
	p->phase = PHASE_GONE;
	act(p, ACT_EXIT)->code = error != ERROR_none;
}

void
leave_freeze(struct peer *p, uint32_t deadline_ms)
{
	if (p->freeze_us != 0)
		return;
	p->freeze_us = p->now_us + deadline_ms * 1000ull;
	p->frozen_us = p->now_us + FREEZE_US;
	if (p->frozen_us > p->freeze_us)
		p->frozen_us = p->freeze_us;
	files_freeze(p, p->freeze_us);
}

void
leave_tick(struct peer *p)
{
	if (p->phase == PHASE_GONE)
		return;
	if (p->freeze_us != 0 && p->frozen_us <= p->now_us &&
	    (files_idle(p) || p->freeze_us <= p->now_us)) {
		leave_over(p, ERROR_none);
		return;
	}
	if (p->phase == PHASE_REDIRECTING && p->leave_us <= p->now_us)
		leave_over(p, ERROR_none);
	if (p->phase != PHASE_LEAVING)
		return;
	for (int id = idset_next(&p->leave_waits, 0); id >= 0;
	     id = idset_next(&p->leave_waits, (unsigned)id + 1))
		if (!member_is(p, (unsigned)id))
			idset_del(&p->leave_waits, (unsigned)id);
	if (idset_next(&p->leave_waits, 0) < 0 && files_handed_over(p))
		leave_now(p);
	else if (p->leave_us <= p->now_us)
		leave_over(p, ERROR_timeout);
	else if (p->leave_again_us <= p->now_us)
		announce(p);
}

uint64_t
leave_deadline(const struct peer *p)
{
	uint64_t at = UINT64_MAX;

	if (p->freeze_us != 0)
		at = p->frozen_us > p->now_us ? p->frozen_us : p->freeze_us;
	if (p->phase == PHASE_LEAVING && p->leave_again_us < at)
		at = p->leave_again_us;
	if (p->phase == PHASE_LEAVING || p->phase == PHASE_REDIRECTING)
		at = p->leave_us < at ? p->leave_us : at;
	return at;
}
