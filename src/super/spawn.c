#include <assert.h>
#include <bsd/unistd.h>
#include <unistd.h>

#include "os/log.h"
#include "os/process.h"
#include "super/client.h"
#include "super/setup.h"

enum {
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

	*m = setup_contact(&s->config, id);
	if (seen != NULL && seen->addr.port != 0)
		m->addr = seen->addr;
}

static void
fill_setup(const struct child *c, struct peer_setup *setup, int join_through)
{
	const struct super *s = c->super;

	setup_init(setup, &s->config, c->id, s->data.text, s->key);
	setup->ping_ms = c->ping_ms;
	setup->join_through = join_through;
	setup->contacts = contacts;
	setup->in = IN_CHILD;
	setup->out = OUT_CHILD;
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

pid_t
reader_spawn(const struct super *s, unsigned id, int in, int out)
{
	static struct peer_setup setup; /* large, and read by the child only */
	const int keep[] = {in, out, s->roster.lock_fd};
	pid_t parent = getpid(), pid;

	setup_init(&setup, &s->config, id, s->data.text, s->key);
	setup.in = IN_CHILD;
	setup.out = OUT_CHILD;
	pid = fork();
	if (pid != 0)
		return pid;
	process_child(parent, keep, 3);
	if (process_stdio_null(false) == -1)
		fatal("/dev/null");
	setproctitle("disk of peer %u [%s]", id, s->config.ring);
	_exit(inventory_run(&setup));
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
