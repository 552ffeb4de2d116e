#ifndef UNIT_HOME_TEST_H
#define UNIT_HOME_TEST_H

#include "folder.h"
#include "peer/home.h"
#include "unit.h"

/* A peer's folder for each test, opened by its setup. */
static struct folder folder;
static struct disk disk;
static struct text error;

static int
setup(void **state)
{
	(void)state;
	if (folder_make(&folder) == -1)
		return -1;
	return home_open(&disk, folder.path, true, &error);
}

static int
teardown(void **state)
{
	(void)state;
	disk_close(&disk);
	return folder_remove(&folder);
}

#endif
