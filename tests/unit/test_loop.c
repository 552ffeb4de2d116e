#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "os/loop.h"
#include "unit.h"

enum { MANY = 500 };

static struct loop loop;

/* A pipe with something to read, watched. */
struct pipe {
	struct source source;
	int fds[2];
	unsigned calls;
	uint32_t events;
};

static struct pipe one, two;
static struct timer timers[MANY];
static uint64_t fired_at[MANY];
static size_t fired;

static int
setup(void **state)
{
	(void)state;
	fired = 0;
	return loop_init(&loop);
}

static int
teardown(void **state)
{
	(void)state;
	loop_free(&loop);
	return 0;
}

static void
on_ready(struct source *s, uint32_t events)
{
	struct pipe *p = CONTAINER(s, struct pipe, source);

	p->calls++;
	p->events = events;
}

static void
pipe_open(struct pipe *p, void (*ready)(struct source *, uint32_t))
{
	memset(p, 0, sizeof(*p));
	assert_int_equal(pipe2(p->fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(write(p->fds[1], "x", 1), 1);
	assert_int_equal(
	    loop_add(&loop, &p->source, p->fds[0], EPOLLIN, ready), 0);
}

static void
pipe_close(struct pipe *p)
{
	loop_del(&loop, &p->source);
	close(p->fds[0]);
	if (p->fds[1] != -1)
		close(p->fds[1]);
}

static void
on_fire(struct timer *t)
{
	assert_int_equal(t->index, -1);
	fired_at[fired++] = t->at_us;
}

static void
timers_fire_in_order(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 1);
	for (size_t i = 0; i < MANY; i++) {
		timer_init(&timers[i], on_fire);
		timer_start(&loop, &timers[i], 1 + random_below(&r, 100));
	}
	for (size_t i = 0; i < MANY; i += 3)
		timer_stop(&loop, &timers[i]);
	for (size_t i = 1; i < MANY; i += 3)
		timer_start(&loop, &timers[i], 1 + random_below(&r, 100));
	assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(fired, MANY - (MANY + 2) / 3);
	for (size_t i = 1; i < fired; i++)
		assert_true(fired_at[i - 1] <= fired_at[i]);
	assert_int_equal(loop.timers, 0);
}

static void
on_fire_stop_next(struct timer *t)
{
	fired++;
	timer_stop(&loop, t + 1);
}

static void
timers_stop_each_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		timer_init(&timers[i], on_fire_stop_next);
		timer_start(&loop, &timers[i], i + 1);
	}
	timer_init(&timers[4], on_fire);
	assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(fired, 2);
}

static void
on_fire_again(struct timer *t)
{
	fired++;
	timer_start(&loop, t, 1);
}

/* Else it would keep the loop from its sources for ever. */
static void
timer_restarted_in_the_past_waits_a_turn(void **state)
{
	(void)state;
	timer_init(&timers[0], on_fire_again);
	timer_start(&loop, &timers[0], 1);
	for (size_t i = 1; i <= 3; i++) {
		assert_int_equal(loop_turn(&loop), 0);
		assert_int_equal(fired, i);
	}
	timer_stop(&loop, &timers[0]);
	timer_stop(&loop, &timers[0]);
	assert_int_equal(timers[0].index, -1);
}

/* A wait that were rounded down would end before the timer is due. */
static void
turns_end_when_a_timer_is_due(void **state)
{
	(void)state;
	for (unsigned us = 100; us < 3000; us += 700) {
		uint64_t at = clock_us() + us;

		fired = 0;
		timer_init(&timers[0], on_fire);
		timer_start(&loop, &timers[0], at);
		assert_int_equal(loop_turn(&loop), 0);
		assert_int_equal(fired, 1);
		assert_true(clock_us() >= at);
	}
}

static void
sources_are_called_while_ready(void **state)
{
	char byte;

	(void)state;
	pipe_open(&one, on_ready);
	timer_init(&timers[0], on_fire);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(loop_turn(&loop), 0);
		assert_int_equal(one.calls, i);
		assert_int_equal(one.events, EPOLLIN);
	}
	assert_int_equal(read(one.fds[0], &byte, 1), 1);
	timer_start(&loop, &timers[0], 1);
	assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(one.calls, 3);
	close(one.fds[1]);
	one.fds[1] = -1;
	assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(one.calls, 4);
	assert_true(one.events & EPOLLHUP);
	pipe_close(&one);
}

