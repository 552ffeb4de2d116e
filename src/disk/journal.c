#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/inside.h"

void
journal_init(struct journal *j)
{
	*j = (struct journal){
	    .active = -1, .len_max = JOURNAL_LEN_MAX, .step = JOURNAL_STEP};
	RB_INIT(&j->tree);
	pthread_mutex_init(&j->lock, NULL);
	for (int i = 0; i < JOURNAL_SEGMENTS; i++) {
		struct segment *s = &j->segments[i];

		atomic_init(&s->state, SEGMENT_FREE);
		atomic_init(&s->urgent, false);
		s->fd = s->old_fd = -1;
		TAILQ_INIT(&s->kept);
		TAILQ_INIT(&s->moved);
	}
}

void
journal_free(struct disk *d)
{
	struct kept *k;

	while ((k = kept_first(d)) != NULL)
		kept_remove(d, k);
	pthread_mutex_destroy(&d->journal.lock);
	for (int i = 0; i < JOURNAL_SEGMENTS; i++) {
		struct segment *s = &d->journal.segments[i];

		if (s->fd != -1)
			d->volume->close(d->volume, s->fd);
		if (s->old_fd != -1)
			d->volume->close(d->volume, s->old_fd);
	}
}

void
segment_path(char out[SHORT_PATH], int number)
{
	snprintf(out, SHORT_PATH, "journal.%d", number);
}

size_t
journal_item_len(const struct journal_item *item)
{
	bool empty = item->drop || item->record->deleted;
	size_t len = empty ? 0 : item->record->size;

	assert(len <= SMALL_MAX);
	return JOURNAL_BLOCK +
	       (len + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
}

/* Opens the segment's file, or makes it: then its name must be flushed. */
static int
segment_open(struct disk *d, struct segment *s, int number)
{
	struct volume *v = d->volume;
	struct volume_stat st;
	char path[SHORT_PATH];
	int rc = 0;

	if (s->fd != -1)
		return 0;
	segment_path(path, number);
	s->fd = v->open(v, d->dir_fd, path, O_RDWR | O_CREAT);
	if (s->fd == -1)
		return errno;
	if (v->stat(v, s->fd, &st) == -1)
		rc = errno;
	s->filled = rc == 0 && st.size < d->journal.len_max
			? (uint32_t)st.size
			: d->journal.len_max;
	atomic_store(&d->rooted, false);
	if (rc != 0) {
		v->close(v, s->fd);
		s->fd = -1;
	}
	return rc;
}

/*
 * The segment that has room for len bytes: the active one, or the next if
 * that is free. EAGAIN: it is not.
 */
static int
find_room(struct disk *d, size_t len, struct segment **out)
{
	struct journal *j = &d->journal;
	int next = (j->active + 1) % JOURNAL_SEGMENTS, rc;
	struct segment *s;

	if (j->active != -1) {
		s = *out = &j->segments[j->active];
		if (s->state == SEGMENT_ACTIVE && s->end + len <= j->len_max)
			return 0;
		journal_finish(d);
	}
	s = *out = &j->segments[next];
	if (atomic_load(&s->state) != SEGMENT_FREE)
		return EAGAIN;
	rc = segment_open(d, s, next);
	if (rc == 0 && d->sync)
		rc = flush_root(d);
	if (rc != 0)
		return rc;
	/* Of a segment used before, not all need be in memory any more. */
	if (!d->sync)
		s->filled = 0;
	s->generation = ++j->generation;
	s->end = 0;
	atomic_store(&s->urgent, false);
	j->active = next;
	atomic_store(&s->state, SEGMENT_ACTIVE);
	return 0;
}

/* Builds the blocks and contents of a batch; its bytes. */
static size_t
build(struct segment *s, struct journal_item *items, size_t count,
    uint8_t *buffer)
{
	struct block b = {.kind = BLOCK_SEGMENT, .generation = s->generation};
	uint32_t batch = s->end;
	size_t len = 0, body;

	if (s->end == 0) {
		block_encode(&b, buffer);
		len = JOURNAL_BLOCK;
	}
	for (size_t i = 0; i < count; i++) {
		struct journal_item *item = &items[i];

		b.kind = item->drop ? BLOCK_DROP : BLOCK_STORE;
		b.batch = batch;
		b.at = item->at = s->end + (uint32_t)len;
		b.record = *item->record;
		block_encode(&b, buffer + len);
		body = journal_item_len(item) - JOURNAL_BLOCK;
		len += JOURNAL_BLOCK;
		if (body > 0) {
			assert(item->content != NULL);
			memcpy(buffer + len, item->content, item->record->size);
			memset(buffer + len + item->record->size, 0,
			    body - item->record->size);
			len += body;
		}
	}
	return len;
}

/* Zeros beyond what is about to be written: to overwrite them is quick. */
static int
fill_ahead(struct disk *d, struct segment *s, uint32_t end)
{
	static uint8_t zeros[64 << 10];
	uint32_t to = end + d->journal.step;
	int rc = 0;

	if (end <= s->filled)
		return 0;
	if (to > d->journal.len_max)
		to = d->journal.len_max;
	for (uint32_t at = end; rc == 0 && at < to; at += sizeof(zeros)) {
		size_t len = to - at < sizeof(zeros) ? to - at : sizeof(zeros);

		rc = volume_write(d->volume, s->fd, zeros, len, at);
	}
	if (rc == 0)
		s->filled = to;
	return rc;
}

static bool
stores_any(const struct journal_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!items[i].drop)
			return true;
	return false;
}

