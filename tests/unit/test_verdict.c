#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "super/check.h"
#include "super/super.h"
#include "unit.h"
#include "wire/frame.h"

/* The end of a check, and what is left of it until the client has read all. */
enum { PAUSED = 5, DOWN = 8 };

static struct super *super;
static struct client *client;
static struct message m;

static void
never(struct timer *t)
{
	(void)t;
	fail();
}

static struct witness *
reader(struct check *k)
{
	struct witness *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->check = k;
	w->id = DOWN;
	w->down = true;
	w->to_fd = w->from_fd = w->from.fd = -1;
	return w;
}

/* A check under way, of a ring of which one is down. */
static int
setup(void **state)
{
	(void)state;
	/* A check is large: who looks at it when it is freed crashes. */
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	super = calloc(1, sizeof(*super));
	client = calloc(1, sizeof(*client));
	assert_true(super != NULL && client != NULL);
	assert_int_equal(loop_init(&super->loop), 0);
	child_new(super, DOWN, 0);
	super->client_count = 1;
	client->super = super;
	client->fd = client->source.fd = -1;
	client->busy = true;
	client->call.verb = VERB_CHECK;
	for (client->row = verb_rows; client->row->verb != VERB_CHECK;)
		client->row++;
	outlet_init(&client->outlet, CLIENT_QUEUE_MAX);
	timer_init(&client->timer, never);
	verb_check_begin(client);
	super->checking = client->check;
	client->check->all[client->check->count++] = reader(client->check);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	client_drop(client);
	assert_null(client->check);
	assert_null(super->checking);
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (super->children[id] != NULL) {
			super->children[id]->pid = 0;
			child_free(super->children[id]);
		}
	loop_free(&super->loop);
	free(client);
	free(super);
	return 0;
}

static void
pause_one(void)
{
	struct child *c = child_new(super, PAUSED, 0);

	c->pid = 1;
	c->stopped = true;
}

/* The client does not read what it is told. */
static void
reach(void)
{
	m.type = MSG_line;
	while (outlet_used(&client->outlet) <= STREAM_AHEAD)
		client_send(client, &m);
	verdict_reach(client->check, true);
	assert_non_null(client->check);
}

/* Else the peers whose disks are read could not start. */
static void
disks_are_left_at_once(void **state)
{
	(void)state;
	reach();
	assert_int_equal(client->check->verdict.disks, 1);
	assert_int_equal(client->check->count, 0);
}

/* Its peer started meanwhile, and was asked itself. */
static void
unread_disk_of_a_peer_that_came_back(void **state)
{
	(void)state;
	idset_add(&client->check->unread, DOWN);
	check_child_starts(super, DOWN);
	reach();
	assert_int_equal(client->check->verdict.disks, 0);
	assert_int_equal(client->check->verdict.unknown, 0);
}

static void
client_gone_over_the_unknown(void **state)
{
	(void)state;
	pause_one();
	client->outlet.max = 0;
	verdict_reach(client->check, true);
	assert_true(client->gone);
}

static void
client_gone_over_the_verdict(void **state)
{
	(void)state;
	client->outlet.max = 0;
	verdict_reach(client->check, true);
	assert_true(client->gone);
}

/* As many as are told of. */
static void
unknown_when_out_of_time(void **state)
{
	struct outlet *out = &client->outlet;
	unsigned told = 0;
	long used;

	(void)state;
	pause_one();
	verb_check_expire(client);
	assert_null(client->check);
	while ((used = frame_decode(
		    &m, out->data + out->start, outlet_used(out))) > 0 &&
	       m.type == MSG_finding) {
		told++;
		out->start += (size_t)used;
	}
	assert_int_equal(m.type, MSG_verdict);
	assert_int_equal(told, 1);
	assert_int_equal(m.verdict.unknown, told);
}

UNIT_MAIN(
    cmocka_unit_test_setup_teardown(disks_are_left_at_once, setup, teardown),
    cmocka_unit_test_setup_teardown(
	unread_disk_of_a_peer_that_came_back, setup, teardown),
    cmocka_unit_test_setup_teardown(
	client_gone_over_the_unknown, setup, teardown),
    cmocka_unit_test_setup_teardown(
	client_gone_over_the_verdict, setup, teardown),
    cmocka_unit_test_setup_teardown(unknown_when_out_of_time, setup, teardown))
