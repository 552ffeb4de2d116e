#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history.h"
#include "ring.h"

enum {
	THINK_US_MAX = 20000,
	HANG_UP_IN = 200,
	CHECKS_MAX = 65536,
	SOURCES = 8,
	BEFORE_US = 1000000,
	NEAR = 2 * COPIES, /* an owner, its set, their heirs */
};

/* A client that does one thing after another. */
struct worker {
	struct wire wire;
	unsigned index, name;
	unsigned source; /* which one, while others may be read yet */
	struct op op; /* under way */
	bool calm, told, settled; /* settled: must find that */
	uint64_t idle_until_us, hang_up_us;
	struct msg_reply reply;
};

static struct worker workers[WORKERS_MAX];
static enum load load;
static uint64_t ops;

/* To be requested: of each name by so many peers. */
static struct {
	unsigned names, peers, next, under_way;
} verify;

uint64_t
load_ops(void)
{
	return ops;
}

/* For whoever looks into it: what was refused, when, by whom and why. */
static void
keep_refusal(const struct worker *w, unsigned error, const char *text)
{
	const struct ids *who = &w->reply.holders;
	static FILE *file;
	char path[PATH_TEXT];

	(void)snprintf(path, sizeof(path), "%s/refusals", settings.evidence);
	if (file == NULL && (file = fopen(path, "w")) == NULL)
		err(1, "%s", path);
	(void)fprintf(file, "%.6f to %.6f name %04u peer %d %s: %s: %s",
	    (double)w->op.begin_us / 1e6, (double)now_us() / 1e6,
	    names[w->name], w->op.peer == NOBODY ? -1 : w->op.peer,
	    command_info(w->op.command)->word, wire_error_text(error), text);
	for (unsigned i = 0; w->told && i < who->count; i++)
		(void)fprintf(file, " %u", who->at[i]);
	(void)fputc('\n', file);
}

/* What a peer that was up gave up, though nobody kept it waiting. */
static bool
groundless(const struct worker *w, unsigned error)
{
	uint64_t since_us = w->op.begin_us - BEFORE_US;

	return w->told && error == ERROR_timeout && w->op.peer != NOBODY &&
	       !fault_paused(w->op.peer, 1, since_us) &&
	       !fault_paused(names[w->name] % PEERS_MAX, NEAR, since_us);
}

static void
refused(struct worker *w, unsigned error, const char *text)
{
	struct op *op = &w->op;

	keep_refusal(w, error, text);
	w->source += w->told;
	if (!w->told)
		tally.unanswered++;
	else if (error < 32)
		tally.refused[op->command][error]++;
	if (w->calm || groundless(w, error)) {
		late_cores();
		violation(&tally.other,
		    "name %04u: %s at peer %d without a reason: %s %s",
		    names[w->name], command_info(op->command)->word,
		    op->peer == NOBODY ? -1 : op->peer, wire_error_text(error),
		    text);
	}
	op->outcome = OUTCOME_UNKNOWN;
	if (op->command != COMMAND_REQUEST)
		history_add(w->name, op);
}

static void
found(struct worker *w)
{
	const char *path = w->reply.file.text, *dot = strrchr(path, '.');
	unsigned long number = dot != NULL ? strtoul(dot + 1, NULL, 10) : 0;
	char why[WHY_TEXT];

	w->op.number = (uint32_t)number;
	w->op.outcome = OUTCOME_FOUND;
	tally.bytes += w->reply.size;
	if (!history_has(w->name, number)) {
		violation(&tally.wrong, "name %04u: came as %s", names[w->name],
		    path);
		return;
	}
	if (!content_check(path, w->name, w->op.number, 0, why))
		violation(&tally.wrong,
		    "name %04u: content %lu from peer %u is not what was "
		    "stored: %s",
		    names[w->name], number, w->reply.holder, why);
	(void)unlink(path);
	history_add(w->name, &w->op);
}

static void
finished(struct worker *w)
{
	struct op *op = &w->op;
	struct op absent = *op;

	op->end_us = now_us();
	ops++;
	if (!w->told) {
		refused(w, ERROR_timeout, "no answer");
	} else if (w->reply.error == ERROR_no_such_file &&
		   op->command != COMMAND_STORE) {
		/* Of a remove that was tried again, the first did it. */
		if (op->command == COMMAND_REMOVE) {
			op->outcome = OUTCOME_UNKNOWN;
			history_add(w->name, op);
		}
		absent.end_us = op->end_us;
		absent.command = COMMAND_REQUEST;
		absent.outcome = OUTCOME_ABSENT;
		history_add(w->name, &absent);
		tally.absent++;
	} else if (w->reply.error != ERROR_none) {
		refused(w, w->reply.error, w->reply.text.text);
	} else {
		tally.done[op->command]++;
		if (op->command == COMMAND_REQUEST) {
			found(w);
		} else {
			op->outcome = OUTCOME_ACKED;
			history_add(w->name, op);
		}
	}
	w->idle_until_us = now_us() + random_below(&chance, THINK_US_MAX);
	if (load == LOAD_CALM)
		w->idle_until_us = 0;
}

static void
told(struct wire *wire, const struct message *m)
{
	struct worker *w = (struct worker *)wire;

	if (m != NULL && m->type == MSG_reply) {
		w->told = true;
		w->reply = m->reply;
		w->op.peer = m->reply.peer;
	} else if (m == NULL || m->type == MSG_result) {
		if (verify.under_way > 0 && w->settled)
			verify.under_way--;
		w->settled = false;
		finished(w);
	}
}

