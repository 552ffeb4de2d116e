#include <sys/file.h>
#include <sys/stat.h>

#include <assert.h>
#include <bsd/libutil.h>
#include <bsd/stdlib.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/paths.h"
#include "peer/disk.h"
#include "peer/trailer.h"
#include "wire/words.h"

enum { INCARNATION_TEXT_MAX = 16, SHORT_PATH = NAME_LEN_MAX + 16 };

static int
fail(struct text *error, const char *path, const char *part, const char *why)
{
	text_set(error, "data folder ");
	text_add(error, path);
	if (part[0] != '\0') {
		text_add(error, "/");
		text_add(error, part);
	}
	if (why != NULL) {
		text_add(error, ": ");
		text_add(error, why);
	}
	return -1;
}

static int
empty_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (dir == NULL) {
		rc = errno;
		if (fd != -1)
			close(fd);
		return rc == ENOENT ? 0 : rc;
	}
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    unlinkat(fd, e->d_name, 0) == -1)
			rc = errno;
	closedir(dir);
	return rc;
}

void
disk_init(struct disk *d, const char *path, bool sync)
{
	d->dir_fd = -1;
	d->sync = sync;
	d->path = path;
	for (size_t i = 0; i < DISK_BUCKETS; i++)
		atomic_init(&d->durable[i], false);
	atomic_init(&d->rooted, false);
}

int
disk_open(struct disk *d, const char *path, bool sync, struct text *error)
{
	struct why why;
	int rc;

	disk_init(d, path, sync);
	if (paths_make(path, &why) == -1)
		return fail(error, why.text, "", NULL);
	d->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir_fd == -1)
		return fail(error, path, "", strerror(errno));
	if (flock(d->dir_fd, LOCK_EX | LOCK_NB) == -1)
		return fail(error, path, "",
		    errno == EWOULDBLOCK ? "in use by another peer"
					 : strerror(errno));
	rc = empty_folder(d->dir_fd, "tmp");
	return rc == 0 ? 0 : fail(error, path, "tmp", strerror(rc));
}

void
disk_close(struct disk *d)
{
	if (d->dir_fd != -1)
		close(d->dir_fd);
	d->dir_fd = -1;
}

int
disk_write_at(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)offset);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno;
		data += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* Replaces a small file at once; durable says whether it waits for that. */
static int
replace_file(const struct disk *d, const char *name, const uint8_t *data,
    size_t len, bool durable)
{
	char temp[32];
	int fd, rc;

	snprintf(temp, sizeof(temp), "%s.new", name);
	fd = openat(
	    d->dir_fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		return errno;
	rc = disk_write_at(fd, data, len, 0);
	if (rc == 0 && durable && fsync(fd) == -1)
		rc = errno;
	close(fd);
	if (rc == 0 && renameat(d->dir_fd, temp, d->dir_fd, name) == -1)
		rc = errno;
	if (rc == 0 && durable && fsync(d->dir_fd) == -1)
		rc = errno;
	if (rc != 0)
		unlinkat(d->dir_fd, temp, 0);
	return rc;
}

int
disk_read_incarnation(const struct disk *d, uint32_t *out, struct text *error)
{
	char line[INCARNATION_TEXT_MAX + 1] = "";
	const char *why = NULL;
	ssize_t n;
	int fd;

	*out = 0;
	fd = openat(d->dir_fd, "incarnation", O_RDONLY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return fail(error, d->path, "incarnation", strerror(errno));
	n = read(fd, line, sizeof(line) - 1);
	why = n == -1 ? strerror(errno) : NULL;
	close(fd);
	if (why == NULL) {
		line[strcspn(line, "\n")] = '\0';
		*out = (uint32_t)strtonum(line, 1, UINT32_MAX - 1, &why);
	}
	return why == NULL ? 0 : fail(error, d->path, "incarnation", why);
}

int
disk_write_incarnation(const struct disk *d, uint32_t value)
{
	char line[INCARNATION_TEXT_MAX];
	int len = snprintf(line, sizeof(line), "%u\n", value);

	assert(value > 0);
	return replace_file(
	    d, "incarnation", (const uint8_t *)line, (size_t)len, true);
}

uint8_t *
disk_read_view(const struct disk *d, size_t *len)
{
	int fd = openat(d->dir_fd, "view", O_RDONLY | O_CLOEXEC);
	uint8_t *data = NULL;
	struct stat st;
	ssize_t n = -1;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0 &&
	    st.st_size <= DISK_VIEW_LEN_MAX)
		data = malloc((size_t)st.st_size);
	if (data != NULL)
		n = read(fd, data, (size_t)st.st_size);
	close(fd);
	if (n <= 0) {
		free(data);
		return NULL;
	}
	*len = (size_t)n;
	return data;
}

int
disk_write_view(const struct disk *d, const uint8_t *data, size_t len)
{
	return replace_file(d, "view", data, len, false);
}

static void
temp_name(char out[SHORT_PATH], uint32_t handle)
{
	snprintf(out, SHORT_PATH, "tmp/%u", handle);
}

static void
bucket_name(char out[SHORT_PATH], unsigned key)
{
	snprintf(out, SHORT_PATH, "files/%02x", key & 0xff);
}

static void
file_name(char out[SHORT_PATH], unsigned key, const struct name *name)
{
	snprintf(out, SHORT_PATH, "files/%02x/%.*s", key & 0xff, (int)name->len,
	    name->text);
}

int
disk_temp(const struct disk *d, uint32_t handle)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
	char name[SHORT_PATH];
	int fd;

	temp_name(name, handle);
	fd = openat(d->dir_fd, name, flags, 0600);
	if (fd != -1 || errno != ENOENT)
		return fd;
	if (mkdirat(d->dir_fd, "tmp", 0700) == -1 && errno != EEXIST)
		return -1;
	return openat(d->dir_fd, name, flags, 0600);
}

