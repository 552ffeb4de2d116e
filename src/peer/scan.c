#include <assert.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/disk.h"
#include "peer/trailer.h"

/* A folder being read. */
struct walk {
	DIR *dir;
	struct dirent *at;
};

static int
walk_open(struct walk *w, int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	w->dir = fd == -1 ? NULL : fdopendir(fd);
	if (w->dir == NULL && fd != -1)
		close(fd);
	return w->dir == NULL ? errno : 0;
}

/* The next entry, "." and ".." apart; NULL: no more. */
static const char *
walk_next(struct walk *w)
{
	assert(w->dir != NULL);
	do
		w->at = readdir(w->dir);
	while (w->at != NULL && (strcmp(w->at->d_name, ".") == 0 ||
				    strcmp(w->at->d_name, "..") == 0));
	return w->at == NULL ? NULL : w->at->d_name;
}

/* 0, EBADMSG: it is damaged, or why it can't be read. */
static int
judge(int bucket, const char *name, struct record *r)
{
	int fd = openat(bucket, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd == -1)
		return errno;
	rc = trailer_read(fd, r);
	close(fd);
	if (rc == 0 && (strlen(name) != r->name.len ||
			   memcmp(name, r->name.text, r->name.len) != 0))
		rc = EBADMSG;
	return rc;
}

static void
set_aside(const struct disk *d, const char *from)
{
	char to[NAME_LEN_MAX + 32];
	const char *name = strrchr(from, '/') + 1;

	mkdirat(d->dir_fd, "damaged", 0700);
	for (int i = 0; i < 100; i++) {
		snprintf(to, sizeof(to), "damaged/%d.%.200s", i, name);
		if (faccessat(d->dir_fd, to, F_OK, 0) == -1)
			break;
	}
	renameat(d->dir_fd, from, d->dir_fd, to);
}

static void
scan_bucket(const struct disk *d, struct disk_scan *s, const char *bucket)
{
	char folder[12], path[NAME_LEN_MAX + 16];
	const char *name;
	struct walk w;
	struct record r;
	int rc;

	snprintf(folder, sizeof(folder), "files/%.2s", bucket);
	if (walk_open(&w, d->dir_fd, folder) != 0)
		return;
	while ((name = walk_next(&w)) != NULL) {
		rc = judge(dirfd(w.dir), name, &r);
		if (rc == 0) {
			s->good(s, &r);
			continue;
		}
		snprintf(path, sizeof(path), "%s/%.255s", folder, name);
		/* Out of descriptors or of rights, it may be good. */
		if (rc == EBADMSG || rc == EIO)
			set_aside(d, path);
		s->bad(s, name, rc == EBADMSG ? "trailer" : strerror(rc));
	}
	closedir(w.dir);
}

int
disk_scan(const struct disk *d, struct disk_scan *s)
{
	const char *bucket;
	struct walk w;
	int rc = walk_open(&w, d->dir_fd, "files");

	if (rc != 0)
		return rc == ENOENT ? 0 : rc;
	while ((bucket = walk_next(&w)) != NULL)
		if (strlen(bucket) == 2)
			scan_bucket(d, s, bucket);
	closedir(w.dir);
	return 0;
}
