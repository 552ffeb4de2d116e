#include <sys/stat.h>

#include <assert.h>
#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/drive.h"
#include "peer/fileop.h"

enum { TEMP_DIGITS = 6 /* of a temporary name */, TEMP_TRIES = 8 };

/* The caller's own files: a source is read, a target replaced at the end. */

static const char *
why_not_regular(mode_t mode)
{
	if (S_ISDIR(mode))
		return "is a folder";
	if (S_ISFIFO(mode))
		return "is a FIFO: only regular files are stored";
	if (S_ISSOCK(mode))
		return "is a socket: only regular files are stored";
	return "is a device: only regular files are stored";
}

int
source_remember(struct open_file *f)
{
	struct stat st;

	if (fstat(f->fd, &st) == -1)
		return errno;
	f->mtime = st.st_mtim;
	f->ctime = st.st_ctim;
	f->size = (uint64_t)st.st_size;
	return S_ISREG(st.st_mode) ? 0 : EINVAL;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

void
source_again(struct file_op *op)
{
	struct open_file *f = op->file;
	struct stat st;

	if (fstat(f->fd, &st) == -1) {
		fileop_fail(op, ERROR_bad_source, f->path, errno);
		return;
	}
	if ((uint64_t)st.st_size != f->size ||
	    !same_time(&st.st_mtim, &f->mtime) ||
	    !same_time(&st.st_ctim, &f->ctime))
		fileop_fail_text(op, ERROR_changed, NULL, f->path);
}

void
run_check_source(struct file_op *op, uint8_t *buffer)
{
	(void)buffer;
	/* What is in memory was checked when it was read. */
	if (op->file->content == NULL)
		source_again(op);
}

/* A small source is read at once, between two looks at it; and closed. */
static void
load_source(struct file_op *op)
{
	struct open_file *f = op->file;
	int rc = fileop_load(f);

	if (rc == ESTALE)
		fileop_fail_text(op, ERROR_changed, NULL, f->path);
	else if (rc != 0)
		fileop_fail(op, ERROR_bad_source, f->path, rc);
	else
		source_again(op);
	file_close(f);
}

void
run_open_source(struct file_op *op, uint8_t *buffer)
{
	struct open_file *f = op->file;
	struct stat st;
	int rc;

	(void)buffer;
	/* Looked at first: to open a device may do something. */
	if (stat(f->path, &st) == -1) {
		fileop_fail(op, ERROR_bad_source, f->path, errno);
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		fileop_fail_text(
		    op, ERROR_bad_source, f->path, why_not_regular(st.st_mode));
		return;
	}
	f->fd = open(f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (f->fd == -1) {
		fileop_fail(op, ERROR_bad_source, f->path, errno);
		return;
	}
	rc = source_remember(f);
	if (rc == 0 && f->size <= SMALL_MAX)
		load_source(op);
	else if (rc != 0)
		fileop_fail(op, ERROR_bad_source, f->path, rc);
}

/* The final name: of a folder, received_NAME and its suffix in it. */
static char *
final_path(const char *path, const struct record *r)
{
	size_t len = strlen(path);
	char *out;
	int rc;

	if (len == 0 || path[len - 1] != '/')
		return strdup(path);
	rc = asprintf(&out, "%sreceived_%.*s%.*s", path, (int)r->name.len,
	    r->name.text, (int)r->suffix.len, r->suffix.text);
	return rc == -1 ? NULL : out;
}

static int
folder_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? 0 : (int)(slash - path) + 1;
}

/* A name beside it for what is not complete yet. */
static char *
temp_template(const char *path, const struct record *r)
{
	char *out;

	if (asprintf(&out, "%.*s.received_%.200s.XXXXXX", folder_len(path),
		path, r->name.text) == -1)
		return NULL;
	return out;
}

/*
 * A file without a name, where the system has that: even when this process is
 * killed, nothing half done stays. Else one with the temporary name.
 */
static int
open_target(struct open_file *f)
{
	char folder[PATH_LEN_MAX + 1];
	int fd;

	snprintf(folder, sizeof(folder), "%.*s.", folder_len(f->path), f->path);
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd != -1)
		return fd;
	fd = mkostemp(f->temp, O_CLOEXEC);
	f->leftover = fd != -1;
	return fd;
}

/* Gives a file without a name this one; 0 or an errno. */
static int
link_target(const struct open_file *f, const char *path)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", f->fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == -1
		   ? errno
		   : 0;
}

