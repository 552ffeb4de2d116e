/*
 * torture [--seconds N] [--seed S] [--peers N] [--rolling ROUNDS] [--half 1]
 * torture --selftest 1
 *
 * Tortures the ringctl found in PATH; tests/torture/run gives it a folder,
 * ports and an end, and `make torture` and `make rolling` call that. What is
 * done and what is checked: torture.h, fault.c, history.c and stored.c.
 *
 * Progress on standard error every 10 s; at the end a summary on standard
 * output. Exits with 0 when every promise was kept; else with 1, and leaves
 * in the folder TORTURE_EVIDENCE what was seen.
 */
#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "history.h"
#include "ring.h"

enum { VIOLATIONS_MAX = 20, WORKERS_PER_RING = 20 };

struct settings settings = {.seconds = 60, .peers = 7};
struct tally tally;
struct random chance;

static unsigned violations;

bool
one_in(unsigned n)
{
	return random_below(&chance, n) == 0;
}

bool
violated(void)
{
	return violations > 0;
}

void
violation(unsigned *count, const char *format, ...)
{
	char text[WHY_TEXT], path[PATH_TEXT];
	const char *name;
	va_list args;
	FILE *file;

	++*count;
	if (++violations > VIOLATIONS_MAX || settings.selftest)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)fprintf(stderr, "torture: VIOLATION: %.6f %s\n",
	    (double)now_us() / 1e6, text);
	(void)snprintf(path, sizeof(path), "%s/violations", settings.evidence);
	file = fopen(path, "a");
	if (file == NULL)
		err(1, "%s", path);
	(void)fprintf(file, "%.6f %s\n", (double)now_us() / 1e6, text);
	name = strncmp(text, "name ", 5) == 0 ? text + 5 : NULL;
	for (unsigned i = 0; name != NULL && i < settings.names; i++) {
		if (names[i] == strtoul(name, NULL, 10))
			history_print(i, file);
	}
	(void)fclose(file);
}

static unsigned long
number(const char *text, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || n > max)
		errx(2, "%s: not in 0..%lu", text, max);
	return n;
}

static void
option(const char *word, const char *value)
{
	if (strcmp(word, "--seconds") == 0)
		settings.seconds = (unsigned)number(value, 1000000);
	else if (strcmp(word, "--seed") == 0)
		settings.seed = number(value, UINT64_MAX);
	else if (strcmp(word, "--peers") == 0)
		settings.peers = (unsigned)number(value, PEERS_MAX);
	else if (strcmp(word, "--rolling") == 0)
		settings.rounds = (unsigned)number(value, 1000000);
	else if (strcmp(word, "--half") == 0)
		settings.half = number(value, 1) == 1;
	else if (strcmp(word, "--selftest") == 0)
		settings.selftest = number(value, 1) == 1;
	else
		errx(2, "%s: see the head of tests/torture/main.c", word);
}

static void
options(int argc, char **argv)
{
	settings.seed = (uint64_t)time(NULL);
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			errx(2, "%s: needs a number", argv[i]);
		option(argv[i], argv[i + 1]);
	}
	if (settings.peers == 0)
		errx(2, "no peers");
}

static void
print_refusals(enum command command)
{
	(void)printf("  %s: %llu done", command_info(command)->word,
	    (unsigned long long)tally.done[command]);
	for (unsigned error = 0; error < 32; error++)
		if (tally.refused[command][error] > 0)
			(void)printf(", %llu %s",
			    (unsigned long long)tally.refused[command][error],
			    wire_error_text(error));
	(void)printf("\n");
}

static void
summary(uint64_t took_us)
{
	(void)printf("torture: seed %llu, %u peers, %u copies, sync %s: %llu "
		     "s, %u rests, %llu operations\n",
	    (unsigned long long)settings.seed, settings.peers, COPIES,
	    settings.sync ? "yes" : "no", (unsigned long long)took_us / 1000000,
	    tally.rests, (unsigned long long)load_ops());
	for (enum command c = COMMAND_STORE; c <= COMMAND_REMOVE; c++)
		print_refusals(c);
	(void)printf("  \"no such file\" %llu, clients hung up %llu, without "
		     "a supervisor %llu, %llu MB received and compared\n",
	    (unsigned long long)tally.absent, (unsigned long long)tally.hung_up,
	    (unsigned long long)tally.unanswered,
	    (unsigned long long)tally.bytes / 1000000);
	(void)printf("  kills %u, pauses %u, quits %u, joins %u, starts %u, "
		     "wiped disks %u, supervisor kills %u, downs %u\n",
	    tally.kills, tally.pauses, tally.quits, tally.joins, tally.starts,
	    tally.wipes, tally.supervisor_kills, tally.downs);
	late_print(stdout);
	sample_print(stdout);
	(void)printf("  lost %u, wrong %u, other violations %u, failed stores "
		     "that took effect later %u\n",
	    tally.lost, tally.wrong, tally.other, tally.late);
	if (!violated())
		return;
	(void)printf("  again: make %s SEED=%llu PEERS=%u",
	    settings.half     ? "half"
	    : settings.rounds ? "rolling"
			      : "torture",
	    (unsigned long long)settings.seed, settings.peers);
	if (settings.rounds)
		(void)printf(" ROUNDS=%u\n", settings.rounds);
	else
		(void)printf(" SECONDS=%u\n", settings.seconds);
}

static void
run(void)
{
	char why[WHY_TEXT] = "";

	ring_init();
	load_init();
	ring_up();
	if (violated())
		return;
	if (settings.half)
		half_run();
	else if (settings.rounds > 0)
		rolling_run();
	else
		torture_run();
	rest_quiet();
	if (ring_act(VERB_DOWN, NULL, "", 30000, why) != EXIT_DONE)
		violation(&tally.other, "%s", why);
	ring_gone(5);
	/* With something wrong before, this is only for information. */
	stored_check();
}

int
main(int argc, char **argv)
{
	const char *port = getenv("TORTURE_PORT");

	settings.began_us = now_us();
	options(argc, argv);
	settings.evidence = getenv("TORTURE_EVIDENCE");
	if (port == NULL || settings.evidence == NULL)
		errx(2, "call tests/torture/run");
	if (settings.selftest)
		return selftest();
	settings.port = (uint16_t)number(port, UINT16_MAX);
	settings.workers = WORKERS_PER_RING;
	settings.names = settings.half ? 300 : 48;
	settings.sync = settings.seed % 2 == 0;
	if (settings.half)
		settings.peers = PEERS_MAX;
	random_seed(&chance, settings.seed);
	run();
	summary(now_us() - settings.began_us);
	return violated();
}