int
disk_temp_remove(const struct disk *d, uint32_t handle)
{
	char name[SHORT_PATH];

	temp_name(name, handle);
	return unlinkat(d->dir_fd, name, 0) == -1 ? errno : 0;
}

static int
flush_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	/* No descriptor to flush one folder with: all of it, then. */
	if (fd == -1 && (errno == EMFILE || errno == ENFILE))
		return syncfs(at) == -1 ? errno : 0;
	if (fd == -1)
		return errno;
	rc = fsync(fd) == -1 ? errno : 0;
	close(fd);
	return rc;
}

/* Completes the temporary file with its trailer. */
static int
finish_file(const struct disk *d, int fd, const struct record *r)
{
	uint64_t content = r->deleted ? 0 : r->size;
	uint8_t trailer[TRAILER_LEN];
	int rc;

	trailer_encode(r, trailer);
	rc = disk_write_at(fd, trailer, sizeof(trailer), content);
	if (rc == 0 && ftruncate(fd, (off_t)content + TRAILER_LEN) == -1)
		rc = errno;
	if (rc == 0 && d->sync && fdatasync(fd) == -1)
		rc = errno;
	return rc;
}

/* Into its folder, which is made if it is missing. */
static int
place_file(
    const struct disk *d, const char *from, const char *to, const char *bucket)
{
	if (renameat(d->dir_fd, from, d->dir_fd, to) == 0)
		return 0;
	if (errno != ENOENT)
		return errno;
	if ((mkdirat(d->dir_fd, "files", 0700) == -1 && errno != EEXIST) ||
	    (mkdirat(d->dir_fd, bucket, 0700) == -1 && errno != EEXIST) ||
	    renameat(d->dir_fd, from, d->dir_fd, to) == -1)
		return errno;
	return 0;
}

/* Of the folders above those of buckets, once. */
static int
flush_root(struct disk *d)
{
	int rc;

	if (atomic_load(&d->rooted))
		return 0;
	if (fsync(d->dir_fd) == -1)
		return errno;
	rc = flush_folder(d->dir_fd, "..");
	if (rc == 0)
		atomic_store(&d->rooted, true);
	return rc;
}

int
disk_commit(struct disk *d, uint32_t handle, int fd, unsigned key,
    const struct record *r, bool *placed)
{
	char from[SHORT_PATH], to[SHORT_PATH], bucket[SHORT_PATH];
	int rc = finish_file(d, fd, r);

	*placed = false;
	if (rc != 0)
		return rc;
	temp_name(from, handle);
	file_name(to, key, &r->name);
	bucket_name(bucket, key);
	rc = place_file(d, from, to, bucket);
	if (rc != 0)
		return rc;
	*placed = true;
	if (!d->sync)
		return 0;
	rc = flush_folder(d->dir_fd, bucket);
	/* Another helper, or an earlier life, may have made it just now. */
	if (rc != 0 || atomic_load(&d->durable[key & 0xff]))
		return rc;
	rc = flush_folder(d->dir_fd, "files");
	if (rc == 0)
		rc = flush_root(d);
	if (rc == 0)
		atomic_store(&d->durable[key & 0xff], true);
	return rc;
}

static int
open_file(const struct disk *d, unsigned key, const struct record *r, int mode)
{
	char name[SHORT_PATH];
	struct record stored;
	int fd, rc;

	file_name(name, key, &r->name);
	fd = openat(d->dir_fd, name, mode | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return -1;
	rc = trailer_read(fd, &stored);
	if (rc == 0 && name_cmp(&stored.name, &r->name) != 0)
		rc = EBADMSG;
	if (rc == 0 && version_cmp(&stored.version, &r->version) != 0)
		rc = ENOENT;
	if (rc != 0) {
		close(fd);
		errno = rc;
		return -1;
	}
	return fd;
}

int
disk_file(const struct disk *d, unsigned key, const struct record *r)
{
	return open_file(d, key, r, O_RDONLY);
}

int
disk_mark(const struct disk *d, unsigned key, const struct record *r)
{
	static const uint8_t yes = 1;
	int fd = open_file(d, key, r, O_RDWR), rc;

	if (fd == -1)
		return errno;
	rc = disk_write_at(
	    fd, &yes, 1, (r->deleted ? 0 : r->size) + TRAILER_ACKNOWLEDGED);
	close(fd);
	return rc;
}

int
disk_drop(const struct disk *d, unsigned key, const struct record *r)
{
	char name[SHORT_PATH];
	int fd = open_file(d, key, r, O_RDONLY);

	if (fd == -1 && errno != EBADMSG)
		return errno;
	if (fd != -1)
		close(fd);
	file_name(name, key, &r->name);
	return unlinkat(d->dir_fd, name, 0) == -1 ? errno : 0;
}
