#ifndef UNIT_SEGMENTS_H
#define UNIT_SEGMENTS_H

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

static inline unsigned
key_of(const struct name *name)
{
	return (unsigned)name->text[0];
}

static inline unsigned
scan_key(struct disk_scan *s, const struct name *name)
{
	(void)s;
	return key_of(name);
}

static inline unsigned
loss_key(struct journal_loss *l, const struct name *name)
{
	(void)l;
	return key_of(name);
}

static inline void
on_loss(struct journal_loss *l, const struct record *r)
{
	(void)l;
	assert_true(r->name.len > 0);
	moved.lost++;
}

static inline void
on_good(struct disk_scan *s, const struct record *r)
{
	(void)s;
	found.good++;
	found.last = *r;
}

static inline void
on_bad(struct disk_scan *s, const char *name, const char *reason)
{
	(void)s;
	assert_true(name[0] != '\0' && reason[0] != '\0');
	found.bad++;
}

static inline void
on_lost(struct disk_scan *s, const struct record *r)
{
	(void)s;
	found.lost++;
	found.last_lost = *r;
}

static inline void
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
static inline void
restart(unsigned good, unsigned bad, unsigned lost)
{
	disk_close(&disk);
	start();
	assert_int_equal(found.good, good);
	assert_int_equal(found.bad, bad);
	assert_int_equal(found.lost, lost);
}

static inline int
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

static inline int
teardown(void **state)
{
	(void)state;
	disk_close(&disk);
	return folder_remove(&folder);
}

#define TESTED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
