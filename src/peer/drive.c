#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "peer/drive.h"
#include "wire/frame.h"

enum { SETTLE_ROUNDS = 8 };

struct deferred {
	struct deferred *next;
	struct event event;
	char *text;
};

static void
deferred_free(struct deferred *x)
{
	free(x->text);
	free(x);
}

void
drive_defer(struct driver *d, const struct event *ev, const char *text)
{
	struct deferred *x = calloc(1, sizeof(*x));

	assert(ev->message == NULL);
	if (x == NULL)
		abort();
	x->event = *ev;
	if (text != NULL && text[0] != '\0') {
		x->text = strdup(text);
		x->event.text = x->text;
	}
	*d->deferred_end = x;
	d->deferred_end = &x->next;
}

static bool
is_of_file(enum event_type type)
{
	return type == EV_FILE || type == EV_RAW_SENT ||
	       type == EV_RAW_RECEIVED;
}

static bool
is_of_conn(enum event_type type)
{
	switch (type) {
	case EV_CONN_OPEN:
	case EV_CONN_CLOSED:
	case EV_CONN_STALLED:
	case EV_RAW_SENT:
	case EV_RAW_RECEIVED:
		return true;
	default:
		return false;
	}
}

static void
forget(struct driver *d, bool (*concerned)(enum event_type), uint32_t conn,
    uint32_t file)
{
	struct deferred **at = &d->deferred, *x;

	while ((x = *at) != NULL) {
		if (concerned(x->event.type) &&
		    (conn != 0 ? x->event.conn == conn
			       : x->event.file == file)) {
			*at = x->next;
			deferred_free(x);
		} else {
			at = &x->next;
		}
	}
	d->deferred_end = at;
}

void
drive_forget_conn(struct driver *d, uint32_t conn)
{
	if (conn != 0)
		forget(d, is_of_conn, conn, 0);
}

void
drive_forget_file(struct driver *d, uint32_t file)
{
	forget(d, is_of_file, 0, file);
}

static void
step(struct driver *d, struct event *ev)
{
	assert(!d->stepping);
	/* The core has left; what is still under way ends without it. */
	if (d->exiting)
		return;
	d->stepping = true;
	ev->wall_us = clock_wall_us();
	peer_step(d->core, d->loop.now_us, ev, d->actions);
	for (size_t i = 0; i < d->actions->count; i++)
		drive_apply(d, &d->actions->at[i]);
	d->stepping = false;
}

static void
drain(struct driver *d)
{
	struct deferred *x;

	while ((x = d->deferred) != NULL) {
		d->deferred = x->next;
		if (d->deferred == NULL)
			d->deferred_end = &d->deferred;
		step(d, &x->event);
		deferred_free(x);
	}
}

void
drive_event(struct driver *d, struct event *ev)
{
	step(d, ev);
	drain(d);
}

void
drive_tell(struct driver *d, struct message *m)
{
	assert(m->type == MSG_event);
	m->event.t_us = d->loop.now_us;
	m->event.wall_us = clock_wall_us();
	m->event.peer = d->setup->id;
	pipe_send(d, m);
	print_event(d, &m->event);
}

void
drive_note(struct driver *d, enum event_kind kind, const char *name,
    const char *reason)
{
	struct message m = {.type = MSG_event};

	m.event.kind = (uint8_t)kind;
	m.event.about = d->setup->id;
	if (name != NULL)
		name_set(&m.event.name, name, strlen(name));
	text_set(&m.event.reason, reason);
	drive_tell(d, &m);
}

static void
on_tick(struct timer *t)
{
	struct driver *d = CONTAINER(t, struct driver, tick);
	struct event ev = {.type = EV_TICK};

	drive_event(d, &ev);
}

