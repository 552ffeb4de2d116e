#include <sys/epoll.h>

#include <assert.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/process.h"
#include "super/client.h"

enum {
	BACKOFF_MS = 100,
	BACKOFF_MAX_MS = 10000,
	GIVE_UP_AFTER = 8, /* failures in a row */
	GOOD_FOR_US = 30000000, /* up that long: no row any more */
};

static void restart_later(struct child *);

static void
restart_fire(struct timer *t)
{
	struct child *c = CONTAINER(t, struct child, restart);

	if (c->pid != 0 || c->super->phase != RING_RUNNING)
		return;
	c->restarts++;
	if (child_start(c, -1) == -1) {
		log_warnx("peer %u: %s", c->id, c->why);
		restart_later(c);
	}
}

struct child *
child_new(struct super *s, unsigned id, uint32_t ping_ms)
{
	struct child *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	assert(id < SPACE_MAX && s->children[id] == NULL);
	c->super = s;
	c->id = (uint16_t)id;
	c->ping_ms = ping_ms;
	c->pidfd = c->to_fd = c->from_fd = -1;
	c->end.fd = c->to.fd = c->from.fd = -1;
	c->ended = PEER_LEFT;
	outlet_init(&c->queue, CHILD_QUEUE_MAX);
	timer_init(&c->restart, restart_fire);
	s->children[id] = c;
	idset_add(&s->known, id);
	return c;
}

static void
child_sent(struct child *c)
{
	if (c->is_unsent)
		TAILQ_REMOVE(&c->super->unsent, c, unsent);
	c->is_unsent = false;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
child_unplug(struct child *c)
{
	struct loop *l = &c->super->loop;

	child_sent(c);
	loop_del(l, &c->end);
	loop_del(l, &c->to);
	loop_del(l, &c->from);
	close_fd(&c->pidfd);
	close_fd(&c->to_fd);
	close_fd(&c->from_fd);
	outlet_free(&c->queue);
	inlet_free(&c->inlet);
}

void
child_free(struct child *c)
{
	assert(c->pid == 0);
	child_unplug(c);
	timer_stop(&c->super->loop, &c->restart);
	c->super->children[c->id] = NULL;
	idset_del(&c->super->known, c->id);
	free(c);
}

static void child_end(struct source *, uint32_t events);
static void child_read(struct source *, uint32_t events);
static void child_write(struct source *, uint32_t events);

static int
adopt(struct child *c)
{
	struct loop *l = &c->super->loop;

	c->pidfd = process_open(c->pid);
	if (c->pidfd == -1)
		return -1;
	if (loop_add(l, &c->end, c->pidfd, EPOLLIN, child_end) == -1 ||
	    loop_add(l, &c->from, c->from_fd, EPOLLIN, child_read) == -1 ||
	    loop_add(l, &c->to, c->to_fd, 0, child_write) == -1)
		return -1;
	return 0;
}

static void
child_reset(struct child *c)
{
	c->bound = c->reported = c->served = false;
	c->stopped = c->kill_asked = c->frozen = false;
	c->why[0] = '\0';
	memset(&c->report, 0, sizeof(c->report));
	c->lacked = 0;
	c->forked_us = c->heard_us = clock_us();
}

static void
close_pair(int fds[2])
{
	close_fd(&fds[0]);
	close_fd(&fds[1]);
}

static int
start_failed(struct child *c, const char *what)
{
	snprintf(c->why, sizeof(c->why), "%s: %s", what, strerror(errno));
	c->ended = PEER_FAILED;
	c->super->changed = true;
	return -1;
}

int
child_start(struct child *c, int join_through)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, rc;

	assert(c->pid == 0 && c->pidfd == -1);
	timer_stop(&c->super->loop, &c->restart);
	check_child_starts(c->super, c->id);
	child_reset(c);
	if (pipe2(in, O_NONBLOCK | O_CLOEXEC) == -1 ||
	    pipe2(out, O_NONBLOCK | O_CLOEXEC) == -1) {
		rc = start_failed(c, "pipe");
		close_pair(in);
		close_pair(out);
		return rc;
	}
	rc = child_spawn(c, join_through, in[0], out[1]);
	if (rc == -1) {
		start_failed(c, "fork");
	} else {
		c->to_fd = in[1];
		c->from_fd = out[0];
		in[1] = out[0] = -1;
	}
	close_pair(in);
	close_pair(out);
	if (rc == -1)
		return -1;
	if (adopt(c) == -1) {
		start_failed(c, "no room to watch it");
		process_discard(c->pid);
		c->pid = 0;
		child_unplug(c);
		return -1;
	}
	super_event(c->super, EVENT_forked, c->id, (uint64_t)c->pid, "");
	c->super->changed = true;
	return 0;
}

