#ifndef OS_LOOP_H
#define OS_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A level-triggered epoll loop. Sources and timers are embedded in their
 * owners and must stay where they are while added. Times are microseconds of
 * CLOCK_MONOTONIC. One thread.
 */
enum { LOOP_BATCH = 64 };

struct source {
	int fd; /* -1: not added */
	uint32_t events; /* EPOLLIN, EPOLLOUT asked for */
	void (*ready)(struct source *, uint32_t events);
};

struct timer {
	uint64_t at_us;
	int index; /* in the heap; -1: not started */
	void (*fire)(struct timer *);
};

struct loop {
	int epoll_fd;
	uint64_t now_us; /* one clock reading per turn */
	struct timer **heap;
	size_t timers, timers_max;
	struct source *batch[LOOP_BATCH]; /* being dispatched; NULL: removed */
	int batch_len;
};

/* 0, or -1 with errno. */
int loop_init(struct loop *);
void loop_free(struct loop *);

/* Adds fd with its first events; 0, or -1 with errno. s need not be zeroed. */
int loop_add(struct loop *, struct source *s, int fd, uint32_t events,
    void (*ready)(struct source *, uint32_t events));

/* Changes what is waited for; costs nothing when nothing changes. */
void loop_set(struct loop *, struct source *, uint32_t events);

/* Removes it, also from the batch at hand; the descriptor stays open. */
void loop_del(struct loop *, struct source *);

void timer_init(struct timer *, void (*fire)(struct timer *));
/* (Re)starts a timer; at_us may have passed. Aborts when out of memory. */
void timer_start(struct loop *, struct timer *, uint64_t at_us);
void timer_stop(struct loop *, struct timer *);

/*
 * One turn: waits for sources until the earliest timer (rounded up), runs
 * what is ready, then the timers that are due. 0, or -1 with errno.
 */
int loop_turn(struct loop *);

uint64_t clock_us(void); /* CLOCK_MONOTONIC */
uint64_t clock_wall_us(void); /* since 1970 */

/* The struct that a member is embedded in. */
#define CONTAINER(ptr, type, member)                                           \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
