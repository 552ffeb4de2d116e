#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "disk/damage.h"
#include "disk/recover.h"
#include "disk/trailer.h"
#include "home_test.h"

enum { KEY = 19, FLUSHED_MAX = 16 };

static struct {
	struct disk_scan scan;
	unsigned good, bad, lost;
	struct record last, last_lost;
} found;

static uint8_t buffer[DISK_BUFFER];

/* What was flushed, instead of the C library's. */
static ino_t flushed[FLUSHED_MAX];
static unsigned flushes;

int
fsync(int fd)
{
	struct stat st;

	if (flushes < FLUSHED_MAX && fstat(fd, &st) == 0)
		flushed[flushes++] = st.st_ino;
	return (int)syscall(SYS_fsync, fd);
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

static unsigned
key_of(struct disk_scan *s, const struct name *name)
{
	(void)s;
	(void)name;
	return KEY;
}

static void
scan(unsigned good, unsigned bad)
{
	damage_free(&disk);
	memset(&found, 0, sizeof(found));
	found.scan = (struct disk_scan){
	    .key = key_of, .good = on_good, .bad = on_bad, .lost = on_lost};
	assert_int_equal(disk_scan(&disk, &found.scan), 0);
	assert_int_equal(found.good, good);
	assert_int_equal(found.bad, bad);
}

static struct record
record_of(uint64_t clock, uint64_t size)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	assert_int_equal(name_set(&r.name, "2067", 4), 0);
	assert_int_equal(suffix_set(&r.suffix, ".pdf", 4), 0);
	r.version = (struct version){clock, 8, 3};
	r.size = size;
	r.digest.bytes[0] = (uint8_t)clock;
	return r;
}

static void
commit(struct record *r, const char *content)
{
	static uint32_t handle;
	XXH128_canonical_t sum;
	bool placed;
	int fd = disk_temp(&disk, ++handle);

	assert_true(fd >= 0);
	XXH128_canonicalFromHash(&sum, XXH3_128bits(content, strlen(content)));
	memcpy(r->digest.bytes, sum.digest, DIGEST_LEN);
	assert_int_equal(
	    volume_write(&volume_system, fd, content, strlen(content), 0), 0);
	assert_int_equal(disk_commit(&disk, handle, fd, KEY, r, &placed), 0);
	assert_true(placed);
	close(fd);
	/* Nothing is left where it was made. */
	assert_int_equal(disk_temp_remove(&disk, handle), ENOENT);
}

static void
content_is(const struct record *r, const char *want)
{
	struct disk_content got;

	assert_int_equal(disk_read(&disk, KEY, r, buffer, &got), 0);
	assert_non_null(got.small);
	assert_memory_equal(got.small, want, r->size);
	free(got.small);
}

static void
not_read(const struct record *r, int err)
{
	struct disk_content got;

	assert_int_equal(disk_read(&disk, KEY, r, buffer, &got), err);
	assert_null(got.small);
	assert_int_equal(got.fd, -1);
}

static void
path_of(char out[300], const char *part)
{
	snprintf(out, 300, "%s/%s", folder.path, part);
}

static void
flushes_are(const char *const *parts)
{
	unsigned count = 0;
	struct stat st;
	char path[300];

	for (; parts[count] != NULL; count++) {
		path_of(path, parts[count]);
		assert_int_equal(stat(path, &st), 0);
		assert_true(count < flushes && flushed[count] == st.st_ino);
	}
	assert_int_equal(flushes, count);
	flushes = 0;
}

/* A file is on the disk when the way to it is. */
static void
folders_last(void **state)
{
	static const char *const first[] = {
	    "files/13", "files", ".", "..", NULL};
	static const char *const again[] = {"files/13", NULL};
	struct record r = record_of(1, 5);

	(void)state;
	flushes = 0;
	commit(&r, "hello");
	flushes_are(first);
	r = record_of(2, 5);
	commit(&r, "world");
	flushes_are(again);
	disk_close(&disk);
	assert_int_equal(home_open(&disk, folder.path, false, &error), 0);
	r = record_of(3, 5);
	commit(&r, "there");
	assert_int_equal(flushes, 0);
}

