#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "peer/drive.h"
#include "peer/home.h"
#include "stubs.h"
#include "unit.h"

/*
 * Two drivers in one process, each with a core of this test's own: it does
 * what the test queued, and writes down what it is told.
 */
enum { A = 2, B = 4, PORT = 21900, EVENTS_MAX = 64, WAIT_US = 20000000 };

struct peer {
	struct driver driver;
	struct peer_setup setup;
	struct action todo[8];
	struct message messages[8]; /* that ACT_SEND sends */
	size_t todo_count;
	struct event seen[EVENTS_MAX];
	size_t seen_count;
	struct member view;
};

static struct folder dir;
static bool appends; /* b's temporary file: splice() refuses those */
static struct peer *a, *b;

size_t
peer_size(void)
{
	return sizeof(struct peer);
}

void
peer_init(struct peer *p, const struct peer_config *config, uint64_t now_us)
{
	(void)p;
	(void)config;
	(void)now_us;
}

void
peer_step(struct peer *p, uint64_t now_us, const struct event *ev,
    struct actions *out)
{
	(void)now_us;
	out->count = out->used = out->ids_used = 0;
	for (size_t i = 0; i < p->todo_count; i++) {
		struct action *act = &out->at[out->count++];

		*act = p->todo[i];
		if (act->type != ACT_SEND)
			continue;
		act->bytes = out->used;
		act->len = message_encode(
		    &p->messages[i], out->data + out->used, MESSAGE_LEN_MAX);
		out->used += act->len;
	}
	p->todo_count = 0;
	if (ev->type == EV_TICK)
		return;
	assert_true(p->seen_count < EVENTS_MAX);
	p->seen[p->seen_count] = *ev;
	p->seen[p->seen_count].message = NULL;
	p->seen[p->seen_count++].text = NULL;
}

/* At once while there is something to do, and never for long. */
uint64_t
peer_deadline(const struct peer *p)
{
	return p->driver.loop.now_us + (p->todo_count > 0 ? 0 : 500);
}

uint32_t
peer_incarnation(const struct peer *p)
{
	return p->setup.id * 10u;
}

const struct member *
peer_view(const struct peer *p, unsigned id)
{
	(void)id;
	return &p->view;
}

static struct action *
todo(struct peer *p, enum action_type type)
{
	struct action *act = &p->todo[p->todo_count++];

	*act = (struct action){.type = type};
	return act;
}

static void
say(struct peer *p, uint32_t conn, struct message m)
{
	p->messages[p->todo_count] = m;
	todo(p, ACT_SEND)->conn = conn;
}

static void
turn(struct peer *p)
{
	drive_settle(&p->driver);
	assert_int_equal(loop_turn(&p->driver.loop), 0);
	drive_settle(&p->driver);
}

/* What p has to do is done: nothing comes before it is expected. */
static void
apply(struct peer *p)
{
	while (p->todo_count > 0)
		turn(p);
}

/* Turns both until p was told of type; that event, the newest of them. */
static const struct event *
await(struct peer *p, enum event_type type)
{
	uint64_t until = clock_us() + WAIT_US;

	while (clock_us() < until) {
		for (size_t k = p->seen_count; k-- > 0;)
			if (p->seen[k].type == type) {
				static struct event found;

				found = p->seen[k];
				p->seen_count = 0;
				return &found;
			}
		turn(a);
		turn(b);
	}
	fail_msg("event %d did not come", type);
	return NULL;
}

static void
set_ring(struct peer *p, uint16_t port)
{
	p->setup.port = port;
	auth_ring_key(&p->driver.key, &p->setup.key, port, p->setup.bits);
}

static struct peer *
start(uint16_t id)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct driver *d;
	struct text error;

	assert_non_null(p);
	d = &p->driver;
	p->setup = (struct peer_setup){.id = id, .bits = 8, .sync = true};
	memset(p->setup.key.bytes, 7, SECRET_LEN);
	snprintf(p->setup.data, sizeof(p->setup.data), "%s/%u", dir.path, id);
	d->setup = &p->setup;
	/* A loopback address of this process alone. */
	d->addr = (struct addr){
	    0x7f000002 + ((uint32_t)getpid() & 0xfffff), (uint16_t)(PORT + id)};
	d->core = p;
	d->actions = malloc(sizeof(*d->actions));
	assert_int_equal(auth_init(), 0);
	set_ring(p, PORT);
	assert_int_equal(loop_init(&d->loop), 0);
	assert_int_equal(workers_init(&d->workers, &d->loop), 0);
	drive_init(d);
	assert_int_equal(pipe_init(d, -1, -1), 0);
	assert_int_equal(home_open(&d->disk, p->setup.data, true, &error), 0);
	assert_int_equal(catalog_init(&d->catalog, 8, false), 0);
	assert_int_equal(tcp_listen(d), 0);
	assert_int_equal(udp_bind(d), 0);
	return p;
}

