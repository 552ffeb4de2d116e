#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <assert.h>
#include <bsd/string.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/process.h"
#include "super/client.h"

enum {
	SETTLE_ROUNDS = 8, /* of one turn; what is left waits for the next */
	JOURNAL_WAIT_US = 5000, /* for company, of notes of files */
};

void
super_event(struct super *s, enum event_kind kind, unsigned peer,
    uint64_t value, const char *reason)
{
	static struct message m;

	m.type = MSG_event;
	memset(&m.event, 0, sizeof(m.event));
	m.event.t_us = clock_us();
	m.event.wall_us = clock_wall_us();
	m.event.kind = (uint8_t)kind;
	m.event.peer = (uint16_t)peer;
	m.event.value = value;
	text_set(&m.event.reason, reason);
	journal_append(&s->events, &m);
	s->journal_due = true;
}

static void
kill_all(struct super *s)
{
	s->hurry = true;
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		struct child *c = s->children[id];

		if (c == NULL || c->pid == 0)
			continue;
		idset_add(&s->unclean, id);
		child_signal(c, SIGKILL);
	}
}

static void
stop_fire(struct timer *t)
{
	kill_all(CONTAINER(t, struct super, stop_timer));
}

static void
freeze(struct child *c, uint32_t deadline_ms)
{
	struct message m = {.type = MSG_freeze};

	m.freeze.deadline_ms = deadline_ms;
	if (c->stopped)
		child_signal(c, SIGCONT);
	c->frozen = true;
	/* One that reads nothing is killed at the deadline. */
	child_send(c, &m);
}

void
super_stop(struct super *s, uint32_t deadline_ms)
{
	uint64_t at = clock_us() + (uint64_t)deadline_ms * 1000;

	if (s->phase == RING_STOPPING) {
		if (at < s->stop_timer.at_us && !s->hurry)
			timer_start(&s->loop, &s->stop_timer, at);
		return;
	}
	if (s->phase == RING_STARTING && s->outcome.exit == EXIT_DONE) {
		s->outcome.exit = EXIT_FAILED;
		text_set(&s->outcome.text, "told to go down before it was "
					   "whole");
	}
	s->phase = RING_STOPPING;
	s->changed = true;
	timer_stop(&s->loop, &s->start_timer);
	timer_start(&s->loop, &s->stop_timer, at);
	/* Some of the time is kept for exits. */
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		struct child *c = s->children[id];

		if (c == NULL)
			continue;
		timer_stop(&s->loop, &c->restart);
		if (c->pid != 0)
			freeze(c, deadline_ms - deadline_ms / 4);
	}
}

void
super_fail(struct super *s, int exit, const char *why)
{
	if (s->phase != RING_STARTING || s->outcome.exit != EXIT_DONE)
		return;
	s->outcome.exit = (uint8_t)exit;
	text_set(&s->outcome.text, why);
	super_stop(s, FAIL_DEADLINE_MS);
}

static void
start_fire(struct timer *t)
{
	struct super *s = CONTAINER(t, struct super, start_timer);
	char text[TEXT_LEN_MAX + 1];

	snprintf(text, sizeof(text), "ring %s is not whole: %.300s",
	    s->config.ring, s->why);
	if (s->foreground) {
		log_warnx("%s; going on", text);
		s->phase = RING_RUNNING;
		return;
	}
	strlcat(text, "; taken down again", sizeof(text));
	super_fail(s, EXIT_TIMEOUT, text);
}

/* Who started us has left before there was a ring: so nobody wants it. */
static void
starter_gone(struct source *source, uint32_t events)
{
	struct super *s = CONTAINER(source, struct super, starter);

	(void)events;
	loop_del(&s->loop, source);
	super_fail(s, EXIT_FAILED, "interrupted: taken down again");
}

static void
signals_ready(struct source *source, uint32_t events)
{
	struct super *s = CONTAINER(source, struct super, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (
	    read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			child_stops(s);
			continue;
		}
		if (info.ssi_signo == SIGHUP && !s->foreground)
			continue;
		if (s->phase == RING_STOPPING)
			kill_all(s);
		else if (s->phase == RING_STARTING)
			super_fail(
			    s, EXIT_FAILED, "interrupted: taken down again");
		else
			super_stop(s, DOWN_TIMEOUT_MS);
	}
}

static int
open_signals(struct super *s)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		/* If SIGCHLD is ignored, children reap themselves. */
		signal(caught[i], SIG_DFL);
		sigaddset(&set, caught[i]);
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signal_fd == -1)
		return -1;
	return loop_add(
	    &s->loop, &s->signals, s->signal_fd, EPOLLIN, signals_ready);
}

static unsigned
count_up(struct super *s)
{
	unsigned up = 0;

	s->outcome.ids.count = 0;
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		if (s->children[id] == NULL || s->children[id]->pid == 0)
			continue;
		s->outcome.ids.at[s->outcome.ids.count++] = (uint16_t)id;
		up++;
	}
	return up;
}

