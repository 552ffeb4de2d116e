#include <sys/stat.h>

#include <assert.h>
#include <bsd/string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/paths.h"
#include "super/journal.h"
#include "wire/frame.h"

enum { READ_SIZE = FRAME_LEN_MAX + (32 << 10) };

static const char *const kinds[] = {
    [JOURNAL_EVENTS] = "events",
    [JOURNAL_LINES] = "lines",
};

static void
file_path(char *out, size_t size, const char *dir, enum journal_kind kind,
    unsigned long number)
{
	snprintf(out, size, "%s/%s.%lu", dir, kinds[kind], number);
}

/*
 * The lowest number from `from` on, or with last the highest: 1; 0: none; -1
 * with errno.
 */
static int
file_find(const char *dir, enum journal_kind kind, unsigned long from,
    bool last, unsigned long *found)
{
	size_t len = strlen(kinds[kind]);
	struct dirent *entry;
	int any = 0;
	DIR *folder = opendir(dir);

	if (folder == NULL)
		return errno == ENOENT ? 0 : -1;
	while ((entry = readdir(folder)) != NULL) {
		unsigned long number;
		char *end;

		if (strncmp(entry->d_name, kinds[kind], len) != 0 ||
		    entry->d_name[len] != '.')
			continue;
		number = strtoul(entry->d_name + len + 1, &end, 10);
		if (*end != '\0' || number < from)
			continue;
		if (!any || (last ? number > *found : number < *found))
			*found = number;
		any = 1;
	}
	closedir(folder);
	return any;
}

/* Bytes at the start of the file that are whole frames. */
static uint64_t
good_bytes(int fd)
{
	uint8_t *buffer = malloc(READ_SIZE);
	size_t start = 0, end = 0;
	uint64_t good = 0;
	struct message m;
	ssize_t n;
	long used;

	if (buffer == NULL)
		abort();
	for (;;) {
		used = frame_decode(&m, buffer + start, end - start);
		if (used < 0)
			break;
		if (used > 0) {
			start += (size_t)used;
			good += (uint64_t)used;
			continue;
		}
		memmove(buffer, buffer + start, end - start);
		end -= start;
		start = 0;
		n = read(fd, buffer + end, READ_SIZE - end);
		if (n <= 0)
			break;
		end += (size_t)n;
	}
	free(buffer);
	return good;
}

static int
open_number(struct journal *j, unsigned long number)
{
	char path[PATH_LEN_MAX + 64];

	file_path(path, sizeof(path), j->dir, j->kind, number);
	j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
	j->number = number;
	j->size = 0;
	return j->fd == -1 ? -1 : 0;
}

int
journal_open(struct journal *j, const char *data, enum journal_kind kind,
    struct why *why)
{
	unsigned long number = 0;

	memset(j, 0, sizeof(*j));
	j->kind = kind;
	j->fd = -1;
	snprintf(
	    j->dir, sizeof(j->dir), "%.*s/journal", PATH_LEN_MAX - 64, data);
	if (paths_make(j->dir, why) == -1)
		return -1;
	if (file_find(j->dir, kind, 0, true, &number) == -1 ||
	    open_number(j, number) == -1)
		return why_set(
		    why, "%s/%s: %s", j->dir, kinds[kind], strerror(errno));
	/* A process that was killed in mid-write leaves half a frame. */
	j->size = good_bytes(j->fd);
	if (ftruncate(j->fd, (off_t)j->size) == -1)
		return why_set(
		    why, "%s/%s: %s", j->dir, kinds[kind], strerror(errno));
	j->buffer = malloc(JOURNAL_BUFFER);
	if (j->buffer == NULL)
		abort();
	return 0;
}

void
journal_close(struct journal *j)
{
	if (j->buffer != NULL)
		journal_flush(j);
	if (j->fd != -1)
		close(j->fd);
	free(j->buffer);
	j->buffer = NULL;
	j->fd = -1;
}

static void
rotate(struct journal *j)
{
	char path[PATH_LEN_MAX + 64];

	close(j->fd);
	if (open_number(j, j->number + 1) == -1)
		log_warn("%s: next file", j->dir);
	if (j->number >= JOURNAL_FILES) {
		file_path(path, sizeof(path), j->dir, j->kind,
		    j->number - JOURNAL_FILES);
		unlink(path);
	}
}