static void
stop(struct peer *p)
{
	struct driver *d = &p->driver;

	drive_free(d);
	assert_int_equal(d->workers.pending, 0);
	workers_free(&d->workers);
	disk_close(&d->disk);
	here_free(&d->here);
	catalog_free(&d->catalog);
	loop_free(&d->loop);
	free(d->actions);
	free(p);
}

static int
begin(void **state)
{
	(void)state;
	appends = false;
	if (folder_make(&dir) != 0)
		return -1;
	a = start(A);
	b = start(B);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	stop(a);
	stop(b);
	return folder_remove(&dir);
}

static void
connect_to_b(unsigned id)
{
	struct action *act = todo(a, ACT_CONNECT);

	act->conn = 1;
	act->id = (uint16_t)id;
	act->role = CONN_STREAM;
	act->addr = b->driver.addr;
	act->timeout_us = 2000000;
}

/* Bytes that differ everywhere, in a file of the folder. */
static char *
make_source(size_t size)
{
	static char path[PATH_LEN_MAX];
	uint8_t *data = malloc(size + 1);
	int fd;

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	snprintf(path, sizeof(path), "%s/source", dir.path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
	free(data);
	return path;
}

static struct record
record(size_t size)
{
	struct record r = {.version = {.clock = 1}, .size = size};

	name_set(&r.name, "2067", 4);
	suffix_set(&r.suffix, ".pdf", 4);
	return r;
}

/* a's source to b's temporary file; what b says of it. */
static struct event
send_source(size_t size)
{
	struct action *act;
	struct event sent, got;
	uint32_t inbound;

	connect_to_b(B);
	assert_int_equal(await(a, EV_CONN_OPEN)->from, B);
	got = *await(b, EV_CONN_OPEN);
	assert_int_equal(got.from, A);
	assert_int_equal(got.incarnation, A * 10);
	assert_int_equal(got.role, CONN_STREAM);
	inbound = got.conn;
	act = todo(a, ACT_OPEN_SOURCE);
	act->file = 11;
	act->path = make_source(size);
	assert_int_equal(await(a, EV_FILE)->size, size);
	act = todo(b, ACT_CREATE_TEMP);
	act->file = 22;
	act->record = record(size);
	assert_int_equal(await(b, EV_FILE)->error, ERROR_none);
	if (appends)
		assert_int_equal(
		    fcntl(file_find(&b->driver, 22)->fd, F_SETFL, O_APPEND), 0);
	act = todo(b, ACT_RAW_RECV);
	act->conn = inbound;
	act->file = 22;
	act->size = size;
	apply(b);
	act = todo(a, ACT_RAW_SEND);
	act->conn = 1;
	act->file = 11;
	act->size = size;
	say(a, 1, (struct message){.type = MSG_end, .end = {.op = 9}});
	got = *await(b, EV_RAW_RECEIVED);
	sent = *await(a, EV_RAW_SENT);
	assert_memory_equal(sent.digest.bytes, got.digest.bytes, DIGEST_LEN);
	return got;
}

static bool
is_a_file(size_t size)
{
	char path[PATH_LEN_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/4/files/13/2067", dir.path);
	if (stat(path, &st) == -1)
		return false;
	assert_int_equal(st.st_size, size + TRAILER_LEN);
	return true;
}

static void
bytes_arrive(size_t size)
{
	struct event got = send_source(size);
	struct action *act = todo(b, ACT_COMMIT);
	struct stat st;
	char path[PATH_LEN_MAX];

	act->file = 22;
	act->record = record(size);
	act->record.digest = got.digest;
	assert_int_equal(await(b, EV_FILE)->error, ERROR_none);
	assert_int_equal(b->driver.catalog.files, 1);
	/* What is small is in the journal, and its file comes later. */
	assert_int_equal(is_a_file(size), size > SMALL_MAX);
	todo(b, ACT_DISCARD)->file = 22;
	/* Home again, by a local copy, under its suffix. */
	act = todo(b, ACT_OPEN_STORED);
	act->file = 23;
	act->record = record(size);
	assert_int_equal(await(b, EV_FILE)->size, size);
	act = todo(b, ACT_CREATE_TARGET);
	act->file = 24;
	act->record = record(size);
	snprintf(path, sizeof(path), "%s/", dir.path);
	act->path = path;
	assert_int_equal(await(b, EV_FILE)->error, ERROR_none);
	act = todo(b, ACT_COPY);
	act->file = 23;
	act->target = 24;
	assert_memory_equal(
	    await(b, EV_FILE)->digest.bytes, got.digest.bytes, DIGEST_LEN);
	todo(b, ACT_RENAME)->file = 24;
	assert_int_equal(await(b, EV_FILE)->error, ERROR_none);
	snprintf(path, sizeof(path), "%s/received_2067.pdf", dir.path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, size);
	/* Its caller's alone, whatever the umask of this process. */
	assert_int_equal(st.st_mode & 0777, 0600);
	while (b->driver.workers.pending > 0)
		turn(b);
	group_flush(&b->driver, UINT64_MAX);
	assert_true(is_a_file(size));
}

#define ARRIVE(name, size)                                                     \
	static void name(void **state)                                         \
	{                                                                      \
		(void)state;                                                   \
		bytes_arrive(size);                                            \
	}
ARRIVE(no_byte, 0)
ARRIVE(small_bytes, SMALL_MAX)
ARRIVE(few_bytes, 65537)
ARRIVE(many_bytes, 20 * 1000 * 1000 + 1)

static void
many_bytes_without_splice(void **state)
{
	appends = true;
	many_bytes(state);
}

static void
what_is_not_committed_vanishes(void **state)
{
	char path[PATH_LEN_MAX];
	uint64_t until;

	(void)state;
	send_source(1000);
	snprintf(path, sizeof(path), "%s/4/tmp/22", dir.path);
	assert_int_equal(access(path, F_OK), 0);
	todo(b, ACT_DISCARD)->file = 22;
	until = clock_us() + WAIT_US;
	while (access(path, F_OK) == 0 && clock_us() < until)
		turn(b);
	assert_int_equal(access(path, F_OK), -1);
}

static void
another_key_is_rejected(void **state)
{
	(void)state;
	b->setup.key.bytes[0] ^= 1;
	set_ring(b, PORT);
	connect_to_b(B);
	assert_int_equal(await(a, EV_CONN_CLOSED)->reason, CLOSE_REJECTED);
	assert_int_equal(b->seen_count, 0);
}

/* One datagram, which comes several times. */
static void
ping_b(int copies)
{
	struct message m = {.type = MSG_ping, .ping = {.target = B}};
	uint8_t data[64];

	udp_seal(&a->driver, data, message_encode(&m, data, sizeof(data)));
	while (copies-- > 0)
		udp_send_to(&a->driver, b->driver.addr);
	udp_settle(&a->driver);
}

static void
await_dropped(uint64_t count)
{
	uint64_t until = clock_us() + WAIT_US;

	while (b->driver.dropped < count && clock_us() < until)
		turn(b);
	assert_int_equal(b->driver.dropped, count);
}

/* Rings that share a key file, but not a port base, are strangers. */
static void
another_ring_is_rejected(void **state)
{
	(void)state;
	set_ring(b, PORT + 100);
	connect_to_b(B);
	assert_int_equal(await(a, EV_CONN_CLOSED)->reason, CLOSE_REJECTED);
	ping_b(1);
	await_dropped(1);
	assert_int_equal(b->seen_count, 0);
}

static void
datagrams_are_heard_once(void **state)
{
	(void)state;
	ping_b(3);
	await_dropped(2);
	assert_int_equal(b->seen_count, 1);
	assert_int_equal(await(b, EV_DATAGRAM)->incarnation, A * 10);
}

static void
another_identifier_is_rejected(void **state)
{
	(void)state;
	connect_to_b(5);
	assert_int_equal(await(a, EV_CONN_CLOSED)->reason, CLOSE_HANGUP);
	assert_int_equal(b->seen_count, 0);
	assert_int_equal(b->driver.dropped, 1);
}

static void
a_closed_port_is_refused(void **state)
{
	(void)state;
	connect_to_b(B);
	a->todo[0].addr.port = PORT + 77;
	assert_int_equal(await(a, EV_CONN_CLOSED)->reason, CLOSE_REFUSED);
}

#define BETWEEN(function) cmocka_unit_test_setup_teardown(function, begin, end)

UNIT_MAIN(BETWEEN(no_byte), BETWEEN(small_bytes), BETWEEN(few_bytes),
    BETWEEN(many_bytes), BETWEEN(many_bytes_without_splice),
    BETWEEN(what_is_not_committed_vanishes), BETWEEN(another_key_is_rejected),
    BETWEEN(another_ring_is_rejected), BETWEEN(datagrams_are_heard_once),
    BETWEEN(another_identifier_is_rejected), BETWEEN(a_closed_port_is_refused))
