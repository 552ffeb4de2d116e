#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "disk/inside.h"

/* Stored files: made in tmp/, renamed into the folder of their key. */

static void
temp_name(char out[SHORT_PATH], uint32_t handle)
{
	snprintf(out, SHORT_PATH, "tmp/%u", handle);
}

void
name_of_bucket(char out[SHORT_PATH], unsigned key)
{
	snprintf(out, SHORT_PATH, "files/%02x", key & 0xff);
}

void
name_of_file(char out[SHORT_PATH], unsigned key, const struct name *name)
{
	snprintf(out, SHORT_PATH, "files/%02x/%.*s", key & 0xff, (int)name->len,
	    name->text);
}

int
disk_temp(const struct disk *d, uint32_t handle)
{
	int flags = O_RDWR | O_CREAT | O_EXCL;
	struct volume *v = d->volume;
	char name[SHORT_PATH];
	int fd;

	temp_name(name, handle);
	fd = v->open(v, d->dir_fd, name, flags);
	if (fd != -1 || errno != ENOENT)
		return fd;
	if (v->mkdir(v, d->dir_fd, "tmp") == -1 && errno != EEXIST)
		return -1;
	return v->open(v, d->dir_fd, name, flags);
}

int
disk_temp_remove(const struct disk *d, uint32_t handle)
{
	char name[SHORT_PATH];

	temp_name(name, handle);
	return d->volume->unlink(d->volume, d->dir_fd, name) == -1 ? errno : 0;
}

/* Completes the temporary file with its trailer. */
static int
finish_file(const struct disk *d, int fd, const struct record *r)
{
	uint64_t content = r->deleted ? 0 : r->size;
	struct volume *v = d->volume;
	uint8_t trailer[TRAILER_LEN];
	struct volume_stat st;
	int rc;

	trailer_encode(r, trailer);
	rc = volume_write(v, fd, trailer, sizeof(trailer), content);
	if (rc == 0 && v->stat(v, fd, &st) == -1)
		rc = errno;
	if (rc == 0 && st.size > content + TRAILER_LEN &&
	    v->truncate(v, fd, content + TRAILER_LEN) == -1)
		rc = errno;
	return rc == 0 ? flush_data(d, fd) : rc;
}

/* Into its folder, which is made if it is missing. */
int
temp_to_file(
    struct disk *d, uint32_t handle, unsigned key, const struct name *name)
{
	char from[SHORT_PATH], to[SHORT_PATH], bucket[SHORT_PATH];
	struct volume *v = d->volume;

	temp_name(from, handle);
	name_of_file(to, key, name);
	name_of_bucket(bucket, key);
	if (v->rename(v, d->dir_fd, from, to) == 0)
		return 0;
	if (errno != ENOENT)
		return errno;
	if (v->mkdir(v, d->dir_fd, "files") == 0)
		atomic_store(&d->rooted, false);
	else if (errno != EEXIST)
		return errno;
	if ((v->mkdir(v, d->dir_fd, bucket) == -1 && errno != EEXIST) ||
	    v->rename(v, d->dir_fd, from, to) == -1)
		return errno;
	return 0;
}

/* The way to a file of this key; none of it changes but for the bucket. */
static int
flush_way(struct disk *d, unsigned key)
{
	char bucket[SHORT_PATH];
	int rc;

	if (!d->sync)
		return 0;
	name_of_bucket(bucket, key);
	rc = flush_folder(d, bucket);
	/* Another helper, or an earlier life, may have made it just now. */
	if (rc != 0 || atomic_load(&d->durable[key & 0xff]))
		return rc;
	rc = flush_folder(d, "files");
	if (rc == 0)
		rc = flush_root(d);
	if (rc == 0)
		atomic_store(&d->durable[key & 0xff], true);
	return rc;
}

int
disk_commit(struct disk *d, uint32_t handle, int fd, unsigned key,
    const struct record *r, bool *placed)
{
	int rc = finish_file(d, fd, r);
	bool older = false;

	*placed = false;
	if (rc != 0)
		return rc;
	/* What moves out of the journal must not come after it. */
	pthread_mutex_lock(&d->lock);
	rc = temp_to_file(d, handle, key, &r->name);
	if (rc == 0) {
		older = kept_find(d, &r->name) != NULL;
		kept_forget(d, &r->name, &r->version);
		damage_mend(d, &r->name);
	}
	pthread_mutex_unlock(&d->lock);
	*placed = rc == 0;
	if (rc == 0)
		rc = flush_way(d, key);
	/* Or a start might take this one, if damaged, for half moved. */
	if (rc == 0 && older)
		journal_cancel(d, r);
	return rc;
}

