/*
 * bench [--quick] [--rounds N] [--json FILE] [--list] [SECTION ...]
 *
 * Measures the ringctl found in PATH, and beside each figure, turn by turn in
 * the same run, a floor: what this machine can do at all. tests/bench/run
 * gives it a folder, ports and an end; `make bench` calls that.
 *
 * Prints a table. In FILE it leaves one JSON object. `quick`; `cores`;
 * `kernel`; `failed`: the sections that could not be measured; `rows`, each:
 *   section, what   strings
 *   unit            ms, kib, percent, hops or per_second: the UNIT below
 *   measured_UNIT   {median, mean, min, max, p99, rounds}
 *   floor_UNIT      likewise, or null
 *   ratio           how many times worse than the floor, or null: of medians,
 *                   of means where unit is hops (whose floor is calculated)
 *   per_second      operations, by all clients; or null
 *   bytes, measured_mb_per_second, speed_percent
 *                   moved, 10^6 bytes a second, of the floor's speed; or null
 *   goal_ratio_max, goal_UNIT_max, goal_speed_percent_min   or null
 *   met             whether all goals are, or null when there are none
 * and `notes`: versions of other programs, what is missing, and the like.
 *
 * Exits with 0 when all could be measured, whether or not goals are met.
 */
#include <sys/wait.h>

#include <err.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

struct section {
	const char *name;
	void (*run)(void);
	const char *help;
};

static const struct section sections[] = {
    {"up", bench_up, "from nothing to whole, and down"},
    {"exec", bench_exec, "one command: as a process, on a connection"},
    {"kill", bench_kill, "SIGKILL to both predecessors repaired"},
    {"files", bench_files, "store and request"},
    {"idle", bench_idle, "memory, and CPU of a ring at rest"},
    {"hops", bench_hops, "lookups, direct and by successors"},
    {"small", bench_small, "4 KiB on disk, beside redis and etcd"},
    {"small-nosync", bench_small_nosync, "likewise, left to the system"},
    {"first", bench_first, "the owner killed, its file fetched elsewhere"},
};

enum { SECTIONS = sizeof(sections) / sizeof(sections[0]) };

struct bench_options bench;

unsigned
bench_rounds(unsigned many, unsigned few)
{
	if (bench.rounds)
		return bench.rounds;
	return bench.quick ? few : many;
}

static unsigned long
number(const char *text, const char *what, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || n == 0 || n > max)
		errx(2, "%s: %s: not in 1..%lu", what, text, max);
	return n;
}

/* false: it could not be measured. */
static bool
section_run(const struct section *s)
{
	int status = -1;
	pid_t pid;

	report_head(s->name);
	pid = child_fork();
	if (pid == 0) {
		s->run();
		exit(0);
	}
	if (waitpid(pid, &status, 0) == pid && status == 0)
		return true;
	warnx("%s: could not be measured", s->name);
	return false;
}

/* What a section that failed may have left up must not disturb the next. */
static void
sweep(void)
{
	pid_t pid = child_fork();

	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) != NULL)
			rings_down();
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
}

static bool
chosen(const char *name, char **wanted)
{
	if (*wanted == NULL)
		return true;
	while (*wanted != NULL) {
		if (strcmp(*wanted++, name) == 0)
			return true;
	}
	return false;
}

static void
check_names(char **wanted)
{
	for (; *wanted != NULL; wanted++) {
		size_t i = 0;

		while (i < SECTIONS && strcmp(sections[i].name, *wanted) != 0)
			i++;
		if (i == SECTIONS)
			errx(
			    2, "%s: no such section; --list has them", *wanted);
	}
}

static const char *
options(int argc, char **argv)
{
	static const struct option known[] = {{"quick", no_argument, NULL, 'q'},
	    {"rounds", required_argument, NULL, 'r'},
	    {"json", required_argument, NULL, 'j'},
	    {"list", no_argument, NULL, 'l'}, {NULL, 0, NULL, 0}};
	const char *json = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'q')
			bench.quick = true;
		else if (c == 'r')
			bench.rounds =
			    (unsigned)number(optarg, "--rounds", SAMPLES_MAX);
		else if (c == 'j')
			json = optarg;
		else if (c != 'l')
			exit(2);
		for (size_t i = 0; c == 'l' && i < SECTIONS; i++)
			printf(
			    "%-12s %s\n", sections[i].name, sections[i].help);
		if (c == 'l')
			exit(0);
	}
	check_names(argv + optind);
	return json;
}

int
main(int argc, char **argv)
{
	const char *json = options(argc, argv), *port = getenv("BENCH_PORT");
	const char *failed[SECTIONS];
	size_t failures = 0;

	if (port == NULL)
		errx(2, "BENCH_PORT is not set: call tests/bench/run");
	bench.port = (uint16_t)number(port, "BENCH_PORT", UINT16_MAX);
	report_init();
	for (size_t i = 0; i < SECTIONS; i++) {
		if (!chosen(sections[i].name, argv + optind) ||
		    section_run(&sections[i]))
			continue;
		failed[failures++] = sections[i].name;
		sweep();
	}
	if (json != NULL)
		report_write(json, failed, failures);
	return failures != 0;
}
