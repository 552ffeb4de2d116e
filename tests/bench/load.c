#include <sys/epoll.h>
#include <sys/socket.h>

#include <assert.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

uint8_t load_values[VALUES][VALUE_LEN];

void
load_init(void)
{
	uint64_t x = 88172645463325252;

	for (size_t i = 0; i < VALUES; i++) {
		for (size_t k = 0; k < VALUE_LEN; k += sizeof(x)) {
			/* xorshift64 (Marsaglia, 2003). */
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			memcpy(&load_values[i][k], &x, sizeof(x));
		}
	}
}

void
load_send(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n < 0)
			err(1, "send");
		at += n;
		len -= (size_t)n;
	}
}

void
load_open(struct target *t)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct lane *l = calloc(1, sizeof(*l));

		deadline(t->name);
		if (l == NULL)
			err(1, "%s", t->name);
		l->target = t;
		l->fd = t->open(t);
		t->lanes[i] = l;
	}
}

void
load_close(struct target *t)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		(void)close(t->lanes[i]->fd);
		free(t->lanes[i]);
	}
}

static void
ask(struct lane *l)
{
	static uint8_t out[LANE_ROOM];
	size_t len = l->target->encode(l, out);

	assert(len > 0 && len <= sizeof(out));
	load_send(l->fd, out, len);
}

static void
begin(struct target *t, struct lane *l, bool put)
{
	struct operation *op = &l->op;
	unsigned n = put ? t->puts++ : t->gets++;

	op->put = put;
	/* Keys in any order: the step has no factor in common with 10^4. */
	op->number = n % NAMES * 7919 % 10000;
	op->value = n % VALUES;
	(void)snprintf(op->name, sizeof(op->name), "%04u", op->number);
	l->began_ms = now_ms();
	ask(l);
}

/* Reads once: is the answer whole? */
static bool
proceed(struct target *t, struct lane *l)
{
	ssize_t n = recv(l->fd, l->in + l->len, sizeof(l->in) - l->len, 0);
	size_t used = 1;
	bool done = false;

	if (n <= 0)
		errx(1, "%s hung up", t->name);
	l->len += (size_t)n;
	while (used > 0 && l->len > 0) {
		used = t->decode(l, &done);
		assert(used <= l->len);
		l->len -= used;
		memmove(l->in, l->in + used, l->len);
	}
	assert(l->len < sizeof(l->in));
	if (done && l->refused) {
		l->refused = false;
		t->refusals++;
		ask(l);
		return false;
	}
	return done;
}

/* Of one client: nothing is between it and its socket. */
static unsigned
run_one(
    struct target *t, bool put, double until, unsigned max, struct series *ms)
{
	struct lane *l = t->lanes[0];
	unsigned ops = 0;

	do {
		begin(t, l, put);
		while (!proceed(t, l))
			continue;
		series_add(ms, now_ms() - l->began_ms);
	} while (++ops < max && now_ms() < until);
	return ops;
}

static unsigned
run_many(struct target *t, unsigned clients, bool put, double until,
    unsigned max, struct series *ms)
{
	struct epoll_event events[CLIENTS_MAX];
	int poll_fd = epoll_create1(EPOLL_CLOEXEC), n;
	unsigned begun = 0, ops = 0;

	for (unsigned i = 0; i < clients; i++) {
		struct epoll_event ev = {
		    .events = EPOLLIN, .data.ptr = t->lanes[i]};

		if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, t->lanes[i]->fd, &ev))
			err(1, "epoll");
	}
	while (begun < clients)
		begin(t, t->lanes[begun++], put);
	while (ops < begun) {
		n = epoll_wait(poll_fd, events, CLIENTS_MAX, -1);
		for (int i = 0; i < n; i++) {
			struct lane *l = events[i].data.ptr;

			if (!proceed(t, l))
				continue;
			series_add(ms, now_ms() - l->began_ms);
			ops++;
			if (begun >= max || now_ms() >= until)
				continue;
			begin(t, l, put);
			begun++;
		}
	}
	(void)close(poll_fd);
	return ops;
}

double
load_run(struct target *t, unsigned clients, bool put, double slice_ms,
    unsigned ops_max, struct series *ms)
{
	double began, until;
	unsigned ops;

	assert(clients <= CLIENTS_MAX);
	deadline(t->name);
	/* What others have left to be written is not this one's to wait for. */
	sync();
	began = now_ms();
	until = began + slice_ms;
	if (clients == 1)
		ops = run_one(t, put, until, ops_max, ms);
	else
		ops = run_many(t, clients, put, until, ops_max, ms);
	return ops / (now_ms() - began) * 1000;
}

void
load_fill(struct target *t)
{
	static struct series none;

	none.n = 0;
	t->puts = 0;
	(void)load_run(t, CLIENTS_MAX, true, WAIT_SECONDS * 1000, NAMES, &none);
}
