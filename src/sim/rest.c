#include <string.h>

#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/sim.h"

/* After all faults: does the ring come to rest, and is it right then? */
enum {
	QUIET_US = 1 * SECOND, /* rest must hold for so long */
	RATE_MAX = 250, /* messages a second from one peer at rest */
};

void
rest_heal(struct sim *s)
{
	static const struct quality good = {30, 100, 0, 0, 0, 0, 300, 20 * MS};

	trace_say(s, NULL, "all is healed");
	s->healed = true;
	s->healed_us = s->now_us;
	s->quality = good;
	net_heal(s);
	for (unsigned i = 0; i < s->node_count; i++) {
		node_resume(s, &s->nodes[i]);
		s->nodes[i].crash_in = 0;
		disk_heal(s, &s->nodes[i]);
	}
}

bool
rest_wait(struct sim *s, uint64_t deadline_us)
{
	uint64_t quiet_us = 0;
	const char *why = "";

	while (!s->failed) {
		sim_until(s, s->now_us + 50 * MS);
		check_known(s);
		if ((why = check_rest(s)) != NULL)
			quiet_us = 0;
		else if (quiet_us == 0)
			quiet_us = s->now_us;
		else if (s->now_us - quiet_us >= QUIET_US)
			return !s->failed;
		if (why != NULL && s->now_us > deadline_us) {
			sim_fail(s, CHECK_REST, NULL, "%s", why);
			return false;
		}
	}
	return false;
}

static struct node *
any_live(struct sim *s)
{
	unsigned at = (unsigned)random_below(&s->plan, s->node_count);

	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[(at + i) % s->node_count];

		if (check_live(n))
			return n;
	}
	return NULL;
}

/* Q4: files that were opened are closed. */
static void
check_handles(struct sim *s)
{
	for (unsigned i = 0; i < s->node_count; i++)
		if (s->nodes[i].files != NULL)
			sim_fail(s, CHECK_REST, &s->nodes[i],
			    "Q4: file %u is still open",
			    s->nodes[i].files->handle);
}

/* The first live peer at or after the key. */
static unsigned
owner_of(struct sim *s, unsigned key)
{
	for (unsigned i = 0; i < s->space; i++) {
		unsigned id = (key + i) & (s->space - 1);
		const struct node *n = node_of(s, id);

		if (n != NULL && check_live(n))
			return id;
	}
	return s->space;
}

static void
check_owners(struct sim *s, unsigned first)
{
	for (unsigned op = first; op <= s->commands.count; op++) {
		const struct command_log *l = &s->commands.at[op];
		unsigned owner = owner_of(s, l->key);

		if (l->command != COMMAND_OWNER)
			continue;
		if (!l->done || l->error != ERROR_none)
			sim_fail(s, CHECK_REST, l->node,
			    "asked for the owner of %u: %s", l->key,
			    l->done ? wire_error_text(l->error) : "no answer");
		else if (l->owner != owner)
			sim_fail(s, CHECK_REST, l->node,
			    "says that %u is the owner of %u, and %u is",
			    l->owner, l->key, owner);
	}
}

static void
check_rate(struct sim *s)
{
	uint64_t sent[NODES_MAX] = {0};

	for (unsigned i = 0; i < s->node_count; i++)
		sent[i] = s->nodes[i].sent;
	sim_until(s, s->now_us + SECOND);
	for (unsigned i = 0; i < s->node_count; i++)
		if (s->nodes[i].sent - sent[i] > RATE_MAX)
			sim_fail(s, CHECK_STORM, &s->nodes[i],
			    "sends %llu messages in a second at rest",
			    (unsigned long long)(s->nodes[i].sent - sent[i]));
}

/*
 * A damage may be found just now, and be mended: what that opened is closed
 * when its peer is idle again, which is later than when the copy is placed.
 */
static void
rest_again(struct sim *s, uint64_t step_us, bool placed)
{
	const char *why;

	for (unsigned i = 0; i < 100 && !s->failed; i++) {
		if (check_rest(s) == NULL && (!placed || content_placed(s)))
			return;
		sim_until(s, s->now_us + step_us);
	}
	if ((why = check_rest(s)) != NULL)
		sim_fail(
		    s, CHECK_REST, NULL, "no more, after requests: %s", why);
}

void
rest_check(struct sim *s)
{
	struct node *n = any_live(s);
	unsigned first = s->commands.count + 1;

	if (n == NULL)
		return;
	s->resting = true;
	if (s->with_files) {
		for (unsigned i = 0; i < 3; i++) {
			unsigned key =
			    (unsigned)random_below(&s->plan, s->space);

			command_ask_owner(s, any_live(s), key);
		}
		command_request_all(s);
	}
	for (unsigned i = 0; i < 300 && !commands_done(s) && !s->failed; i++)
		sim_until(s, s->now_us + 50 * MS);
	check_rate(s);
	if (s->failed)
		return;
	rest_again(s, 50 * MS, false);
	check_owners(s, first);
	command_check_files(s, first);
	/* Copies may come after rest, but not much. */
	rest_again(s, 200 * MS, true);
	content_check_places(s);
	check_handles(s);
}
