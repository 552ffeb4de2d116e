#include "versions.h"

static void
nothing_is_made_before_its_time(void **state)
{
	(void)state;
	assert_false(exists("journal.0"));
	assert_false(journal_used(&disk));
	move_all();
	assert_false(exists("journal.0"));
}

static void
commits_last(void **state)
{
	(void)state;
	assert_int_equal(commit("a", 1, "hello"), 0);
	assert_int_equal(commit("b", 2, ""), 0);
	assert_int_equal(commit("a", 3, "there"), 0);
	assert_false(exists("files"));
	assert_int_equal(read_back("a", 3, "there"), 0);
	assert_int_equal(read_back("a", 1, "hello"), ENOENT);
	assert_int_equal(read_back("b", 2, ""), 0);
	restart(2, 0, 0);
	assert_int_equal(read_back("a", 3, "there"), 0);
	assert_int_equal(read_back("b", 2, ""), 0);
}

static void
a_batch_is_written_at_once(void **state)
{
	struct record r[3] = {record_of("a", 1, "one"),
	    record_of("b", 2, "two"), record_of("c", 3, "")};
	struct journal_item items[3] = {
	    {.record = &r[0], .content = (const uint8_t *)"one"},
	    {.record = &r[1], .content = (const uint8_t *)"two"},
	    {.record = &r[2]}};

	(void)state;
	r[2].deleted = 1;
	assert_int_equal(journal_write(&disk, items, 3, buffer), 0);
	assert_int_equal(read_back("b", 2, "two"), 0);
	restart(3, 0, 0);
	move_all();
	assert_true(exists("files/63/c"));
	restart(3, 0, 0);
}

static void
files_come_later(void **state)
{
	struct record r = record_of("b", 2, "two");

	(void)state;
	assert_int_equal(commit("a", 1, "one"), 0);
	assert_int_equal(commit("b", 2, "two"), 0);
	assert_int_equal(disk_mark(&disk, key_of(&r.name), &r), 0);
	assert_int_equal(
	    disk_drop(&disk, 'a',
		&(struct record){.name = {1, "a"}, .version = {1, 8, 3}}),
	    ENOENT);
	move_all();
	assert_false(journal_used(&disk));
	assert_false(exists("files/61/a"));
	assert_true(exists("files/62/b"));
	assert_int_equal(read_back("b", 2, "two"), 0);
	restart(1, 0, 0);
	assert_int_equal(found.last.acknowledged, 1);
}

static void
drops_last(void **state)
{
	struct record r = record_of("a", 2, "two");

	(void)state;
	assert_int_equal(commit("a", 1, "one"), 0);
	move_all();
	assert_int_equal(commit("a", 2, "two"), 0);
	assert_int_equal(disk_drop(&disk, 'a', &r), 0);
	assert_int_equal(read_back("a", 2, "two"), ENOENT);
	restart(0, 0, 0);
	/* It may come again. */
	move_all();
	assert_int_equal(commit("a", 2, "two"), 0);
	restart(1, 0, 0);
}

/* Segments take turns for ever, and what they had does not come back. */
static void
segments_are_used_again(void **state)
{
	static char big[SMALL_MAX + 1];
	unsigned waits = 0;
	bool more;

	(void)state;
	memset(big, 'x', SMALL_MAX);
	for (uint64_t i = 1; i <= 100; i++) {
		int rc = commit(i % 2 == 0 ? "a" : "b", i, big);

		if (rc == EAGAIN) {
			waits++;
			more = true;
			while (more)
				assert_int_equal(journal_move(&disk, buffer,
						     &moved.loss, &more),
				    0);
			rc = commit(i % 2 == 0 ? "a" : "b", i, big);
		}
		assert_int_equal(rc, 0);
	}
	assert_true(waits > 10);
	restart(2, 0, 0);
	assert_int_equal(read_back("a", 100, big), 0);
	assert_int_equal(read_back("b", 99, big), 0);
	assert_int_equal(moved.lost, 0);
}

/* One block of three: its content, its record, or all of it. */
static void
damage_hides_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(commit("a", 1, "one"), 0);
	assert_int_equal(commit("b", 2, "two"), 0);
	assert_int_equal(commit("c", 3, "three"), 0);
	/* Behind the segment's block: block and content of a. */
	flip("journal.0", 512 + 512 + 1);
	assert_int_equal(read_back("c", 3, "three"), 0);
	restart(2, 1, 1);
	assert_false(found.scan.gaps);
	assert_memory_equal(found.last_lost.name.text, "a", 2);
	assert_int_equal(found.last_lost.version.clock, 1);
	assert_int_equal(read_back("a", 1, "one"), ENOENT);
	flip("journal.0", 512 + 1024 + 100);
	restart(1, 2, 1);
	/* Of that one nobody can say that it is lost. */
	assert_true(found.scan.gaps);
	assert_int_equal(read_back("c", 3, "three"), 0);
	/* Stored again: it is lost no more. */
	move_all();
	assert_int_equal(commit("a", 1, "one"), 0);
	restart(2, 0, 0);
	assert_false(found.scan.gaps);
}

