#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "ring.h"

enum {
	HANDS = 8, /* faults under way at a time */
	LOOK_US = 100000,
	PAUSE_SHORT_US = 300000,
	PAUSE_LONG_US = 4000000, /* longer than any detection takes */
	GONE_S = 5,
};

/* One fault after another. */
struct hand {
	struct wire wire;
	struct idset peers;
	enum verb verb;
	char what[WHY_TEXT]; /* the last refusal */
};

static struct hand hands[HANDS];
static struct idset acting; /* peers to which something is being done */
static uint64_t next_us, look_us, resume_us[PEERS_MAX];
static uint64_t paused_us[PEERS_MAX]; /* it may have been until then */

bool
fault_paused(unsigned key, unsigned count, uint64_t since_us)
{
	unsigned found = 0;

	for (unsigned i = 0; i < PEERS_MAX && found < count; i++) {
		unsigned id = (key + i) % PEERS_MAX;

		if (!seen[id].known)
			continue;
		if (seen[id].state == PEER_PAUSED || paused_us[id] >= since_us)
			return true;
		found++;
	}
	return false;
}

static void
told(struct wire *w, const struct message *m)
{
	struct hand *h = (struct hand *)w;

	if (m != NULL && m->type == MSG_reply && m->reply.error != 0)
		(void)snprintf(h->what, sizeof(h->what), "%s: peer %u: %.300s",
		    verb_info(h->verb)->word, m->reply.peer,
		    m->reply.text.text);
	if (m != NULL && m->type != MSG_result)
		return;
	if (m != NULL)
		late_told(h->verb, m->result.exit, w->began_us, h->what);
	for (unsigned id = 0; id < PEERS_MAX; id++)
		if (idset_has(&h->peers, id)) {
			idset_del(&acting, id);
			if (h->verb == VERB_PAUSE || h->verb == VERB_RESUME)
				paused_us[id] = now_us();
		}
	look_us = 0;
}

static bool
send_fault(enum verb verb, const struct idset *peers, unsigned id, int known)
{
	struct msg_call call = {.verb = (uint8_t)verb,
	    .which = WHICH_LIST,
	    .peers = *peers,
	    .id = (uint16_t)id,
	    .known = (uint16_t)known,
	    .timeout_ms = 20000};

	for (int i = 0; i < HANDS; i++) {
		struct hand *h = &hands[i];

		if (h->wire.told == NULL)
			wire_init(&h->wire, told);
		if (h->wire.busy)
			continue;
		h->peers = *peers;
		h->verb = verb;
		h->what[0] = '\0';
		if (!wire_call(&h->wire, &call))
			return false;
		for (unsigned p = 0; p < PEERS_MAX; p++)
			if (idset_has(peers, p))
				idset_add(&acting, p);
		return true;
	}
	return false;
}

static bool
one(enum verb verb, int id)
{
	struct idset peers = {0};

	if (id < 0 || idset_has(&acting, (unsigned)id))
		return false;
	idset_add(&peers, (unsigned)id);
	return send_fault(verb, &peers, 0, 0);
}

/* How many may be missing: now and then all but one. */
static bool
may_fall(unsigned count)
{
	unsigned up = ring_count(PEER_UP);

	return up > count && (up - count > settings.peers / 2 || one_in(10));
}

static void
kill_one(void)
{
	int id = ring_pick(PEER_UP);

	if (!may_fall(1) || id < 0 || idset_has(&acting, (unsigned)id))
		return;
	if (!one_in(3))
		(void)one(VERB_KILL, id);
	else if (ring_owns(seen[id].pid) && kill(seen[id].pid, SIGKILL) == 0)
		look_us = 0; /* as if by itself: failed */
	tally.kills++;
}

/* The next ones along the ring, at once. */
static void
kill_several(void)
{
	unsigned wanted = one_in(8) ? settings.peers / 2 : 2;
	struct idset peers = {0};
	int id = ring_pick(PEER_UP);

	if (id < 0 || !may_fall(wanted))
		return;
	for (unsigned i = 0; i < PEERS_MAX && wanted > 0; i++) {
		unsigned at = ((unsigned)id + i) % PEERS_MAX;

		if (!seen[at].known || seen[at].state != PEER_UP ||
		    idset_has(&acting, at))
			continue;
		idset_add(&peers, at);
		wanted--;
	}
	tally.kills += idset_count(&peers);
	(void)send_fault(VERB_KILL, &peers, 0, 0);
}

static void
start_one(void)
{
	static const enum peer_state down[] = {
	    PEER_KILLED, PEER_FAILED, PEER_LEFT};
	int id = ring_pick(down[random_below(&chance, 3)]);

	if (id >= 0 && (seen[id].member || seen[id].state != PEER_LEFT))
		tally.starts += one(VERB_START, id);
}

