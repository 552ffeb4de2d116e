#include <fcntl.h>
#include <string.h>

#include "folder.h"
#include "os/key.h"
#include "os/paths.h"
#include "unit.h"

static struct folder folder;
static struct path_buf path;
static struct why why;

static int
setup(void **state)
{
	(void)state;
	unsetenv("RINGCTL_DIR");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_STATE_HOME");
	return folder_make(&folder);
}

static int
teardown(void **state)
{
	(void)state;
	return folder_remove(&folder);
}

static char *
inside(const char *name)
{
	static char out[512];

	snprintf(out, sizeof(out), "%s/%s", folder.path, name);
	return out;
}

static void
runtime_folder_is_ours_alone(void **state)
{
	struct stat st;

	(void)state;
	setenv("XDG_RUNTIME_DIR", folder.path, 1);
	assert_int_equal(paths_runtime(&path, &why), 0);
	assert_string_equal(path.text, inside("ringctl"));
	setenv("RINGCTL_DIR", inside("own/deep"), 1);
	assert_int_equal(paths_runtime(&path, &why), 0);
	assert_string_equal(path.text, inside("own/deep"));
	assert_int_equal(stat(path.text, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(chmod(path.text, 0750), 0);
	assert_int_equal(paths_runtime(&path, &why), -1);
	assert_non_null(strstr(why.text, "chmod 700"));
}

/* Who makes a link there first must not be able to lead us elsewhere. */
static void
runtime_folder_is_no_link(void **state)
{
	(void)state;
	assert_int_equal(mkdir(inside("target"), 0700), 0);
	assert_int_equal(symlink("target", inside("link")), 0);
	setenv("RINGCTL_DIR", inside("link"), 1);
	assert_int_equal(paths_runtime(&path, &why), -1);
	assert_non_null(strstr(why.text, "not a folder"));
}

static void
runtime_files_are_in_it(void **state)
{
	(void)state;
	setenv("RINGCTL_DIR", folder.path, 1);
	assert_int_equal(paths_runtime_file(&path, "lab", ".sock", &why), 0);
	assert_string_equal(path.text, inside("lab.sock"));
}

static void
data_lies_in_the_state_folder(void **state)
{
	(void)state;
	setenv("HOME", "/home/u", 1);
	assert_int_equal(paths_data_default(&path, "lab", &why), 0);
	assert_string_equal(path.text, "/home/u/.local/state/ringctl/lab");
	setenv("XDG_STATE_HOME", "not/absolute", 1);
	assert_int_equal(paths_data_default(&path, "lab", &why), 0);
	assert_string_equal(path.text, "/home/u/.local/state/ringctl/lab");
	setenv("XDG_STATE_HOME", folder.path, 1);
	assert_int_equal(paths_data_default(&path, "lab", &why), 0);
	assert_string_equal(path.text, inside("ringctl/lab"));
}

static void
data_elsewhere_is_remembered(void **state)
{
	(void)state;
	setenv("XDG_STATE_HOME", folder.path, 1);
	assert_int_equal(paths_data(&path, "lab", &why), 0);
	assert_string_equal(path.text, inside("ringctl/lab"));
	assert_int_equal(paths_data_remember("lab", "/srv/lab", &why), 0);
	assert_int_equal(paths_data_remember("other", "/srv/o", &why), 0);
	assert_int_equal(paths_data(&path, "lab", &why), 0);
	assert_string_equal(path.text, "/srv/lab");
	assert_int_equal(paths_data_remember("lab", NULL, &why), 0);
	assert_int_equal(paths_data(&path, "lab", &why), 0);
	assert_string_equal(path.text, inside("ringctl/lab"));
}

static void
paths_are_joined(void **state)
{
	char longer[PATH_LEN_MAX + 2];

	(void)state;
	assert_int_equal(paths_join(&path, "/a", "b", &why), 0);
	assert_string_equal(path.text, "/a/b");
	assert_int_equal(paths_join(&path, "/a", "/b//", &why), 0);
	assert_string_equal(path.text, "/b");
	assert_int_equal(paths_join(&path, "/a", "/", &why), 0);
	assert_string_equal(path.text, "/");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(paths_join(&path, "/a", longer, &why), -1);
	assert_non_null(strstr(why.text, "too long"));
}

static void
folders_are_made_with_their_parents(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(paths_make(inside("a/b/c"), &why), 0);
	assert_int_equal(paths_make(inside("a/b/c"), &why), 0);
	fd = open(inside("a/file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(paths_make(inside("a/file"), &why), -1);
	assert_int_equal(paths_make(inside("a/file/x"), &why), -1);
}

static void
files_are_replaced_whole(void **state)
{
	char got[16] = "";
	int fd;

	(void)state;
	assert_int_equal(paths_replace(inside("f"), "one", 3, &why), 0);
	assert_int_equal(paths_replace(inside("f"), "two!", 4, &why), 0);
	fd = open(inside("f"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, got, sizeof(got)), 4);
	assert_string_equal(got, "two!");
	close(fd);
	assert_int_equal(access(inside("f.tmp"), F_OK), -1);
	assert_int_equal(paths_replace(inside("no/f"), "x", 1, &why), -1);
	assert_true(strlen(why.text) > 0);
}

static void
keys_belong_to_port_bases(void **state)
{
	uint8_t first[KEY_LEN], again[KEY_LEN], other[KEY_LEN];
	struct stat st;

	(void)state;
	setenv("RINGCTL_DIR", folder.path, 1);
	assert_int_equal(key_load(first, NULL, 12000, &why), 0);
	assert_int_equal(key_load(again, "", 12000, &why), 0);
	assert_memory_equal(first, again, KEY_LEN);
	assert_int_equal(key_load(other, NULL, 13000, &why), 0);
	assert_memory_not_equal(first, other, KEY_LEN);
	assert_int_equal(stat(inside("key-12000"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
write_key(const char *name, size_t len, mode_t mode)
{
	char bytes[KEY_FILE_MAX + 1];
	int fd = open(inside(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	memset(bytes, 'k', sizeof(bytes));
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
keys_from_files_are_checked(void **state)
{
	uint8_t key[KEY_LEN], other[KEY_LEN];

	(void)state;
	write_key("short", 15, 0600);
	assert_int_equal(key_load(key, inside("short"), 0, &why), -1);
	assert_non_null(strstr(why.text, "must have 16 to 4096 bytes"));
	write_key("long", KEY_FILE_MAX + 1, 0600);
	assert_int_equal(key_load(key, inside("long"), 0, &why), -1);
	write_key("open", 32, 0644);
	assert_int_equal(key_load(key, inside("open"), 0, &why), -1);
	assert_non_null(strstr(why.text, "chmod 600"));
	assert_int_equal(key_load(key, inside("none"), 0, &why), -1);
	assert_int_equal(mkfifo(inside("fifo"), 0600), 0);
	assert_int_equal(key_load(key, inside("fifo"), 0, &why), -1);
	assert_non_null(strstr(why.text, "not a regular file"));
	write_key("least", 16, 0600);
	assert_int_equal(key_load(key, inside("least"), 0, &why), 0);
	write_key("most", KEY_FILE_MAX, 0600);
	assert_int_equal(key_load(other, inside("most"), 0, &why), 0);
	assert_memory_not_equal(key, other, KEY_LEN);
}

/* Root may write anywhere. */
static void
folders_that_cannot_be_made_say_why(void **state)
{
	uid_t user = geteuid();
	int rc;

	(void)state;
	assert_int_equal(chmod(folder.path, 0555), 0);
	if (user == 0)
		assert_int_equal(seteuid(65534), 0);
	rc = paths_make(inside("mine"), &why);
	if (user == 0)
		assert_int_equal(seteuid(user), 0);
	assert_int_equal(chmod(folder.path, 0700), 0);
	assert_int_equal(rc, -1);
	assert_non_null(strstr(why.text, "mine: Permission denied"));
}

#define PATHS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(PATHS_TEST(runtime_folder_is_ours_alone),
    PATHS_TEST(runtime_folder_is_no_link), PATHS_TEST(runtime_files_are_in_it),
    PATHS_TEST(data_lies_in_the_state_folder),
    PATHS_TEST(data_elsewhere_is_remembered), PATHS_TEST(paths_are_joined),
    PATHS_TEST(folders_are_made_with_their_parents),
    PATHS_TEST(folders_that_cannot_be_made_say_why),
    PATHS_TEST(files_are_replaced_whole), PATHS_TEST(keys_belong_to_port_bases),
    PATHS_TEST(keys_from_files_are_checked))