int
disk_commit_content(struct disk *d, uint32_t handle, const uint8_t *content,
    unsigned key, const struct record *r, bool *placed)
{
	struct volume *v = d->volume;
	int fd = disk_temp(d, handle), rc = 0;

	*placed = false;
	if (fd == -1)
		return errno;
	if (!r->deleted && r->size > 0)
		rc = volume_write(v, fd, content, r->size, 0);
	if (rc == 0)
		rc = disk_commit(d, handle, fd, key, r, placed);
	v->close(v, fd);
	if (!*placed)
		disk_temp_remove(d, handle);
	return rc;
}

bool
disk_digest_fits(const uint8_t *content, const struct record *r)
{
	XXH128_canonical_t sum;

	XXH128_canonicalFromHash(&sum, XXH3_128bits(content, r->size));
	return memcmp(sum.digest, r->digest.bytes, DIGEST_LEN) == 0;
}

static int
open_file(const struct disk *d, unsigned key, const struct name *name, int mode)
{
	char path[SHORT_PATH];

	name_of_file(path, key, name);
	return d->volume->open(d->volume, d->dir_fd, path, mode | O_NONBLOCK);
}

int
record_fits(const struct record *stored, const struct record *r)
{
	if (name_cmp(&stored->name, &r->name) != 0)
		return EBADMSG;
	return version_cmp(&stored->version, &r->version) == 0 ? 0 : ENOENT;
}

int
content_keep(struct disk_content *out, const uint8_t *bytes, size_t len)
{
	/* Also of no bytes there is memory: that says it is here. */
	out->small = malloc(len > 0 ? len : 1);
	if (out->small == NULL)
		return ENOMEM;
	memcpy(out->small, bytes, len);
	return 0;
}

int
file_decode(const uint8_t *bytes, size_t len, const struct record *r,
    struct disk_content *out)
{
	struct record stored;
	int rc;

	if (len < TRAILER_LEN ||
	    !trailer_decode(&stored, bytes + len - TRAILER_LEN) ||
	    (stored.deleted ? 0 : stored.size) != len - TRAILER_LEN)
		return EBADMSG;
	rc = record_fits(&stored, r);
	if (rc == 0 && !stored.deleted && !disk_digest_fits(bytes, &stored))
		rc = EBADMSG;
	return rc == 0 ? content_keep(out, bytes, len - TRAILER_LEN) : rc;
}

static int
read_file(struct disk *d, unsigned key, const struct record *r, uint8_t *buffer,
    struct disk_content *out)
{
	enum { WHOLE = SMALL_MAX + TRAILER_LEN };
	struct volume *v = d->volume;
	struct record stored;
	int fd = open_file(d, key, &r->name, O_RDONLY), rc;
	ssize_t n;

	if (fd == -1)
		return errno;
	n = volume_read(v, fd, buffer, WHOLE + 1, 0);
	if (n == -1) {
		rc = errno == EISDIR || errno == EIO ? EBADMSG : errno;
	} else if (n <= WHOLE) {
		rc = file_decode(buffer, (size_t)n, r, out);
	} else {
		rc = trailer_read(v, fd, &stored);
		if (rc == 0)
			rc = record_fits(&stored, r);
		if (rc == EIO)
			rc = EBADMSG;
	}
	/* A file cut short may look small, and one that grew large. */
	if (rc == 0 && out->small == NULL) {
		out->fd = fd;
		return 0;
	}
	if (rc == EBADMSG && damage_file(d, key, r, fd) == ENOENT)
		rc = ENOENT;
	v->close(v, fd);
	return rc;
}

