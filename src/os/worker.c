#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "os/worker.h"

static void
list_add(struct job_list *l, struct job *j)
{
	j->next = NULL;
	if (l->head == NULL)
		l->head = j;
	else
		l->last->next = j;
	l->last = j;
}

static struct job *
list_take(struct job_list *l)
{
	struct job *j = l->head;

	if (j != NULL)
		l->head = j->next;
	return j;
}

static struct job *
take_job(struct workers *w)
{
	struct job *j = list_take(&w->waiting);

	if (j != NULL)
		w->queued--;
	return j;
}

/* Waits, with the lock held, for a job; NULL: it is time to end. */
static struct job *
next_job(struct workers *w)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += HELPER_IDLE_MS / 1000;
	w->idle++;
	while (w->waiting.head == NULL && !w->stopping && rc == 0)
		rc = pthread_cond_timedwait(&w->wake, &w->lock, &until);
	w->idle--;
	return take_job(w);
}

/* With the lock held; true: the loop is not awake for others yet. */
static bool
report(struct workers *w, struct job *j)
{
	list_add(&w->finished, j);
	return w->finished.head == j;
}

/* Without the lock: who is woken would only wait for it. */
static void
wake_loop(struct workers *w)
{
	uint64_t one = 1;
	ssize_t n;

	do
		n = write(w->source.fd, &one, sizeof(one));
	while (n == -1 && errno == EINTR);
	assert(n == sizeof(one) || w->stopping);
}

static void *
helper(void *arg)
{
	struct workers *w = arg;
	uint8_t *buffer = malloc(HELPER_BUFFER);
	struct job *j;
	bool first;

	if (buffer == NULL)
		abort();
	pthread_mutex_lock(&w->lock);
	while ((j = next_job(w)) != NULL) {
		pthread_mutex_unlock(&w->lock);
		j->run(j, buffer);
		pthread_mutex_lock(&w->lock);
		first = report(w, j);
		pthread_mutex_unlock(&w->lock);
		if (first)
			wake_loop(w);
		pthread_mutex_lock(&w->lock);
	}
	w->threads--;
	free(buffer);
	pthread_cond_signal(&w->gone);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Starts a helper that catches no signals; 0 or an errno. */
static int
start_helper(struct workers *w)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, HELPER_STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, &attr, helper, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (rc == 0)
		w->threads++;
	return rc;
}

/* No thread to be had at all: slow is better than never. */
static void
run_here(struct workers *w, struct job *j)
{
	uint8_t *buffer = malloc(HELPER_BUFFER);

	if (buffer == NULL)
		abort();
	j->run(j, buffer);
	free(buffer);
	if (report(w, j))
		wake_loop(w);
}

void
workers_submit(struct workers *w, struct job *j)
{
	bool wake;

	assert(j->run != NULL);
	assert(j->done != NULL);
	w->pending++;
	pthread_mutex_lock(&w->lock);
	assert(!w->stopping);
	list_add(&w->waiting, j);
	w->queued++;
	wake = w->queued <= w->idle;
	if (!wake && w->threads < HELPERS_MAX && start_helper(w) != 0 &&
	    w->threads == 0)
		while ((j = take_job(w)) != NULL)
			run_here(w, j);
	pthread_mutex_unlock(&w->lock);
	if (wake)
		pthread_cond_signal(&w->wake);
}

static void
collect(struct source *s, uint32_t events)
{
	struct workers *w = CONTAINER(s, struct workers, source);
	struct job_list finished;
	uint64_t count;
	struct job *j;

	(void)events;
	if (read(s->fd, &count, sizeof(count)) == -1)
		return;
	pthread_mutex_lock(&w->lock);
	finished = w->finished;
	w->finished.head = NULL;
	pthread_mutex_unlock(&w->lock);
	while ((j = list_take(&finished)) != NULL) {
		assert(w->pending > 0);
		w->pending--;
		j->done(j);
	}
}

int
workers_init(struct workers *w, struct loop *l)
{
	pthread_condattr_t attr;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	*w = (struct workers){.loop = l, .source = {.fd = -1}};
	if (fd == -1)
		return -1;
	if (loop_add(l, &w->source, fd, EPOLLIN, collect) == -1) {
		close(fd);
		return -1;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, &attr);
	pthread_cond_init(&w->gone, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

void
workers_free(struct workers *w)
{
	int fd = w->source.fd;

	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->wake);
	while (w->threads > 0)
		pthread_cond_wait(&w->gone, &w->lock);
	pthread_mutex_unlock(&w->lock);
	loop_del(w->loop, &w->source);
	close(fd);
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->gone);
	pthread_mutex_destroy(&w->lock);
}
