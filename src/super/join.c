#include <assert.h>
#include <bsd/string.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "os/log.h"
#include "super/client.h"
#include "super/wipe.h"

static bool
is_member(const struct super *s, unsigned id)
{
	const struct member *m = whole_member(s, id);

	return m != NULL &&
	       (m->state == MEMBER_ALIVE || m->state == MEMBER_SUSPECT);
}

/* Can the newcomer go through it? Words why not, or NULL. */
static const char *
known_fault(const struct super *s, unsigned known, char *text, size_t size)
{
	const struct child *c = s->children[known];

	if (c == NULL && !is_member(s, known))
		snprintf(
		    text, size, "no peer %u in ring %s", known, s->config.ring);
	else if (c != NULL && c->pid == 0)
		snprintf(text, size, "peer %u is down (%s)", known,
		    peer_state_text(child_state(c)));
	else
		return NULL;
	return text;
}

static bool
join_refused(struct client *c)
{
	const struct super *s = c->super;
	unsigned id = c->call.id, known = c->call.known;
	unsigned space = 1u << s->config.bits;
	char text[128];

	if (id >= space || known >= space)
		call_finish(c, EXIT_USAGE, "peer %u: not in 0..%u",
		    id >= space ? id : known, space - 1);
	else if (id == known)
		call_finish(
		    c, EXIT_USAGE, "peer %u can't join through itself", id);
	else if (s->children[id] != NULL && s->children[id]->pid != 0)
		call_finish(
		    c, EXIT_FAILED, "peer %u: identifier is in use", id);
	else if (known_fault(s, known, text, sizeof(text)) != NULL)
		call_finish(c, EXIT_NO_PEER, "%s", text);
	else
		return false;
	return true;
}

static void
data_of(const struct super *s, unsigned id, struct path_buf *out)
{
	snprintf(out->text, sizeof(out->text), "%.*s/%u", PATH_LEN_MAX - 8,
	    s->data.text, id);
}

void
verb_join_begin(struct client *c)
{
	struct super *s = c->super;
	unsigned id = c->call.id;
	uint32_t ping_ms = c->call.ping_ms;
	struct path_buf folder;
	struct stat st;
	struct child *child;

	if (join_refused(c))
		return;
	child = s->children[id];
	data_of(s, id, &folder);
	if (ping_ms == 0)
		ping_ms = config_ping(&s->config, id);
	if (child == NULL) {
		child = child_new(s, id, ping_ms);
		child->unknown = true;
	}
	child->ping_ms = ping_ms;
	child->before = child->ended;
	child->fresh = stat(folder.text, &st) == -1;
	child->joining = true;
	idset_add(&c->waiting, id);
	call_arm(c, CALL_TIMEOUT_MS);
	/* What goes wrong is found when it settles. */
	child_start(child, c->call.known);
}

void
verb_join_settle(struct client *c)
{
	const struct child *child = c->super->children[c->call.id];
	unsigned id = c->call.id;

	assert(child != NULL);
	if (child->pid == 0) {
		if (c->trouble[0] == '\0')
			call_answer(c, id, ERROR_system,
			    "peer %u did not join: %s", id,
			    child->why[0] != '\0' ? child->why
						  : "it left at once");
		call_finish(c, c->exit, "%s", "");
	} else if (child_state(child) == PEER_UP && c->trouble[0] == '\0') {
		call_answer(
		    c, id, ERROR_none, "joined through peer %u", c->call.known);
		call_finish(c, EXIT_DONE, "peer %u joined through peer %u", id,
		    c->call.known);
	}
}

void
verb_join_route(struct super *s, struct child *child, struct message *m)
{
	m->reply.peer = child->id;
	for (struct client *c = s->clients; c != NULL; c = c->next)
		if (c->busy && c->call.verb == VERB_JOIN &&
		    c->call.id == child->id)
			client_send(c, m);
}

void
verb_join_cancel(struct client *c)
{
	struct child *child = c->super->children[c->call.id];

	if (child != NULL && child->joining && !child->served &&
	    child->pid != 0)
		child_signal(child, SIGKILL);
}

void
verb_join_expire(struct client *c)
{
	const struct child *child = c->super->children[c->call.id];

	call_answer(c, c->call.id, ERROR_timeout,
	    "peer %u did not join in %.1f s: it is %s", c->call.id,
	    (double)(clock_us() - c->began_us) / 1e6,
	    peer_state_text(child_state(child)));
	/* The result comes when it is gone. */
	verb_join_cancel(c);
}

/* Nothing of a newcomer that failed is left behind. */
static void
forget(struct super *s, struct child *child)
{
	struct path_buf folder;
	struct why why;

	child->joining = false;
	data_of(s, child->id, &folder);
	if (child->fresh && wipe_peer(folder.text, &why) == -1)
		log_warnx("%s", why.text);
	if (child->unknown)
		child_free(child);
	else
		child->ended = child->before;
}

void
join_check(struct super *s)
{
	for (int id = idset_next(&s->known, 0); id != -1;
	     id = idset_next(&s->known, (unsigned)id + 1)) {
		struct child *child = s->children[id];

		if (!child->joining)
			continue;
		if (child->served)
			child->joining = child->unknown = false;
		else if (child->pid == 0)
			forget(s, child);
	}
}
