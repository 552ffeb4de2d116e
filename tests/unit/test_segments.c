#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "disk/damage.h"
#include "disk/recover.h"
#include "folder.h"
#include "peer/home.h"
#include "unit.h"

/* The journal of small versions, on a real folder. */
enum { SEGMENT = 64 << 10, STEP = 16 << 10 };

static struct folder folder;
static struct disk disk;
static struct text error;
static uint8_t buffer[DISK_BUFFER];

static struct {
	struct disk_scan scan;
	unsigned good, bad, lost;
	struct record last, last_lost;
} found;

static struct {
	struct journal_loss loss;
	unsigned lost;
} moved;

static unsigned
key_of(const struct name *name)
{
	return (unsigned)name->text[0];
}

static unsigned
scan_key(struct disk_scan *s, const struct name *name)
{
	(void)s;
	return key_of(name);
}

static unsigned
loss_key(struct journal_loss *l, const struct name *name)
{
	(void)l;
	return key_of(name);
}

static void
on_loss(struct journal_loss *l, const struct record *r)
{
	(void)l;
	assert_true(r->name.len > 0);
	moved.lost++;
}

static void
on_good(struct disk_scan *s, const struct record *r)
{
	(void)s;
	found.good++;
	found.last = *r;
}

static void
on_bad(struct disk_scan *s, const char *name, const char *reason)
{
	(void)s;
	assert_true(name[0] != '\0' && reason[0] != '\0');
	found.bad++;
}

static void
on_lost(struct disk_scan *s, const struct record *r)
{
	(void)s;
	found.lost++;
	found.last_lost = *r;
}

static void
start(void)
{
	assert_int_equal(home_open(&disk, folder.path, true, &error), 0);
	disk.journal.len_max = SEGMENT;
	disk.journal.step = STEP;
	memset(&found, 0, sizeof(found));
	found.scan = (struct disk_scan){.key = scan_key,
	    .good = on_good,
	    .bad = on_bad,
	    .lost = on_lost,
	    .threads = 2};
	assert_int_equal(disk_scan(&disk, &found.scan), 0);
}

/* As after SIGKILL: nothing is moved. */
static void
restart(unsigned good, unsigned bad, unsigned lost)
{
	disk_close(&disk);
	start();
	assert_int_equal(found.good, good);
	assert_int_equal(found.bad, bad);
	assert_int_equal(found.lost, lost);
}

static int
setup(void **state)
{
	(void)state;
	moved.loss = (struct journal_loss){loss_key, on_loss};
	moved.lost = 0;
	if (folder_make(&folder) == -1)
		return -1;
	start();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	disk_close(&disk);
	return folder_remove(&folder);
}

static struct record
record_of(const char *name, uint64_t clock, const char *content)
{
	XXH128_canonical_t sum;
	struct record r;

	memset(&r, 0, sizeof(r));
	assert_int_equal(name_set(&r.name, name, strlen(name)), 0);
	r.version = (struct version){clock, 8, 3};
	r.size = strlen(content);
	XXH128_canonicalFromHash(&sum, XXH3_128bits(content, r.size));
	memcpy(r.digest.bytes, sum.digest, DIGEST_LEN);
	return r;
}

static int
commit(const char *name, uint64_t clock, const char *content)
{
	struct record r = record_of(name, clock, content);
	struct journal_item item = {
	    .record = &r, .content = (const uint8_t *)content};

	return journal_write(&disk, &item, 1, buffer);
}

static int
read_back(const char *name, uint64_t clock, const char *content)
{
	struct record r = record_of(name, clock, content);
	struct disk_content got;
	int rc = disk_read(&disk, key_of(&r.name), &r, buffer, &got);

	if (rc != 0)
		return rc;
	assert_non_null(got.small);
	assert_memory_equal(got.small, content, r.size);
	free(got.small);
	return 0;
}

static void
move_all(void)
{
	bool more = true;

	journal_finish(&disk);
	while (more)
		assert_int_equal(
		    journal_move(&disk, buffer, &moved.loss, &more), 0);
}

static bool
exists(const char *part)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", folder.path, part);
	return access(path, F_OK) == 0;
}

static void
flip(const char *part, off_t at)
{
	char path[300], byte;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder.path, part);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

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
	assert_memory_equal(found.last_lost.name.text, "a", 2);
	assert_int_equal(found.last_lost.version.clock, 1);
	assert_int_equal(read_back("a", 1, "one"), ENOENT);
	flip("journal.0", 512 + 1024 + 100);
	restart(1, 2, 1);
	assert_int_equal(read_back("c", 3, "three"), 0);
	/* Stored again: it is lost no more. */
	move_all();
	assert_int_equal(commit("a", 1, "one"), 0);
	restart(2, 0, 0);
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

#define TESTED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(TESTED(nothing_is_made_before_its_time), TESTED(commits_last),
    TESTED(a_batch_is_written_at_once), TESTED(files_come_later),
    TESTED(drops_last), TESTED(segments_are_used_again),
    TESTED(damage_hides_nothing_else), TESTED(damage_is_found_when_read),
    TESTED(a_torn_end_is_nothing), TESTED(a_marked_end_is_damaged),
    TESTED(contents_are_no_entries))