void
journal_append(struct journal *j, const struct message *m)
{
	size_t len;

	if (j->buffer == NULL)
		return;
	if (JOURNAL_BUFFER - j->used < FRAME_LEN_MAX)
		journal_flush(j);
	len = frame_encode(m, j->buffer + j->used, JOURNAL_BUFFER - j->used);
	assert(len > 0);
	j->used += len;
}

bool
journal_flush(struct journal *j)
{
	ssize_t n;

	if (j->used == 0)
		return false;
	if (j->size > 0 && j->size + j->used > JOURNAL_FILE_MAX)
		rotate(j);
	n = j->fd == -1 ? -1 : write(j->fd, j->buffer, j->used);
	if (n == (ssize_t)j->used) {
		j->size += j->used;
	} else {
		/* Whole frames or none; the ring goes on without. */
		if (j->lost++ == 0)
			log_warn("%s: can't be written", j->dir);
		if (n > 0 && ftruncate(j->fd, (off_t)j->size) == -1)
			log_warn("%s: can't be shortened", j->dir);
	}
	j->used = 0;
	return true;
}

int
journal_reader_open(struct journal_reader *r, const char *data,
    enum journal_kind kind, struct why *why)
{
	struct stat st;

	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->fd = -1;
	snprintf(
	    r->dir, sizeof(r->dir), "%.*s/journal", PATH_LEN_MAX - 64, data);
	if (stat(r->dir, &st) == -1 && errno != ENOENT)
		return why_set(why, "%s: %s", r->dir, strerror(errno));
	r->buffer = malloc(READ_SIZE);
	if (r->buffer == NULL)
		abort();
	return 0;
}

void
journal_reader_close(struct journal_reader *r)
{
	if (r->fd != -1)
		close(r->fd);
	free(r->buffer);
	r->buffer = NULL;
	r->fd = -1;
}

/* Goes on to the next file: 1; 0: there is none; -1 with errno. */
static int
reader_next(struct journal_reader *r)
{
	char path[PATH_LEN_MAX + 64];
	unsigned long number, from = r->fd == -1 ? 0 : r->number + 1;
	int fd, rc = file_find(r->dir, r->kind, from, false, &number);

	if (rc != 1)
		return rc;
	file_path(path, sizeof(path), r->dir, r->kind, number);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	if (r->fd != -1)
		close(r->fd);
	r->fd = fd;
	r->number = number;
	r->at = 0;
	r->start = r->end = 0;
	return 1;
}

/* Reads on in the present file: 1; 0: nothing more in it now; -1. */
static int
reader_fill(struct journal_reader *r)
{
	ssize_t n;

	memmove(r->buffer, r->buffer + r->start, r->end - r->start);
	r->end -= r->start;
	r->start = 0;
	n = pread(r->fd, r->buffer + r->end, READ_SIZE - r->end, r->at);
	if (n <= 0)
		return (int)n;
	r->end += (size_t)n;
	r->at += n;
	return 1;
}

static bool
reader_has_next(const struct journal_reader *r)
{
	char path[PATH_LEN_MAX + 64];
	struct stat st;

	file_path(path, sizeof(path), r->dir, r->kind, r->number + 1);
	if (access(path, F_OK) == 0)
		return true;
	/* Removed itself: so the next one may have been, too. */
	return fstat(r->fd, &st) == 0 && st.st_nlink == 0;
}

int
journal_read(struct journal_reader *r, struct message *m)
{
	long used;
	int rc;

	assert(r->buffer != NULL);
	if (r->fd == -1 && (rc = reader_next(r)) != 1)
		return rc;
	for (;;) {
		used = frame_decode(m, r->buffer + r->start, r->end - r->start);
		if (used > 0) {
			r->start += (size_t)used;
			return 1;
		}
		rc = used == 0 ? reader_fill(r) : 0;
		if (rc == 0 && !reader_has_next(r))
			return 0;
		/* The old file was written until the new one was made. */
		if (used == 0 && rc == 0)
			rc = reader_fill(r);
		if (rc == 0 && (rc = reader_next(r)) == 0)
			return 0;
		if (rc == -1)
			return -1;
	}
}
