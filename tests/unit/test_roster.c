#include <fcntl.h>
#include <string.h>

#include "folder.h"
#include "super/roster.h"
#include "unit.h"

static struct folder folder;
static struct roster roster, second;
static struct config config;
static struct why why;

static int
setup(void **state)
{
	(void)state;
	config_init(&config);
	roster.lock_fd = -1;
	return folder_make(&folder);
}

static int
teardown(void **state)
{
	(void)state;
	roster_close(&roster);
	return folder_remove(&folder);
}

static void
open_again(void)
{
	roster_close(&roster);
	assert_int_equal(roster_open(&roster, folder.path, &config, &why), 0);
}

static void
who_joined_is_remembered(void **state)
{
	(void)state;
	open_again();
	assert_int_equal(idset_count(&roster.joined), 0);
	assert_int_equal(roster_add(&roster, 25, 0, &why), 0);
	assert_int_equal(roster_add(&roster, 255, 30000, &why), 0);
	assert_int_equal(roster_add(&roster, 0, 50, &why), 0);
	open_again();
	assert_int_equal(idset_count(&roster.joined), 3);
	assert_true(idset_has(&roster.joined, 25));
	assert_int_equal(roster.ping_ms[25], 0);
	assert_int_equal(roster.ping_ms[255], 30000);
	assert_int_equal(roster_del(&roster, 25, &why), 0);
	assert_int_equal(roster_del(&roster, 26, &why), 0);
	open_again();
	assert_int_equal(idset_count(&roster.joined), 2);
	assert_false(idset_has(&roster.joined, 25));
}

static void
bad_lines_cost_themselves_only(void **state)
{
	static const char text[] = "25 0\n256x 1\nnothing\n4096 1\n30 50\n";
	char path[320];
	int fd;

	(void)state;
	open_again();
	snprintf(path, sizeof(path), "%s/peers", folder.path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	open_again();
	assert_int_equal(idset_count(&roster.joined), 2);
	assert_true(idset_has(&roster.joined, 30));
}

/* Another ring's files, or ones that lie elsewhere, are not touched. */
static void
folders_belong_to_one_ring(void **state)
{
	(void)state;
	open_again();
	roster_close(&roster);
	config.bits = 9;
	assert_int_equal(roster_open(&second, folder.path, &config, &why), -1);
	assert_non_null(strstr(why.text, "another ring"));
	config.bits = BITS_DEFAULT;
	config.any_names = true;
	assert_int_equal(roster_open(&second, folder.path, &config, &why), -1);
	config.any_names = false;
	memcpy(config.ring, "other", sizeof("other"));
	assert_int_equal(roster_open(&second, folder.path, &config, &why), -1);
	assert_int_equal(second.lock_fd, -1);
	config_init(&config);
	config.copies = 5;
	config.port = 20000;
	open_again();
}

/* A peer by itself neither holds the folder nor minds who does. */
static void
visitors_lock_nothing(void **state)
{
	(void)state;
	assert_int_equal(roster_visit(folder.path, &config, &why), 0);
	assert_int_equal(roster_visit(folder.path, &config, &why), 0);
	open_again();
	assert_int_equal(roster_visit(folder.path, &config, &why), 0);
	config.bits = 9;
	assert_int_equal(roster_visit(folder.path, &config, &why), -1);
	assert_non_null(strstr(why.text, "another ring"));
}

#define ROSTER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(ROSTER_TEST(who_joined_is_remembered),
    ROSTER_TEST(bad_lines_cost_themselves_only),
    ROSTER_TEST(folders_belong_to_one_ring), ROSTER_TEST(visitors_lock_nothing))
