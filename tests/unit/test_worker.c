#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "os/worker.h"
#include "unit.h"

enum { JOBS = 40, GUARD_US = 10000000 };

struct task {
	struct job job;
	bool ran, reported;
};

static struct loop loop;
static struct workers workers;
static struct timer guard;
static struct task tasks[JOBS];
static pthread_t main_thread;
static atomic_uint running, most;
static unsigned reported;

static void
on_guard(struct timer *t)
{
	(void)t;
	fail_msg("jobs are not reported");
}

static int
setup(void **state)
{
	(void)state;
	memset(tasks, 0, sizeof(tasks));
	reported = 0;
	atomic_store(&most, 0);
	main_thread = pthread_self();
	if (loop_init(&loop) == -1)
		return -1;
	timer_init(&guard, on_guard);
	timer_start(&loop, &guard, loop.now_us + GUARD_US);
	return workers_init(&workers, &loop);
}

static int
teardown(void **state)
{
	(void)state;
	workers_free(&workers);
	loop_free(&loop);
	return 0;
}

static void
run(struct job *j, uint8_t *buffer)
{
	struct task *t = CONTAINER(j, struct task, job);
	unsigned now = atomic_fetch_add(&running, 1) + 1;

	if (now > atomic_load(&most))
		atomic_store(&most, now);
	assert_false(pthread_equal(pthread_self(), main_thread));
	memset(buffer, 1, HELPER_BUFFER);
	usleep(500);
	t->ran = true;
	atomic_fetch_sub(&running, 1);
}

static void
done(struct job *j)
{
	struct task *t = CONTAINER(j, struct task, job);

	assert_true(pthread_equal(pthread_self(), main_thread));
	assert_true(t->ran);
	assert_false(t->reported);
	t->reported = true;
	reported++;
}

static void
submit(struct task *t, void (*when_done)(struct job *))
{
	t->job.run = run;
	t->job.done = when_done;
	workers_submit(&workers, &t->job);
}

static void
jobs_run_beside_and_report_here(void **state)
{
	(void)state;
	for (int i = 0; i < JOBS; i++)
		submit(&tasks[i], done);
	assert_int_equal(workers.pending, JOBS);
	while (reported < JOBS)
		assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(workers.pending, 0);
	assert_in_range(atomic_load(&most), 1, HELPERS_MAX);
}

/* One at a time: each from the report of the one before. */
static void
done_then_next(struct job *j)
{
	done(j);
	if (reported < JOBS)
		submit(&tasks[reported], done_then_next);
}

static void
reports_may_submit(void **state)
{
	(void)state;
	submit(&tasks[0], done_then_next);
	while (reported < JOBS)
		assert_int_equal(loop_turn(&loop), 0);
	assert_int_equal(atomic_load(&most), 1);
}

static void
no_job_no_thread(void **state)
{
	(void)state;
	assert_int_equal(workers.threads, 0);
}

static void
freeing_waits_and_drops(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		submit(&tasks[i], done);
	workers_free(&workers);
	assert_int_equal(atomic_load(&running), 0);
	assert_int_equal(reported, 0);
	assert_int_equal(workers_init(&workers, &loop), 0);
}

#define WORKER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(WORKER_TEST(jobs_run_beside_and_report_here),
    WORKER_TEST(reports_may_submit), WORKER_TEST(no_job_no_thread),
    WORKER_TEST(freeing_waits_and_drops))
