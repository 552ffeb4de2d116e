#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "os/unix.h"
#include "super/client.h"
#include "unit.h"
#include "wire/frame.h"

enum {
	CALLS_MAX = 400000,
	HELD_MAX = 1 << 20, /* bytes that a client may make us keep */
	TURN_MS = 1,
	CONNECT_MS = 1000,
};

static struct folder folder;
static struct super *s;
static struct path_buf path;
static struct message message;

static void
wake(struct timer *t)
{
	(void)t;
}

static int
setup(void **state)
{
	(void)state;
	if (folder_make(&folder) != 0)
		return -1;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -1;
	config_init(&s->config);
	s->spare_fd = s->start_fd = -1;
	s->phase = RING_RUNNING;
	snprintf(path.text, sizeof(path.text), "%s/sock", folder.path);
	s->listen_fd = unix_listen(path.text);
	timer_init(&s->again, wake);
	timer_init(&s->accept_timer, control_accept_again);
	return s->listen_fd == -1 || loop_init(&s->loop) == -1 ||
		       loop_add(&s->loop, &s->listener, s->listen_fd, EPOLLIN,
			   control_accept) == -1
		   ? -1
		   : 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (struct client *c = s->clients; c != NULL; c = c->next)
		client_drop(c);
	control_turn(s);
	loop_free(&s->loop);
	close(s->listen_fd);
	free(s);
	return folder_remove(&folder);
}

static void
turn(void)
{
	timer_start(&s->loop, &s->again, clock_us() + TURN_MS * 1000);
	assert_int_equal(loop_turn(&s->loop), 0);
	control_settle(s);
	control_turn(s);
}

/* One more client, which has had its welcome; returns its end. */
static int
connected(void)
{
	unsigned before = s->client_count;
	int fd = unix_connect(path.text, CONNECT_MS);

	assert_int_not_equal(fd, -1);
	for (int i = 0; i < 100 && s->client_count == before; i++)
		turn();
	assert_int_equal(s->client_count, before + 1);
	return fd;
}

/* Takes what there is for this client; how many messages, or -1: hung up. */
static int
drain(int fd, struct inlet *in)
{
	int count = 0, rc;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, 0) == 0)
			return count;
		if (inlet_fill(in, fd) != 1)
			return -1;
		while ((rc = inlet_next(in, &message)) == 1)
			count++;
		assert_int_equal(rc, 0);
	}
}

/* A call that is answered at once: there is no such thing to wait for. */
static size_t
a_call(uint8_t *out, size_t size)
{
	memset(&message, 0, sizeof(message));
	message.type = MSG_call;
	message.call.verb = VERB_WAIT;
	text_set(&message.call.text, "godot");
	return frame_encode(&message, out, size);
}

static void
dropped_over_an_answer(void **state)
{
	struct child *child = child_new(s, 2, 0);
	int fd = connected();
	struct client *c = s->clients;

	(void)state;
	child->pid = getpid();
	child->stopped = true;
	memset(&message, 0, sizeof(message));
	message.call.verb = VERB_QUIT;
	message.call.which = WHICH_LIST;
	idset_add(&message.call.peers, 2);
	call_begin(c, &message.call);
	assert_true(c->busy);
	c->outlet.max = 0;
	verb_peers_expire(c);
	assert_true(c->gone);
	control_turn(s);
	assert_int_equal(s->client_count, 0);
	child->pid = 0;
	child_free(child);
	close(fd);
}

/* It is made to wait, and has every answer when it reads at last. */
static void
one_that_never_reads_is_not_read(void **state)
{
	static uint8_t call[FRAME_LEN_MAX];
	size_t len = a_call(call, sizeof(call));
	int fd = connected(), calls = 0, answers = 0, idle = 0, n;
	struct inlet in = {0};

	(void)state;
	for (; idle < 5 && calls < CALLS_MAX; idle++) {
		while (calls < CALLS_MAX &&
		       send(fd, call, len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
			   (ssize_t)len) {
			calls++;
			idle = 0;
		}
		turn();
	}
	assert_true(calls < CALLS_MAX);
	assert_int_equal(s->client_count, 1);
	assert_true(outlet_used(&s->clients->outlet) < HELD_MAX);
	for (idle = 0; idle < 5 && answers <= calls; idle++) {
		n = drain(fd, &in);
		assert_int_not_equal(n, -1);
		answers += n;
		if (n > 0)
			idle = 0;
		turn();
	}
	assert_int_equal(answers, calls + 1); /* and the welcome */
	inlet_free(&in);
	close(fd);
}

static void
fill(struct client *c)
{
	memset(&message, 0, sizeof(message));
	message.type = MSG_line;
	while (outlet_put(&c->outlet, &message) == 0)
		;
	s->queued += outlet_used(&c->outlet);
}

static void
the_fullest_goes_first(void **state)
{
	enum { FULL = QUEUES_MAX / CLIENT_QUEUE_MAX + 1 };
	int fds[FULL], innocent;
	struct inlet in = {0};

	(void)state;
	for (int i = 0; i < FULL; i++)
		fds[i] = connected();
	for (struct client *c = s->clients; c != NULL; c = c->next)
		fill(c);
	assert_true(s->queued > QUEUES_MAX);
	innocent = unix_connect(path.text, CONNECT_MS);
	for (int i = 0; i < 5; i++)
		turn();
	assert_int_equal(drain(innocent, &in), 1);
	assert_int_equal(s->client_count, FULL);
	inlet_free(&in);
	for (int i = 0; i < FULL; i++)
		close(fds[i]);
	close(innocent);
}

#define RING_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(RING_TEST(dropped_over_an_answer),
    RING_TEST(one_that_never_reads_is_not_read),
    RING_TEST(the_fullest_goes_first))
