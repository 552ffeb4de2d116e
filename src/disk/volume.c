#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "disk/volume.h"

static int
system_open(struct volume *v, int at, const char *path, int flags)
{
	(void)v;
	return openat(at, path, flags | O_CLOEXEC, 0600);
}

static int
system_close(struct volume *v, int fd)
{
	(void)v;
	return close(fd);
}

static int
system_stat(struct volume *v, int fd, struct volume_stat *out)
{
	struct stat st;

	(void)v;
	if (fstat(fd, &st) == -1)
		return -1;
	*out = (struct volume_stat){.size = (uint64_t)st.st_size,
	    .inode = st.st_ino,
	    .regular = S_ISREG(st.st_mode)};
	return 0;
}

static ssize_t
system_read(struct volume *v, int fd, void *data, size_t len, uint64_t offset)
{
	(void)v;
	return pread(fd, data, len, (off_t)offset);
}

static ssize_t
system_write(
    struct volume *v, int fd, const void *data, size_t len, uint64_t offset)
{
	(void)v;
	return pwrite(fd, data, len, (off_t)offset);
}

static int
system_truncate(struct volume *v, int fd, uint64_t size)
{
	(void)v;
	return ftruncate(fd, (off_t)size);
}

static int
system_flush(struct volume *v, int fd)
{
	(void)v;
	return fsync(fd);
}

static int
system_flush_data(struct volume *v, int fd)
{
	(void)v;
	return fdatasync(fd);
}

static int
system_flush_all(struct volume *v, int fd)
{
	(void)v;
	return syncfs(fd);
}

static int
system_mkdir(struct volume *v, int at, const char *path)
{
	(void)v;
	return mkdirat(at, path, 0700);
}

static int
system_rename(struct volume *v, int at, const char *from, const char *to)
{
	(void)v;
	return renameat(at, from, at, to);
}

static int
system_unlink(struct volume *v, int at, const char *path)
{
	(void)v;
	return unlinkat(at, path, 0);
}

static int
system_list(
    struct volume *v, int at, const char *path, struct volume_list *list)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *e;

	(void)v;
	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			list->entry(list, e->d_name, e->d_ino);
	closedir(dir);
	return 0;
}

static int
system_open_now(struct volume *v, int at, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (unsigned)(flags | O_CLOEXEC), .resolve = RESOLVE_CACHED};

	(void)v;
	return (int)syscall(SYS_openat2, at, path, &how, sizeof(how));
}

static ssize_t
system_read_now(
    struct volume *v, int fd, void *data, size_t len, uint64_t offset)
{
	struct iovec part = {data, len};

	(void)v;
	return preadv2(fd, &part, 1, (off_t)offset, RWF_NOWAIT);
}

static void
system_forget(struct volume *v, int fd, uint64_t offset, uint64_t len)
{
	(void)v;
	posix_fadvise(fd, (off_t)offset, (off_t)len, POSIX_FADV_DONTNEED);
}

struct volume volume_system = {.open = system_open,
    .close = system_close,
    .stat = system_stat,
    .read = system_read,
    .write = system_write,
    .truncate = system_truncate,
    .flush = system_flush,
    .flush_data = system_flush_data,
    .flush_all = system_flush_all,
    .mkdir = system_mkdir,
    .rename = system_rename,
    .unlink = system_unlink,
    .list = system_list,
    .open_now = system_open_now,
    .read_now = system_read_now,
    .forget = system_forget};

int
volume_write(
    struct volume *v, int fd, const void *data, size_t len, uint64_t offset)
{
	const uint8_t *from = data;

	while (len > 0) {
		ssize_t n = v->write(v, fd, from, len, offset);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno;
		from += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

ssize_t
volume_read(struct volume *v, int fd, void *data, size_t len, uint64_t offset)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = v->read(
		    v, fd, (uint8_t *)data + have, len - have, offset + have);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}
