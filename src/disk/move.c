#include <assert.h>
#include <errno.h>
#include <string.h>

#include "disk/inside.h"

/* Out of the journal into files/: its file later. */

/* The full segment that was begun first; NULL: none. */
static struct segment *
oldest_full(struct disk *d)
{
	struct segment *found = NULL, *s;

	for (int i = 0; i < JOURNAL_SEGMENTS; i++) {
		s = &d->journal.segments[i];
		if (atomic_load(&s->state) == SEGMENT_FULL &&
		    (found == NULL || s->generation < found->generation))
			found = s;
	}
	return found;
}

/* What is next to move, as far as the journal's index knows it. */
static bool
next_kept(struct disk *d, struct segment *s, struct record *r, uint32_t *at)
{
	struct kept *k;

	memset(r, 0, sizeof(*r));
	pthread_mutex_lock(&d->lock);
	k = TAILQ_FIRST(&s->kept);
	if (k != NULL) {
		r->name.len = k->name_len;
		memcpy(r->name.text, k->name, k->name_len);
		r->version = k->version;
		r->deleted = k->deleted;
		r->acknowledged = k->acknowledged;
		*at = k->at;
	}
	pthread_mutex_unlock(&d->lock);
	return k != NULL;
}

/* A temporary file of a record whose content lies behind a block. */
static int
write_temp(struct disk *d, uint8_t *buffer, const struct record *r)
{
	size_t len = r->deleted ? 0 : r->size;
	struct volume *v = d->volume;
	int fd, rc;

	fd = disk_temp(d, MOVE_TEMP);
	if (fd == -1 && errno == EEXIST) {
		disk_temp_remove(d, MOVE_TEMP);
		fd = disk_temp(d, MOVE_TEMP);
	}
	if (fd == -1)
		return errno;
	trailer_encode(r, buffer + JOURNAL_BLOCK + len);
	rc = volume_write(v, fd, buffer + JOURNAL_BLOCK, len + TRAILER_LEN, 0);
	v->close(v, fd);
	if (rc != 0)
		disk_temp_remove(d, MOVE_TEMP);
	return rc;
}

/* Unless something newer came, or it was dropped. */
static int
place(struct disk *d, unsigned key, const struct record *r)
{
	struct kept *k;
	int rc = ECANCELED;

	pthread_mutex_lock(&d->lock);
	k = kept_find(d, &r->name);
	if (k != NULL && version_cmp(&k->version, &r->version) == 0)
		rc = temp_to_file(d, MOVE_TEMP, key, &r->name);
	if (rc == 0) {
		TAILQ_REMOVE(&k->segment->kept, k, place);
		TAILQ_INSERT_TAIL(&k->segment->moved, k, place);
		k->moved = true;
	}
	pthread_mutex_unlock(&d->lock);
	if (rc != 0)
		disk_temp_remove(d, MOVE_TEMP);
	return rc == ECANCELED ? 0 : rc;
}

static int
move_one(struct disk *d, struct segment *s, struct record *known, uint32_t at,
    uint8_t *buffer, struct journal_loss *loss)
{
	struct record r;
	bool marked = known->acknowledged;
	unsigned key = loss->key(loss, &known->name);
	int rc = entry_read(d, s, at, &r, buffer);

	if (rc == EBADMSG) {
		if (damage_kept(d, key, known, at, buffer) == 0)
			loss->lost(loss, known);
		return 0;
	}
	if (rc != 0)
		return rc;
	r.acknowledged = r.acknowledged || marked;
	rc = write_temp(d, buffer, &r);
	return rc == 0 ? place(d, key, &r) : rc;
}

/* All that was moved is in the journal alone again. */
static void
take_back(struct disk *d, struct segment *s)
{
	struct kept *k;

	pthread_mutex_lock(&d->lock);
	TAILQ_FOREACH(k, &s->moved, place)
	k->moved = false;
	TAILQ_CONCAT(&s->kept, &s->moved, place);
	pthread_mutex_unlock(&d->lock);
}

int
segment_release(struct disk *d, int number)
{
	struct segment *s = &d->journal.segments[number];
	struct block b = {.kind = BLOCK_FREE, .generation = s->generation};
	struct volume *v = d->volume;
	uint8_t block[JOURNAL_BLOCK];
	char path[SHORT_PATH];

	/*
	 * On the disk before anything is written over what it frees, or a
	 * start would find that damaged.
	 */
	block_encode(&b, block);
	if (!s->abandoned &&
	    (volume_write(v, s->fd, block, sizeof(block), 0) != 0 ||
		(!MUTANT(NO_FSYNC) && v->flush_data(v, s->fd) == -1)))
		s->abandoned = true;
	if (s->abandoned) {
		segment_path(path, number);
		if (v->unlink(v, d->dir_fd, path) == -1 && errno != ENOENT)
			return errno;
		if (s->old_fd != -1)
			v->close(v, s->old_fd);
		s->old_fd = s->fd;
		s->fd = -1;
		s->abandoned = false;
	}
	atomic_store(&s->state, SEGMENT_FREE);
	return 0;
}

/* All of it is in files/, which a flush makes last. */
static int
finish_segment(struct disk *d, struct segment *s)
{
	struct kept *k;
	int rc = 0;

	if (d->sync && !MUTANT(NO_FSYNC) &&
	    d->volume->flush_all(d->volume, d->dir_fd) == -1)
		rc = errno;
	/* What was written may be gone: it is written anew. */
	if (rc != 0) {
		take_back(d, s);
		return rc;
	}
	/* First, so that nobody looks for them in what is written anew. */
	pthread_mutex_lock(&d->lock);
	while ((k = TAILQ_FIRST(&s->moved)) != NULL)
		kept_remove(d, k);
	pthread_mutex_unlock(&d->lock);
	return segment_release(d, (int)(s - d->journal.segments));
}

int
journal_move(
    struct disk *d, uint8_t *buffer, struct journal_loss *loss, bool *more)
{
	struct segment *s = oldest_full(d);
	struct record known;
	uint32_t at;
	int rc = 0;

	*more = s != NULL;
	for (int i = 0; rc == 0 && *more && i < JOURNAL_MOVE_MAX; i++) {
		if (next_kept(d, s, &known, &at)) {
			rc = move_one(d, s, &known, at, buffer, loss);
			continue;
		}
		rc = finish_segment(d, s);
		*more = oldest_full(d) != NULL;
		break;
	}
	atomic_store(&d->journal.failed, rc != 0);
	return rc;
}

bool
journal_stuck(struct disk *d)
{
	return atomic_load(&d->journal.failed);
}
