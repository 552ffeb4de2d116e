#include <sys/epoll.h>
#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/process.h"
#include "super/check.h"
#include "wire/frame.h"

/* Who is asked for records: a peer, or a process that reads a folder. */

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
reader_end(struct witness *w)
{
	loop_del(&w->check->super->loop, &w->from);
	close_fd(&w->to_fd);
	close_fd(&w->from_fd);
	inlet_free(&w->inlet);
	if (w->pid != 0)
		process_discard(w->pid);
	w->pid = 0;
}

/* It is as if there were no such disk; that is told at the end. */
static void
unreadable(struct witness *w, const char *why)
{
	text_set(&w->difference, why);
	reader_end(w);
	idset_add(&w->check->unread, w->id);
	w->asked = false;
	check_again(
	    w->check, "the disk of peer %u can't be read: %.300s", w->id, why);
}

static void
reader_ready(struct source *source, uint32_t events)
{
	struct witness *w = CONTAINER(source, struct witness, from);
	static struct message m;
	int rc = inlet_fill(&w->inlet, w->from_fd);

	(void)events;
	if (rc == 0 || (rc == -1 && errno != EAGAIN)) {
		unreadable(w, "who read it has ended");
		return;
	}
	/* With the awaited answer all may be over, the witness too. */
	while ((rc = inlet_next(&w->inlet, &m)) == 1) {
		if (m.type == MSG_records && m.records.op == w->op) {
			files_records(w, &m.records);
			return;
		}
		if (m.type == MSG_started && m.started.error != ERROR_none) {
			unreadable(w, m.started.text.text);
			return;
		}
	}
	if (rc == -1)
		unreadable(w, "who read it answered nonsense");
}

static int
reader_start(struct witness *w)
{
	struct super *s = w->check->super;
	int in[2] = {-1, -1}, out[2] = {-1, -1};

	if (pipe2(in, O_NONBLOCK | O_CLOEXEC) == 0 &&
	    pipe2(out, O_NONBLOCK | O_CLOEXEC) == 0)
		w->pid = reader_spawn(s, w->id, in[0], out[1]);
	close_fd(&in[0]);
	close_fd(&out[1]);
	w->to_fd = in[1];
	w->from_fd = out[0];
	if (w->pid > 0 && loop_add(&s->loop, &w->from, w->from_fd, EPOLLIN,
			      reader_ready) == 0)
		return 0;
	if (w->pid < 0)
		w->pid = 0;
	return -1;
}

struct witness *
witness_new(struct check *k, unsigned id, bool down)
{
	struct witness *w = calloc(1, sizeof(*w));

	if (w == NULL)
		abort();
	w->check = k;
	w->id = (uint16_t)id;
	w->down = down;
	w->to_fd = w->from_fd = w->from.fd = -1;
	if (down && reader_start(w) == -1) {
		reader_end(w);
		text_set(&w->difference, strerror(errno));
		idset_add(&k->unread, id);
	}
	return w;
}

void
witness_free(struct witness *w)
{
	reader_end(w);
	idset_del(&w->check->unread, w->id);
	free(w);
}

static int
reader_send(struct witness *w, const struct message *m)
{
	static uint8_t frame[FRAME_LEN_MAX];
	size_t len = frame_encode(m, frame, sizeof(frame));

	/* One short question in an empty pipe: it takes all of it. */
	return w->to_fd != -1 && write(w->to_fd, frame, len) == (ssize_t)len
		   ? 0
		   : -1;
}

/* A peer whose queue is full does not answer in time, either. */
static void
send(struct witness *w, const struct message *m)
{
	struct child *c = w->check->super->children[w->id];

	w->asked = true;
	if (w->down) {
		if (reader_send(w, m) == -1)
			unreadable(w, "who read it has ended");
	} else if (c != NULL) {
		child_send(c, m);
	}
}

void
witness_ask_members(struct witness *w)
{
	struct message m = {.type = MSG_members_ask};

	assert(!w->down);
	w->upto = w->differs = 0;
	m.members_ask.op = w->op = w->check->super->next_op++;
	send(w, &m);
}

void
witness_ask_records(struct witness *w)
{
	static struct message m;

	m.type = MSG_records_ask;
	m.records_ask.op = w->op = w->check->super->next_op++;
	m.records_ask.key = w->key;
	m.records_ask.name.len = 0;
	if (w->page.count > 0)
		m.records_ask.name = w->page.at[w->page.count - 1].name;
	w->at = w->page.count = 0;
	send(w, &m);
}