static void
versions_replace_each_other(void **state)
{
	struct record old = record_of(1, 5), new = record_of(2, 3);

	(void)state;
	scan(0, 0);
	commit(&old, "hello");
	content_is(&old, "hello");
	not_read(&new, ENOENT);
	commit(&new, "abc");
	content_is(&new, "abc");
	not_read(&old, ENOENT);
	scan(1, 0);
	assert_memory_equal(&found.last, &new, sizeof(new));
}

static void
empty_files_and_tombstones(void **state)
{
	struct record empty = record_of(1, 0), gone = record_of(2, 0);

	(void)state;
	commit(&empty, "");
	content_is(&empty, "");
	gone.deleted = 1;
	commit(&gone, "");
	scan(1, 0);
	assert_int_equal(found.last.deleted, 1);
	assert_int_equal(found.last.version.clock, 2);
}

static void
marks_last(void **state)
{
	struct record r = record_of(1, 5), other = record_of(2, 5);

	(void)state;
	commit(&r, "hello");
	scan(1, 0);
	assert_int_equal(found.last.acknowledged, 0);
	assert_int_equal(disk_mark(&disk, KEY, &other), ENOENT);
	assert_int_equal(disk_mark(&disk, KEY, &r), 0);
	scan(1, 0);
	assert_int_equal(found.last.acknowledged, 1);
	content_is(&r, "hello");
}

static void
drops_know_the_version(void **state)
{
	struct record r = record_of(2, 5), other = record_of(1, 5);

	(void)state;
	commit(&r, "hello");
	assert_int_equal(disk_drop(&disk, KEY, &other), ENOENT);
	content_is(&r, "hello");
	assert_int_equal(disk_drop(&disk, KEY, &r), 0);
	assert_int_equal(disk_drop(&disk, KEY, &r), ENOENT);
	scan(0, 0);
}

/* The journal has what replaced it: its room is free, and the name is not. */
static void
room_is_made(void **state)
{
	static uint8_t block[DISK_BUFFER];
	struct record old = record_of(1, 5), new = record_of(2, 0);
	struct journal_item item = {.record = &new};
	char path[300];

	(void)state;
	path_of(path, "files/13/2067");
	commit(&old, "hello");
	new.deleted = 1;
	/* Not before it is there, nor by what is not the newest. */
	disk_make_room(&disk, KEY, &new);
	content_is(&old, "hello");
	assert_int_equal(journal_write(&disk, &item, 1, block), 0);
	disk_make_room(&disk, KEY, &old);
	assert_int_equal(access(path, F_OK), 0);
	disk_make_room(&disk, KEY, &new);
	assert_int_equal(access(path, F_OK), -1);
	disk_close(&disk);
	assert_int_equal(home_open(&disk, folder.path, true, &error), 0);
	scan(1, 0);
	assert_int_equal(found.last.deleted, 1);
}

/* Removed by another's hand: unlike what is stored, or was set aside. */
static void
files_that_are_gone_are_told(void **state)
{
	struct record r = record_of(1, 5);
	char path[300];

	(void)state;
	path_of(path, "files/13/2067");
	commit(&r, "hello");
	assert_false(damage_gone(&disk, KEY, &r.name));
	assert_int_equal(unlink(path), 0);
	not_read(&r, ENOENT);
	assert_true(damage_gone(&disk, KEY, &r.name));
	commit(&r, "hello");
	assert_int_equal(truncate(path, TRAILER_LEN + 4), 0);
	not_read(&r, EBADMSG);
	assert_false(damage_gone(&disk, KEY, &r.name));
}

/* A file cut or written over is never served, and set aside at once. */
static void
damaged_files_are_set_aside(void **state)
{
	struct record r = record_of(1, 5);
	char path[300], aside[300];
	int fd;

	(void)state;
	path_of(path, "files/13/2067");
	path_of(aside, "damaged/0.2067");
	commit(&r, "hello");
	assert_int_equal(truncate(path, TRAILER_LEN + 4), 0);
	not_read(&r, EBADMSG);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(aside, F_OK), 0);
	scan(0, 0);
	assert_int_equal(found.lost, 1);
	assert_false(found.scan.gaps);
	assert_memory_equal(&found.last_lost, &r, sizeof(r));
	/* Stored again, it is not lost any more. */
	commit(&r, "hello");
	scan(1, 0);
	assert_int_equal(found.lost, 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 5 + 20), 1);
	close(fd);
	scan(0, 1);
	path_of(aside, "damaged/1.2067");
	assert_int_equal(access(aside, F_OK), 0);
	/* Its trailer can't say which version it was. */
	assert_int_equal(found.lost, 1);
	assert_int_equal(found.last_lost.version.clock, 0);
	assert_true(found.scan.gaps);
	not_read(&r, ENOENT);
}