int
child_send(struct child *c, const struct message *m)
{
	if (c->pid == 0 || c->to.fd == -1 || outlet_put(&c->queue, m) == -1)
		return -1;
	if (!c->is_unsent)
		TAILQ_INSERT_TAIL(&c->super->unsent, c, unsent);
	c->is_unsent = true;
	return 0;
}

void
children_write(struct super *s)
{
	struct child *c;

	while ((c = TAILQ_FIRST(&s->unsent)) != NULL) {
		child_sent(c);
		if (c->to.fd != -1)
			child_write(&c->to, EPOLLOUT);
	}
}

int
child_signal(struct child *c, int signal)
{
	assert(c->pid != 0);
	if (signal == SIGKILL)
		c->kill_asked = true;
	return process_signal(c->pidfd, signal);
}

enum peer_state
child_state(const struct child *c)
{
	if (c->pid == 0)
		return c->ended;
	if (c->stopped)
		return PEER_PAUSED;
	return c->reported ? c->report.state : PEER_STARTING;
}

bool
child_runs(const struct child *c)
{
	return c->pid != 0;
}

bool
child_wanted(const struct child *c)
{
	return c->pid != 0 ||
	       (c->ended != PEER_LEFT && c->ended != PEER_KILLED);
}

static void
child_write(struct source *s, uint32_t events)
{
	struct child *c = CONTAINER(s, struct child, to);

	/* It is gone; its end comes by pidfd. */
	if ((events & EPOLLOUT) == 0 ||
	    outlet_write(&c->queue, c->to_fd) == -1) {
		loop_del(&c->super->loop, s);
		return;
	}
	loop_set(&c->super->loop, s,
	    outlet_used(&c->queue) > 0 ? (uint32_t)EPOLLOUT : 0);
}

/* From now on the next `up` starts it, too: before anybody is told. */
static void
child_serves(struct child *c)
{
	struct super *s = c->super;
	struct why why;

	c->served = true;
	if (!idset_has(&s->config.peers, c->id) &&
	    !idset_has(&s->roster.joined, c->id) &&
	    roster_add(&s->roster, c->id, c->ping_ms, &why) == -1)
		log_warnx("%s", why.text);
}

static void
child_reports(struct child *c, const struct msg_report *report)
{
	c->report = *report;
	c->reported = true;
	copies_reported(c);
	if (report->state == PEER_UP && !c->served)
		child_serves(c);
	c->super->listing.hold = false;
	c->super->changed = true;
}

/* Its words, but for its name, which is said before them anyhow. */
static void
child_unbound(struct child *c, const char *text)
{
	char name[16];
	size_t len = (size_t)snprintf(name, sizeof(name), "peer %u: ", c->id);

	strlcpy(c->why, strncmp(text, name, len) == 0 ? text + len : text,
	    sizeof(c->why));
}

static void
child_trouble(struct child *c, const struct msg_event *event)
{
	/* A join fails at somebody else, or at oneself. */
	if (c->joining && event->about != c->id)
		snprintf(c->why, sizeof(c->why), "peer %u %.480s", event->about,
		    event->reason.text);
	else
		strlcpy(c->why, event->reason.text, sizeof(c->why));
}

static void
child_message(struct child *c, struct message *m)
{
	struct super *s = c->super;

	c->heard_us = s->loop.now_us;
	switch ((int)m->type) {
	case MSG_started:
		c->bound = m->started.error == ERROR_none;
		if (!c->bound)
			child_unbound(c, m->started.text.text);
		s->changed = true;
		break;
	case MSG_report:
		child_reports(c, &m->report);
		break;
	case MSG_event:
		if (m->event.kind == EVENT_trouble)
			child_trouble(c, &m->event);
		m->event.peer = c->id;
		journal_append(&s->events, m);
		s->journal_due |= !event_kind_is_traffic(m->event.kind);
		break;
	case MSG_line:
		m->line.peer = c->id;
		journal_append(&s->lines, m);
		break;
	case MSG_reply:
		if (m->reply.op == 0)
			verb_join_route(s, c, m);
		else
			call_reply(s, c, m);
		break;
	case MSG_members:
		whole_members(s, c, &m->members);
		check_message(s, c, m);
		break;
	case MSG_records:
		check_message(s, c, m);
		break;
	default:
		log_warnx("peer %u: unexpected %s", c->id,
		    message_name((unsigned)m->type));
	}
}

