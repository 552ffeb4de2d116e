#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/sim.h"

/*
 * The history of each name: may this answer be? A store or remove has taken
 * effect when it was acknowledged, or when its content was read. Nothing older
 * by version is read by who begins later, nor what it superseded in time.
 */

static bool
changes(const struct command_log *l, unsigned name)
{
	return (l->command == COMMAND_STORE || l->command == COMMAND_REMOVE) &&
	       l->name == name;
}

/* Did it lose its disk since then, or come back since then without one? */
static bool
is_reborn(const struct node *n, uint64_t since_us)
{
	return n->disk.wiped_us > since_us ||
	       (n->disk.wipes > 0 && n->recalls && n->born_us > since_us);
}

/*
 * Does n know that one, which is down, or remember it? Who left told all that
 * it had, and comes back as a stranger.
 */
static bool
remembers(const struct node *n, const struct node *o)
{
	unsigned state = n->shadow[o->id].state;

	return state != MEMBER_LEFT &&
	       (state != MEMBER_NONE || plan_has(n->disk.met, o->id));
}

/* Was it there since before, and must know whom it misses? */
static bool
was_there(const struct sim *s, const struct node *n, uint64_t since_us)
{
	return s->copies > 1 && !n->forgot && check_stood(n) <= since_us;
}

/* Is one up that lost its disk, and has a number that it had before? */
static bool
has_twin(const struct sim *s)
{
	for (unsigned i = 0; i < s->lineage_count; i++) {
		const struct lineage *l = &s->lineages[i];

		if (check_live(l->node) && l->wipes < l->node->disk.wipes &&
		    l->incarnation == l->node->incarnation)
			return true;
	}
	return false;
}

/*
 * Is one up, perhaps called dead meanwhile, but alive since before, that knows
 * of this very life that it ended? If one came with less than it knew, but for
 * its whole disk, it may be asked alone, and can't tell.
 */
static bool
is_missed(const struct sim *s, const struct node *down, uint64_t since_us)
{
	bool missed = false;

	for (unsigned i = 0; i < s->node_count; i++) {
		const struct node *n = &s->nodes[i];
		const struct member *m = &n->shadow[down->id];

		if (check_live(n) && n->born_us > since_us && n->forgot &&
		    !n->recalls)
			return false;
		missed |= check_acts(n, false) && n->born_us <= since_us &&
			  m->state == MEMBER_DEAD &&
			  m->incarnation == down->incarnation;
	}
	return missed && !has_twin(s);
}

/*
 * Is a disk with it, or with what came after it, as it was; and up, and not
 * paused? If not, who is asked must once have met it, and be able to tell that
 * it is missed.
 */
static bool
is_kept(struct sim *s, const struct command_log *l,
    const struct command_log *by, bool live)
{
	for (unsigned i = 0; i < l->holder_count; i++) {
		const struct node *n = node_of(s, l->holders[i]);

		if (n == NULL || n->disk.wipes != l->wipes[i])
			continue;
		if (check_acts(n, true) &&
		    (!s->skewed || n->born_us <= by->start_us))
			return true;
		if (!s->resting && !s->skewed && l->lost_holders < s->copies &&
		    is_missed(s, n, l->start_us))
			return true;
		if (!live && was_there(s, by->node, l->start_us))
			return true;
		if (!live && remembers(by->node, n) &&
		    plan_has(by->node->then, n->id) &&
		    !is_reborn(by->node, l->start_us))
			return true;
	}
	return false;
}

/*
 * Does it bind what was asked later? While all that have it are down, a peer
 * that comes back may not know of it, if it had not written whom it knew; and
 * by clocks that differ, nobody knows what they may have.
 */
static bool
binds(struct sim *s, const struct command_log *o, const struct command_log *by)
{
	bool live = s->resting || s->skewed ||
		    (s->forgot_us >= o->start_us &&
			!was_there(s, by->node, o->start_us));

	return o->effect_us < by->start_us && o->committed &&
	       is_kept(s, o, by, live);
}

/* Did some peers know nothing of others since then? */
static bool
was_split(const struct sim *s, uint64_t since_us)
{
	return s->split_us >= since_us && s->split_us > 0;
}

/* In time, clocks apart, b began when a had taken effect. */
static bool
in_order(const struct sim *s, const struct command_log *a,
    const struct command_log *b)
{
	return a->effect_us < b->start_us &&
	       (!s->skewed || (s->split_us == 0 && s->unmet_us == 0 &&
				  !check_strangers(a->node, b->node)));
}

/* A change that superseded this one before that was asked; NULL: none. */
static const struct command_log *
superseded(
    struct sim *s, const struct command_log *l, const struct command_log *by)
{
	for (unsigned op = 1; op <= s->commands.count; op++) {
		const struct command_log *o = &s->commands.at[op];

		if (o == l || !changes(o, l->name) || !binds(s, o, by) ||
		    (!s->resting && was_split(s, o->start_us)))
			continue;
		if (in_order(s, l, o) ||
		    (l->committed && version_cmp(&l->version, &o->version) < 0))
			return o;
	}
	return NULL;
}

