#include <assert.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/option.h"
#include "sim/plan.h"
#include "sim/sim.h"

static const struct {
	const char *name, *words;
} classes[] = {
    [CHECK_LIST] = {"list", "I1 successor list"},
    [CHECK_ORDER] = {"order", "I2 view order"},
    [CHECK_LINEAGE] = {"lineage", "I3 incarnation"},
    [CHECK_KNOWN] = {"known", "I4 alone"},
    [CHECK_FALSE_DEAD] = {"false-dead", "false DEAD"},
    [CHECK_REST] = {"rest", "Q at rest"},
    [CHECK_COMMAND] = {"command", "command"},
    [CHECK_CONTRACT] = {"contract", "contract"},
    [CHECK_STORM] = {"storm", "storm"},
    [CHECK_FILES] = {"files", "files"},
    [CHECK_FENCE] = {"fence", "I5 fence"},
};

int
sim_check(const char *name)
{
	for (int i = 0; i < CHECK_CLASSES; i++)
		if (strcmp(classes[i].name, name) == 0)
			return i;
	return -1;
}

struct sim *
sim_new(void)
{
	struct sim *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->out = malloc(sizeof(*s->out))) == NULL)
		err(1, "memory of the simulator");
	s->checks = (1u << CHECK_CLASSES) - 1;
	s->with_files = true;
	return s;
}

void
sim_reset(struct sim *s, uint64_t seed)
{
	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[i];

		items_clear(&n->sockets, &s->queue);
		items_clear(&n->timers, &s->queue);
		items_clear(&n->urgent, &s->queue);
		disk_close_all(n);
	}
	circuit_reset(s);
	queue_clear(&s->queue);
	net_heal(s);
	s->node_count = 0;
	s->lineage_count = 0;
	s->process = 0;
	s->seed = seed;
	s->now_us = 10 * (uint64_t)SECOND;
	s->failed = s->skewed = s->healed = s->resting = false;
	s->calm = s->sync = true;
	s->split_us = s->unmet_us = s->forgot_us = 0;
	s->steps_left = 0;
	s->script = NULL;
	s->false_deads = 0;
	memset(s->notes, 0, sizeof(s->notes));
	s->file_faults = s->file_checks = 0;
	random_seed(&s->plan, seed);
	random_seed(&s->net, seed ^ 0x6e6574776f726b00u);
	commands_reset(s);
}

void
sim_free(struct sim *s)
{
	sim_reset(s, 0);
	circuit_free(s);
	queue_free(&s->queue);
	for (unsigned i = 0; i < NODES_MAX; i++)
		if (s->peers[i] != NULL)
			munmap(s->peers[i], peer_size());
	free(s->out);
	free(s);
}

bool
sim_chance(struct random *r, uint32_t chance)
{
	return chance > 0 && random_u64(r) % MILLION < chance;
}

uint64_t
sim_between(struct random *r, uint64_t low, uint64_t high)
{
	assert(low <= high);
	return low + random_below(r, high - low + 1);
}

void
sim_fail(struct sim *s, enum check_class class, const struct node *n,
    const char *format, ...)
{
	va_list args;

	if (s->failed || !(s->checks & 1u << class))
		return;
	s->failed = true;
	s->check = format;
	if (s->quiet)
		return;
	printf("violation: %s: ", classes[class].words);
	if (n != NULL)
		printf("peer %u: ", n->id);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n  at %llu.%06llu s; replay: build/ringctl-sim ",
	    (unsigned long long)(s->now_us / SECOND),
	    (unsigned long long)(s->now_us % SECOND));
	if (s->scenario != NULL)
		printf("--scenario %s ", s->scenario);
	if (s->played != NULL)
		printf("--play %s ", s->played);
	mutants_print();
	printf("--seed %llu --trace\n", (unsigned long long)s->seed);
	if (s->script == &s->drawn && s->played == NULL)
		printf(
		    "  smaller: the same with --shrink instead of --trace\n");
	fflush(stdout);
}

static void
dispatch(struct sim *s, struct item *i)
{
	switch (i->kind) {
	case ITEM_DATAGRAM:
	case ITEM_UNREACHABLE:
		net_arrived(s, i);
		break;
	case ITEM_WIRE:
		circuit_wire(s, i);
		break;
	case ITEM_FRAME:
	case ITEM_PUMP:
	case ITEM_STALL:
	case ITEM_LATE:
	case ITEM_EVENT:
	case ITEM_DISK:
	case ITEM_COMMAND:
		node_take(s, i);
		break;
	case ITEM_START:
		node_fork(s, i->node);
		queue_give_back(&s->queue, i);
		break;
	case ITEM_PERIOD:
		fault_over(s, i);
		break;
	case ITEM_FAULT:
		fault_step(s, i);
		break;
	}
}

/* The running peer whose deadline comes first. */
static struct node *
next_timer(struct sim *s)
{
	struct node *first = NULL;

	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[i];

		if (n->running && !n->paused &&
		    (first == NULL || n->deadline_us < first->deadline_us))
			first = n;
	}
	return first;
}

static void
tick(struct sim *s, struct node *n)
{
	struct event event = {.type = EV_TICK};

	n->spins = n->spin_us == s->now_us ? n->spins + 1 : 0;
	n->spin_us = s->now_us;
	if (n->spins > 500)
		sim_fail(s, CHECK_STORM, n,
		    "its deadline does not advance with its ticks");
	node_step(s, n, &event);
}

bool
sim_turn(struct sim *s, uint64_t until_us)
{
	struct node *n = next_timer(s);
	uint64_t timer_us = n == NULL ? UINT64_MAX : n->deadline_us;
	uint64_t item_us = queue_next_us(&s->queue);

	if (timer_us < s->now_us)
		timer_us = s->now_us;
	if (timer_us > until_us && item_us > until_us) {
		s->now_us = until_us;
		return false;
	}
	/* As in a turn of the real loop: what came in, then timers. */
	if (item_us <= timer_us) {
		assert(item_us >= s->now_us);
		s->now_us = item_us;
		dispatch(s, queue_pop(&s->queue));
	} else {
		s->now_us = timer_us;
		tick(s, n);
	}
	return true;
}

void
sim_until(struct sim *s, uint64_t until_us)
{
	while (!s->failed && sim_turn(s, until_us))
		continue;
}
