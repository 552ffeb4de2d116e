#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/sim.h"

/* The files at rest: a request for each, and who holds them. */

static struct node *
any_live(struct sim *s)
{
	unsigned at = (unsigned)random_below(&s->plan, s->node_count);

	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[(at + i) % s->node_count];

		if (check_live(n) && !n->paused)
			return n;
	}
	return NULL;
}

void
command_request_all(struct sim *s)
{
	struct node *n;

	for (unsigned i = 0; i < s->commands.name_count; i++)
		if ((n = any_live(s)) != NULL)
			command_give(s, n, COMMAND_REQUEST, i, 0);
}

/* Of requests given since the op first: those that had no answer. */
void
command_check_files(struct sim *s, unsigned first)
{
	for (unsigned op = first; op <= s->commands.count; op++)
		if (!s->commands.at[op].done)
			history_check(s, &s->commands.at[op]);
}

static const struct stored *
newest(struct sim *s, const struct name *name)
{
	const struct stored *best = NULL;

	for (unsigned i = 0; i < s->node_count; i++) {
		const struct stored *f = disk_find(&s->nodes[i], name);

		if (f != NULL && check_live(&s->nodes[i]) &&
		    (best == NULL || version_cmp(&f->record.version,
					 &best->record.version) > 0))
			best = f;
	}
	return best;
}

/* Q3 for one name: NULL, or who has it wrong. */
static const struct node *
misplaced(struct sim *s, const struct name *name)
{
	const struct stored *best = newest(s, name), *f;
	unsigned key, holders = 0;

	if (best == NULL)
		return NULL;
	key = (unsigned)strtoul(name->text, NULL, 10) & (s->space - 1);
	for (unsigned i = 0; i < s->space; i++) {
		struct node *n = node_of(s, (key + i) & (s->space - 1));
		bool right;

		if (n == NULL || !check_live(n))
			continue;
		f = disk_find(n, name);
		if (holders++ < s->copies)
			right = f != NULL && !f->damaged &&
				version_cmp(&f->record.version,
				    &best->record.version) == 0;
		else
			right = f == NULL;
		if (!right)
			return n;
	}
	return NULL;
}

bool
content_placed(struct sim *s)
{
	for (unsigned i = 0; i < s->commands.name_count; i++)
		if (misplaced(s, &s->commands.names[i]) != NULL)
			return false;
	return true;
}

void
content_check_places(struct sim *s)
{
	for (unsigned i = 0; i < s->commands.name_count; i++) {
		const struct name *name = &s->commands.names[i];
		const struct node *n = misplaced(s, name);

		s->file_checks++;
		if (n == NULL)
			continue;
		s->file_faults++;
		sim_fail(s, CHECK_FILES, n,
		    "%s: Q3: it lacks the newest version, or is no holder",
		    name->text);
	}
}
