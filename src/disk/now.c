#include <errno.h>
#include <fcntl.h>

#include "disk/inside.h"

/*
 * For a thread that must not wait for a disk: what the system has in memory,
 * and only while nobody holds the lock, who may be waiting. In doubt, and
 * whenever something is wrong, EBUSY: the call that may wait finds out.
 */

int
disk_mark_now(struct disk *d, const struct record *r)
{
	int rc = EBUSY;

	if (d->sync || pthread_mutex_trylock(&d->lock) != 0)
		return EBUSY;
	if (!kept_mark(d, r, &rc))
		rc = EBUSY;
	pthread_mutex_unlock(&d->lock);
	return rc;
}

/* All len bytes; false: not at once. */
static bool
read_now(struct disk *d, int fd, uint8_t *buffer, size_t len, uint32_t at)
{
	return d->volume->read_now(d->volume, fd, buffer, len, at) ==
	       (ssize_t)len;
}

static int
read_kept(struct disk *d, const struct kept *k, const struct record *r,
    uint8_t *buffer, struct disk_content *out)
{
	size_t len = JOURNAL_BLOCK + r->size;
	struct record stored;

	if (!read_now(d, k->segment->fd, buffer, len, k->at) ||
	    entry_decode(k->segment, k->at, &stored, buffer, len) != 0 ||
	    record_fits(&stored, r) != 0 || stored.size != r->size)
		return EBUSY;
	return content_keep(out, buffer + JOURNAL_BLOCK, r->size);
}

static int
read_file(struct disk *d, unsigned key, const struct record *r, uint8_t *buffer,
    struct disk_content *out)
{
	size_t len = r->size + TRAILER_LEN;
	struct volume *v = d->volume;
	char path[SHORT_PATH];
	int fd, rc = EBUSY;

	name_of_file(path, key, &r->name);
	fd = v->open_now(v, d->dir_fd, path, O_RDONLY | O_NONBLOCK);
	if (fd == -1)
		return EBUSY;
	if (read_now(d, fd, buffer, len, 0) &&
	    file_decode(buffer, len, r, out) == 0)
		rc = 0;
	v->close(v, fd);
	return rc;
}

int
disk_read_now(struct disk *d, unsigned key, const struct record *r,
    uint8_t *buffer, struct disk_content *out)
{
	struct kept *k;
	int rc = EBUSY;

	*out = (struct disk_content){.fd = -1};
	if (r->deleted || r->size > SMALL_MAX || d->volume->read_now == NULL ||
	    pthread_mutex_trylock(&d->lock) != 0)
		return EBUSY;
	k = kept_find(d, &r->name);
	if (k == NULL)
		rc = read_file(d, key, r, buffer, out);
	else if (version_cmp(&k->version, &r->version) == 0)
		rc = read_kept(d, k, r, buffer, out);
	pthread_mutex_unlock(&d->lock);
	return rc;
}
