#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/sim.h"

/* What became of the files, told by one request for each at rest. */

static bool
changes(const struct command_log *l, unsigned name)
{
	return (l->command == COMMAND_STORE || l->command == COMMAND_REMOVE) &&
	       l->name == name;
}

/* Acknowledged, and somebody named then has it on a disk that is up. */
static bool
survives(struct sim *s, const struct command_log *l)
{
	if (!l->done || l->error != ERROR_none)
		return false;
	for (unsigned i = 0; i < l->holder_count; i++) {
		const struct node *n = node_of(s, l->holders[i]);

		if (n != NULL && check_live(n) && n->disk.wipes == l->wipes[i])
			return true;
	}
	return false;
}

/* Did another change of the name begin when this one was acknowledged? */
static const struct command_log *
superseded(struct sim *s, const struct command_log *l)
{
	for (unsigned op = 1; op <= s->commands.count; op++) {
		const struct command_log *o = &s->commands.at[op];

		if (changes(o, l->name) && survives(s, o) &&
		    o->start_us > l->end_us)
			return o;
	}
	return NULL;
}

/*
 * The store whose content came, and that nothing superseded, if there is one;
 * all empty files are alike.
 */
static const struct command_log *
store_of(struct sim *s, const struct command_log *request)
{
	const struct command_log *found = NULL;

	for (unsigned op = 1; op <= s->commands.count; op++) {
		const struct command_log *o = &s->commands.at[op];

		if (o->command != COMMAND_STORE || o->name != request->name ||
		    o->size != request->delivered_size ||
		    (o->size > 0 && o->content != request->delivered))
			continue;
		if (found == NULL || superseded(s, found) != NULL)
			found = o;
	}
	return found;
}

/* A store that no remove can have followed, by any clock. */
static const struct command_log *
must_be_there(struct sim *s, unsigned name)
{
	for (unsigned op = 1; op <= s->commands.count; op++) {
		const struct command_log *o = &s->commands.at[op];
		bool removed = false;

		if (o->command != COMMAND_STORE || o->name != name ||
		    !survives(s, o))
			continue;
		for (unsigned i = 1; i <= s->commands.count; i++) {
			const struct command_log *r = &s->commands.at[i];

			removed |= r->command == COMMAND_REMOVE &&
				   r->name == name &&
				   (s->skewed || r->end_us >= o->start_us);
		}
		if (!removed)
			return o;
	}
	return NULL;
}

static void
check_request(struct sim *s, const struct command_log *l)
{
	const char *name = s->commands.names[l->name].text;
	const struct command_log *store, *later;

	s->file_checks++;
	if (!l->done || l->error != ERROR_none) {
		if ((store = must_be_there(s, l->name)) == NULL)
			return;
		s->file_faults++;
		sim_fail(s, CHECK_FILES, l->node,
		    "%s: %s, and its store %u was acknowledged", name,
		    l->done ? wire_error_text(l->error) : "no answer",
		    (unsigned)(store - s->commands.at));
		return;
	}
	if ((store = store_of(s, l)) == NULL) {
		s->file_faults++;
		sim_fail(s, CHECK_FILES, l->node,
		    "%s: a content that was never stored under it", name);
		return;
	}
	if (s->skewed || (later = superseded(s, store)) == NULL)
		return;
	s->file_faults++;
	sim_fail(s, CHECK_FILES, l->node,
	    "%s: store %u, and command %u came later and was acknowledged",
	    name, (unsigned)(store - s->commands.at),
	    (unsigned)(later - s->commands.at));
}

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

/* Of requests given since the op first. */
void
command_check_files(struct sim *s, unsigned first)
{
	for (unsigned op = first; op <= s->commands.count; op++)
		if (s->commands.at[op].command == COMMAND_REQUEST)
			check_request(s, &s->commands.at[op]);
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
			right = f != NULL && version_cmp(&f->record.version,
						 &best->record.version) == 0;
		else
			right = f == NULL || f->record.deleted;
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
