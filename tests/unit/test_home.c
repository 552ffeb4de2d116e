#include <stdint.h>
#include <string.h>

#include "home_test.h"

/* What a peer's folder tells of its earlier lives. */

static void
one_process_a_folder(void **state)
{
	struct disk second;

	(void)state;
	assert_int_equal(home_open(&second, folder.path, true, &error), -1);
	assert_non_null(strstr(error.text, "in use"));
	assert_non_null(strstr(error.text, folder.path));
	disk_close(&second);
	disk_close(&disk);
	assert_int_equal(home_open(&disk, folder.path, true, &error), 0);
}

static void
incarnations_last(void **state)
{
	uint32_t value = 7;
	bool kept;
	char path[300];
	FILE *f;

	(void)state;
	assert_int_equal(
	    disk_read_incarnation(&disk, &value, &kept, &error), 0);
	assert_int_equal(value, 0);
	assert_int_equal(disk_write_incarnation(&disk, 41), 0);
	assert_int_equal(disk_write_incarnation(&disk, UINT32_MAX - 1), 0);
	assert_int_equal(
	    disk_read_incarnation(&disk, &value, &kept, &error), 0);
	assert_true(value == UINT32_MAX - 1 && kept);
	/* Without sync it is kept until the system starts again. */
	disk.sync = false;
	assert_int_equal(disk_write_incarnation(&disk, 42), 0);
	disk_read_incarnation(&disk, &value, &kept, &error);
	assert_true(kept);
	disk.boot[0] ^= 1;
	disk_read_incarnation(&disk, &value, &kept, &error);
	assert_true(value == 42 && !kept);
	snprintf(path, sizeof(path), "%s/incarnation", folder.path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("forty\n", f);
	fclose(f);
	assert_int_equal(
	    disk_read_incarnation(&disk, &value, &kept, &error), -1);
	assert_non_null(strstr(error.text, "incarnation"));
}

static void
views_last(void **state)
{
	static const uint8_t view[] = {1, 0, 2, 0};
	uint8_t *back;
	size_t len = 0;

	(void)state;
	assert_null(disk_read_view(&disk, &len));
	assert_int_equal(disk_write_view(&disk, view, sizeof(view)), 0);
	back = disk_read_view(&disk, &len);
	assert_non_null(back);
	assert_int_equal(len, sizeof(view));
	assert_memory_equal(back, view, len);
	free(back);
}

#define HOME_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(HOME_TEST(one_process_a_folder), HOME_TEST(incarnations_last),
    HOME_TEST(views_last))