/*
 * The store whose content came, and that nothing superseded, if there is one;
 * all empty files are alike.
 */
static struct command_log *
store_of(struct sim *s, const struct command_log *request)
{
	struct command_log *found = NULL;

	for (unsigned op = 1; op <= s->commands.count; op++) {
		struct command_log *o = &s->commands.at[op];

		if (o->command != COMMAND_STORE || o->name != request->name ||
		    o->size != request->delivered_size ||
		    (o->size > 0 && o->content != request->delivered))
			continue;
		if (found == NULL || superseded(s, found, request) != NULL)
			found = o;
	}
	return found;
}

/*
 * Is something newer than the store o, which may be a remove, or lost? What is
 * not lost binds by itself. Its client may have died before it heard of it.
 */
static bool
outdated(const struct sim *s, const struct command_log *o)
{
	for (unsigned op = 1; op <= s->commands.count; op++) {
		const struct command_log *r = &s->commands.at[op];

		if (changes(r, o->name) && r->committed &&
		    (r->command == COMMAND_REMOVE || r->marked ||
			r->effect_us != UINT64_MAX) &&
		    version_cmp(&r->version, &o->version) > 0)
			return true;
	}
	return false;
}

/* Nor has it all if it did not flush, and its power went: likewise. */
static bool
is_bare(const struct sim *s, const struct node *n, uint64_t since_us)
{
	return is_reborn(n, since_us) ||
	       (!s->sync &&
		   (n->disk.power_us > since_us || n->lit_us > since_us));
}

/*
 * From key to before upto: who is down or bare since then. The latest time
 * of several deaths is told for all: they may have been a set until then.
 */
static unsigned
down_between(struct sim *s, unsigned key, unsigned upto, uint64_t since_us)
{
	unsigned down = 0;

	for (unsigned id = key; id != upto; id = (id + 1) & (s->space - 1)) {
		const struct node *n = node_of(s, id);

		down +=
		    n != NULL && (!check_live(n) || is_bare(s, n, since_us));
	}
	return down;
}

/*
 * Are as many as copies down from the key to its last live replica, or there
 * again without what they had? Replicas count that were there all the time: who
 * was away had let others take its place, and in which order is not known.
 */
static bool
is_bereft(struct sim *s, unsigned key, uint64_t since_us)
{
	unsigned down = 0, bare = 0, live = 0;

	for (unsigned i = 0; i < s->space && live < s->copies; i++) {
		const struct node *n = node_of(s, (key + i) & (s->space - 1));

		if (n == NULL)
			continue;
		down += !check_live(n);
		if (!check_live(n))
			continue;
		bare += is_bare(s, n, since_us);
		live += n->born_us <= since_us;
	}
	return down > 0 && down + bare >= s->copies;
}

/* Nobody served yet: of whom they saw sync they don't know that it did not. */
static bool
is_early(const struct node *n, const struct node *down)
{
	return down->last_served == 0 &&
	       (n->serving_us == 0 || n->serving_us > down->ended_us);
}

/*
 * Was one there all the time that knows it, as it was last, or can nobody miss
 * it?
 */
static bool
is_vouched(struct sim *s, const struct node *down, uint64_t since_us)
{
	bool missed = false;

	for (unsigned i = 0; i < s->node_count; i++) {
		const struct node *n = &s->nodes[i];
		bool knows = n->shadow[down->id].state != MEMBER_NONE;

		if (!check_live(n))
			continue;
		if (knows && n->seen[down->id] >= down->last_served &&
		    !n->forgot && check_stood(n) <= since_us &&
		    !is_early(n, down))
			return true;
		missed |= knows || plan_has(n->then, down->id) ||
			  plan_has(n->told, down->id) || check_contact(n, down);
	}
	return !missed;
}

/*
 * If nobody was there, and could write, all the time, any one that is down may
 * have served alone, as each does with one copy; until when, clocks that differ
 * don't tell. Nor does one of another ring, which met its mates later; and of
 * the dead of another side it is heard when both meet.
 */
static bool
is_orphaned(struct sim *s, const struct command_log *o)
{
	for (unsigned i = 0; i < s->node_count; i++) {
		const struct node *n = &s->nodes[i];

		if (!check_live(n) && (s->copies == 1 || s->skewed ||
					  n->split_us >= o->start_us ||
					  !is_vouched(s, n, o->start_us)))
			return true;
	}
	return false;
}

/*
 * Are so many down that those may have been a set without any of its holders,
 * and have acknowledged something later? Before each, or all around if it was
 * away itself, or could not write, and was in no set.
 */