/* What was written counts from now on; with the lock held. */
static int
take_effect(
    struct disk *d, struct segment *s, struct journal_item *items, size_t count)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct record *r = items[i].record;

		if (items[i].drop) {
			kept_forget(d, &r->name, &r->version);
			continue;
		}
		rc = kept_put(d, s, items[i].at, r);
		damage_mend(d, &r->name);
	}
	return rc;
}

/*
 * The end of a batch of len bytes. After a failed flush the system may hold
 * for clean what is on no disk: nothing more goes there, and all that it has
 * moves.
 */
static void
end_batch(struct segment *s, size_t len, int rc)
{
	s->end += (uint32_t)len;
	if (rc == 0)
		return;
	s->abandoned = true;
	atomic_store(&s->urgent, true);
	atomic_store(&s->state, SEGMENT_FULL);
}

static size_t
batch_len(const struct journal_item *items, size_t count)
{
	size_t len = JOURNAL_BLOCK;

	for (size_t i = 0; i < count; i++)
		len += journal_item_len(&items[i]);
	return len;
}

static int
write_batch(
    struct disk *d, struct journal_item *items, size_t count, uint8_t *buffer)
{
	size_t len = batch_len(items, count);
	struct segment *s;
	int rc;

	assert(len <= DISK_BUFFER && len <= d->journal.len_max);
	rc = find_room(d, len, &s);
	if (rc != 0)
		return rc;
	len = build(s, items, count, buffer);
	rc = fill_ahead(d, s, s->end + (uint32_t)len);
	if (rc != 0)
		return rc;
	rc = volume_write(d->volume, s->fd, buffer, len, s->end);
	/* The segment's own block must not depend on a later flush. */
	if (rc == 0 && (s->end == 0 || stores_any(items, count)))
		rc = flush_data(d, s->fd);
	if (rc == 0) {
		pthread_mutex_lock(&d->lock);
		rc = take_effect(d, s, items, count);
		pthread_mutex_unlock(&d->lock);
	}
	end_batch(s, len, rc);
	return rc;
}

int
journal_write(
    struct disk *d, struct journal_item *items, size_t count, uint8_t *buffer)
{
	int rc;

	pthread_mutex_lock(&d->journal.lock);
	rc = write_batch(d, items, count, buffer);
	pthread_mutex_unlock(&d->journal.lock);
	return rc;
}

