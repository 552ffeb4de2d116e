#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "folder.h"
#include "super/journal.h"
#include "unit.h"
#include "wire/frame.h"

static struct folder folder;
static struct journal journal;
static struct journal_reader reader;
static struct message m;
static struct why why;

static int
setup(void **state)
{
	(void)state;
	if (folder_make(&folder) == -1)
		return -1;
	return journal_open(&journal, folder.path, JOURNAL_EVENTS, &why);
}

static int
teardown(void **state)
{
	(void)state;
	journal_close(&journal);
	journal_reader_close(&reader);
	return folder_remove(&folder);
}

static void
write_event(uint64_t number)
{
	memset(&m, 0, sizeof(m));
	m.type = MSG_event;
	m.event.value = number;
	journal_append(&journal, &m);
}

static void
open_reader(void)
{
	assert_int_equal(
	    journal_reader_open(&reader, folder.path, JOURNAL_EVENTS, &why), 0);
}

static void
read_event(uint64_t number)
{
	assert_int_equal(journal_read(&reader, &m), 1);
	assert_int_equal(m.type, MSG_event);
	assert_true(m.event.value == number);
}

static void
path_of(char out[320], unsigned long number)
{
	snprintf(out, 320, "%s/journal/events.%lu", folder.path, number);
}

static void
reopen(void)
{
	journal_close(&journal);
	assert_int_equal(
	    journal_open(&journal, folder.path, JOURNAL_EVENTS, &why), 0);
}

static void
what_was_written_is_read(void **state)
{
	(void)state;
	open_reader();
	assert_int_equal(journal_read(&reader, &m), 0);
	assert_false(journal_flush(&journal));
	for (uint64_t i = 0; i < 100; i++)
		write_event(i);
	assert_int_equal(journal_read(&reader, &m), 0);
	assert_true(journal_flush(&journal));
	for (uint64_t i = 0; i < 100; i++)
		read_event(i);
	assert_int_equal(journal_read(&reader, &m), 0);
	write_event(100);
	journal_flush(&journal);
	read_event(100);
}

static void
it_goes_on_after_a_restart(void **state)
{
	(void)state;
	write_event(1);
	reopen();
	write_event(2);
	journal_flush(&journal);
	open_reader();
	read_event(1);
	read_event(2);
	assert_int_equal(journal_read(&reader, &m), 0);
}

static void
half_a_frame_is_cut_off(void **state)
{
	char path[320];
	int fd;

	(void)state;
	write_event(1);
	journal_flush(&journal);
	path_of(path, journal.number);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "\0\0\0\x40\x57\0\0", 7), 7);
	close(fd);
	reopen();
	write_event(2);
	journal_flush(&journal);
	open_reader();
	read_event(1);
	read_event(2);
	assert_int_equal(journal_read(&reader, &m), 0);
}

/* Writes big messages until a new file was begun. */
static void
fill_file(void)
{
	unsigned long number = journal.number;

	memset(&m, 0, sizeof(m));
	m.type = MSG_reply;
	m.reply.route.count = m.reply.holders.count = SPACE_MAX;
	while (journal.number == number) {
		journal_append(&journal, &m);
		journal_flush(&journal);
	}
}

static void
damage_costs_the_rest_of_its_file(void **state)
{
	char path[320];
	int fd;

	(void)state;
	write_event(1);
	write_event(2);
	journal_flush(&journal);
	path_of(path, journal.number);
	fill_file();
	write_event(3);
	journal_flush(&journal);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	memset(&m, 0, sizeof(m));
	m.type = MSG_event;
	/* The second event begins where the first ends. */
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4,
			     (off_t)frame_encode(&m, (uint8_t[256]){0}, 256)),
	    4);
	close(fd);
	open_reader();
	read_event(1);
	assert_int_equal(journal_read(&reader, &m), 1);
	assert_int_equal(m.type, MSG_reply);
	read_event(3);
	assert_int_equal(journal_read(&reader, &m), 0);
}

static void
old_files_are_removed(void **state)
{
	unsigned long first = journal.number;
	char path[320];
	unsigned replies = 0;

	(void)state;
	write_event(1);
	for (int i = 0; i < JOURNAL_FILES + 2; i++)
		fill_file();
	write_event(2);
	journal_flush(&journal);
	for (unsigned long i = first; i <= journal.number; i++) {
		path_of(path, i);
		assert_int_equal(access(path, F_OK),
		    i + JOURNAL_FILES > journal.number ? 0 : -1);
	}
	assert_true(journal.size < JOURNAL_FILE_MAX);
	open_reader();
	while (journal_read(&reader, &m) == 1 && m.type == MSG_reply)
		replies++;
	assert_true(replies > 7 * JOURNAL_FILE_MAX / FRAME_LEN_MAX);
	assert_int_equal(m.event.value, 2);
}

#define JOURNAL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void
what_cannot_be_read_is_an_error(void **state)
{
	char path[320];

	(void)state;
	path_of(path, journal.number + 1);
	assert_int_equal(symlink("/dev/null", path), 0);
	open_reader();
	write_event(1);
	journal_flush(&journal);
	read_event(1);
	assert_int_equal(journal_read(&reader, &m), -1);
	assert_int_equal(errno, ELOOP);
}

UNIT_MAIN(JOURNAL_TEST(what_was_written_is_read),
    JOURNAL_TEST(what_cannot_be_read_is_an_error),
    JOURNAL_TEST(it_goes_on_after_a_restart),
    JOURNAL_TEST(half_a_frame_is_cut_off),
    JOURNAL_TEST(damage_costs_the_rest_of_its_file),
    JOURNAL_TEST(old_files_are_removed))
