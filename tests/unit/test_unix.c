#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "folder.h"
#include "os/unix.h"
#include "unit.h"

static struct folder folder;

static int
setup(void **state)
{
	(void)state;
	return folder_make(&folder);
}

static int
teardown(void **state)
{
	(void)state;
	return folder_remove(&folder);
}

static void
speak(const char *path)
{
	int listener = unix_listen(path), client, server;
	struct stat st;
	char byte = 0;

	assert_true(listener >= 0);
	assert_int_equal(fcntl(listener, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(listener, F_GETFL) & O_NONBLOCK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(unix_listen(path), -1);
	assert_int_equal(errno, EADDRINUSE);
	client = unix_connect(path, 1000);
	assert_true(client >= 0);
	assert_int_equal(fcntl(client, F_GETFD), FD_CLOEXEC);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	assert_true(unix_is_ours(server));
	assert_int_equal(write(client, "x", 1), 1);
	assert_int_equal(read(server, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(client);
	close(server);
	close(listener);
	assert_int_equal(unix_connect(path, 1000), -1);
	assert_int_equal(errno, ECONNREFUSED);
	unlink(path);
	assert_int_equal(unix_connect(path, 1000), -1);
	assert_int_equal(errno, ENOENT);
}

static void
ends_speak(void **state)
{
	char path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/s", folder.path);
	speak(path);
}

/* sun_path has 108 bytes. */
static void
ends_speak_by_long_paths(void **state)
{
	char path[512], name[121];

	(void)state;
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(path, sizeof(path), "%s/%s", folder.path, name);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/s", folder.path, name);
	speak(path);
	snprintf(path, sizeof(path), "%s/%s%s", folder.path, name, name);
	assert_int_equal(unix_listen(path), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void
masks_are_kept(void **state)
{
	char path[512];
	int fd;

	(void)state;
	umask(027);
	snprintf(path, sizeof(path), "%s/s", folder.path);
	fd = unix_listen(path);
	assert_true(fd >= 0);
	assert_int_equal(umask(022), 027);
	close(fd);
}

#define UNIX_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(UNIX_TEST(ends_speak), UNIX_TEST(ends_speak_by_long_paths),
    UNIX_TEST(masks_are_kept))
