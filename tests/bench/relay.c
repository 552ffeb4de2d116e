/*
 * store and request through a ring's supervisor, each client on a connection
 * of its own: a call goes in, a reply and a result come out. The supervisor
 * never sees a value: a peer reads it from the caller's file, and writes it
 * into one.
 */
#include <assert.h>
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "load.h"
#include "wire/command.h"

enum { CALL_MS = 20000 };

static const char sources[] = "values", targets[] = "got";

static void
sources_write(void)
{
	char path[WHAT_LEN_MAX];

	if ((mkdir(sources, 0700) != 0 || mkdir(targets, 0700) != 0) &&
	    errno != EEXIST)
		err(1, "folders for values");
	for (unsigned i = 0; i < VALUES; i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "%s/%u", sources, i);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd == -1 ||
		    write(fd, load_values[i], VALUE_LEN) != VALUE_LEN ||
		    close(fd) != 0)
			err(1, "%s", path);
	}
	sync();
}

unsigned
ring_owner(const struct ring *r, unsigned number)
{
	unsigned i = 0;

	assert(r->n > 0);
	while (i < r->n && r->ids[i] < number % BENCH_PEERS_MAX)
		i++;
	return i % r->n;
}

static int
ring_open(const struct target *t)
{
	static struct client c;
	struct why why;

	if (client_open(&c, t->ring->name, CALL_MS, &why) != 0)
		errx(1, "%s: %s", t->ring->name, why.text);
	if (fcntl(c.fd, F_SETFL, 0) == -1)
		err(1, "%s", t->ring->name);
	return c.fd;
}

static void
operation_path(struct path *out, const struct operation *op)
{
	static char here[PATH_LEN_MAX - 64];
	int n;

	if (here[0] == '\0' && getcwd(here, sizeof(here)) == NULL)
		err(1, "this folder");
	if (op->put)
		n = snprintf(out->text, sizeof(out->text), "%s/%s/%u", here,
		    sources, op->value);
	else
		n = snprintf(
		    out->text, sizeof(out->text), "%s/%s/", here, targets);
	out->len = (uint16_t)n;
}

static size_t
ring_encode(struct lane *l, uint8_t out[LANE_ROOM])
{
	static struct message m = {.type = MSG_call};
	const struct ring *ring = l->target->ring;
	const struct operation *op = &l->op;
	unsigned at = ring_owner(ring, op->number);

	if (l->target->random)
		at = (unsigned)random() % ring->n;
	memset(&m.call, 0, sizeof(m.call));
	m.call.verb = VERB_EXEC;
	m.call.which = WHICH_LIST;
	m.call.command = op->put ? COMMAND_STORE : COMMAND_REQUEST;
	m.call.timeout_ms = CALL_MS;
	idset_add(&m.call.peers, ring->ids[at]);
	name_set(&m.call.name, op->name, strlen(op->name));
	operation_path(&m.call.path, op);
	return frame_encode(&m, out, LANE_ROOM);
}

static size_t
ring_decode(struct lane *l, bool *done)
{
	static struct message m;
	long used = frame_decode(&m, l->in, l->len);

	if (used < 0)
		errx(1, "%s: garbage", l->target->name);
	if (used == 0)
		return 0;
	/* A peer that had no turn for long is taken for dead for a moment. */
	if (m.type == MSG_reply && l->op.put && m.reply.holders.count < 3)
		l->refused = true;
	*done = m.type == MSG_result;
	if (*done && m.result.exit != EXIT_DONE)
		l->refused = true;
	return (size_t)used;
}

void
ring_target_init(
    struct target *t, const char *name, const struct ring *ring, bool random)
{
	*t = (struct target){.name = name,
	    .open = ring_open,
	    .encode = ring_encode,
	    .decode = ring_decode,
	    .ring = ring,
	    .random = random};
	if (access(sources, F_OK) != 0)
		sources_write();
}
