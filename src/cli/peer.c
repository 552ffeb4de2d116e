#include <sys/stat.h>

#include <assert.h>
#include <bsd/string.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "cli/console.h"
#include "cli/say.h"
#include "cli/verbs.h"
#include "os/key.h"
#include "os/process.h"
#include "super/roster.h"
#include "super/setup.h"
#include "super/wipe.h"

enum {
	EXERCISE_PING_MS = 30000,
	PEER_FILES_MIN = 64, /* descriptors that a peer can't do without */
	PRINT_END_S = 2, /* for a terminal to take the last words */
	ID_COUNT_MAX = 3,
};

/* What was asked for. */
struct plan {
	bool joins;
	uint16_t ids[ID_COUNT_MAX]; /* its own, and those that it knows */
	unsigned id_count;
	uint32_t ping_ms; /* 0: as the config says */
};

/* As conf/exercise.conf has it. */
static int
exercise(struct config *config, const struct options *o)
{
	const char *ring = o->ring ? o->ring : "exercise";
	struct why why;

	if (ring_name_check(ring, &why) != 0) {
		complain("-c %s: %s", ring, why.text);
		return EXIT_USAGE;
	}
	config_init(config);
	strlcpy(config->ring, ring, sizeof(config->ring));
	config->route = ROUTE_SUCCESSOR;
	config->ping_ms = EXERCISE_PING_MS;
	config->log_pings = true;
	return EXIT_DONE;
}

/* init ID FIRST SECOND [PING], join ID KNOWN [PING]. */
static int
plan_parse(struct plan *plan, const struct options *o, unsigned bits)
{
	unsigned count = (unsigned)o->arg_count - 1;

	*plan = (struct plan){.joins = strcasecmp(o->args[0], "join") == 0};
	if (!plan->joins && strcasecmp(o->args[0], "init") != 0) {
		complain("peer %s: init or join", o->args[0]);
		return usage(o);
	}
	plan->id_count = plan->joins ? 2 : 3;
	if (count < plan->id_count || count > plan->id_count + 1)
		return usage(o);
	for (unsigned i = 0; i < plan->id_count; i++)
		if (arg_id(&plan->ids[i], o->args[1 + i], bits) != 0)
			return EXIT_USAGE;
	if (plan->joins && plan->ids[0] == plan->ids[1]) {
		complain("peer %u can't join through itself", plan->ids[0]);
		return EXIT_USAGE;
	}
	if (count > plan->id_count &&
	    arg_ping(&plan->ping_ms, o->args[count]) != 0)
		return EXIT_USAGE;
	return EXIT_DONE;
}

/* What is shared with all others of the ring, and with its supervisor. */
static int
prepare(struct peer_setup *setup, const struct config *config,
    const struct plan *plan)
{
	static struct member contacts[ID_COUNT_MAX];
	uint8_t key[KEY_LEN];
	struct path_buf data;
	struct why why;

	if (config_data(config, &data, &why) == -1 ||
	    roster_visit(data.text, config, &why) == -1 ||
	    key_load(key, config->key, config->port, &why) == -1 ||
	    process_limit_files(PEER_FILES_MIN, &why) == -1) {
		complain("%s", why.text);
		return EXIT_FAILED;
	}
	setup_init(setup, config, plan->ids[0], data.text, key);
	setup->ping_ms = plan->ping_ms > 0 ? plan->ping_ms : config->ping_ms;
	for (unsigned i = 0; i < plan->id_count; i++)
		contacts[i] = setup_contact(config, plan->ids[i]);
	setup->contacts = contacts;
	setup->contact_count = plan->id_count;
	if (plan->joins)
		setup->join_through = plan->ids[1];
	return EXIT_DONE;
}

/* A terminal that takes nothing more must not keep the process. */
static void
await_console(pthread_t thread, int status)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PRINT_END_S;
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &end) != 0)
		_exit(status);
}

/* The peer on this thread, its console on another. */
static int
run(struct peer_setup *setup, struct console *console, const struct options *o,
    const struct config *config)
{
	int in[2], out[2], status;
	pthread_t thread;

	if (pipe2(in, O_NONBLOCK | O_CLOEXEC) == -1 ||
	    pipe2(out, O_NONBLOCK | O_CLOEXEC) == -1) {
		complain("pipe: %s", strerror(errno));
		return EXIT_FAILED;
	}
	setup->in = in[0];
	setup->out = out[1];
	console_init(console, o, config, setup->id, out[0], in[1]);
	status = pthread_create(&thread, NULL, console_run, console);
	if (status != 0) {
		complain("thread: %s", strerror(status));
		return EXIT_FAILED;
	}
	status = peer_run(setup);
	close(out[1]);
	await_console(thread, status);
	return status;
}

static void
failed(const struct console *console, const struct plan *plan,
    const struct peer_setup *setup, bool fresh)
{
	struct why why;

	if (console->served)
		return;
	if (console->why[0] != '\0')
		complain("peer %u did not %s: %s", setup->id,
		    plan->joins ? "join" : "start", console->why);
	/* Of a join that failed nothing is left behind. */
	if (plan->joins && fresh && wipe_peer(setup->data, &why) == -1)
		complain("%s", why.text);
}

int
verb_peer(const struct options *o)
{
	static struct console console;
	static struct config config;
	static struct peer_setup setup;
	struct plan plan;
	struct stat st;
	bool fresh;
	int status = o->config ? config_read(&config, o, o->config, true, true)
			       : exercise(&config, o);

	if (status == EXIT_DONE)
		status = plan_parse(&plan, o, config.bits);
	if (status == EXIT_DONE)
		status = prepare(&setup, &config, &plan);
	if (status != EXIT_DONE)
		return status;
	/* Lines come when they are said, also through a pipe. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* In the background its terminal is read in vain, not at its cost. */
	signal(SIGTTIN, SIG_IGN);
	setproctitle("peer %u [%s]", setup.id, config.ring);
	fresh = stat(setup.data, &st) == -1;
	status = run(&setup, &console, o, &config);
	if (status != EXIT_DONE)
		failed(&console, &plan, &setup, fresh);
	return status;
}
