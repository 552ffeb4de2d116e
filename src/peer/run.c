#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/recover.h"
#include "peer/drive.h"
#include "peer/home.h"
#include "wire/frame.h"
#include "wire/words.h"

enum {
	EXIT_MOVE_US = 5000000, /* for the journal; else it stays */
	SCAN_THREADS = 2,
	EXIT_FLUSH_US = 1000000, /* for what is still queued at the end */
	STARTED_FLUSH_MS = 1000,
};

/* What is read from the disk before there is a core. */
struct memory {
	uint32_t incarnation;
	bool kept; /* what it stored before */
	struct member *members;
	size_t count;
	struct disk_scan scan;
	struct driver *driver;
};

static int
fail(struct text *error, const struct driver *d, const char *what, int err)
{
	char text[TEXT_LEN_MAX + 1];

	snprintf(text, sizeof(text), "port %u (%s): %s", d->addr.port, what,
	    strerror(err));
	text_set(error, text);
	return -1;
}

static void
recall_frame(struct memory *memory, const struct members *list)
{
	size_t size = sizeof(*memory->members);
	struct member *all =
	    reallocarray(memory->members, memory->count + list->count, size);

	if (all == NULL)
		abort();
	memcpy(all + memory->count, list->at, list->count * size);
	memory->members = all;
	memory->count += list->count;
}

/* The durable view is a hint: what can't be read is not remembered. */
static void
recall_view(struct memory *memory, const struct disk *disk)
{
	struct message m;
	size_t len = 0, at = 0;
	uint8_t *data = disk_read_view(disk, &len);
	long n;

	while (data != NULL && memory->count < SPACE_MAX &&
	       (n = frame_decode(&m, data + at, len - at)) > 0) {
		at += (size_t)n;
		if (m.type == MSG_gossip && m.gossip.members.count > 0)
			recall_frame(memory, &m.gossip.members);
	}
	free(data);
}

static void
scan_good(struct disk_scan *s, const struct record *r)
{
	struct driver *d = CONTAINER(s, struct memory, scan)->driver;

	if (catalog_key(&d->catalog, &r->name) < 0)
		drive_note(
		    d, EVENT_damaged, r->name.text, "not a name in this ring");
	else if (catalog_put(&d->catalog, r) == -1)
		abort();
}

static void
scan_bad(struct disk_scan *s, const char *name, const char *reason)
{
	struct driver *d = CONTAINER(s, struct memory, scan)->driver;

	drive_note(d, EVENT_damaged, name, reason);
}

static void
scan_lost(struct disk_scan *s, const struct record *r)
{
	struct driver *d = CONTAINER(s, struct memory, scan)->driver;

	if (catalog_key(&d->catalog, &r->name) >= 0)
		catalog_lose(&d->catalog, r);
}

static unsigned
scan_key(struct disk_scan *s, const struct name *name)
{
	struct driver *d = CONTAINER(s, struct memory, scan)->driver;

	return (unsigned)catalog_key(&d->catalog, name);
}

/* The next life's incarnation is on the disk before a port is bound. */
static int
raise_incarnation(struct driver *d, struct memory *memory, struct text *error)
{
	uint32_t *value = &memory->incarnation;
	int rc;

	if (disk_read_incarnation(&d->disk, value, &memory->kept, error) == -1)
		return -1;
	if (*value == 0)
		return 0;
	rc = disk_write_incarnation(&d->disk, ++*value);
	if (rc == 0)
		return 0;
	text_set(error, "data folder ");
	text_add(error, d->disk.path);
	text_add(error, "/incarnation: ");
	text_add(error, strerror(rc));
	return -1;
}

static int
open_disk(struct driver *d, struct memory *memory, struct text *error)
{
	int rc;

	if (home_open(&d->disk, d->setup->data, d->setup->sync, error) == -1 ||
	    raise_incarnation(d, memory, error) == -1)
		return -1;
	recall_view(memory, &d->disk);
	memory->driver = d;
	memory->scan = (struct disk_scan){.key = scan_key,
	    .good = scan_good,
	    .bad = scan_bad,
	    .lost = scan_lost,
	    .threads = SCAN_THREADS};
	rc = disk_scan(&d->disk, &memory->scan);
	if (rc == 0)
		return 0;
	text_set(error, "data folder ");
	text_add(error, d->disk.path);
	text_add(error, "/files: ");
	text_add(error, strerror(rc));
	return -1;
}

static int
open_ports(struct driver *d, struct text *error)
{
	if (tcp_listen(d) == -1)
		return fail(error, d, "TCP", errno);
	if (udp_bind(d) == -1)
		return fail(error, d, "UDP", errno);
	return 0;
}

static struct addr
own_addr(const struct peer_setup *s)
{
	struct addr addr = {s->host_ip, (uint16_t)(s->port + s->id)};

	for (size_t i = 0; i < s->contact_count; i++)
		if (s->contacts[i].id == s->id && s->contacts[i].addr.port != 0)
			addr = s->contacts[i].addr;
	return addr;
}