/* Gives the file a temporary name that nobody has; 0 or an errno. */
static int
name_target(struct open_file *f)
{
	char *end = f->temp + strlen(f->temp) - TEMP_DIGITS;
	int rc = EEXIST;

	for (int i = 0; i < TEMP_TRIES && rc == EEXIST; i++) {
		snprintf(end, TEMP_DIGITS + 1, "%06x",
		    (unsigned)arc4random() & 0xffffff);
		rc = link_target(f, f->temp);
	}
	f->leftover = rc == 0;
	return rc;
}

/*
 * Puts the file in the old one's place. To rename it onto the old one has
 * ext4 write it out at once, while we wait; to exchange them has not.
 */
static int
exchange(const struct open_file *f)
{
	return renameat2(AT_FDCWD, f->temp, AT_FDCWD, f->path, RENAME_EXCHANGE);
}

static int
replace_target(const struct open_file *f)
{
	int rc;

	/* There is no old one now, or this file system can't. */
	if (exchange(f) == -1)
		return rename(f->temp, f->path) == -1 ? errno : 0;
	if (unlink(f->temp) == 0)
		return 0;
	rc = errno;
	(void)exchange(f);
	return rc;
}

static bool
target_allowed(struct file_op *op, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (strlen(slash == NULL ? path : slash + 1) > NAME_LEN_MAX) {
		fileop_fail(op, ERROR_bad_target, path, ENAMETOOLONG);
		return false;
	}
	if (stat(path, &st) == -1 || S_ISREG(st.st_mode))
		return true;
	fileop_fail_text(op, ERROR_bad_target, path,
	    S_ISDIR(st.st_mode) ? "is a folder" : "is no regular file");
	return false;
}

void
run_create_target(struct file_op *op, uint8_t *buffer)
{
	struct open_file *f = op->file;
	char *given = f->path;

	(void)buffer;
	f->path = final_path(given, &op->record);
	free(given);
	free(f->temp);
	f->temp = f->path == NULL ? NULL : temp_template(f->path, &op->record);
	if (f->temp == NULL) {
		fileop_fail(op, ERROR_system, NULL, ENOMEM);
		return;
	}
	if (!target_allowed(op, f->path))
		return;
	f->fd = open_target(f);
	if (f->fd == -1)
		fileop_fail(op, ERROR_bad_target, f->path, errno);
}

void
run_rename(struct file_op *op, uint8_t *buffer)
{
	struct open_file *f = op->file;
	int rc;

	(void)buffer;
	assert(f->kind == FILE_TARGET);
	/* Its mode stays 0600: only the caller knows the caller's umask. */
	rc = f->leftover ? 0 : link_target(f, f->path);
	if (rc == EEXIST)
		rc = name_target(f);
	if (rc == 0 && f->leftover)
		rc = replace_target(f);
	if (rc != 0) {
		fileop_fail(op, ERROR_bad_target, f->path, rc);
		return;
	}
	f->leftover = false;
	snprintf(op->text, sizeof(op->text), "%s", f->path);
}

/* What is in memory becomes the target's content. */
void
run_deliver(struct file_op *op, uint8_t *buffer)
{
	struct open_file *f = op->file;
	int rc;

	assert(f->content != NULL);
	file_close(f);
	f->kind = FILE_TARGET;
	run_create_target(op, buffer);
	if (op->error != ERROR_none)
		return;
	rc = volume_write(&volume_system, f->fd, f->content, f->size, 0);
	if (rc != 0)
		fileop_fail(op, ERROR_bad_target, f->path, rc);
	else
		run_rename(op, buffer);
	file_close(f);
}

/* Copies the next part; the last one leaves offset at end. */
void
run_copy(struct file_op *op, uint8_t *buffer)
{
	uint64_t stop = op->offset + FILE_COPY_BYTES;
	struct open_file *to = op->file, *from = op->other;

	while (op->offset < op->end && op->offset < stop) {
		size_t want = HELPER_BUFFER;
		ssize_t n;
		int rc;

		if (op->end - op->offset < want)
			want = (size_t)(op->end - op->offset);
		n = (ssize_t)want;
		if (from->content != NULL)
			memcpy(buffer, from->content + op->offset, want);
		else
			n = pread(from->fd, buffer, want, (off_t)op->offset);
		if (n <= 0) {
			fileop_fail(op,
			    file_error(from->kind, n == 0 ? 0 : errno),
			    from->path, n == 0 ? ESTALE : errno);
			return;
		}
		rc = volume_write(
		    &volume_system, to->fd, buffer, (size_t)n, op->offset);
		if (rc != 0) {
			fileop_fail(op, file_error(to->kind, rc), to->path, rc);
			return;
		}
		file_hash(to, buffer, (size_t)n, op->offset);
		op->offset += (uint64_t)n;
	}
}
