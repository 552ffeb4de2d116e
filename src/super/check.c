#include <sys/stat.h>

#include <assert.h>
#include <bsd/string.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "super/check.h"
#include "super/setup.h"

enum {
	AGAIN_US = 50000, /* after a pass that came to nothing */
};

struct witness *
check_witness(const struct check *k, unsigned id)
{
	for (unsigned i = 0; i < k->count; i++)
		if (k->all[i]->id == id)
			return k->all[i];
	return NULL;
}

static void
plan(struct check *k, uint64_t after_us)
{
	timer_start(&k->super->loop, &k->timer, clock_us() + after_us);
}

void
check_await(struct check *k)
{
	plan(k, CHECK_ANSWER_US);
}

void
check_again(struct check *k, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(k->why, sizeof(k->why), format, args);
	va_end(args);
	k->phase = CHECK_PAUSED;
	plan(k, AGAIN_US);
}

/* Runs, and is not known not to answer. */
static bool
can_speak(const struct check *k, const struct child *c)
{
	return c != NULL && c->pid != 0 && !c->stopped &&
	       !idset_has(&k->silent, c->id);
}

/* Those that can speak all serve; else the ring is not at rest. */
static bool
all_serve(struct check *k)
{
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *c = k->super->children[id];

		if (!can_speak(k, c) ||
		    (child_state(c) == PEER_UP && !c->kill_asked))
			continue;
		check_again(k, "peer %u is %s", id,
		    c->kill_asked ? "about to die"
				  : peer_state_text(child_state(c)));
		return false;
	}
	return true;
}

static bool
has_disk(const struct check *k, const struct child *c)
{
	static struct peer_setup setup; /* large */
	const struct super *s = k->super;
	struct stat st;

	if (c == NULL || c->pid != 0)
		return false;
	setup_init(&setup, &s->config, c->id, s->data.text, s->key);
	return stat(setup.data, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool
still_fits(const struct check *k, const struct witness *w)
{
	const struct child *c = k->super->children[w->id];

	return w->down ? c != NULL && c->pid == 0
		       : can_speak(k, c) && child_state(c) == PEER_UP;
}

/* Readers of disks stay from pass to pass. */
static void
call_witnesses(struct check *k)
{
	struct witness *kept[SPACE_MAX] = {NULL};

	for (unsigned i = 0; i < k->count; i++) {
		if (still_fits(k, k->all[i]))
			kept[k->all[i]->id] = k->all[i];
		else
			witness_free(k->all[i]);
	}
	k->count = 0;
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *c = k->super->children[id];

		if (kept[id] == NULL && can_speak(k, c))
			kept[id] = witness_new(k, id, false);
		else if (kept[id] == NULL && has_disk(k, c))
			kept[id] = witness_new(k, id, true);
		if (kept[id] != NULL)
			k->all[k->count++] = kept[id];
	}
}

unsigned
check_live(const struct check *k)
{
	unsigned n = 0;

	for (unsigned i = 0; i < k->count; i++)
		n += !k->all[i]->down;
	return n;
}

/* No process, and none that starts again. */
static bool
nobody_comes(const struct check *k)
{
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *c = k->super->children[id];

		if (c != NULL && (c->pid != 0 || c->restart.index != -1))
			return false;
	}
	return true;
}

static void
pass_begin(struct check *k)
{
	findings_free(&k->found);
	k->files = k->copies = 0;
	if (!all_serve(k))
		return;
	call_witnesses(k);
	if (check_live(k) > 0) {
		views_ask(k);
		return;
	}
	check_again(k, "no peer is up that answers");
	/* Nor will one be: its time is over. */
	if (nobody_comes(k))
		timer_start(&k->super->loop, &k->client->timer, clock_us());
}

/* How long to wait for what heals by itself. */
static bool
rested(const struct check *k)
{
	uint64_t rest_us = k->client->call.timeout_ms * 750ull;

	if (rest_us > CHECK_REST_US)
		rest_us = CHECK_REST_US;
	return clock_us() - k->since_us >= rest_us;
}