static void
what_is_waited_for_can_change(void **state)
{
	(void)state;
	pipe_open(&one, on_ready);
	timer_init(&timers[0], on_fire);
	loop_set(&loop, &one.source, 0);
	timer_start(&loop, &timers[0], 1);
	assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(one.calls, 0);
	loop_set(&loop, &one.source, EPOLLIN);
	assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(one.calls, 1);
	loop_del(&loop, &one.source);
	loop_del(&loop, &one.source);
	assert_int_equal(fcntl(one.fds[0], F_GETFD), FD_CLOEXEC);
	pipe_close(&one);
}

/* Whichever of two comes first removes and frees the other. */
static struct pipe *pair[2];
static unsigned pair_calls;

static void
on_ready_free_other(struct source *s, uint32_t events)
{
	struct pipe *self = CONTAINER(s, struct pipe, source);
	int other = pair[0] == self;

	(void)events;
	pair_calls++;
	if (pair[other] == NULL)
		return;
	pipe_close(pair[other]);
	free(pair[other]);
	pair[other] = NULL;
}

static void
removed_in_a_batch_is_not_called(void **state)
{
	(void)state;
	pair_calls = 0;
	for (int i = 0; i < 2; i++) {
		pair[i] = malloc(sizeof(*pair[i]));
		assert_non_null(pair[i]);
		pipe_open(pair[i], on_ready_free_other);
	}
	assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(pair_calls, 1);
	for (int i = 0; i < 2; i++) {
		if (pair[i] != NULL)
			pipe_close(pair[i]);
		free(pair[i]);
	}
}

/* Whichever comes first replaces the other, in its place. */
static void
on_ready_replace(struct source *s, uint32_t events)
{
	struct pipe *self = CONTAINER(s, struct pipe, source);
	struct pipe *other = self == &one ? &two : &one;

	(void)events;
	self->calls++;
	pipe_close(other);
	pipe_open(other, on_ready);
}

static void
replaced_in_a_batch_is_not_called(void **state)
{
	(void)state;
	pipe_open(&one, on_ready_replace);
	pipe_open(&two, on_ready_replace);
	assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(one.calls + two.calls, 1);
	pipe_close(&one);
	pipe_close(&two);
}

/* Whichever comes first asks for nothing of the other. */
static void
on_ready_mute(struct source *s, uint32_t events)
{
	struct pipe *self = CONTAINER(s, struct pipe, source);

	(void)events;
	self->calls++;
	loop_set(&loop, self == &one ? &two.source : &one.source, 0);
}

static void
muted_in_a_batch_is_not_called(void **state)
{
	(void)state;
	pipe_open(&one, on_ready_mute);
	pipe_open(&two, on_ready_mute);
	assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(one.calls + two.calls, 1);
	pipe_close(&one);
	pipe_close(&two);
}

static void
more_than_a_batch(void **state)
{
	static struct pipe many[LOOP_BATCH + 10];
	const size_t count = LOOP_BATCH + 10;

	(void)state;
	for (size_t i = 0; i < count; i++)
		pipe_open(&many[i], on_ready);
	for (int turn = 0; turn < 4; turn++)
		assert_int_equal(loop_turn(&loop), 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(many[i].calls > 0);
		pipe_close(&many[i]);
	}
}

static void
what_cannot_be_polled_is_refused(void **state)
{
	struct source s;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(loop_add(&loop, &s, fd, EPOLLIN, on_ready), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(s.fd, -1);
	close(fd);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(LOOP_TEST(timers_fire_in_order), LOOP_TEST(timers_stop_each_other),
    LOOP_TEST(timer_restarted_in_the_past_waits_a_turn),
    LOOP_TEST(turns_end_when_a_timer_is_due),
    LOOP_TEST(sources_are_called_while_ready),
    LOOP_TEST(what_is_waited_for_can_change),
    LOOP_TEST(removed_in_a_batch_is_not_called),
    LOOP_TEST(replaced_in_a_batch_is_not_called),
    LOOP_TEST(muted_in_a_batch_is_not_called), LOOP_TEST(more_than_a_batch),
    LOOP_TEST(what_cannot_be_polled_is_refused))
