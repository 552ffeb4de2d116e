#include <sys/stat.h>

#include <fcntl.h>

#include "cli/files.h"
#include "folder.h"
#include "unit.h"

static struct folder folder;
static char path[300];

static int
setup(void **state)
{
	int fd;

	(void)state;
	if (folder_make(&folder) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/received_2067", folder.path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	return fd == -1 ? -1 : close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	umask(022);
	return folder_remove(&folder);
}

static unsigned
mode_with(mode_t mask)
{
	struct stat st;

	umask(mask);
	target_done(path);
	assert_int_equal(umask(022), mask);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
the_callers_umask_counts(void **state)
{
	(void)state;
	assert_int_equal(mode_with(022), 0644);
	assert_int_equal(mode_with(077), 0600);
	assert_int_equal(mode_with(002), 0664);
}

static void
a_link_is_not_followed(void **state)
{
	char link[320];
	struct stat st;

	(void)state;
	snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	target_done(link);
	target_done("/dev/null");
	target_done("");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

#define TARGET_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(
    TARGET_TEST(the_callers_umask_counts), TARGET_TEST(a_link_is_not_followed))
