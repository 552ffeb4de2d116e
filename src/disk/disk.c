#include <assert.h>
#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/inside.h"
#include "wire/words.h"

enum { INCARNATION_TEXT_MAX = 64 };

/* Instead of a boot: what a life with sync stored is on the disk. */
static const char synced[] = "sync";

static int
fail(struct text *error, const char *path, const char *part, const char *why)
{
	text_set(error, "data folder ");
	text_add(error, path);
	text_add(error, "/");
	text_add(error, part);
	text_add(error, ": ");
	text_add(error, why);
	return -1;
}

struct emptied {
	struct volume_list list;
	const struct disk *disk;
	int error;
};

static void
empty_one(struct volume_list *list, const char *name, uint64_t inode)
{
	struct emptied *e = (struct emptied *)(void *)list;
	struct volume *v = e->disk->volume;
	char path[SHORT_PATH];

	(void)inode;
	snprintf(path, sizeof(path), "tmp/%.255s", name);
	if (v->unlink(v, e->disk->dir_fd, path) == -1)
		e->error = errno;
}

static int
empty_tmp(const struct disk *d)
{
	struct emptied e = {.list = {empty_one}, .disk = d};

	if (MUTANT(KEEP_TEMPS))
		return 0;
	if (d->volume->list(d->volume, d->dir_fd, "tmp", &e.list) == -1)
		return errno == ENOENT ? 0 : errno;
	return e.error;
}

void
disk_init(struct disk *d)
{
	*d = (struct disk){.dir_fd = -1};
	for (size_t i = 0; i < DISK_BUCKETS; i++)
		atomic_init(&d->durable[i], false);
	atomic_init(&d->rooted, false);
}

int
disk_open(
    struct disk *d, struct volume *v, int dir_fd, const char *path, bool sync)
{
	disk_init(d);
	d->volume = v;
	d->dir_fd = dir_fd;
	d->path = path;
	d->sync = sync;
	pthread_mutex_init(&d->lock, NULL);
	journal_init(&d->journal);
	return empty_tmp(d);
}

void
disk_close(struct disk *d)
{
	if (d->dir_fd == -1)
		return;
	journal_free(d);
	damage_free(d);
	pthread_mutex_destroy(&d->lock);
	d->volume->close(d->volume, d->dir_fd);
	d->dir_fd = -1;
}

int
flush_data(const struct disk *d, int fd)
{
	if (!d->sync || MUTANT(NO_FSYNC))
		return 0;
	return d->volume->flush_data(d->volume, fd) == -1 ? errno : 0;
}

static int
flush(const struct disk *d, int fd)
{
	if (MUTANT(NO_FSYNC))
		return 0;
	return d->volume->flush(d->volume, fd) == -1 ? errno : 0;
}

int
flush_folder(const struct disk *d, const char *name)
{
	struct volume *v = d->volume;
	int fd = v->open(v, d->dir_fd, name, O_RDONLY | O_DIRECTORY);
	int rc;

	/* No descriptor to flush one folder with: all of it, then. */
	if (fd == -1 && (errno == EMFILE || errno == ENFILE))
		return v->flush_all(v, d->dir_fd) == -1 ? errno : 0;
	if (fd == -1)
		return errno;
	rc = flush(d, fd);
	v->close(v, fd);
	return rc;
}

/* Of the folders above those of buckets, once. */
int
flush_root(struct disk *d)
{
	int rc;

	if (atomic_load(&d->rooted))
		return 0;
	rc = flush(d, d->dir_fd);
	if (rc == 0)
		rc = flush_folder(d, "..");
	if (rc == 0)
		atomic_store(&d->rooted, true);
	return rc;
}

/* Replaces a small file at once; durable says whether it waits for that. */
static int
replace_file(const struct disk *d, const char *name, const uint8_t *data,
    size_t len, bool durable)
{
	struct volume *v = d->volume;
	char temp[32];
	int fd, rc;

	snprintf(temp, sizeof(temp), "%s.new", name);
	fd = v->open(v, d->dir_fd, temp, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd == -1)
		return errno;
	rc = volume_write(v, fd, data, len, 0);
	if (rc == 0 && durable)
		rc = flush(d, fd);
	v->close(v, fd);
	if (rc == 0 && v->rename(v, d->dir_fd, temp, name) == -1)
		rc = errno;
	if (rc == 0 && durable)
		rc = flush(d, d->dir_fd);
	if (rc != 0)
		v->unlink(v, d->dir_fd, temp);
	return rc;
}

int
disk_read_incarnation(
    const struct disk *d, uint32_t *out, bool *kept, struct text *error)
{
	char lines[INCARNATION_TEXT_MAX + 1] = "", *rest = lines;
	struct volume *v = d->volume;
	const char *why = NULL, *number, *boot;
	ssize_t n;
	int fd;

	*out = 0;
	*kept = false;
	fd = v->open(v, d->dir_fd, "incarnation", O_RDONLY);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return fail(error, d->path, "incarnation", strerror(errno));
	n = volume_read(v, fd, lines, sizeof(lines) - 1, 0);
	why = n == -1 ? strerror(errno) : NULL;
	v->close(v, fd);
	if (why == NULL) {
		number = strsep(&rest, "\n");
		boot = strsep(&rest, "\n");
		*out = (uint32_t)strtonum(number, 1, UINT32_MAX - 1, &why);
		*kept =
		    boot != NULL && *boot != '\0' &&
		    (strcmp(boot, synced) == 0 || strcmp(boot, d->boot) == 0);
	}
	return why == NULL ? 0 : fail(error, d->path, "incarnation", why);
}

int
disk_write_incarnation(const struct disk *d, uint32_t value)
{
	char lines[INCARNATION_TEXT_MAX];
	int len = snprintf(lines, sizeof(lines), "%u\n%s\n", value,
	    d->sync ? synced : d->boot);

	assert(value > 0);
	return replace_file(
	    d, "incarnation", (const uint8_t *)lines, (size_t)len, true);
}

uint8_t *
disk_read_view(const struct disk *d, size_t *len)
{
	struct volume *v = d->volume;
	int fd = v->open(v, d->dir_fd, "view", O_RDONLY);
	struct volume_stat st;
	uint8_t *data = NULL;
	ssize_t n = -1;

	if (fd == -1)
		return NULL;
	if (v->stat(v, fd, &st) == 0 && st.size > 0 &&
	    st.size <= DISK_VIEW_LEN_MAX)
		data = malloc((size_t)st.size);
	if (data != NULL)
		n = volume_read(v, fd, data, (size_t)st.size, 0);
	v->close(v, fd);
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
