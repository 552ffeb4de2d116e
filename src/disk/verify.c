#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "disk/inside.h"

void
verify_end(struct disk *d, struct verify *v)
{
	if (v->content.fd > -1 && v->hash != NULL)
		d->volume->close(d->volume, v->content.fd);
	free(v->content.small);
	XXH3_freeState(v->hash);
	*v = (struct verify){.hash = NULL};
}

/* What the system remembers of it says nothing of the disk. */
static void
forget(struct disk *d, unsigned key, const struct name *name)
{
	struct volume *v = d->volume;
	char path[SHORT_PATH];
	int fd;

	name_of_file(path, key, name);
	fd = v->open(v, d->dir_fd, path, O_RDONLY | O_NONBLOCK);
	if (fd == -1)
		return;
	v->forget(v, fd, 0, 0);
	v->close(v, fd);
}

/* What was small enough was checked as it was read. */
static int
begin(struct disk *d, unsigned key, const struct record *r, struct verify *v,
    uint8_t *buffer)
{
	int rc;

	forget(d, key, &r->name);
	rc = disk_read(d, key, r, buffer, &v->content);
	v->offset = 0;
	if (rc != 0 || v->content.small != NULL)
		return rc;
	v->hash = XXH3_createState();
	if (v->hash == NULL) {
		d->volume->close(d->volume, v->content.fd);
		return ENOMEM;
	}
	XXH3_128bits_reset(v->hash);
	return EAGAIN;
}

static int
judge(struct disk *d, unsigned key, const struct record *r, struct verify *v)
{
	XXH128_canonical_t sum;

	XXH128_canonicalFromHash(&sum, XXH3_128bits_digest(v->hash));
	if (v->offset == r->size &&
	    memcmp(sum.digest, r->digest.bytes, DIGEST_LEN) == 0)
		return 0;
	return damage_file(d, key, r, v->content.fd) == ENOENT ? ENOENT
							       : EBADMSG;
}

int
verify_step(struct disk *d, unsigned key, const struct record *r,
    struct verify *v, uint8_t *buffer, uint64_t max)
{
	struct volume *volume = d->volume;
	uint64_t stop;
	int rc = EAGAIN;

	if (v->hash == NULL)
		rc = begin(d, key, r, v, buffer);
	if (rc != EAGAIN)
		return rc;
	stop = v->offset + max < r->size ? v->offset + max : r->size;
	while (v->offset < stop) {
		size_t want = stop - v->offset < DISK_BUFFER
				  ? (size_t)(stop - v->offset)
				  : DISK_BUFFER;
		ssize_t n;

		n = volume_read(volume, v->content.fd, buffer, want, v->offset);
		if (n == -1 && errno != EIO)
			return errno;
		if (n <= 0)
			return judge(d, key, r, v);
		XXH3_128bits_update(v->hash, buffer, (size_t)n);
		v->offset += (uint64_t)n;
	}
	return v->offset < r->size ? EAGAIN : judge(d, key, r, v);
}