static void
pause_one(void)
{
	int id = ring_pick(PEER_UP);

	if (!may_fall(1) || !one(VERB_PAUSE, id))
		return;
	tally.pauses++;
	resume_us[id] =
	    now_us() + 20000 +
	    random_below(&chance, one_in(3) ? PAUSE_LONG_US : PAUSE_SHORT_US);
}

static void
quit_one(void)
{
	int id = ring_pick(PEER_UP);

	if (id >= 0 && may_fall(1))
		tally.quits += one(VERB_QUIT, id);
}

/* A new identifier, or one that was told to go. */
static void
join_one(void)
{
	unsigned id = (unsigned)random_below(&chance, PEERS_MAX), strangers = 0;
	int known = ring_pick(PEER_UP);
	struct idset peers = {0};

	for (unsigned i = 0; i < PEERS_MAX; i++)
		strangers += seen[i].known && !seen[i].member &&
			     seen[i].state != PEER_LEFT;
	if (known < 0 || strangers > 1 + settings.peers / 4 ||
	    idset_has(&acting, id))
		return;
	idset_add(&peers, id);
	if (seen[id].known && seen[id].state == PEER_LEFT)
		tally.starts += one(VERB_START, (int)id);
	else if (!seen[id].known)
		tally.joins += send_fault(VERB_JOIN, &peers, id, known);
}

static void
remove_under(int at, const char *name, int depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_under(fd, e->d_name, depth + 1);
	if (dir != NULL)
		(void)closedir(dir);
	if (unlinkat(at, name, dir != NULL ? AT_REMOVEDIR : 0) != 0)
		err(1, "%s", name);
}

/*
 * A disk goes, within the bound: all are up, and whatever it holds is on as
 * many other disks as it should be.
 */
static void
wipe_one(void)
{
	char why[WHY_TEXT], folder[PATH_TEXT];
	struct idset peers = {0};
	int id;

	fault_drain();
	if (!ring_heal(false, why))
		return;
	id = ring_pick(PEER_UP);
	if (id < 0 || ring_count(PEER_UP) <= COPIES)
		return;
	idset_add(&peers, (unsigned)id);
	if (ring_act(VERB_KILL, &peers, "", 20000, why) != EXIT_DONE ||
	    ring_act(VERB_WAIT, NULL, "ready", 20000, why) != EXIT_DONE)
		return;
	ring_look();
	if (seen[id].state != PEER_KILLED)
		return;
	ring_folder(folder, (unsigned)id, "");
	remove_under(AT_FDCWD, folder, 0);
	tally.wipes++;
	(void)ring_act(VERB_START, &peers, "", 30000, why);
	(void)ring_act(VERB_WAIT, NULL, "ready", 30000, why);
}

static void
supervisor_kill(void)
{
	ring_look();
	if (!ring_owns(supervisor) || kill(supervisor, SIGKILL) != 0)
		err(1, "the supervisor, process %d", supervisor);
	tally.supervisor_kills++;
	ring_gone(GONE_S);
	/* What waited for it sees the end, and nobody is asked. */
	load_drain();
	fault_drain();
	ring_up();
	load_set(LOAD_ANY);
}

static void
down_and_up(void)
{
	char why[WHY_TEXT];

	tally.downs++;
	/* Paused peers are ended at the deadline. */
	(void)ring_act(VERB_DOWN, NULL, "", 5000, why);
	load_drain();
	fault_drain();
	ring_gone(GONE_S);
	ring_up();
	load_set(LOAD_ANY);
}

/* How often, of a hundred; start_one() has the rest. */
static const struct {
	unsigned weight;
	void (*act)(void);
} faults[] = {
    {18, kill_one},
    {6, kill_several},
    {14, pause_one},
    {6, quit_one},
    {5, join_one},
    {1, wipe_one},
    {1, supervisor_kill},
    {1, down_and_up},
};

static void
resume_due(void)
{
	for (unsigned id = 0; id < PEERS_MAX; id++)
		if (seen[id].known && seen[id].state == PEER_PAUSED &&
		    now_us() > resume_us[id])
			(void)one(VERB_RESUME, (int)id);
}

void
fault_turn(void)
{
	unsigned kind = (unsigned)random_below(&chance, 100);
	unsigned gap_us = settings.peers > 16 ? 60000 : 100000;
	uint64_t now = now_us();

	if (now < next_us)
		return;
	if (now > look_us + LOOK_US) {
		look_us = now;
		ring_look();
		resume_due();
	}
	next_us = now + random_below(&chance, 2 * gap_us);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (kind < faults[i].weight) {
			faults[i].act();
			return;
		}
		kind -= faults[i].weight;
	}
	start_one();
}

void
fault_drain(void)
{
	bool busy = true;

	while (busy) {
		busy = false;
		load_turn();
		wires_turn(20);
		for (int i = 0; i < HANDS; i++)
			busy |= hands[i].wire.busy;
	}
	memset(&acting, 0, sizeof(acting));
}
