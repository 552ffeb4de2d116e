#include <sys/epoll.h>

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "os/loop.h"

static uint64_t
read_clock(clockid_t id)
{
	struct timespec ts;
	int rc = clock_gettime(id, &ts);

	assert(rc == 0);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
clock_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t
clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

int
loop_init(struct loop *l)
{
	*l = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	l->now_us = clock_us();
	return l->epoll_fd == -1 ? -1 : 0;
}

void
loop_free(struct loop *l)
{
	if (l->epoll_fd != -1)
		close(l->epoll_fd);
	free(l->heap);
	*l = (struct loop){.epoll_fd = -1};
}

int
loop_add(struct loop *l, struct source *s, int fd, uint32_t events,
    void (*ready)(struct source *, uint32_t events))
{
	struct epoll_event ev = {.events = events, .data.ptr = s};

	assert(fd >= 0);
	assert(ready != NULL);
	s->fd = -1;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == -1)
		return -1;
	s->fd = fd;
	s->events = events;
	s->ready = ready;
	return 0;
}

void
loop_set(struct loop *l, struct source *s, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = s};
	int rc;

	assert(s->fd >= 0);
	if (s->events == events)
		return;
	rc = epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, s->fd, &ev);
	assert(rc == 0);
	s->events = events;
}

void
loop_del(struct loop *l, struct source *s)
{
	if (s->fd == -1)
		return;
	for (int i = 0; i < l->batch_len; i++)
		if (l->batch[i] == s)
			l->batch[i] = NULL;
	/* Fails only if its owner closed it first: then it is gone already. */
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	s->fd = -1;
	s->events = 0;
}

static void
heap_put(struct loop *l, size_t i, struct timer *t)
{
	assert(i < l->timers);
	l->heap[i] = t;
	t->index = (int)i;
}

/* Moves t, for which place i is free, up to where it belongs. */
static void
heap_up(struct loop *l, size_t i, struct timer *t)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (l->heap[parent]->at_us <= t->at_us)
			break;
		heap_put(l, i, l->heap[parent]);
		i = parent;
	}
	heap_put(l, i, t);
}

static void
heap_down(struct loop *l, size_t i, struct timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= l->timers)
			break;
		if (child + 1 < l->timers &&
		    l->heap[child + 1]->at_us < l->heap[child]->at_us)
			child++;
		if (t->at_us <= l->heap[child]->at_us)
			break;
		heap_put(l, i, l->heap[child]);
		i = child;
	}
	heap_put(l, i, t);
}

static void
heap_place(struct loop *l, size_t i, struct timer *t)
{
	if (i > 0 && t->at_us < l->heap[(i - 1) / 2]->at_us)
		heap_up(l, i, t);
	else
		heap_down(l, i, t);
}

void
timer_init(struct timer *t, void (*fire)(struct timer *))
{
	*t = (struct timer){.index = -1, .fire = fire};
}

static void
heap_reserve(struct loop *l)
{
	struct timer **heap;

	if (l->timers < l->timers_max)
		return;
	l->timers_max = l->timers_max == 0 ? 16 : l->timers_max * 2;
	assert(l->timers_max < INT_MAX);
	heap = reallocarray(l->heap, l->timers_max, sizeof(*heap));
	if (heap == NULL)
		abort();
	l->heap = heap;
}

void
timer_start(struct loop *l, struct timer *t, uint64_t at_us)
{
	assert(t->fire != NULL);
	t->at_us = at_us;
	if (t->index == -1) {
		heap_reserve(l);
		l->timers++;
		heap_up(l, l->timers - 1, t);
	} else {
		heap_place(l, (size_t)t->index, t);
	}
	assert(l->heap[t->index] == t);
}

void
timer_stop(struct loop *l, struct timer *t)
{
	size_t i = (size_t)t->index;
	struct timer *last;

	if (t->index == -1)
		return;
	assert(l->heap[i] == t);
	t->index = -1;
	last = l->heap[--l->timers];
	if (last != t)
		heap_place(l, i, last);
}

/* Milliseconds for epoll, rounded up: rounded down, it would spin. */
static int
wait_ms(const struct loop *l)
{
	uint64_t now, left;

	if (l->timers == 0)
		return -1;
	now = clock_us();
	if (l->heap[0]->at_us <= now)
		return 0;
	left = l->heap[0]->at_us - now;
	return left / 1000 >= INT_MAX - 1 ? INT_MAX
					  : (int)((left + 999) / 1000);
}

static void
fire_timers(struct loop *l)
{
	/* A timer that restarts itself in the past waits for its next turn. */
	size_t budget = l->timers;

	while (
	    l->timers > 0 && budget-- > 0 && l->heap[0]->at_us <= l->now_us) {
		struct timer *t = l->heap[0];

		timer_stop(l, t);
		t->fire(t);
	}
}

int
loop_turn(struct loop *l)
{
	struct epoll_event events[LOOP_BATCH];
	int n = epoll_wait(l->epoll_fd, events, LOOP_BATCH, wait_ms(l));

	if (n == -1 && errno != EINTR)
		return -1;
	l->now_us = clock_us();
	l->batch_len = n > 0 ? n : 0;
	for (int i = 0; i < l->batch_len; i++)
		l->batch[i] = events[i].data.ptr;
	for (int i = 0; i < l->batch_len; i++) {
		struct source *s = l->batch[i];
		uint32_t want = EPOLLERR | EPOLLHUP;

		/* Removed, or asked for less, by one that ran before it. */
		if (s == NULL)
			continue;
		want |= s->events;
		if ((events[i].events & want) != 0)
			s->ready(s, events[i].events & want);
	}
	l->batch_len = 0;
	fire_timers(l);
	return 0;
}