/* The segment in use, if it has zeros in memory for so much; else NULL. */
static struct segment *
segment_ahead(struct disk *d, size_t len)
{
	struct journal *j = &d->journal;
	struct segment *s;

	if (d->sync || j->active == -1)
		return NULL;
	s = &j->segments[j->active];
	if (atomic_load(&s->state) != SEGMENT_ACTIVE || s->end == 0 ||
	    s->end + len > s->filled)
		return NULL;
	return s;
}

/* A name that was set aside is renamed once it is stored again. */
static bool
any_damaged(struct disk *d, const struct journal_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (damage_known(d, &items[i].record->name))
			return true;
	return false;
}

/* With both locks held. */
static int
write_ahead(
    struct disk *d, struct journal_item *items, size_t count, uint8_t *buffer)
{
	struct segment *s = segment_ahead(d, batch_len(items, count));
	size_t len;
	int rc;

	if (s == NULL || any_damaged(d, items, count))
		return EBUSY;
	len = build(s, items, count, buffer);
	rc = volume_write(d->volume, s->fd, buffer, len, s->end);
	if (rc == 0)
		rc = take_effect(d, s, items, count);
	end_batch(s, len, rc);
	return rc;
}

int
journal_write_now(
    struct disk *d, struct journal_item *items, size_t count, uint8_t *buffer)
{
	int rc = EBUSY;

	if (pthread_mutex_trylock(&d->journal.lock) != 0)
		return EBUSY;
	if (pthread_mutex_trylock(&d->lock) == 0) {
		rc = write_ahead(d, items, count, buffer);
		pthread_mutex_unlock(&d->lock);
	}
	pthread_mutex_unlock(&d->journal.lock);
	return rc;
}

int
journal_cancel(struct disk *d, const struct record *r)
{
	struct journal_item item = {.record = r, .drop = true};
	uint8_t buffer[2 * JOURNAL_BLOCK];

	return journal_used(d) ? journal_write(d, &item, 1, buffer) : 0;
}

int
entry_decode(const struct segment *s, uint32_t at, struct record *r,
    const uint8_t *bytes, size_t len)
{
	struct block b;

	if (len < JOURNAL_BLOCK || !block_decode(&b, bytes, at) ||
	    b.kind != BLOCK_STORE || b.generation != s->generation)
		return EBADMSG;
	*r = b.record;
	if (r->deleted)
		return 0;
	return len >= JOURNAL_BLOCK + r->size &&
		       disk_digest_fits(bytes + JOURNAL_BLOCK, r)
		   ? 0
		   : EBADMSG;
}

int
entry_read(struct disk *d, const struct segment *s, uint32_t at,
    struct record *r, uint8_t *buffer)
{
	ssize_t n = volume_read(
	    d->volume, s->fd, buffer, JOURNAL_BLOCK + SMALL_MAX, at);

	if (n == -1)
		return errno == EIO ? EBADMSG : errno;
	return entry_decode(s, at, r, buffer, (size_t)n);
}

bool
journal_used(struct disk *d)
{
	for (int i = 0; i < JOURNAL_SEGMENTS; i++)
		if (atomic_load(&d->journal.segments[i].state) != SEGMENT_FREE)
			return true;
	return false;
}

bool
journal_full(struct disk *d)
{
	for (int i = 0; i < JOURNAL_SEGMENTS; i++)
		if (atomic_load(&d->journal.segments[i].state) == SEGMENT_FULL)
			return true;
	return false;
}

bool
journal_due(struct disk *d)
{
	bool urgent = false;
	unsigned full = 0;

	for (int i = 0; i < JOURNAL_SEGMENTS; i++) {
		struct segment *s = &d->journal.segments[i];

		if (atomic_load(&s->state) != SEGMENT_FULL)
			continue;
		full++;
		urgent |= atomic_load(&s->urgent);
	}
	return urgent || full > 1;
}

void
journal_finish(struct disk *d)
{
	struct journal *j = &d->journal;
	int expected = SEGMENT_ACTIVE;

	if (j->active != -1)
		atomic_compare_exchange_strong(
		    &j->segments[j->active].state, &expected, SEGMENT_FULL);
}
