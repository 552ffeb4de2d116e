/*
 * Half of 256 peers killed at once, by one call: what was lost is what only
 * the dead hold, by the holders that each store named; all else is there, and
 * what was lost is again when they have been started.
 */
#include <string.h>

#include "history.h"
#include "ring.h"

enum { VICTIMS = PEERS_MAX / 2, KILL_MS = 60000, EXEC_MS = 20000 };

static struct idset holders[NAMES_MAX], victims;
static struct msg_reply reply;

/* By one peer that is up; a failure is told in the reply. */
static void
exec_at(unsigned id, enum command command, unsigned name, const char *path,
    const char *suffix)
{
	static struct msg_call call;
	char text[8];

	memset(&call, 0, sizeof(call));
	call.verb = VERB_EXEC;
	call.which = WHICH_LIST;
	idset_add(&call.peers, id);
	call.command = (uint8_t)command;
	call.timeout_ms = EXEC_MS;
	(void)snprintf(text, sizeof(text), "%04u", names[name]);
	(void)name_set(&call.name, text, strlen(text));
	(void)suffix_set(&call.suffix, suffix, strlen(suffix));
	path_set(&call.path, path);
	memset(&reply, 0, sizeof(reply));
	reply.error = ERROR_timeout;
	(void)wire_ask_reply(&call, &reply);
}

static void
store_all(void)
{
	for (unsigned name = 0; name < settings.names; name++) {
		struct op op = {.number = history_number(name),
		    .command = COMMAND_STORE,
		    .outcome = OUTCOME_ACKED,
		    .begin_us = now_us()};

		content_write("source", name, op.number);
		exec_at((unsigned)ring_pick(PEER_UP), COMMAND_STORE, name,
		    ring_path("source"), ".1");
		op.end_us = now_us();
		if (reply.error != ERROR_none || reply.holders.count != COPIES)
			violation(&tally.other,
			    "name %04u: store: %s, %u "
			    "holders",
			    names[name], wire_error_text(reply.error),
			    reply.holders.count);
		for (unsigned i = 0; i < reply.holders.count; i++)
			idset_add(&holders[name], reply.holders.at[i]);
		history_add(name, &op);
		tally.done[COMMAND_STORE]++;
	}
}

static bool
all_died(unsigned name)
{
	for (unsigned id = 0; id < PEERS_MAX; id++)
		if (idset_has(&holders[name], id) && !idset_has(&victims, id))
			return false;
	return true;
}

static void
request_one(unsigned name, bool dead)
{
	bool gone = dead && all_died(name);
	struct op op = {.number = 1,
	    .command = COMMAND_REQUEST,
	    .outcome = OUTCOME_FOUND,
	    .begin_us = now_us()};
	char why[WHY_TEXT] = "";

	exec_at((unsigned)ring_pick(PEER_UP), COMMAND_REQUEST, name,
	    ring_path(""), "");
	op.end_us = now_us();
	if (reply.error != ERROR_none)
		tally.refused[COMMAND_REQUEST][reply.error]++;
	if (reply.error != (gone ? ERROR_unavailable : ERROR_none))
		violation(gone ? &tally.wrong : &tally.lost,
		    "name %04u: %s: %s %s", names[name],
		    gone ? "all its holders are dead" : "a holder lives",
		    wire_error_text(reply.error), reply.text.text);
	if (reply.error != ERROR_none)
		return;
	tally.done[COMMAND_REQUEST]++;
	if (!content_check(reply.file.text, name, 1, 0, why))
		violation(&tally.wrong, "name %04u: %s", names[name], why);
	history_add(name, &op);
}

/* Of how many all holders are dead. */
static unsigned
request_all(bool dead)
{
	unsigned lost = 0;

	for (unsigned name = 0; name < settings.names; name++) {
		lost += dead && all_died(name);
		request_one(name, dead);
	}
	return lost;
}

/* `check`, once there is such a verb, names just those that are lost. */
static void
check_names(void)
{
	static char line[4096];
	bool named[NAMES_MAX] = {false};
	FILE *file;

	if (command_find("check", 5, false) == NULL)
		return;
	(void)ringctl("check.out", "--timeout 60 check");
	file = fopen("check.out", "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		for (unsigned name = 0; name < settings.names; name++) {
			char text[8];

			(void)snprintf(text, sizeof(text), "%04u", names[name]);
			named[name] |= strstr(line, text) != NULL;
		}
	if (file != NULL)
		(void)fclose(file);
	for (unsigned name = 0; name < settings.names; name++)
		if (named[name] != all_died(name))
			violation(&tally.other, "name %04u: check %s it",
			    names[name],
			    named[name] ? "names" : "does not name");
}

void
half_run(void)
{
	char why[WHY_TEXT] = "";
	unsigned lost;

	store_all();
	while (idset_count(&victims) < VICTIMS)
		idset_add(&victims, (unsigned)random_below(&chance, PEERS_MAX));
	if (ring_act(VERB_KILL, &victims, "", KILL_MS, why) != EXIT_DONE)
		violation(&tally.other, "%s", why);
	tally.kills += VICTIMS;
	ring_look();
	lost = request_all(true);
	check_names();
	(void)printf("half: %s\nhalf: %u of %u files have lost all holders, "
		     "and only those are unavailable\n",
	    why, lost, settings.names);
	if (!ring_heal(true, why))
		violation(&tally.other, "not ready again: %s", why);
	tally.starts += VICTIMS;
	(void)request_all(false);
	for (unsigned name = 0; name < settings.names; name++)
		history_check(name, now_us());
	sample_take();
}
