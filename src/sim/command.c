#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/check.h"
#include "sim/sim.h"

enum { SOUND_US = 7 * SECOND }; /* healed: then a command must get somewhere */

void
commands_reset(struct sim *s)
{
	struct commands *c = &s->commands;

	c->count = 0;
	c->name_count = 0;
	memset(c->losers, 0, sizeof(c->losers));
	c->contents = CONTENT_FIRST;
}

unsigned
command_set(const struct sim *s, const struct node *n)
{
	unsigned writers = !(n->shadow[n->id].flags & MEMBER_READONLY);

	for (unsigned i = 0; i < n->expected_count; i++)
		writers += !(n->shadow[n->expected[i]].flags & MEMBER_READONLY);
	if (writers == 0)
		writers = 1;
	return writers < s->copies ? writers : s->copies;
}

void
commands_view_changed(struct sim *s, const struct node *n)
{
	unsigned set = command_set(s, n);

	for (unsigned op = 1; op <= s->commands.count; op++) {
		struct command_log *l = &s->commands.at[op];

		if (l->node == n && !l->done && set < l->set)
			l->set = set;
	}
}

static struct command_log *
log_new(struct sim *s, const struct node *n, unsigned command)
{
	struct commands *c = &s->commands;
	struct command_log *l;

	if (c->count == COMMANDS_MAX)
		return NULL;
	check_apart(s);
	l = &c->at[++c->count];
	memset(l, 0, sizeof(*l));
	l->command = (uint8_t)command;
	l->node = n;
	l->process = n->process;
	l->start_us = s->now_us;
	l->effect_us = UINT64_MAX;
	l->set = command_set(s, n);
	return l;
}

static uint64_t
hand_over(struct sim *s, struct node *n, struct message *m)
{
	struct item *i = queue_item(&s->queue, ITEM_COMMAND);
	uint8_t bytes[2048];
	size_t len = message_encode(m, bytes, sizeof(bytes));

	assert(len > 0);
	i->node = n;
	i->process = n->process;
	item_bytes(i, bytes, len);
	queue_push(&s->queue, i, s->now_us);
	return m->command.op;
}

uint64_t
command_give(struct sim *s, struct node *n, unsigned command, unsigned name,
    uint64_t size)
{
	struct command_log *l = log_new(s, n, command);
	struct message m = {.type = MSG_command};
	char path[80];

	if (l == NULL)
		return 0;
	l->name = (uint8_t)name;
	m.command.op = s->commands.count;
	m.command.command = (uint8_t)command;
	m.command.timeout_ms = 10000;
	if (command == COMMAND_STORE) {
		l->content = s->commands.contents++;
		l->size = size;
		snprintf(path, sizeof(path), "/source/%llu/%llu",
		    (unsigned long long)l->content, (unsigned long long)size);
		path_set(&m.command.path, path);
	} else if (command == COMMAND_REQUEST) {
		snprintf(path, sizeof(path), "/target/%llu",
		    (unsigned long long)m.command.op);
		path_set(&m.command.path, path);
	}
	if (command == COMMAND_STORE || command == COMMAND_REQUEST ||
	    command == COMMAND_REMOVE)
		m.command.name = s->commands.names[name];
	if (command == COMMAND_QUIT)
		n->goal = GOAL_LEAVE;
	return hand_over(s, n, &m);
}

uint64_t
command_ask_owner(struct sim *s, struct node *n, unsigned key)
{
	struct command_log *l = log_new(s, n, COMMAND_OWNER);
	struct message m = {.type = MSG_command};
	char name[8];

	if (l == NULL)
		return 0;
	l->key = (uint16_t)key;
	snprintf(name, sizeof(name), "%04u", key);
	m.command.op = s->commands.count;
	m.command.command = COMMAND_OWNER;
	m.command.timeout_ms = 10000;
	name_set(&m.command.name, name, 4);
	return hand_over(s, n, &m);
}

void
command_cancel(struct sim *s, uint64_t op)
{
	struct command_log *l = &s->commands.at[op];
	struct node *n = &s->nodes[l->node->index];
	struct item *i;

	assert(op > 0 && op <= s->commands.count);
	if (l->done || l->lost || n->process != l->process)
		return;
	l->cancelled = true;
	i = node_later(s, n, EV_CANCEL);
	i->event.op = op;
	queue_push(&s->queue, i, s->now_us);
}

static void
add_holder(struct command_log *l, const struct node *n)
{
	for (unsigned i = 0; i < l->holder_count; i++)
		if (l->holders[i] == n->id && l->wipes[i] == n->disk.wipes)
			return;
	if (l->holder_count == HOLDERS_KEPT)
		return;
	l->wipes[l->holder_count] = n->disk.wipes;
	l->holders[l->holder_count++] = n->id;
}