/* The last word to who started us; later ones go nowhere. */
void
super_tell_starter(struct super *s)
{
	static struct message m;
	struct outlet out;

	if (s->start_fd == -1)
		return;
	loop_del(&s->loop, &s->starter);
	m.type = MSG_result;
	m.result = s->outcome;
	outlet_init(&out, CLIENT_QUEUE_MAX);
	outlet_put(&out, &m);
	outlet_write(&out, s->start_fd);
	outlet_free(&out);
	close(s->start_fd);
	s->start_fd = -1;
}

static void
start_done(struct super *s)
{
	char text[TEXT_LEN_MAX + 1];
	unsigned up = count_up(s);

	s->phase = RING_RUNNING;
	timer_stop(&s->loop, &s->start_timer);
	s->outcome.us = clock_us() - s->start_us;
	snprintf(text, sizeof(text), "ring %s: whole, %u peer%s up in %.1f ms",
	    s->config.ring, up, up == 1 ? "" : "s",
	    (double)s->outcome.us / 1000);
	text_set(&s->outcome.text, text);
	if (s->foreground)
		log_info("%s", text);
	super_tell_starter(s);
}

/* While starting, one that fails takes the others with it. */
static void
start_check(struct super *s)
{
	char text[TEXT_LEN_MAX + 1];

	if (s->whole) {
		start_done(s);
		return;
	}
	for (unsigned id = 0; id < SPACE_MAX; id++) {
		const struct child *c = s->children[id];

		if (c == NULL || c->pid != 0)
			continue;
		snprintf(text, sizeof(text), "peer %u: %.400s", id, c->why);
		super_fail(s, EXIT_FAILED, text);
		return;
	}
}

static void
journal_fire(struct timer *t)
{
	CONTAINER(t, struct super, journal_timer)->journal_due = true;
}

/*
 * On disk before any client is told of it; but for what peers say of files,
 * so much that it is written together.
 */
static bool
write_journals(struct super *s)
{
	if (!s->journal_due && s->events.used + s->lines.used > 0 &&
	    s->journal_timer.index == -1)
		timer_start(&s->loop, &s->journal_timer,
		    s->loop.now_us + JOURNAL_WAIT_US);
	if (!s->journal_due)
		return false;
	s->journal_due = false;
	timer_stop(&s->loop, &s->journal_timer);
	journal_flush(&s->events);
	journal_flush(&s->lines);
	return true;
}

static void
settle_once(struct super *s)
{
	if (s->changed) {
		s->changed = false;
		if (s->phase != RING_STOPPING)
			whole_judge(s);
		if (s->phase == RING_STARTING)
			start_check(s);
		control_settle(s);
		copies_judge(s);
		join_check(s);
	}
	if (write_journals(s))
		control_pump(s);
	control_turn(s);
	children_write(s);
}

/* What a turn changed may change more: until nothing does. */
static void
settle(struct super *s)
{
	for (int i = 0; i < SETTLE_ROUNDS; i++) {
		settle_once(s);
		if (!s->changed && !s->journal_due)
			return;
	}
	timer_start(&s->loop, &s->again, 0);
}

static void
again_fire(struct timer *t)
{
	/* The turn itself is what was wanted. */
	assert(t->index == -1);
}

static void
start_peers(struct super *s)
{
	int id;

	for (id = idset_next(&s->config.peers, 0); id != -1;
	     id = idset_next(&s->config.peers, (unsigned)id + 1))
		child_new(
		    s, (unsigned)id, config_ping(&s->config, (unsigned)id));
	for (id = idset_next(&s->roster.joined, 0); id != -1;
	     id = idset_next(&s->roster.joined, (unsigned)id + 1))
		if (s->children[id] == NULL)
			child_new(s, (unsigned)id, s->roster.ping_ms[id]);
	for (id = 0; id < SPACE_MAX; id++)
		if (s->children[id] != NULL &&
		    child_start(s->children[id], -1) == -1)
			return;
}

static bool
over(const struct super *s)
{
	if (s->phase != RING_STOPPING)
		return false;
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (s->children[id] != NULL && s->children[id]->pid != 0)
			return false;
	return true;
}

int
super_run(struct super *s)
{
	timer_init(&s->accept_timer, control_accept_again);
	if (open_signals(s) == -1 ||
	    loop_add(&s->loop, &s->listener, s->listen_fd, EPOLLIN,
		control_accept) == -1 ||
	    (s->start_fd != -1 && loop_add(&s->loop, &s->starter, s->start_fd,
				      EPOLLRDHUP, starter_gone) == -1))
		fatal("event loop");
	timer_init(&s->start_timer, start_fire);
	timer_init(&s->stop_timer, stop_fire);
	timer_init(&s->again, again_fire);
	timer_init(&s->journal_timer, journal_fire);
	whole_init(s);
	timer_start(&s->loop, &s->start_timer,
	    s->start_us + (uint64_t)s->start_timeout_ms * 1000);
	start_peers(s);
	settle(s);
	while (!over(s)) {
		if (loop_turn(&s->loop) == -1)
			fatal("event loop");
		settle(s);
	}
	assert(s->phase == RING_STOPPING);
	return s->outcome.exit;
}
