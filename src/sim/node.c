#include <assert.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/sim.h"

enum { WALL_START_S = 1763600000 };

struct node *
node_add(struct sim *s, unsigned id, unsigned host)
{
	struct node *n = &s->nodes[s->node_count];

	assert(s->node_count < NODES_MAX && id < s->space);
	memset(n, 0, sizeof(*n));
	n->index = s->node_count++;
	n->id = (uint16_t)id;
	n->addr.ip = SIM_HOST + host;
	n->addr.port = (uint16_t)(SIM_PORT + id);
	n->join_through = n->ring = -1;
	n->key_mask = s->space - 1;
	return n;
}

struct node *
node_at(struct sim *s, struct addr a)
{
	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[i];

		if (n->addr.ip == a.ip && n->addr.port == a.port)
			return n;
	}
	return NULL;
}

struct node *
node_of(struct sim *s, unsigned id)
{
	struct addr a = {SIM_HOST, (uint16_t)(SIM_PORT + id)};

	return node_at(s, a);
}

void
node_start(struct sim *s, struct node *n, uint64_t after_us)
{
	struct item *i;

	if (n->running || n->starting)
		return;
	n->starting = true;
	i = queue_item(&s->queue, ITEM_START);
	i->node = n;
	queue_push(&s->queue, i, s->now_us + after_us);
}

/* Its join failed, so its supervisor has forgotten it. */
static bool
is_forgotten(const struct node *n)
{
	return n->join_through >= 0 && !n->running && !n->starting &&
	       n->disk.incarnation == 0 && n->disk.wipes == 0;
}

/* Those who joined later, too, as a supervisor knows of them. */
static void
hand_contacts(const struct sim *s, struct node *n)
{
	n->contact_count = 0;
	if (n->join_through >= 0)
		n->contacts[n->contact_count++] = (uint16_t)n->join_through;
	for (unsigned i = 0; i < s->node_count && n->join_through < 0; i++) {
		const struct node *o = &s->nodes[i];

		if (o != n && o->ring == n->ring && !is_forgotten(o))
			n->contacts[n->contact_count++] = o->id;
	}
}

static unsigned
contacts_of(const struct node *n, struct member *out)
{
	memset(out, 0, n->contact_count * sizeof(out[0]));
	for (unsigned i = 0; i < n->contact_count; i++) {
		out[i].id = n->contacts[i];
		out[i].addr.ip = SIM_HOST;
		out[i].addr.port = (uint16_t)(SIM_PORT + n->contacts[i]);
	}
	return n->contact_count;
}