static void
begin(struct worker *w, enum command command, unsigned name, int peer)
{
	static struct msg_call call;
	char text[32];
	const char *path;

	memset(&call, 0, sizeof(call));
	memset(&w->op, 0, sizeof(w->op));
	w->name = name;
	w->op.command = (uint8_t)command;
	w->op.peer = NOBODY;
	w->told = false;
	w->calm = load == LOAD_CALM;
	call.verb = VERB_EXEC;
	call.which = peer >= 0 ? WHICH_LIST : WHICH_RANDOM;
	if (peer >= 0)
		idset_add(&call.peers, (unsigned)peer);
	call.command = (uint8_t)command;
	call.timeout_ms = CALL_MS;
	(void)snprintf(text, sizeof(text), "%04u", names[name]);
	(void)name_set(&call.name, text, strlen(text));
	if (command == COMMAND_STORE)
		(void)snprintf(text, sizeof(text), "w%u/source%u", w->index,
		    w->source % SOURCES);
	else
		(void)snprintf(text, sizeof(text), "w%u/", w->index);
	path = ring_path(text);
	if (command == COMMAND_STORE) {
		w->op.number = history_number(name);
		(void)snprintf(text, sizeof(text), ".%u", w->op.number);
		(void)suffix_set(&call.suffix, text, strlen(text));
		content_write(path, name, w->op.number);
	}
	path_set(&call.path, command == COMMAND_REMOVE ? "" : path);
	w->op.begin_us = now_us();
	w->hang_up_us = UINT64_MAX;
	if (load == LOAD_ANY && one_in(HANG_UP_IN))
		w->hang_up_us =
		    w->op.begin_us + random_below(&chance, THINK_US_MAX);
	if (!wire_call(&w->wire, &call) && command == COMMAND_STORE)
		history_add(name, &(struct op){.command = COMMAND_STORE,
				      .outcome = OUTCOME_UNKNOWN,
				      .number = w->op.number,
				      .peer = NOBODY,
				      .begin_us = w->op.begin_us,
				      .end_us = now_us()});
	if (!w->wire.busy)
		w->idle_until_us = now_us() + 10000;
}

static void
give_up(struct worker *w)
{
	if (!w->wire.busy || now_us() < w->hang_up_us)
		return;
	wire_hang_up(&w->wire);
	w->source++;
	tally.hung_up++;
	w->op.end_us = now_us();
	w->op.outcome = OUTCOME_UNKNOWN;
	if (w->op.command != COMMAND_REQUEST)
		history_add(w->name, &w->op);
}

static void
begin_any(struct worker *w)
{
	unsigned name = (unsigned)random_below(&chance, settings.names);
	unsigned kind = (unsigned)random_below(&chance, 100);
	int peer = one_in(3) ? -1 : ring_pick(PEER_UP);

	if (kind < 40)
		begin(w, COMMAND_STORE, name, peer);
	else if (kind < 50)
		begin(w, COMMAND_REMOVE, name, peer);
	else
		begin(w, COMMAND_REQUEST, name, peer);
}

static void
begin_verify(struct worker *w)
{
	unsigned name = verify.next % verify.names;
	unsigned turn = verify.next / verify.names;
	unsigned up = ring_count(PEER_UP), skip;
	unsigned id = 0;

	if (up == 0)
		return;
	verify.next++;
	/* All of them in turn when that many are asked for. */
	skip = verify.peers >= up ? turn % up
				  : (unsigned)random_below(&chance, up);
	for (;; id++)
		if (seen[id].known && seen[id].state == PEER_UP && skip-- == 0)
			break;
	verify.under_way++;
	w->settled = true;
	begin(w, COMMAND_REQUEST, name, (int)id);
	if (!w->wire.busy)
		verify.under_way--;
}

void
load_turn(void)
{
	uint64_t now = now_us();

	for (unsigned i = 0; i < settings.workers; i++) {
		struct worker *w = &workers[i];

		give_up(w);
		if (w->wire.busy || now < w->idle_until_us)
			continue;
		if (verify.next < verify.names * verify.peers)
			begin_verify(w);
		else if (load != LOAD_NONE && verify.names == 0)
			begin_any(w);
	}
}

void
load_set(enum load as)
{
	load = as;
}

void
load_drain(void)
{
	bool busy = true;

	load = LOAD_NONE;
	while (busy) {
		busy = false;
		wires_turn(20);
		for (unsigned i = 0; i < settings.workers; i++) {
			give_up(&workers[i]);
			busy |= workers[i].wire.busy;
			if (workers[i].wire.busy)
				late_stuck(workers[i].op.begin_us);
		}
	}
}

void
load_verify(unsigned peers)
{
	verify.names = settings.names;
	verify.peers = peers;
	verify.next = 0;
	load = LOAD_CALM;
	while (verify.next < verify.names * peers || verify.under_way > 0) {
		load_turn();
		wires_turn(5);
	}
	verify.names = 0;
	load = LOAD_NONE;
}

void
load_init(void)
{
	char folder[32];

	for (unsigned i = 0; i < settings.workers; i++) {
		workers[i].index = i;
		wire_init(&workers[i].wire, told);
		(void)snprintf(folder, sizeof(folder), "w%u", i);
		if (mkdir(folder, 0700) != 0)
			err(1, "%s", folder);
	}
}