static void
damage_is_found_when_read(void **state)
{
	(void)state;
	assert_int_equal(commit("a", 1, "one"), 0);
	assert_int_equal(commit("b", 2, "two"), 0);
	flip("journal.0", 512 + 512 + 1);
	assert_int_equal(read_back("a", 1, "one"), EBADMSG);
	assert_int_equal(read_back("a", 1, "one"), ENOENT);
	assert_true(exists("damaged/0.a"));
	flip("journal.0", 512 + 1024 + 512 + 1);
	move_all();
	assert_int_equal(moved.lost, 1);
	assert_false(exists("files/62/b"));
	restart(0, 0, 2);
}

/* What was cut short at the end was acknowledged to nobody. */
static void
a_torn_end_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(commit("a", 1, "one"), 0);
	assert_int_equal(commit("a", 2, "two"), 0);
	flip("journal.0", 512 + 1024 + 512 + 1);
	restart(1, 0, 0);
	assert_int_equal(read_back("a", 1, "one"), 0);
}

/* What was marked was whole: it is damaged, and was not torn. */
static void
a_marked_end_is_damaged(void **state)
{
	struct record r = record_of("a", 2, "two");

	(void)state;
	assert_int_equal(commit("a", 1, "one"), 0);
	assert_int_equal(commit("a", 2, "two"), 0);
	assert_int_equal(disk_mark(&disk, key_of(&r.name), &r), 0);
	flip("journal.0", 512 + 1024 + 512 + 1);
	restart(0, 1, 1);
	assert_int_equal(found.last_lost.version.clock, 2);
	assert_true(found.last_lost.acknowledged);
}

/* A stored content that looks like an entry is none. */
static void
contents_are_no_entries(void **state)
{
	static char bytes[4096];
	struct record r;
	struct journal_item item = {.content = (uint8_t *)bytes};
	char path[300];
	int fd;

	(void)state;
	assert_int_equal(commit("a", 1, "one"), 0);
	snprintf(path, sizeof(path), "%s/journal.0", folder.path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	bytes[0] ^= 1;
	r = record_of("b", 2, "");
	item.record = &r;
	r.size = sizeof(bytes);
	assert_int_equal(journal_write(&disk, &item, 1, buffer), 0);
	assert_int_equal(commit("c", 3, "three"), 0);
	/* b's own block is damaged; its content lies bare. */
	flip("journal.0", 512 + 1024 + 9);
	restart(2, 1, 0);
	assert_int_equal(read_back("a", 1, "one"), 0);
	assert_int_equal(read_back("c", 3, "three"), 0);
}

/* What is full waits for another to be, as it may be replaced meanwhile. */
static void
a_full_segment_waits(void **state)
{
	static char big[SMALL_MAX + 1];
	unsigned n = 0;

	(void)state;
	memset(big, 'x', SMALL_MAX);
	while (!journal_full(&disk))
		assert_int_equal(commit("a", ++n, big), 0);
	assert_false(journal_due(&disk));
	while (!journal_due(&disk))
		assert_int_equal(commit("a", ++n, big), 0);
	assert_false(exists("files/61/a"));
	assert_int_equal(commit("b", 1, "one"), 0);
	restart(2, 0, 0);
	/* Nothing of an earlier life waits. */
	assert_true(journal_due(&disk));
	assert_int_equal(read_back("a", n, big), 0);
	move_all();
	assert_false(journal_due(&disk));
	assert_int_equal(read_back("a", n, big), 0);
	assert_int_equal(commit("a", ++n, big), 0);
	restart(2, 0, 0);
	assert_int_equal(read_back("a", n, big), 0);
}

UNIT_MAIN(TESTED(nothing_is_made_before_its_time), TESTED(commits_last),
    TESTED(a_batch_is_written_at_once), TESTED(files_come_later),
    TESTED(drops_last), TESTED(segments_are_used_again),
    TESTED(damage_hides_nothing_else), TESTED(damage_is_found_when_read),
    TESTED(a_torn_end_is_nothing), TESTED(a_marked_end_is_damaged),
    TESTED(contents_are_no_entries), TESTED(a_full_segment_waits))