void
check_passed(struct check *k)
{
	struct findings *f = &k->found;
	bool same = k->compared && findings_same(f, &k->before);

	if (f->count == 0 || (same && (!f->heals || rested(k)))) {
		verdict_reach(k, true);
		return;
	}
	if (k->compared && rested(k)) {
		verdict_reach(k, false);
		return;
	}
	findings_free(&k->before);
	k->before = *f;
	memset(f, 0, sizeof(*f));
	findings_sort(&k->before);
	k->compared = true;
	k->phase = CHECK_PAUSED;
	plan(k, CHECK_PAUSE_US);
}

/* Those who were asked, and have not answered. */
static void
give_up_asked(struct check *k)
{
	bool any = false;

	for (unsigned i = 0; i < k->count; i++) {
		if (k->all[i]->down || !k->all[i]->asked)
			continue;
		idset_add(&k->silent, k->all[i]->id);
		any = true;
	}
	if (any)
		check_again(k, "some peers do not answer");
	else
		check_await(k);
}

static void
check_turn(struct super *s)
{
	struct client *c = s->clients, *next = NULL;

	/* Who came first is last in the list. */
	for (; c != NULL; c = c->next)
		if (!c->gone && c->check != NULL &&
		    c->check->phase == CHECK_WAITING)
			next = c;
	if (s->checking != NULL || next == NULL)
		return;
	s->checking = next->check;
	next->check->since_us = clock_us();
	strlcpy(next->check->why, "not all have answered",
	    sizeof(next->check->why));
	pass_begin(next->check);
}

void
check_leave(struct check *k)
{
	while (k->count > 0)
		witness_free(k->all[--k->count]);
	if (k->super->checking != k)
		return;
	k->super->checking = NULL;
	k->super->changed = true;
}

void
check_free(struct client *c)
{
	struct check *k = c->check;

	c->check = NULL;
	check_leave(k);
	timer_stop(&k->super->loop, &k->timer);
	findings_free(&k->found);
	findings_free(&k->before);
	free(k);
}

static void
check_fire(struct timer *t)
{
	struct check *k = CONTAINER(t, struct check, timer);

	switch (k->phase) {
	case CHECK_WAITING:
		break;
	case CHECK_PAUSED:
		pass_begin(k);
		break;
	case CHECK_REFERENCE:
	case CHECK_VIEWS:
	case CHECK_FILES:
		give_up_asked(k);
		break;
	case CHECK_TELLING:
		verdict_tell(k);
		break;
	}
}

void
check_drained(struct client *c)
{
	if (c->check->phase == CHECK_TELLING)
		plan(c->check, 0);
}

void
verb_check_begin(struct client *c)
{
	struct check *k = calloc(1, sizeof(*k));

	if (k == NULL)
		abort();
	k->super = c->super;
	k->client = c;
	c->check = k;
	timer_init(&k->timer, check_fire);
	strlcpy(k->why, "another check is under way", sizeof(k->why));
	call_arm(c, CALL_TIMEOUT_MS);
}

void
verb_check_settle(struct client *c)
{
	struct check *k = c->check;

	if (k->phase == CHECK_WAITING)
		check_turn(c->super);
	if (k->phase != CHECK_REFERENCE && k->phase != CHECK_VIEWS &&
	    k->phase != CHECK_FILES)
		return;
	for (unsigned i = 0; i < k->count; i++) {
		if (still_fits(k, k->all[i]))
			continue;
		check_again(k, "peer %u comes or goes", k->all[i]->id);
		return;
	}
}

void
check_message(struct super *s, const struct child *c, const struct message *m)
{
	struct check *k = s->checking;
	struct witness *w = k == NULL ? NULL : check_witness(k, c->id);

	if (w == NULL || w->down)
		return;
	if (m->type == MSG_members)
		views_members(k, w, &m->members);
	else if (m->type == MSG_records)
		files_records(w, &m->records);
}

void
check_child_starts(struct super *s, unsigned id)
{
	struct check *k = s->checking;

	for (unsigned i = 0; k != NULL && i < k->count; i++) {
		if (k->all[i]->id != id || !k->all[i]->down)
			continue;
		witness_free(k->all[i]);
		k->count--;
		memmove(&k->all[i], &k->all[i + 1],
		    (k->count - i) * sizeof(struct witness *));
		check_again(k, "peer %u starts", id);
		return;
	}
}
