#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#include "super/check.h"
#include "super/set.h"

/* The end of a check: what was found, who could not be asked, in words. */
enum { NAMED_MAX = 3 /* peers that could not be asked, in the result */ };

static bool
is_remote(const struct check *k, unsigned id)
{
	return k->super->children[id] == NULL &&
	       idset_has(&k->situation.members, id);
}

/* Why a peer could not be asked; NULL: it was. */
static const char *
why_unknown(const struct check *k, unsigned id, char *text, size_t size)
{
	const struct child *c = k->super->children[id];

	if (c != NULL && c->pid != 0 && c->stopped)
		snprintf(text, size, "peer %u is paused", id);
	else if (c != NULL && c->pid != 0 && idset_has(&k->silent, id))
		snprintf(text, size, "peer %u does not answer", id);
	else if (c != NULL && c->pid == 0 && idset_has(&k->unread, id))
		snprintf(text, size,
		    "the disk of peer %u can't be read: %.300s", id,
		    check_witness(k, id) == NULL
			? ""
			: check_witness(k, id)->difference.text);
	else if (is_remote(k, id))
		snprintf(text, size, "peer %u is no process of this ring", id);
	else
		return NULL;
	return text;
}

static void
tell_unknown(struct client *c, unsigned id, const char *text)
{
	static struct message m;

	memset(&m, 0, sizeof(m));
	m.type = MSG_finding;
	m.finding.kind = FINDING_unknown;
	m.finding.peer = (uint16_t)id;
	text_set(&m.finding.text, text);
	client_send(c, &m);
}

/* Those that could not be asked, and the first of them in words. */
static void
find_unknown(struct check *k, char *words, size_t size)
{
	struct client *c = k->client;
	char text[TEXT_LEN_MAX + 1];
	size_t used = 0;

	words[0] = '\0';
	for (unsigned id = 0; id < SPACE_MAX && !c->gone; id++) {
		if (why_unknown(k, id, text, sizeof(text)) == NULL)
			continue;
		if (k->verdict.unknown++ < NAMED_MAX && used < size)
			used += (size_t)snprintf(words + used, size - used,
			    "%s%.100s", used > 0 ? "; " : "", text);
		tell_unknown(c, id, text);
	}
	if (!c->gone && k->verdict.unknown > NAMED_MAX && used < size)
		snprintf(words + used, size - used, "; and %u more",
		    (unsigned)k->verdict.unknown - NAMED_MAX);
}

static void
say_disks(const struct check *k, char *out, size_t size)
{
	unsigned n = k->verdict.disks;

	out[0] = '\0';
	if (n > 0)
		snprintf(out, size, ", %u disk%s read", n, plural(n));
}

/* The verdict in words, for the result. */
static void
say_verdict(struct check *k, const char *unknown)
{
	const struct msg_verdict *v = &k->verdict;
	const char *ring = k->super->config.ring;
	char disks[64];

	say_disks(k, disks, sizeof(disks));
	if (k->exit == EXIT_DONE)
		snprintf(k->why, sizeof(k->why),
		    "ring %s: right: %u peer%s in one cycle, %llu file%s, "
		    "%llu cop%s%s",
		    ring, v->peers, plural(v->peers),
		    (unsigned long long)v->files, plural(v->files),
		    (unsigned long long)v->copies, v->copies == 1 ? "y" : "ies",
		    disks);
	else if (k->exit == EXIT_FAILED)
		snprintf(k->why, sizeof(k->why),
		    "ring %s: %llu violation%s%s%s", ring,
		    (unsigned long long)v->violations, plural(v->violations),
		    unknown[0] != '\0' ? "; besides, " : "", unknown);
	else
		snprintf(k->why, sizeof(k->why), "ring %s: can't tell: %s",
		    ring, unknown);
}

static void
count_found(struct check *k, bool all)
{
	const struct findings *f = &k->found;

	k->verdict.violations = f->count;
	for (size_t i = 0; i < f->kept && !all; i++)
		k->verdict.violations -= !findings_has(&k->before, f->what[i]);
}

/* What goes to the client next: as much as it reads. */
void
verdict_tell(struct check *k)
{
	static struct message m;
	struct client *c = k->client;

	/* When the client is dropped, its check is no more. */
	while (outlet_used(&c->outlet) <= STREAM_AHEAD) {
		if (!findings_next(&k->found, &k->told, &m)) {
			m.type = MSG_verdict;
			m.verdict = k->verdict;
			client_send(c, &m);
			if (!c->gone)
				call_finish(c, k->exit, "%s", k->why);
			return;
		}
		if (k->all_told ||
		    findings_has(&k->before, k->found.what[k->number]))
			client_send(c, &m);
		if (c->gone)
			return;
		k->number++;
	}
}

/* all: of what this pass found; else only what the one before did, too. */
void
verdict_reach(struct check *k, bool all)
{
	const struct client *c = k->client;
	char unknown[TEXT_LEN_MAX + 1];

	k->phase = CHECK_TELLING;
	k->all_told = all;
	timer_stop(&k->super->loop, &k->timer);
	timer_stop(&k->super->loop, &k->client->timer);
	k->verdict.peers = (uint16_t)check_live(k);
	k->verdict.disks =
	    (uint16_t)(k->count - check_live(k) - idset_count(&k->unread));
	k->verdict.files = k->files;
	k->verdict.copies = k->copies;
	count_found(k, all);
	find_unknown(k, unknown, sizeof(unknown));
	if (c->gone)
		return;
	check_leave(k);
	if (k->verdict.violations == 0 && !all && unknown[0] == '\0') {
		strlcpy(unknown, "files change while they are asked for",
		    sizeof(unknown));
		k->verdict.unknown++;
	}
	k->exit = k->verdict.violations > 0 ? EXIT_FAILED
		  : k->verdict.unknown > 0  ? EXIT_USAGE
					    : EXIT_DONE;
	say_verdict(k, unknown);
	verdict_tell(k);
}

/* It never was at rest. */
void
verb_check_expire(struct client *c)
{
	struct check *k = c->check;
	char unknown[TEXT_LEN_MAX + 1];

	if (k->phase == CHECK_TELLING)
		return;
	find_unknown(k, unknown, sizeof(unknown));
	if (c->gone)
		return;
	k->exit = EXIT_USAGE;
	if (k->verdict.unknown == 0) {
		strlcpy(unknown, k->why, sizeof(unknown));
		k->verdict.unknown++;
	}
	say_verdict(k, unknown);
	findings_free(&k->found);
	k->told = 0;
	k->phase = CHECK_TELLING;
	check_leave(k);
	timer_stop(&c->super->loop, &k->timer);
	verdict_tell(k);
}