/* One bit of the content, large or small. */
static void
flipped_bits_are_found(void **state)
{
	static char big[SMALL_MAX + 100];
	struct record r = record_of(1, 5);
	struct verify v = {.hash = NULL};
	char path[300];
	int fd, rc;

	(void)state;
	path_of(path, "files/13/2067");
	commit(&r, "hello");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "j", 1, 0), 1);
	not_read(&r, EBADMSG);
	close(fd);
	memset(big, 'b', sizeof(big) - 1);
	r = record_of(2, sizeof(big) - 1);
	commit(&r, big);
	while ((rc = verify_step(&disk, KEY, &r, &v, buffer, 4096)) == EAGAIN)
		;
	assert_int_equal(rc, 0);
	verify_end(&disk, &v);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "c", 1, SMALL_MAX), 1);
	close(fd);
	while ((rc = verify_step(&disk, KEY, &r, &v, buffer, 4096)) == EAGAIN)
		;
	assert_int_equal(rc, EBADMSG);
	verify_end(&disk, &v);
	assert_int_equal(access(path, F_OK), -1);
	scan(0, 0);
	assert_int_equal(found.lost, 1);
}

/* Its trailer is good, but a byte of its content is gone. */
static void
sizes_must_agree(void **state)
{
	struct record r = record_of(1, 5);
	char path[300], bytes[TRAILER_LEN + 5];
	int fd;

	(void)state;
	path_of(path, "files/13/2067");
	commit(&r, "hello");
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(
	    pwrite(fd, bytes + 1, sizeof(bytes) - 1, 0), sizeof(bytes) - 1);
	assert_int_equal(ftruncate(fd, sizeof(bytes) - 1), 0);
	close(fd);
	not_read(&r, EBADMSG);
	scan(0, 0);
	assert_int_equal(found.lost, 1);
}

static void
half_made_files_vanish(void **state)
{
	char path[300];
	int fd = disk_temp(&disk, 4242);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(disk_temp(&disk, 4242), -1);
	close(fd);
	path_of(path, "tmp/4242");
	assert_int_equal(access(path, F_OK), 0);
	disk_close(&disk);
	assert_int_equal(home_open(&disk, folder.path, true, &error), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void
trailers_find_each_flipped_bit(void **state)
{
	struct record r = record_of(1, 5), back;
	uint8_t data[TRAILER_LEN];

	(void)state;
	trailer_encode(&r, data);
	assert_true(trailer_decode(&back, data));
	assert_memory_equal(&back, &r, sizeof(r));
	for (size_t bit = 0; bit < TRAILER_LEN * 8; bit++) {
		bool good;

		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		good = trailer_decode(&back, data);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(good, bit / 8 == TRAILER_ACKNOWLEDGED);
	}
}

static void
longest_names_fit(void **state)
{
	struct record r = record_of(UINT64_MAX, UINT64_MAX), back;
	uint8_t data[TRAILER_LEN];

	(void)state;
	r.name.len = NAME_LEN_MAX;
	memset(r.name.text, 'n', NAME_LEN_MAX);
	r.suffix.len = SUFFIX_LEN_MAX;
	memset(r.suffix.text, 's', SUFFIX_LEN_MAX);
	r.acknowledged = 1;
	trailer_encode(&r, data);
	assert_true(trailer_decode(&back, data));
	assert_memory_equal(&back, &r, sizeof(r));
}

#define DISK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(DISK_TEST(folders_last), DISK_TEST(versions_replace_each_other),
    DISK_TEST(empty_files_and_tombstones), DISK_TEST(marks_last),
    DISK_TEST(drops_know_the_version), DISK_TEST(damaged_files_are_set_aside),
    DISK_TEST(files_that_are_gone_are_told), DISK_TEST(room_is_made),
    DISK_TEST(flipped_bits_are_found), DISK_TEST(sizes_must_agree),
    DISK_TEST(half_made_files_vanish), TEST(trailers_find_each_flipped_bit),
    TEST(longest_names_fit))
