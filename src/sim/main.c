#include <assert.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/exercise.h"
#include "sim/option.h"
#include "sim/plan.h"
#include "sim/scenario.h"
#include "sim/sim.h"

/* ringctl-sim: runs of the protocol on a virtual clock, from seeds. */

static const struct option options[] = {
    {"seed", required_argument, NULL, 's'},
    {"seeds", required_argument, NULL, 'n'},
    {"start", required_argument, NULL, 'S'},
    {"trace", no_argument, NULL, 't'},
    {"trace-from", required_argument, NULL, 'T'},
    {"mutant", required_argument, NULL, 'm'},
    {"mutants", no_argument, NULL, 'M'},
    {"scenario", required_argument, NULL, 'c'},
    {"list", no_argument, NULL, 'l'},
    {"files", required_argument, NULL, 'f'},
    {"checks", required_argument, NULL, 'k'},
    {"stop-after", required_argument, NULL, 'x'},
    {"shrink", optional_argument, NULL, 'r'},
    {"play", required_argument, NULL, 'p'},
    {"print", no_argument, NULL, 'P'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct choice {
	uint64_t start, seeds, stop_after, trace_from;
	uint64_t shrink_s; /* 0: violations are only printed */
	const char *play; /* a plan's file, or NULL */
	bool dice; /* --seed or --seeds, of the network */
	bool print; /* the seed's plan, and nothing else */
};

static char last_words[128];
static size_t last_words_len;

static void
usage(FILE *out)
{
	fprintf(out,
	    "usage: ringctl-sim [--seed N | --seeds COUNT [--start N]]\n"
	    "           [--scenario NAME | --list] [--trace]\n"
	    "           [--mutant no-probe|same-incarnation|"
	    "move-on-suspicion]\n"
	    "           [--files off|report|check] [--stop-after COUNT]\n"
	    "           [--checks NAME,...] [--trace-from SEED]\n"
	    "       ringctl-sim --disk [--seed N | --seeds COUNT "
	    "[--start N]]\n"
	    "           [--stop-after COUNT] [--mutant NAME] [--trace]\n");
}

static void
files_mode(struct sim *s, const char *mode)
{
	assert(mode != NULL);
	s->with_files = strcmp(mode, "off") != 0;
	if (s->with_files && strcmp(mode, "check") != 0)
		errx(2, "--files %s: off or check", mode);
}

/* Only these, separated by commas. */
static void
checks(struct sim *s, const char *list)
{
	char copy[256], *rest = copy, *word;
	int class;

	s->checks = 0;
	snprintf(copy, sizeof(copy), "%s", list);
	while ((word = strsep(&rest, ",")) != NULL) {
		if ((class = sim_check(word)) < 0)
			errx(2, "--checks %s: none of that name", word);
		s->checks |= 1u << class;
	}
}

/* An assertion of the core failed: say which run that was. */
static void
aborted(int sig)
{
	ssize_t ignored = write(STDOUT_FILENO, last_words, last_words_len);

	(void)ignored;
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
prepare_last_words(const struct sim *s, const char *scenario)
{
	int len = snprintf(last_words, sizeof(last_words),
	    "violation: aborted\n  replay: build/ringctl-sim %s%s%s--seed "
	    "%llu --trace\n",
	    scenario == NULL ? "" : "--scenario ",
	    scenario == NULL ? "" : scenario, scenario == NULL ? "" : " ",
	    (unsigned long long)s->seed);

	fflush(stdout);
	last_words_len = (size_t)len < sizeof(last_words)
			     ? (size_t)len
			     : sizeof(last_words) - 1;
}

static void
parse(struct sim *s, struct choice *c, int argc, char **argv)
{
	int at, opt;

	while ((opt = getopt_long(argc, argv, "h", options, &at)) != -1) {
		switch (opt) {
		case 's':
			c->start = option_number("seed", optarg);
			c->seeds = 1;
			c->dice = true;
			break;
		case 'n':
			c->seeds = option_number("seeds", optarg);
			c->dice = true;
			break;
		case 'S':
			c->start = option_number("start", optarg);
			break;
		case 't':
			s->trace = true;
			break;
		case 'T':
			c->trace_from = option_number("trace-from", optarg);
			break;
		case 'k':
			checks(s, optarg);
			break;
		case 'm':
			option_mutant(optarg);
			break;
		case 'M':
			mutants_list(stdout);
			exit(0);
		case 'c':
			s->scenario = optarg;
			break;
		case 'l':
			scenario_list();
			exit(0);
		case 'f':
			files_mode(s, optarg);
			break;
		case 'x':
			c->stop_after = option_number("stop-after", optarg);
			break;
		case 'r':
			c->shrink_s = optarg == NULL
					  ? 60
					  : option_number("shrink", optarg);
			break;
		case 'p':
			c->play = s->played = optarg;
			break;
		case 'P':
			c->print = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(2);
	}
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
read_plan(struct plan *p, const char *path)
{
	char why[256];
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");

	if (in == NULL)
		err(2, "%s", path);
	if (plan_read(p, in, why, sizeof(why)) == -1)
		errx(2, "%s:%s", path, why);
	fclose(in);
}

/* Prints the smallest plan found that fails in the same way. */
static void
shrink(struct sim *s, uint64_t seconds_max)
{
	struct plan p = s->drawn;
	unsigned tries = plan_shrink(s, &p, (double)seconds_max);

	if (tries == 0) {
		printf("# nothing fails\n");
		return;
	}
	printf("# after %u tries; build/ringctl-sim --play FILE\n", tries);
	plan_print(&p, stdout);
	fflush(stdout);
}

static void
run_one(struct sim *s, const struct choice *c, uint64_t seed)
{
	/* The same steps, and other dice of the network. */
	if (c->play != NULL && c->dice)
		s->drawn.seed = seed;
	else if (c->play != NULL)
		seed = s->drawn.seed;
	sim_reset(s, seed);
	prepare_last_words(s, s->scenario);
	if (s->scenario == NULL) {
		if (c->play == NULL)
			plan_draw(&s->drawn, seed, s->with_files);
		if (c->print)
			plan_print(&s->drawn, stdout);
		else if (c->shrink_s > 0 && c->seeds == 1)
			shrink(s, c->shrink_s);
		else
			plan_run(s, &s->drawn);
	} else if (!scenario_run(s, s->scenario))
		errx(2, "--scenario %s: none of that name; --list has them",
		    s->scenario);
}

static uint64_t
run_all(struct sim *s, const struct choice *c)
{
	uint64_t violations = 0, looked = 0, faults = 0;
	uint64_t seed, first = c->start;
	double start = seconds(), took;

	if (c->play != NULL)
		read_plan(&s->drawn, c->play);
	for (seed = c->start; seed < c->start + c->seeds; seed++) {
		if (seed == c->trace_from) {
			s->trace = true;
			s->steps = violations = looked = faults = 0;
			first = seed;
		}
		run_one(s, c, seed);
		violations += s->failed;
		looked += s->file_checks;
		faults += s->file_faults;
		if (violations >= c->stop_after && s->failed) {
			seed++;
			break;
		}
	}
	took = seconds() - start;
	seed -= first;
	if (c->print || c->shrink_s > 0)
		return 0;
	printf("seeds %llu, steps %llu, violations %llu",
	    (unsigned long long)seed, (unsigned long long)s->steps,
	    (unsigned long long)violations);
	if (looked > 0)
		printf(", files wrong %llu of %llu", (unsigned long long)faults,
		    (unsigned long long)looked);
	/* A trace is the same every time; real time is not. */
	if (!s->trace)
		printf(
		    ", %.0f seeds/s", (double)seed / (took > 0 ? took : 1e-9));
	printf("\n");
	return violations;
}

int
main(int argc, char **argv)
{
	static struct choice choice = {.start = 1,
	    .seeds = 1,
	    .stop_after = UINT64_MAX,
	    .trace_from = UINT64_MAX};
	struct sim *s;
	uint64_t violations;

	if (argc > 1 && strcmp(argv[1], "--disk") == 0)
		return exercise_main(argc, argv);
	s = sim_new();
	parse(s, &choice, argc, argv);
	/* An assertion that fails shall not cost the end of a trace. */
	if (s->trace || choice.trace_from != UINT64_MAX)
		setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGABRT, aborted);
	signal(SIGSEGV, aborted);
	violations = run_all(s, &choice);
	sim_free(s);
	return violations > 0;
}
