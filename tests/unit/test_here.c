#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "folder.h"
#include "peer/drive.h"
#include "peer/fileop.h"
#include "peer/home.h"
#include "unit.h"

/* What is written and read on the loop, and when that ends. */
enum { GUARD_US = 10000000, SIZE = 4096 };

static struct folder folder;
static struct driver *d;
static struct volume volume;
static struct timer guard;
static uint64_t version;
static const uint8_t content[SIZE];
static bool slow;

static ssize_t
write_slowly(
    struct volume *v, int fd, const void *data, size_t len, uint64_t at)
{
	if (slow)
		usleep(2 * HERE_SLOW_US);
	return volume_system.write(v, fd, data, len, at);
}

static void
on_guard(struct timer *t)
{
	(void)t;
	fail_msg("helpers do not end");
}

static void
open_driver(bool sync)
{
	struct text error;

	d = calloc(1, sizeof(*d));
	assert_non_null(d);
	d->deferred_end = &d->deferred;
	assert_int_equal(loop_init(&d->loop), 0);
	assert_int_equal(workers_init(&d->workers, &d->loop), 0);
	assert_int_equal(catalog_init(&d->catalog, 8, false), 0);
	assert_int_equal(home_open(&d->disk, folder.path, sync, &error), 0);
	volume = volume_system;
	volume.write = write_slowly;
	d->disk.volume = &volume;
	files_open_init(d);
	group_init(d);
	timer_init(&guard, on_guard);
	timer_start(&d->loop, &guard, d->loop.now_us + GUARD_US);
}

static void
close_driver(void)
{
	group_flush(d, UINT64_MAX);
	timer_stop(&d->loop, &guard);
	workers_free(&d->workers);
	drive_forget_file(d, 0);
	disk_close(&d->disk);
	catalog_free(&d->catalog);
	here_free(&d->here);
	loop_free(&d->loop);
	free(d);
}

static int
setup(void **state)
{
	(void)state;
	slow = false;
	version = 0;
	return folder_make(&folder);
}

static int
teardown(void **state)
{
	(void)state;
	return folder_remove(&folder);
}

static struct record
record_of(uint64_t clock)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	assert_int_equal(name_set(&r.name, "2067", 4), 0);
	r.version = (struct version){clock, 8, 3};
	r.size = SIZE;
	r.digest = hash_content(content, SIZE);
	return r;
}

static void
await(void)
{
	while (d->workers.pending > 0)
		assert_int_equal(loop_turn(&d->loop), 0);
}

/* A commit of its own turn; whether a helper has it. */
static bool
commit(void)
{
	struct file_op *op = calloc(1, sizeof(*op));
	bool helped;

	assert_non_null(op);
	op->driver = d;
	op->type = ACT_COMMIT;
	op->record = record_of(++version);
	op->data = calloc(1, SIZE);
	group_add(d, op);
	assert_int_equal(d->workers.pending, 0);
	group_settle(d);
	helped = d->workers.pending > 0;
	await();
	assert_int_equal(d->catalog.files, 1);
	drive_forget_file(d, 0);
	return helped;
}

static void
writes_here_until_a_disk_is_slow(void **state)
{
	(void)state;
	open_driver(false);
	/* The first one begins a segment, and fills it ahead. */
	assert_true(commit());
	assert_false(commit());
	slow = true;
	assert_false(commit());
	slow = false;
	assert_true(commit());
	d->here.shun_us = 1;
	assert_false(commit());
	close_driver();
}

static void
flushes_nothing_here(void **state)
{
	(void)state;
	open_driver(true);
	for (int i = 0; i < 3; i++)
		assert_true(commit());
	close_driver();
}

static void
mark(void)
{
	struct action a = {.type = ACT_MARK};

	a.record = record_of(version);
	files_open_apply(d, &a);
	group_settle(d);
}

static bool
marks_wait(void)
{
	return !TAILQ_EMPTY(&d->group.marks);
}

static void
marks_ride_along_or_go_alone(void **state)
{
	(void)state;
	open_driver(true);
	assert_true(commit());
	mark();
	assert_true(marks_wait());
	assert_int_equal(d->workers.pending, 0);
	assert_true(commit());
	assert_false(marks_wait());
	mark();
	while (!d->group.marks_due)
		assert_int_equal(loop_turn(&d->loop), 0);
	group_settle(d);
	assert_int_equal(d->workers.pending, 1);
	await();
	assert_false(marks_wait());
	close_driver();
}

#define HERE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(HERE_TEST(writes_here_until_a_disk_is_slow),
    HERE_TEST(flushes_nothing_here), HERE_TEST(marks_ride_along_or_go_alone))
