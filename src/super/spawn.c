#include <assert.h>
#include <bsd/string.h>
#include <bsd/unistd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/process.h"
#include "peer/run.h"
#include "super/client.h"

enum {
	LOOPBACK = 0x7f000001,
	IN_CHILD = 3, /* what process_child makes of the kept ones */
	OUT_CHILD = 4,
};

/* What is left of the fork's parent; only a child reads them. */
static struct member contacts[SPACE_MAX];

static void
add_contact(struct peer_setup *setup, const struct super *s, unsigned id)
{
	const struct member *seen = whole_member(s, id);
	struct member *m = &contacts[setup->contact_count++];

	*m = (struct member){.id = (uint16_t)id};
	m->addr.ip = LOOPBACK;
	m->addr.port = (uint16_t)(s->config.port + id);
	if (seen != NULL && seen->addr.port != 0)
		m->addr = seen->addr;
}

static void
fill_setup(const struct child *c, struct peer_setup *setup, int join_through)
{
	const struct super *s = c->super;
	const struct config *config = &s->config;

	*setup = (struct peer_setup){.id = c->id,
	    .bits = config->bits,
	    .copies = config->copies,
	    .route = config->route,
	    .any_names = config->any_names,
	    .sync = config->sync,
	    .log_pings = config->log_pings,
	    .ping_ms = c->ping_ms,
	    .port = config->port,
	    .host_ip = LOOPBACK,
	    .join_through = join_through,
	    .contacts = contacts,
	    .in = IN_CHILD,
	    .out = OUT_CHILD};
	strlcpy(setup->ring, config->ring, sizeof(setup->ring));
	snprintf(setup->data, sizeof(setup->data), "%.*s/%u", PATH_LEN_MAX - 8,
	    s->data.text, c->id);
	memcpy(setup->key.bytes, s->key, sizeof(setup->key.bytes));
	if (join_through != -1) {
		add_contact(setup, s, (unsigned)join_through);
		return;
	}
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (s->children[id] != NULL)
			add_contact(setup, s, id);
}

/* Never returns: the peer's process. */
static _Noreturn void
child_main(const struct child *c, const struct peer_setup *setup,
    const int *keep, pid_t parent)
{
	process_child(parent, keep, 3);
	if (process_stdio_null(false) == -1)
		fatal("/dev/null");
	setproctitle("peer %u [%s]", c->id, c->super->config.ring);
	_exit(peer_run(setup));
}

int
child_spawn(struct child *c, int join_through, int in, int out)
{
	static struct peer_setup setup; /* large, and read by the child only */
	const int keep[] = {in, out, c->super->roster.lock_fd};
	pid_t parent = getpid(), pid;

	assert(c->pid == 0);
	fill_setup(c, &setup, join_through);
	pid = fork();
	if (pid == 0)
		child_main(c, &setup, keep, parent);
	if (pid != -1)
		c->pid = pid;
	return pid == -1 ? -1 : 0;
}