static void
make_core(struct driver *d, const struct memory *memory)
{
	const struct peer_setup *s = d->setup;
	struct peer_config config = {.id = s->id,
	    .bits = s->bits,
	    .copies = s->copies,
	    .route = s->route,
	    .note_pings = s->log_pings,
	    .ping_ms = s->ping_ms,
	    .port_base = s->port,
	    .host_ip = s->host_ip,
	    .addr = d->addr,
	    .incarnation = memory->incarnation,
	    .kept = memory->kept && !memory->scan.gaps,
	    .join_through = s->join_through,
	    .contacts = s->contacts,
	    .contact_count = s->contact_count,
	    .remembered = memory->members,
	    .remembered_count = memory->count,
	    .index = catalog_index(&d->catalog),
	    .arrivals = {d, file_arrived}};
	struct secret nonce;

	auth_nonce(&nonce);
	memcpy(&config.seed, nonce.bytes, sizeof(config.seed));
	d->core = calloc(1, peer_size());
	/* Of this, only what a step uses becomes memory. */
	d->actions = malloc(sizeof(*d->actions));
	if (d->core == NULL || d->actions == NULL)
		abort();
	peer_init(d->core, &config, d->loop.now_us);
	d->view_hash = peer_view_hash(d->core);
}

static void
flush_pipe(struct driver *d)
{
	struct pollfd p = {.fd = d->pipe.out_fd, .events = POLLOUT};

	pipe_flush(d);
	while (pipe_busy(d) && poll(&p, 1, STARTED_FLUSH_MS) == 1)
		pipe_flush(d);
}

static void
say_started(struct driver *d, const struct text *error)
{
	struct message m = {.type = MSG_started};
	char text[TEXT_LEN_MAX + 1];

	if (error != NULL) {
		snprintf(text, sizeof(text), "peer %u: %.480s", d->setup->id,
		    error->text);
		m.started.error = ERROR_system;
		text_set(&m.started.text, text);
	}
	pipe_send(d, &m);
	flush_pipe(d);
}

static int
start(struct driver *d, struct text *error)
{
	struct memory memory = {.incarnation = 0};
	int rc = -1;

	d->addr = own_addr(d->setup);
	if (auth_init() == -1) {
		text_set(error, "no random bytes from the system");
		return -1;
	}
	auth_ring_key(&d->key, &d->setup->key, d->setup->port, d->setup->bits);
	if (catalog_init(&d->catalog, d->setup->bits, d->setup->any_names) ==
	    -1)
		text_set(error, "out of memory");
	else if (open_disk(d, &memory, error) == 0)
		rc = open_ports(d, error);
	if (rc == 0) {
		make_core(d, &memory);
		open_here_init(d);
		group_start(d);
		scrub_start(d);
	}
	free(memory.members);
	return rc;
}

static bool
unfinished(const struct driver *d)
{
	return !d->pipe.closed &&
	       (tcp_busy(d) || pipe_busy(d) || d->workers.pending > 0);
}

static void
turn(struct driver *d)
{
	if (loop_turn(&d->loop) == -1)
		abort();
	drive_settle(d);
}

static void
on_exit_timer(struct timer *t)
{
	(void)t;
}

/* What was said goes out, and what helpers do is done, within a second. */
static void
finish(struct driver *d)
{
	uint64_t until = clock_us() + EXIT_FLUSH_US;
	struct timer timer;

	timer_init(&timer, on_exit_timer);
	timer_start(&d->loop, &timer, until);
	while (unfinished(d) && d->loop.now_us < until)
		turn(d);
	timer_stop(&d->loop, &timer);
	drive_save_view(d);
	/* Now, as little as can be is left for the next start. */
	if (d->workers.pending == 0)
		group_flush(d, clock_us() + EXIT_MOVE_US);
}

static void
release(struct driver *d)
{
	drive_free(d);
	/* A helper that a disk holds up ends with the process. */
	if (d->workers.pending > 0)
		return;
	workers_free(&d->workers);
	disk_close(&d->disk);
	catalog_free(&d->catalog);
	loop_free(&d->loop);
	free(d->core);
	free(d->actions);
	here_free(&d->here);
	free(d);
}

int
peer_run(const struct peer_setup *setup)
{
	struct driver *d = calloc(1, sizeof(*d));
	struct text error = {.len = 0};
	int code = EXIT_FAILED;

	assert(setup->bits > 0 && setup->bits <= BITS_MAX);
	if (d == NULL)
		abort();
	signal(SIGPIPE, SIG_IGN);
	/* Helpers share one heap: arenas of their own would stay. */
	mallopt(M_ARENA_MAX, 1);
	d->setup = setup;
	disk_init(&d->disk);
	if (loop_init(&d->loop) == -1 ||
	    workers_init(&d->workers, &d->loop) == -1)
		abort();
	drive_init(d);
	if (pipe_init(d, setup->in, setup->out) == -1)
		abort();
	if (start(d, &error) == -1) {
		say_started(d, &error);
	} else {
		say_started(d, NULL);
		drive_settle(d);
		while (!d->exiting)
			turn(d);
		code = d->exit_code;
		finish(d);
	}
	release(d);
	return code;
}