/* The view as frames of gossip: what run.c reads. */
static uint8_t *
encode_view(struct driver *d, size_t *len)
{
	struct message m = {.type = MSG_gossip};
	uint8_t *data = NULL, *grown;
	unsigned next = 0;
	bool more;

	*len = 0;
	do {
		m.gossip.members.count = 0;
		more = peer_remembers(d->core, &next, &m.gossip.members);
		grown = realloc(data, *len + FRAME_LEN_MAX);
		if (grown == NULL)
			abort();
		data = grown;
		*len += frame_encode(&m, data + *len, FRAME_LEN_MAX);
	} while (more && *len + FRAME_LEN_MAX <= DISK_VIEW_LEN_MAX);
	d->view_hash = peer_view_hash(d->core);
	return data;
}

static void
on_view_timer(struct timer *t)
{
	struct driver *d = CONTAINER(t, struct driver, view_timer);
	size_t len;
	uint8_t *data = encode_view(d, &len);

	files_write_view(d, data, len);
}

void
drive_save_view(struct driver *d)
{
	size_t len;
	uint8_t *data;

	if (d->view_hash == peer_view_hash(d->core))
		return;
	data = encode_view(d, &len);
	disk_write_view(&d->disk, data, len);
	free(data);
}

/* Soon, so that a death or a newcomer is remembered; seldom in a crowd. */
static void
plan_view(struct driver *d)
{
	uint64_t now_us = d->loop.now_us;

	if (now_us - d->view_us > DRIVE_VIEW_MAX_US)
		d->view_wait_us = DRIVE_VIEW_US;
	else if (d->view_wait_us <= DRIVE_VIEW_MAX_US / 2)
		d->view_wait_us *= 2;
	d->view_us = now_us + d->view_wait_us;
	timer_start(&d->loop, &d->view_timer, d->view_us);
}

static void
plan_tick(struct driver *d)
{
	uint64_t at = peer_deadline(d->core);

	if (d->deferred != NULL)
		at = d->loop.now_us;
	if (at == UINT64_MAX || d->exiting)
		timer_stop(&d->loop, &d->tick);
	else if (d->tick.index == -1 || d->tick.at_us != at)
		timer_start(&d->loop, &d->tick, at);
	if (d->view_hash != peer_view_hash(d->core) &&
	    d->view_timer.index == -1 && !d->exiting)
		plan_view(d);
}

void
drive_settle(struct driver *d)
{
	drain(d);
	for (int i = 0; i < SETTLE_ROUNDS; i++) {
		/* Others can begin while this one writes. */
		tcp_settle(d);
		group_settle(d);
		if (d->deferred == NULL)
			break;
		drain(d);
	}
	udp_settle(d);
	pipe_settle(d);
	plan_tick(d);
}

void
drive_init(struct driver *d)
{
	d->deferred_end = &d->deferred;
	timer_init(&d->tick, on_tick);
	timer_init(&d->view_timer, on_view_timer);
	files_open_init(d);
	group_init(d);
	scrub_init(d);
	tcp_init(d);
	udp_init(d);
}

static void
on_end(struct timer *t)
{
	(void)t;
}

/* What helpers have begun they end, unless a disk holds them up. */
static void
await_helpers(struct driver *d)
{
	uint64_t until = clock_us() + DRIVE_END_US;
	struct timer timer;

	timer_init(&timer, on_end);
	timer_start(&d->loop, &timer, until);
	while (d->workers.pending > 0 && d->loop.now_us < until &&
	       loop_turn(&d->loop) == 0) {
		tcp_settle(d);
		group_settle(d);
	}
	timer_stop(&d->loop, &timer);
}

void
drive_free(struct driver *d)
{
	struct deferred *x;

	timer_stop(&d->loop, &d->tick);
	timer_stop(&d->loop, &d->view_timer);
	timer_stop(&d->loop, &d->scrub.timer);
	files_discard_all(d);
	tcp_free(d);
	udp_free(d);
	pipe_free(d);
	await_helpers(d);
	scrub_stop(d);
	while ((x = d->deferred) != NULL) {
		d->deferred = x->next;
		deferred_free(x);
	}
	d->deferred_end = &d->deferred;
}