static bool
is_doubtful(struct sim *s, const struct command_log *o)
{
	unsigned key =
	    (unsigned)strtoul(s->commands.names[o->name].text, NULL, 10);

	key &= s->space - 1;
	if (is_bereft(s, key, o->start_us) || is_orphaned(s, o))
		return true;
	for (unsigned i = 0; i < o->holder_count; i++) {
		const struct node *n = node_of(s, o->holders[i]);
		unsigned from = key;

		if (n == NULL || !check_live(n))
			continue;
		/*
		 * What it has it may have of others, who were away. Before it
		 * served it had agreed with nobody: others may not have known
		 * it, and what they did without it, it can't tell.
		 */
		if (n->incarnation > 1 || n->served_us > o->start_us ||
		    disk_bad_since(n, o->start_us))
			from = (n->id + 1) & (s->space - 1);
		if (down_between(s, from, n->id, o->start_us) < s->copies)
			return false;
	}
	return true;
}

/*
 * A store for which there must be a file now, or a change of which as much must
 * be known as whether there is one; NULL: none.
 */
static const struct command_log *
must_be_there(struct sim *s, const struct command_log *l)
{
	bool unavailable = l->done && l->error == ERROR_unavailable;

	for (unsigned op = 1; op <= s->commands.count; op++) {
		const struct command_log *o = &s->commands.at[op];

		if (!changes(o, l->name) || !binds(s, o, l) ||
		    (!s->resting && was_split(s, o->start_us)) ||
		    (unavailable
			    ? is_doubtful(s, o)
			    : o->command != COMMAND_STORE || outdated(s, o)))
			continue;
		/* Of a file that lost a holder, the others may be down. */
		if (s->resting || o->lost_holders == 0 ||
		    (o->lost_holders < s->copies &&
			was_there(s, l->node, o->start_us)))
			return o;
	}
	return NULL;
}

static void
check_absence(struct sim *s, const struct command_log *l)
{
	const struct command_log *store;

	check_answers(s, l->node);
	store = must_be_there(s, l);
	if (store == NULL)
		return;
	s->file_faults++;
	sim_fail(s, CHECK_FILES, l->node,
	    "%s: command %u: %s, and its change %u was acknowledged or read",
	    s->commands.names[l->name].text, (unsigned)(l - s->commands.at),
	    l->done ? wire_error_text(l->error) : "no answer",
	    (unsigned)(store - s->commands.at));
}

/* What is not acknowledged is served when all of the set hold it. */
static void
check_all_hold(
    struct sim *s, const struct command_log *l, const struct command_log *store)
{
	const struct name *name = &s->commands.names[l->name];
	unsigned set = command_set(s, l->node), holders = 0;

	if (store->done || was_split(s, l->start_us))
		return;
	if (l->set < set)
		set = l->set;
	for (unsigned i = 0; i < s->node_count; i++) {
		struct node *n = &s->nodes[i];
		/* Bits that flipped may be known to nobody yet. */
		const struct stored *f = disk_find(n, name);

		if (n->disk.lost_us >= l->start_us)
			return;
		if (f == NULL ||
		    version_cmp(&f->record.version, &store->version) < 0)
			continue;
		if (f->record.acknowledged)
			return;
		holders++;
	}
	if (holders < set)
		sim_fail(s, CHECK_FILES, l->node,
		    "%s: command %u: store %u, which %u of %u hold", name->text,
		    (unsigned)(l - s->commands.at),
		    (unsigned)(store - s->commands.at), holders, set);
}

static void
check_content(struct sim *s, struct command_log *l)
{
	const char *name = s->commands.names[l->name].text;
	struct command_log *store = store_of(s, l);
	const struct command_log *later;

	if (store == NULL) {
		s->file_faults++;
		sim_fail(s, CHECK_FILES, l->node,
		    "%s: a content that was never stored under it", name);
		return;
	}
	later = superseded(s, store, l);
	if (later != NULL) {
		s->file_faults++;
		sim_fail(s, CHECK_FILES, l->node,
		    "%s: command %u: store %u, and command %u had come later",
		    name, (unsigned)(l - s->commands.at),
		    (unsigned)(store - s->commands.at),
		    (unsigned)(later - s->commands.at));
	}
	/* From now on it is known to be there. Empty ones are all alike. */
	if (store->size == 0 || !store->committed)
		return;
	check_all_hold(s, l, store);
	if (l->end_us < store->effect_us)
		store->effect_us = l->end_us;
	if (store->error != ERROR_none || !store->done)
		command_holders(s, store);
}

void
history_check(struct sim *s, struct command_log *l)
{
	bool asks = l->command == COMMAND_REQUEST;

	if (!asks && l->command != COMMAND_REMOVE)
		return;
	s->file_checks++;
	if (asks && l->done && l->error == ERROR_none)
		check_content(s, l);
	else if (s->resting || (l->done && l->error == ERROR_no_such_file))
		check_absence(s, l);
}