/* Where the journal has this very version; false: it has not. */
static bool
locate(struct disk *d, const struct record *r, struct segment **segment,
    uint32_t *at)
{
	struct kept *k;
	bool found;

	pthread_mutex_lock(&d->lock);
	k = kept_find(d, &r->name);
	found = k != NULL && version_cmp(&k->version, &r->version) == 0;
	if (found) {
		*segment = k->segment;
		*at = k->at;
	}
	pthread_mutex_unlock(&d->lock);
	return found;
}

int
disk_read(struct disk *d, unsigned key, const struct record *r, uint8_t *buffer,
    struct disk_content *out)
{
	struct segment *segment;
	struct record stored;
	uint32_t at;
	int rc;

	*out = (struct disk_content){.fd = -1};
	while (locate(d, r, &segment, &at)) {
		rc = entry_read(d, segment, at, &stored, buffer);
		if (rc == 0 && record_fits(&stored, r) == 0)
			return content_keep(out, buffer + JOURNAL_BLOCK,
			    stored.deleted ? 0 : stored.size);
		if (rc != 0 && rc != EBADMSG)
			return rc;
		/* Damaged, or moved and written over while it was read. */
		if (damage_kept(d, key, r, at, buffer) == 0)
			return EBADMSG;
	}
	return read_file(d, key, r, buffer, out);
}

/* Opens the stored file of this very version; -1 with errno. */
static int
open_version(
    const struct disk *d, unsigned key, const struct record *r, int mode)
{
	int fd = open_file(d, key, &r->name, mode), rc;
	struct record stored;

	if (fd == -1)
		return -1;
	rc = trailer_read(d->volume, fd, &stored);
	if (rc == 0)
		rc = record_fits(&stored, r);
	if (rc != 0) {
		d->volume->close(d->volume, fd);
		errno = rc;
		return -1;
	}
	return fd;
}

int
disk_mark(struct disk *d, unsigned key, const struct record *r)
{
	static const uint8_t yes = 1;
	int fd, rc = 0;
	bool there;

	pthread_mutex_lock(&d->lock);
	there = kept_mark(d, r, &rc);
	pthread_mutex_unlock(&d->lock);
	if (there)
		return rc;
	fd = open_version(d, key, r, O_RDWR);
	if (fd == -1)
		return errno;
	rc = volume_write(d->volume, fd, &yes, 1,
	    (r->deleted ? 0 : r->size) + TRAILER_ACKNOWLEDGED);
	d->volume->close(d->volume, fd);
	return rc;
}

bool
file_version(const struct disk *d, unsigned key, const struct name *name,
    struct version *out)
{
	int fd = open_file(d, key, name, O_RDONLY), rc;
	struct record stored;

	if (fd == -1)
		return false;
	rc = trailer_read(d->volume, fd, &stored);
	d->volume->close(d->volume, fd);
	if (rc == 0)
		*out = stored.version;
	return rc == 0;
}

int
disk_drop(struct disk *d, unsigned key, const struct record *r)
{
	struct volume *v = d->volume;
	char path[SHORT_PATH];
	struct version there;
	int rc = 0, again;

	name_of_file(path, key, &r->name);
	pthread_mutex_lock(&d->lock);
	/* Now nothing moves out of the journal to this name. */
	kept_forget(d, &r->name, &r->version);
	if (file_version(d, key, &r->name, &there) &&
	    version_cmp(&there, &r->version) > 0)
		rc = ENOENT;
	else if (v->unlink(v, d->dir_fd, path) == -1)
		rc = errno;
	pthread_mutex_unlock(&d->lock);
	again = journal_cancel(d, r);
	return rc == 0 || rc == ENOENT ? again != 0 ? again : rc : rc;
}

void
disk_make_room(struct disk *d, unsigned key, const struct record *r)
{
	struct volume *v = d->volume;
	const struct kept *k;
	char path[SHORT_PATH];
	int fd;

	/* Its blocks are freed when it is closed, without the lock. */
	name_of_file(path, key, &r->name);
	fd = v->open(v, d->dir_fd, path, O_RDONLY | O_NONBLOCK);
	pthread_mutex_lock(&d->lock);
	k = kept_find(d, &r->name);
	if (k != NULL && !k->moved &&
	    version_cmp(&k->version, &r->version) == 0)
		v->unlink(v, d->dir_fd, path);
	pthread_mutex_unlock(&d->lock);
	if (fd != -1)
		v->close(v, fd);
}
