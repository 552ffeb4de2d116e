#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "sim/plan.h"
#include "sim/sim.h"

/*
 * Delta debugging (Zeller and Hildebrandt, 2002) over the steps of a plan:
 * what can go goes, while the same kind of check fails. Every try is a process
 * of its own, for the core may assert. What is dropped moves the dice of the
 * network, too: each smaller plan gets a few throws.
 */
enum {
	TRIES_MAX = 20000,
	TRY_SECONDS = 10, /* of one run */
	THROWS = 4, /* seeds of the network, for each plan */
	ABORTED = 255, /* by an assertion of the core */
	HELD = 0, /* no violation */
};

struct shrinker {
	struct sim *sim;
	struct plan *best;
	struct plan next; /* the one that is tried */
	int check;
	unsigned tries;
	double end;
};

/* Bytes between fields may differ by chance: that is one try too many. */
static bool
differs(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct plan)) != 0;
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In a status of exit: which check it was, by its words. */
static int
check_number(const struct sim *s)
{
	if (!s->failed)
		return HELD;
	return 2 + (int)(hash_bytes(s->check, strlen(s->check)) % 200);
}

static void
run_child(struct sim *s, const struct plan *p)
{
	signal(SIGABRT, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	alarm(TRY_SECONDS);
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(1);
	sim_reset(s, p->seed);
	s->quiet = true;
	s->trace = false;
	plan_run(s, p);
	_exit(check_number(s));
}

/* The check that fails, ABORTED or HELD. */
static int
run(struct sim *s, const struct plan *p)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run_child(s, p);
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		err(1, "a process for a smaller plan");
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGALRM ? HELD : ABORTED;
	return WEXITSTATUS(status);
}

/* Keeps the next plan if it fails like the first one did. */
static bool
attempt(struct shrinker *k)
{
	uint64_t seed = k->next.seed;

	for (unsigned i = 0; i < THROWS; i++) {
		if (k->tries >= TRIES_MAX || seconds() > k->end)
			return false;
		k->tries++;
		k->next.seed = i == 0 ? seed : i;
		if (run(k->sim, &k->next) == k->check) {
			*k->best = k->next;
			return true;
		}
	}
	return false;
}

static bool
without_steps(struct shrinker *k, unsigned from, unsigned count)
{
	struct plan *p = &k->next;

	*p = *k->best;
	if (count > p->step_count - from)
		count = p->step_count - from;
	memmove(&p->steps[from], &p->steps[from + count],
	    (p->step_count - from - count) * sizeof(p->steps[0]));
	p->step_count -= count;
	return attempt(k);
}

static bool
fewer_steps(struct shrinker *k)
{
	bool any = false;

	for (unsigned n = (k->best->step_count + 1) / 2; n > 0; n /= 2)
		for (unsigned at = k->best->step_count; at > 0;) {
			at = at > n ? at - n : 0;
			if (at < k->best->step_count)
				any |= without_steps(k, at, n);
		}
	return any;
}

static bool
fewer_peers(struct shrinker *k)
{
	bool any = false;

	for (unsigned i = k->best->id_count; i-- > 0;) {
		struct plan *p = &k->next;

		*p = *k->best;
		if (p->id_count == 1)
			break;
		memmove(&p->ids[i], &p->ids[i + 1],
		    (p->id_count - i - 1) * sizeof(p->ids[0]));
		p->id_count--;
		any |= attempt(k);
	}
	return any;
}

/* Steps of many peers: of one fewer. */
static bool
fewer_in_steps(struct shrinker *k)
{
	bool any = false;

	for (unsigned i = 0; i < k->best->step_count; i++)
		for (unsigned id = 0; id < SIM_SPACE_MAX; id++) {
			struct step *s = &k->next.steps[i];

			if (!plan_has(k->best->steps[i].peers, id) &&
			    !plan_has(k->best->steps[i].others, id))
				continue;
			k->next = *k->best;
			s->peers[id / 8] &= (uint8_t) ~(1u << id % 8);
			s->others[id / 8] &= (uint8_t) ~(1u << id % 8);
			any |= attempt(k);
		}
	return any;
}

/* The same with an easier world. */
static bool
simpler(struct shrinker *k)
{
	static const struct quality good = {30, 100, 0, 0, 0, 0, 300, 20 * MS};
	bool any = false;

	for (unsigned what = 0; what < 9; what++) {
		struct plan *p = &k->next;

		*p = *k->best;
		if (what == 0)
			p->quality = good;
		else if (what == 1)
			p->skew_us = 0;
		else if (what == 2)
			p->spread_us = 0;
		else if (what == 3)
			p->changing = p->chain = 0;
		else if (what == 4)
			p->groups = 1;
		else if (what == 5)
			p->byte_ps = 1000;
		else if (what == 6)
			p->route = ROUTE_DIRECT;
		else if (what == 7)
			p->sync = 1;
		else
			p->ping_ms = 0;
		if (differs(p, k->best))
			any |= attempt(k);
	}
	return any;
}

/* Of each step, the time before it, its length, its size: half as much. */
static bool
shorter(struct shrinker *k)
{
	bool any = false;

	for (unsigned i = 0; i < 3 * k->best->step_count; i++) {
		struct plan *p = &k->next;
		struct step *s = &p->steps[i / 3];
		uint64_t before_us, less_us;

		*p = *k->best;
		before_us = i < 3 ? 0 : p->steps[i / 3 - 1].at_us;
		less_us = (s->at_us - before_us) / 2 / MS * MS;
		if (i % 3 == 0) {
			for (unsigned j = i / 3; j < p->step_count; j++)
				p->steps[j].at_us -= less_us;
			if (p->until_us > less_us)
				p->until_us -= less_us;
		} else if (i % 3 == 1) {
			s->for_us = s->for_us / 2 / MS * MS;
		} else if (s->verb == VERB_STORE && s->amount > 1) {
			s->amount = 1;
		}
		if (differs(p, k->best))
			any |= attempt(k);
	}
	return any;
}

static void
forget_names(struct plan *p)
{
	bool used[NAMES_MAX] = {false};
	unsigned count = 0;

	for (unsigned i = 0; i < p->step_count; i++)
		used[p->steps[i].name] = true;
	for (unsigned n = 0; n < p->name_count; n++) {
		if (!used[n] && (count > 0 || n + 1 < p->name_count))
			continue;
		p->names[count] = p->names[n];
		for (unsigned i = 0; i < p->step_count; i++)
			if (p->steps[i].name == n)
				p->steps[i].name = (uint8_t)count;
		count++;
	}
	p->name_count = count;
}

unsigned
plan_shrink(struct sim *s, struct plan *p, double seconds_max)
{
	static struct shrinker k;
	bool any = true;

	memset(&k, 0, sizeof(k));
	k.sim = s;
	k.best = p;
	k.end = seconds() + seconds_max;
	k.check = run(s, p);
	if (k.check == HELD)
		return 0;
	while (any && k.tries < TRIES_MAX && seconds() < k.end) {
		any = fewer_steps(&k);
		any |= fewer_peers(&k);
		any |= fewer_in_steps(&k);
		any |= simpler(&k);
		any |= shorter(&k);
	}
	k.next = *p;
	forget_names(&k.next);
	attempt(&k);
	return k.tries > 0 ? k.tries : 1;
}