static void
forget_holder(struct command_log *l, const struct node *n)
{
	for (unsigned i = 0; i < l->holder_count; i++)
		if (l->holders[i] == n->id && l->wipes[i] == n->disk.wipes) {
			l->holder_count--;
			l->holders[i] = l->holders[l->holder_count];
			l->wipes[i--] = l->wipes[l->holder_count];
		}
}

/*
 * Others that have it: flushed, or just being written, which must outlive a
 * copy that was dropped for it, and need not one that was lost.
 */
static void
add_holders(
    struct sim *s, struct command_log *l, const struct node *but, bool lost)
{
	const struct name *name = &s->commands.names[l->name];
	bool flushed = lost && s->sync;

	for (unsigned i = 0; i < s->node_count && s->sync; i++)
		flushed |= &s->nodes[i] != but &&
			   disk_intact(&s->nodes[i], name, &l->version) &&
			   disk_flushed(&s->nodes[i], name, &l->version);
	for (unsigned i = 0; i < s->node_count && l->committed; i++) {
		struct node *n = &s->nodes[i];

		if (n != but && disk_intact(n, name, &l->version) != NULL &&
		    (!flushed || disk_flushed(n, name, &l->version)))
			add_holder(l, n);
	}
}

void
command_holders(struct sim *s, struct command_log *l)
{
	add_holders(s, l, NULL, false);
}

/* Of a copy on n, what it held is now with whoever else has it. */
static void
take_over(
    struct sim *s, const struct node *n, const struct record *r, enum loss loss)
{
	for (unsigned op = 1; op <= s->commands.count; op++) {
		struct command_log *l = &s->commands.at[op];
		unsigned before = l->holder_count;

		if (before == 0 ||
		    name_cmp(&s->commands.names[l->name], &r->name) != 0 ||
		    version_cmp(&l->version, &r->version) > 0)
			continue;
		/* What is acknowledged was flushed: it must not be lost. */
		if (loss == LOSS_POWER && s->sync && l->done &&
		    l->error == ERROR_none)
			continue;
		forget_holder(l, n);
		if (l->holder_count == before)
			continue;
		add_holders(s, l, n, loss != LOSS_DROP);
		l->lost_holders += loss != LOSS_DROP;
	}
}

void
command_copy_lost(
    struct sim *s, const struct node *n, const struct record *r, enum loss loss)
{
	take_over(s, n, r, loss);
}

/*
 * Was a whole disk lost so lately that who lets go may not know? Or, without
 * flushes, what was on one when its power went?
 */
static bool
lost_lately(const struct sim *s)
{
	for (unsigned i = 0; i < s->node_count; i++) {
		const struct node *n = &s->nodes[i];
		uint64_t us = n->disk.wiped_us;

		if (!s->sync && !n->running && us < n->disk.lost_us)
			us = n->disk.lost_us;
		if (us > 0 && s->now_us - us < SECOND)
			return true;
	}
	return false;
}

void
command_released(struct sim *s, const struct node *n, const struct record *r)
{
	unsigned others = 0;

	/* Bits that flipped there may be known to nobody yet. */
	for (unsigned i = 0; i < s->node_count; i++) {
		const struct stored *f = disk_find(&s->nodes[i], &r->name);

		others += &s->nodes[i] != n && f != NULL &&
			  version_cmp(&f->record.version, &r->version) >= 0;
	}
	if (others == 0 && r->acknowledged && !lost_lately(s))
		sim_fail(s, CHECK_FILES, n, "drops the last copy of %s",
		    r->name.text);
	take_over(s, n, r, LOSS_DROP);
}

void
command_committed(struct sim *s, const struct node *n, const struct record *r)
{
	struct command_log *l = &s->commands.at[r->version.op];

	if (r->version.op == 0 || r->version.op > s->commands.count ||
	    l->node->id != r->version.ingress) {
		sim_fail(s, CHECK_CONTRACT, n,
		    "commits %s, a version that nobody made", r->name.text);
		return;
	}
	if (!l->committed)
		l->version = r->version;
	l->committed = true;
	if (version_cmp(&l->version, &r->version) != 0)
		sim_fail(s, CHECK_FILES, n, "%s: command %u has two versions",
		    r->name.text, (unsigned)r->version.op);
}

void
command_marked(struct sim *s, const struct record *r)
{
	if (r->version.op > 0 && r->version.op <= s->commands.count)
		s->commands.at[r->version.op].marked = true;
}

