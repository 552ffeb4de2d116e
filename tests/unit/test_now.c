#include "versions.h"

/* What is done without waiting for a disk. */

static int
commit_now(const char *name, uint64_t clock, const char *content)
{
	struct record r = record_of(name, clock, content);
	struct journal_item item = {
	    .record = &r, .content = (const uint8_t *)content};

	return journal_write_now(&disk, &item, 1, buffer);
}

static int
read_now(const char *name, uint64_t clock, const char *content)
{
	struct record r = record_of(name, clock, content);
	struct disk_content got;
	int rc = disk_read_now(&disk, key_of(&r.name), &r, buffer, &got);

	if (rc == 0)
		assert_memory_equal(got.small, content, r.size);
	free(got.small);
	return rc;
}

/* Not before Linux 5.12, and not under valgrind. */
static bool
opens_now(const char *file)
{
	struct volume *v = disk.volume;
	int fd = v->open_now(v, disk.dir_fd, file, O_RDONLY);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

/* With zeros in memory where it goes, and nobody who might wait. */
static void
some_is_done_without_waiting(void **state)
{
	struct record r = record_of("b", 2, "two");
	unsigned n = 0;

	(void)state;
	assert_int_equal(commit("a", 1, "one"), 0);
	assert_int_equal(commit_now("b", 2, "two"), EBUSY);
	assert_int_equal(disk_mark_now(&disk, &r), EBUSY);
	disk.sync = false;
	assert_int_equal(commit_now("b", 2, "two"), 0);
	assert_int_equal(read_back("b", 2, "two"), 0);
	assert_int_equal(disk_mark_now(&disk, &r), 0);
	assert_int_equal(read_now("b", 2, "two"), 0);
	assert_int_equal(read_now("b", 3, "two"), EBUSY);
	pthread_mutex_lock(&disk.lock);
	assert_int_equal(commit_now("c", 3, "three"), EBUSY);
	assert_int_equal(disk_mark_now(&disk, &r), EBUSY);
	assert_int_equal(read_now("b", 2, "two"), EBUSY);
	pthread_mutex_unlock(&disk.lock);
	while (commit_now("c", 3 + n, "three") == 0)
		n++;
	assert_in_range(n, 1, STEP / JOURNAL_BLOCK);
	restart(3, 0, 0);
	assert_int_equal(read_back("c", 2 + n, "three"), 0);
	move_all();
	assert_int_equal(commit_now("d", 1, "four"), EBUSY);
	assert_int_equal(
	    read_now("b", 2, "two"), opens_now("files/62/b") ? 0 : EBUSY);
	flip("files/62/b", 1);
	assert_int_equal(read_now("b", 2, "two"), EBUSY);
	assert_int_equal(disk_mark_now(&disk, &r), EBUSY);
}

UNIT_MAIN(TESTED(some_is_done_without_waiting))
