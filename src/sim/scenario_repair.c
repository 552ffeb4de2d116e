#include "sim/check.h"
#include "sim/net.h"
#include "sim/plan.h"
#include "sim/scenario.h"
#include "sim/sim.h"

/* Scenarios of copies that move, break or disagree. */

static unsigned
finish(struct sim *s, uint64_t op)
{
	scenario_finish_commands(s);
	return s->commands.at[op].done ? s->commands.at[op].error
				       : (unsigned)ERROR_timeout;
}

/* Where the raw bytes go that come now; UINT64_MAX: none do. */
static uint64_t
position(const struct node *n)
{
	for (const struct end *e = n->ends; e != NULL; e = e->next)
		if (e->receiving)
			return e->offset;
	return UINT64_MAX;
}

/*
 * 2067 has the key 19, who sleeps in the middle of a download: that it is dead
 * comes as news, for its connection never hangs up.
 */
void
scenario_resume_download(struct sim *s)
{
	struct node *asker;
	uint64_t op, have = 0, now;

	scenario_exercise(s);
	if (!s->with_files)
		return;
	s->byte_ps = 1000;
	asker = node_of(s, 8);
	op = command_give(s, node_of(s, 4), COMMAND_STORE, 0, 300000000);
	scenario_expect(s, finish(s, op) == ERROR_none, "it is stored");
	op = command_give(s, asker, COMMAND_REQUEST, 0, 0);
	s->calm = false;
	for (unsigned i = 0; i < 4000 && !s->commands.at[op].done; i++) {
		if (i == 150)
			node_pause(s, node_of(s, 19));
		sim_until(s, s->now_us + 1 * MS);
		now = position(asker);
		scenario_expect(s, now >= have, "what has arrived is kept");
		have = now == UINT64_MAX ? have : now;
	}
	scenario_expect(s, finish(s, op) == ERROR_none, "it is all there");
	rest_heal(s);
	scenario_settle(s);
	rest_check(s);
}