/* Zeroes: of a large table, few pages were touched. */
static struct peer *
peer_memory(struct sim *s, const struct node *n)
{
	struct peer **p = &s->peers[n->index];

	if (*p == NULL)
		*p = mmap(NULL, peer_size(), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else if (madvise(*p, peer_size(), MADV_DONTNEED) == -1)
		err(1, "madvise");
	if (*p == MAP_FAILED)
		err(1, "%zu bytes of a peer", peer_size());
	return *p;
}

/* As PROTOCOL.md says: one more, durable before its ports are bound. */
static uint32_t
next_incarnation(struct disk *d)
{
	if (d->incarnation > 0 && !MUTANT(SAME_INCARNATION))
		d->incarnation++;
	return d->synced_incarnation = d->incarnation;
}

void
node_fork(struct sim *s, struct node *n)
{
	struct member contacts[SIM_SPACE_MAX];
	struct peer_config config = {.id = n->id, .bits = (uint8_t)s->bits};

	assert(!n->running);
	n->starting = false;
	n->running = true;
	n->paused = n->exiting = n->exited = n->denied = false;
	n->crash_in = 0;
	/* With a disk it need not be admitted, but may ask to be. */
	if (n->disk.incarnation > 0 && !sim_chance(&s->net, MILLION / 4))
		n->join_through = -1;
	if (n->ring >= 0)
		hand_contacts(s, n);
	n->goal = n->join_through >= 0 ? GOAL_JOIN : GOAL_SERVE;
	n->process = ++s->process;
	n->handles = 0;
	n->peer = peer_memory(s, n);
	config.copies = (uint8_t)s->copies;
	config.route = (uint8_t)s->route;
	config.ping_ms = s->ping_ms;
	config.port_base = SIM_PORT;
	config.host_ip = SIM_HOST;
	config.addr = n->addr;
	config.incarnation = next_incarnation(&n->disk);
	config.kept =
	    config.incarnation > 0 && (s->sync || !n->disk.power_lost);
	n->disk.power_lost = false;
	config.seed = random_u64(&s->net);
	config.join_through = n->join_through;
	config.contacts = contacts;
	config.contact_count = contacts_of(n, contacts);
	config.remembered = n->disk.view;
	config.remembered_count = n->disk.view_count;
	disk_index(&config.index, n);
	config.arrivals = (struct arrivals){n, disk_arrived};
	disk_recover(s, n);
	trace_say(s, n, "starts as process %u, incarnation %u", n->process,
	    config.incarnation);
	peer_init(n->peer, &config, s->now_us);
	n->deadline_us = peer_deadline(n->peer);
	check_born(s, n);
}

static void
end_process(struct sim *s, struct node *n)
{
	check_apart(s);
	command_lost(s, n);
	circuit_abandon(s, n);
	items_clear(&n->sockets, &s->queue);
	items_clear(&n->timers, &s->queue);
	items_clear(&n->urgent, &s->queue);
	disk_close_all(n);
	n->waiting = 0;
	n->running = n->paused = n->exiting = false;
	n->deadline_us = UINT64_MAX;
	n->ended_us = s->now_us;
}

void
node_kill(struct sim *s, struct node *n)
{
	if (!n->running)
		return;
	trace_say(s, n, "killed");
	end_process(s, n);
}

void
node_pause(struct sim *s, struct node *n)
{
	if (!n->running || n->paused)
		return;
	trace_say(s, n, "paused");
	n->paused = true;
}

void
node_wipe(struct sim *s, struct node *n)
{
	uint64_t full_us = n->disk.full_us, broken_us = n->disk.broken_us;
	unsigned wipes = n->disk.wipes;

	assert(!n->running);
	trace_say(s, n, "its disk is lost");
	for (unsigned i = 0; i < n->disk.file_count; i++)
		command_copy_lost(s, n, &n->disk.files[i].record, LOSS_DISK);
	memset(&n->disk, 0, sizeof(n->disk));
	n->disk.wipes = wipes + 1;
	n->disk.lost_us = n->disk.wiped_us = s->now_us;
	n->disk.full_us = full_us;
	n->disk.broken_us = broken_us;
}

/* Sockets first, in the batches that the real loop reads; then timers. */
void
node_resume(struct sim *s, struct node *n)
{
	struct item *i;
	uint64_t count = 0, at_us = s->now_us;

	if (!n->running || !n->paused)
		return;
	trace_say(s, n, "resumed");
	n->paused = false;
	n->waiting = 0;
	while ((i = items_take(&n->sockets)) != NULL) {
		at_us = s->now_us + count++ / 64 * 50;
		queue_push(&s->queue, i, at_us);
	}
	while ((i = items_take(&n->timers)) != NULL)
		queue_push(&s->queue, i, at_us);
}

void
node_freeze(struct sim *s, struct node *n, uint32_t deadline_ms)
{
	struct item *i = node_later(s, n, EV_FREEZE);

	trace_say(s, n, "told to freeze");
	n->goal = GOAL_FREEZE;
	i->event.deadline_ms = deadline_ms;
	queue_push(&s->queue, i, s->now_us);
}

struct item *
node_later(struct sim *s, struct node *n, enum event_type type)
{
	struct item *i = queue_item(&s->queue, ITEM_EVENT);

	i->node = n;
	i->process = n->process;
	memset(&i->event, 0, sizeof(i->event));
	i->event.type = type;
	return i;
}

static void
take_datagram(struct sim *s, struct node *n, const struct item *i)
{
	struct event event = {.type = EV_DATAGRAM,
	    .from = i->from,
	    .incarnation = i->incarnation,
	    .addr = i->addr,
	    .message = &s->message};

	if (message_decode(&s->message, i->data, i->len) != (long)i->len) {
		sim_fail(s, CHECK_CONTRACT, n,
		    "a datagram of %zu bytes that can't be decoded", i->len);
		return;
	}
	node_step(s, n, &event);
}

static void
take_command(struct sim *s, struct node *n, const struct item *i)
{
	struct event event = {.type = EV_COMMAND, .message = &s->message};
	long used = message_decode(&s->message, i->data, i->len);

	assert(used == (long)i->len);
	s->commands.at[s->message.command.op].begun = true;
	node_step(s, n, &event);
}

static void
take_now(struct sim *s, struct node *n, struct item *i)
{
	struct event event = {.type = EV_UNREACHABLE, .addr = i->addr};

	switch (i->kind) {
	case ITEM_DATAGRAM:
		take_datagram(s, n, i);
		break;
	case ITEM_UNREACHABLE:
		node_step(s, n, &event);
		break;
	case ITEM_FRAME:
		frame_read(s, i);
		return;
	case ITEM_PUMP:
		if (end_of(i) != NULL) {
			end_of(i)->pumping = false;
			circuit_pump(s, end_of(i));
		}
		break;
	case ITEM_STALL:
		circuit_stalled(s, i);
		return;
	case ITEM_LATE:
		circuit_late(s, i);
		return;
	case ITEM_DISK:
		disk_done(s, i);
		return;
	case ITEM_COMMAND:
		take_command(s, n, i);
		break;
	case ITEM_EVENT:
		node_step(s, n, &i->event);
		break;
	case ITEM_WIRE:
	case ITEM_START:
	case ITEM_PERIOD:
	case ITEM_FAULT:
		assert(0); /* not for a process */
	}
	queue_give_back(&s->queue, i);
}

void
node_take(struct sim *s, struct item *i)
{
	struct node *n = i->node;
	bool timer = i->kind == ITEM_STALL || i->kind == ITEM_LATE ||
		     i->kind == ITEM_PUMP;

	if (i->kind == ITEM_DATAGRAM)
		i->process = n->process;
	if (!n->running || i->process != n->process ||
	    (i->kind == ITEM_DATAGRAM && n->paused &&
		n->waiting++ >= WAITING_MAX)) {
		queue_give_back(&s->queue, i);
		return;
	}
	if (n->paused)
		items_append(timer ? &n->timers : &n->sockets, i);
	else
		take_now(s, n, i);
}

void
node_settle(struct sim *s, struct node *n)
{
	struct item *i;

	while (n->running && (i = items_take(&n->urgent)) != NULL) {
		struct event event = i->event;

		queue_give_back(&s->queue, i);
		node_step(s, n, &event);
	}
	if (!n->running || !n->exiting)
		return;
	trace_say(s, n, "exits with %u", n->code);
	if (n->goal == GOAL_SERVE && !n->denied)
		sim_fail(s, CHECK_CONTRACT, n, "exits, and was not told to");
	n->exited = true;
	disk_save(n);
	if (n->goal == GOAL_FREEZE)
		disk_flush(n);
	end_process(s, n);
}

bool
node_crashes(struct sim *s, struct node *n)
{
	if (n->crash_in == 0 || --n->crash_in > 0)
		return false;
	trace_say(s, n, "crashes here");
	node_kill(s, n);
	return true;
}

void
node_step(struct sim *s, struct node *n, struct event *event)
{
	assert(n->running && !n->paused);
	if (n->exiting)
		return;
	event->wall_us = (uint64_t)WALL_START_S * SECOND + s->now_us;
	event->wall_us = (uint64_t)((int64_t)event->wall_us + n->skew_us);
	trace_event(s, n, event);
	peer_step(n->peer, s->now_us, event, s->out);
	s->steps++;
	n->deadline_us = peer_deadline(n->peer);
	trace_actions(s, n);
	check_step(s, n);
	node_apply(s, n);
	node_settle(s, n);
}
