#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "history.h"
#include "ring.h"

enum { WORDS_MAX = 12, PAUSE_MS = 5 };

struct seen seen[PEERS_MAX];
pid_t supervisor;
unsigned names[NAMES_MAX];

static const unsigned textbook[] = {2, 4, 5, 8, 9, 14, 19};
static pid_t last_pids[PEERS_MAX]; /* of each, even when it is down */

static void
choose_peers(void)
{
	unsigned count = 0;

	if (settings.peers == 7)
		for (; count < 7; count++)
			seen[textbook[count]].member = true;
	while (count < settings.peers) {
		struct seen *s = &seen[random_below(&chance, PEERS_MAX)];

		count += !s->member;
		s->member = true;
	}
}

/* Those at the edges first; no two are the same. */
static void
choose_names(void)
{
	static const unsigned edges[] = {0, 9999, 255, 256, 2067};
	static bool taken[10000];
	unsigned count = 0;

	while (count < settings.names) {
		unsigned name = (unsigned)random_below(&chance, 10000);

		if (count < sizeof(edges) / sizeof(edges[0]))
			name = edges[count];
		if (taken[name])
			continue;
		taken[name] = true;
		history_init(count);
		names[count++] = name;
	}
}

void
ring_init(void)
{
	FILE *file = fopen("torture.conf", "w");

	if (file == NULL)
		err(1, "torture.conf");
	choose_peers();
	choose_names();
	(void)fprintf(file,
	    "ring torture\nport %u\nnames digits\ncopies %d\nsync %s\npeer",
	    settings.port, COPIES, settings.sync ? "yes" : "no");
	for (unsigned id = 0; id < PEERS_MAX; id++)
		if (seen[id].member)
			(void)fprintf(file, " %u", id);
	(void)fprintf(file, "\n");
	if (fclose(file) != 0)
		err(1, "torture.conf");
}

int
tool(const char *out, const char *words)
{
	char line[2 * PATH_TEXT], *at[WORDS_MAX + 1] = {NULL}, *rest = line;
	posix_spawn_file_actions_t actions;
	int status, failed, n = 0;
	pid_t pid;

	(void)snprintf(line, sizeof(line), "%s", words);
	while (rest != NULL && n < WORDS_MAX)
		at[n++] = strsep(&rest, " ");
	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out,
		O_WRONLY | O_CREAT | O_TRUNC, 0600) != 0)
		errx(1, "memory");
	failed = posix_spawnp(&pid, at[0], &actions, NULL, at, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (failed != 0) {
		warnx("%s: %s", at[0], strerror(failed));
		return 127;
	}
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			err(1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int
ringctl(const char *out, const char *words)
{
	char line[PATH_TEXT];

	(void)snprintf(line, sizeof(line), "ringctl %s", words);
	return tool(out, line);
}

void
ring_up(void)
{
	/* ringctl itself says why not. */
	if (ringctl("/dev/null", "--timeout 90 up torture.conf") != 0)
		violation(&tally.other, "up failed");
	ring_look();
}

const char *
ring_path(const char *name)
{
	static char path[PATH_TEXT];

	(void)snprintf(
	    path, sizeof(path), "%s/%s", getenv("TORTURE_HERE"), name);
	return path;
}

void
ring_folder(char out[PATH_TEXT], unsigned id, const char *sub)
{
	(void)snprintf(out, PATH_TEXT, "%s/ringctl/torture/%u%s",
	    getenv("XDG_STATE_HOME"), id, sub);
}

static void
look(struct wire *w, const struct message *m)
{
	const struct msg_peer *p;

	(void)w;
	if (m == NULL || m->type != MSG_peer || m->peer.id >= PEERS_MAX)
		return;
	p = &m->peer;
	seen[p->id].known = true;
	seen[p->id].state = p->state;
	seen[p->id].pid = (pid_t)p->pid;
	seen[p->id].missing = p->missing;
	seen[p->id].files = p->files;
	if (p->pid != 0)
		last_pids[p->id] = (pid_t)p->pid;
}

void
ring_look(void)
{
	static struct wire wire;
	struct msg_call call = {.verb = VERB_STATUS, .which = WHICH_ALL};

	if (wire.told == NULL)
		wire_init(&wire, look);
	for (unsigned id = 0; id < PEERS_MAX; id++)
		seen[id].known = false;
	if (!wire_call(&wire, &call))
		return;
	supervisor = (pid_t)wire.client.welcome.pid;
	while (wire.busy)
		wires_turn(20);
}

unsigned
ring_count(enum peer_state state)
{
	unsigned n = 0;

	for (unsigned id = 0; id < PEERS_MAX; id++)
		n += seen[id].known && seen[id].state == state;
	return n;
}

int
ring_pick(enum peer_state state)
{
	unsigned n = ring_count(state);

	if (n == 0)
		return -1;
	n = (unsigned)random_below(&chance, n);
	for (unsigned id = 0;; id++)
		if (seen[id].known && seen[id].state == state && n-- == 0)
			return (int)id;
}

bool
ring_owns(pid_t pid)
{
	char path[64], line[64] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	(void)fclose(file);
	/* Its number may be another's by now. */
	return strncmp(line, "ringctl:", 8) == 0 &&
	       strstr(line, "[torture]") != NULL;
}

void
ring_gone(unsigned seconds)
{
	uint64_t end = now_us() + seconds * 1000000ULL;

	for (unsigned id = 0; id < PEERS_MAX; id++) {
		while (last_pids[id] != 0 && ring_owns(last_pids[id])) {
			if (now_us() > end) {
				violation(&tally.other,
				    "peer %u is left behind: process %d", id,
				    last_pids[id]);
				break;
			}
			pause_ms(PAUSE_MS);
		}
		last_pids[id] = 0;
	}
}

int
ring_act(enum verb verb, const struct idset *peers, const char *text,
    uint32_t timeout_ms, char why[WHY_TEXT])
{
	struct msg_call call = {.verb = (uint8_t)verb,
	    .which = peers != NULL ? WHICH_LIST : WHICH_NONE,
	    .timeout_ms = timeout_ms};
	uint64_t began_us = now_us();
	int exit;

	if (peers != NULL)
		call.peers = *peers;
	text_set(&call.text, text);
	exit = wire_ask(&call, verb_info(verb)->word, why);
	if (exit == EXIT_TIMEOUT)
		ring_look();
	late_told(verb, exit, began_us, why);
	return exit;
}

/* Those of the states, as a set; false: there are none. */
static bool
in_states(struct idset *out, unsigned states)
{
	memset(out, 0, sizeof(*out));
	for (unsigned id = 0; id < PEERS_MAX; id++)
		if (seen[id].known && (1U << seen[id].state & states) != 0)
			idset_add(out, id);
	return idset_count(out) > 0;
}

bool
ring_heal(bool all, char why[WHY_TEXT])
{
	unsigned down = 1U << PEER_KILLED | 1U << PEER_FAILED;
	uint64_t end = now_us() + WAIT_S * 1000000ULL;
	struct idset some;

	if (all)
		down |= 1U << PEER_LEFT;
	do {
		ring_look();
		if (in_states(&some, 1U << PEER_PAUSED))
			(void)ring_act(VERB_RESUME, &some, "", 10000, why);
		if (in_states(&some, down))
			(void)ring_act(VERB_START, &some, "", 30000, why);
		if (ring_act(VERB_WAIT, NULL, "ready", 10000, why) ==
		    EXIT_DONE) {
			/* A child that nobody wants yet may have failed. */
			ring_look();
			if (!in_states(&some, down))
				return true;
		}
	} while (now_us() < end);
	return false;
}