/* 1: there may be more; 0: nothing now; -1: never again. */
static int
child_take(struct child *c)
{
	static struct message m;
	int rc = inlet_fill(&c->inlet, c->from_fd);
	bool full = c->inlet.end == c->inlet.size;

	if (rc <= 0)
		return rc == -1 && errno == EAGAIN ? 0 : -1;
	while ((rc = inlet_next(&c->inlet, &m)) == 1)
		child_message(c, &m);
	if (rc == -1) {
		log_warnx("peer %u: garbage on its pipe", c->id);
		strlcpy(c->why, "garbage on its pipe", sizeof(c->why));
		process_signal(c->pidfd, SIGKILL);
		return -1;
	}
	return full;
}

static void
child_read(struct source *s, uint32_t events)
{
	struct child *c = CONTAINER(s, struct child, from);
	int turns = CHILD_READS_MAX, rc = 1;

	(void)events;
	while (turns-- > 0 && rc == 1)
		rc = child_take(c);
	if (rc == -1)
		loop_del(&c->super->loop, s);
}

static void
restart_later(struct child *c)
{
	struct super *s = c->super;
	uint64_t delay_us = BACKOFF_MS * 1000;

	if (s->loop.now_us - c->forked_us > GOOD_FOR_US)
		c->failures = 0;
	if (++c->failures > GIVE_UP_AFTER) {
		super_event(s, EVENT_trouble, c->id, 0,
		    "failed too often: not restarted any more");
		return;
	}
	for (unsigned i = 1; i < c->failures; i++)
		delay_us *= 2;
	if (delay_us > BACKOFF_MAX_MS * 1000)
		delay_us = BACKOFF_MAX_MS * 1000;
	/* Half of it at least, one and a half times at most. */
	delay_us = delay_us / 2 + random_below(&s->random, delay_us);
	timer_start(&s->loop, &c->restart, s->loop.now_us + delay_us);
}

static void
child_failed(struct child *c, struct process_status status)
{
	struct super *s = c->super;
	char text[96];

	c->ended = PEER_FAILED;
	if (status.end == PROCESS_KILLED)
		snprintf(text, sizeof(text), "killed by signal %d (%s)",
		    status.value, strsignal(status.value));
	else
		snprintf(
		    text, sizeof(text), "exited with status %d", status.value);
	if (c->why[0] == '\0' || c->served)
		strlcpy(c->why, text, sizeof(c->why));
	if (s->phase == RING_STOPPING)
		idset_add(&s->unclean, c->id);
	else if (s->config.restart == RESTART_ON_FAILURE && c->served)
		restart_later(c);
}

static void
child_ended(struct child *c, struct process_status status)
{
	struct super *s = c->super;
	struct why why;

	if (status.end == PROCESS_KILLED && status.value == SIGKILL &&
	    c->kill_asked) {
		c->ended = PEER_KILLED;
	} else if (status.end == PROCESS_EXITED && status.value == 0) {
		c->ended = PEER_LEFT;
		if (!c->frozen && roster_del(&s->roster, c->id, &why) == -1)
			log_warnx("%s", why.text);
	} else {
		child_failed(c, status);
	}
	super_event(s,
	    status.end == PROCESS_EXITED ? EVENT_exited : EVENT_killed, c->id,
	    (uint64_t)status.value, "");
	s->changed = true;
}

static void
child_end(struct source *source, uint32_t events)
{
	struct child *c = CONTAINER(source, struct child, end);
	struct process_status status;
	int rc = 1;

	(void)events;
	/* Its last words; no more than a pipe holds. */
	while (rc == 1 && c->from.fd != -1)
		rc = child_take(c);
	status = process_reap(c->pidfd);
	if (status.end == PROCESS_RUNNING)
		return;
	child_unplug(c);
	c->pid = 0;
	c->stopped = false;
	child_ended(c, status);
	assert(c->pid == 0 && c->pidfd == -1);
}

void
child_stops(struct super *s)
{
	bool stopped;
	pid_t pid;

	while (process_stopped(&pid, &stopped)) {
		for (unsigned id = 0; id < SPACE_MAX; id++) {
			struct child *c = s->children[id];

			if (c == NULL || c->pid != pid || c->stopped == stopped)
				continue;
			c->stopped = stopped;
			super_event(s, stopped ? EVENT_paused : EVENT_resumed,
			    c->id, 0, "");
			s->changed = true;
		}
	}
}
