#ifndef UNIT_VERSIONS_H
#define UNIT_VERSIONS_H

/* Versions in the journal of a real folder, and out of it. */

#include "segments.h"

static inline struct record
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

static inline int
commit(const char *name, uint64_t clock, const char *content)
{
	struct record r = record_of(name, clock, content);
	struct journal_item item = {
	    .record = &r, .content = (const uint8_t *)content};

	return journal_write(&disk, &item, 1, buffer);
}

static inline int
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

static inline void
move_all(void)
{
	bool more = true;

	journal_finish(&disk);
	while (more)
		assert_int_equal(
		    journal_move(&disk, buffer, &moved.loss, &more), 0);
}

static inline bool
exists(const char *part)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", folder.path, part);
	return access(path, F_OK) == 0;
}

static inline void
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

#endif