void
command_superseded(struct sim *s, const struct msg_event *e)
{
	for (unsigned i = 0; i < s->commands.name_count; i++)
		if (name_cmp(&s->commands.names[i], &e->name) == 0)
			idset_add(&s->commands.losers[i], e->about);
}

/* Who is named has it, or has dropped or lost it since. */
static void
check_holder(
    struct sim *s, const struct node *n, struct command_log *l, struct node *h)
{
	if (disk_intact(h, &s->commands.names[l->name], &l->version) != NULL)
		add_holder(l, h);
	else if (h->disk.lost_us < l->start_us)
		sim_fail(s, CHECK_FILES, n,
		    "%s: command %u is acknowledged, and peer %u, which is "
		    "named, never held it",
		    s->commands.names[l->name].text,
		    (unsigned)(l - s->commands.at), h->id);
}

static void
keep_reply(struct sim *s, const struct node *n, struct command_log *l,
    const struct msg_reply *r)
{
	bool changes =
	    l->command == COMMAND_STORE || l->command == COMMAND_REMOVE;

	l->done = true;
	l->end_us = s->now_us;
	l->error = r->error;
	l->digest = r->digest;
	l->owner = r->holder;
	if (r->error == ERROR_timeout && s->healed &&
	    s->now_us > s->healed_us + SOUND_US)
		sim_fail(s, CHECK_REST, n,
		    "command %u gave up (%s), and all was well for %u s",
		    (unsigned)(l - s->commands.at), r->text.text,
		    SOUND_US / SECOND);
	if (!changes || r->error != ERROR_none)
		return;
	if (l->end_us < l->effect_us)
		l->effect_us = l->end_us;
	for (unsigned i = 0; i < r->holders.count && l->committed; i++) {
		struct node *h = node_of(s, r->holders.at[i]);

		if (h != NULL)
			check_holder(s, n, l, h);
	}
}

/* What a request brought must be what its reply says it is. */
static void
check_delivery(struct sim *s, const struct node *n, const struct command_log *l)
{
	struct digest d = content_digest(l->delivered, l->delivered_size);

	if (l->command != COMMAND_REQUEST || l->error != ERROR_none)
		return;
	if (!l->target)
		sim_fail(s, CHECK_COMMAND, n,
		    "a request is done, and no file is there");
	else if (memcmp(&d, &l->digest, sizeof(d)) != 0)
		sim_fail(s, CHECK_COMMAND, n,
		    "a request brought a content other than its digest says");
}

void
command_replied(struct sim *s, struct node *n, const struct msg_reply *r)
{
	struct command_log *l = &s->commands.at[r->op];

	/* The way that a newcomer's request took. */
	if (r->op == 0 && r->command == COMMAND_NONE)
		return;
	if (r->op == 0 || r->op > s->commands.count ||
	    l->process != n->process || l->done) {
		sim_fail(s, CHECK_COMMAND, n, "a reply to command %llu, %s",
		    (unsigned long long)r->op,
		    r->op == 0 || r->op > s->commands.count ? "unknown"
		    : l->done ? "which had its final one"
			      : "which another process was given");
		return;
	}
	if (!r->last)
		return;
	check_apart(s);
	keep_reply(s, n, l, r);
	if (l->command == COMMAND_QUIT && l->error == ERROR_not_serving)
		n->goal = n->join_through >= 0 ? GOAL_JOIN : GOAL_SERVE;
	check_delivery(s, n, l);
	if (!s->failed)
		history_check(s, l);
}

void
command_lost(struct sim *s, const struct node *n)
{
	struct commands *c = &s->commands;

	for (unsigned op = 1; op <= c->count; op++) {
		struct command_log *l = &c->at[op];

		if (l->process != n->process || l->done || l->lost)
			continue;
		l->lost = true;
		l->end_us = s->now_us;
		if (n->exiting && l->begun && !l->cancelled)
			sim_fail(s, CHECK_COMMAND, n,
			    "it exits, and command %u has no reply", op);
	}
}

void
command_delivered(struct sim *s, uint64_t op, uint64_t content, uint64_t size)
{
	assert(op > 0 && op <= s->commands.count);
	s->commands.at[op].target = true;
	s->commands.at[op].delivered = content;
	s->commands.at[op].delivered_size = size;
}

bool
commands_done(const struct sim *s)
{
	for (unsigned op = 1; op <= s->commands.count; op++) {
		const struct command_log *l = &s->commands.at[op];

		if (!l->done && !l->lost && !l->cancelled)
			return false;
	}
	return true;
}
