#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "disk/inside.h"

/* The journal after a start: what its segments say, in their order. */
struct replay {
	struct disk *disk;
	struct disk_scan *told;
	struct segment *segment;
	uint8_t *bytes; /* all of the segment */
	uint32_t len;
	uint32_t last_batch; /* where the last one begins: it may be torn */
	uint32_t end; /* of the last entry */
};

/* Reads the whole segment; bytes is NULL if there is none. */
static int
load(struct replay *p, int number)
{
	struct segment *s = p->segment;
	struct disk *d = p->disk;
	struct volume *v = d->volume;
	char path[SHORT_PATH];
	struct volume_stat st;
	ssize_t n;

	segment_path(path, number);
	s->fd = v->open(v, d->dir_fd, path, O_RDWR);
	if (s->fd == -1)
		return errno == ENOENT ? 0 : errno;
	if (v->stat(v, s->fd, &st) == -1)
		return errno;
	if (st.size > d->journal.len_max)
		st.size = d->journal.len_max;
	p->bytes = malloc(st.size + JOURNAL_BLOCK + SMALL_MAX);
	if (p->bytes == NULL)
		return ENOMEM;
	n = volume_read(v, s->fd, p->bytes, st.size, 0);
	if (n == -1)
		return errno;
	s->filled = p->len = (uint32_t)n - (uint32_t)n % JOURNAL_BLOCK;
	memset(p->bytes + p->len, 0, JOURNAL_BLOCK + SMALL_MAX);
	return 0;
}

/*
 * The generation that counts in the segment, and the highest of all for the
 * journal. False: nothing counts.
 */
static bool
find_generation(struct replay *p)
{
	struct journal *j = &p->disk->journal;
	uint32_t newest = 0;
	struct block first, b;
	bool known = p->len > 0 && block_decode(&first, p->bytes, 0) &&
		     (first.kind == BLOCK_FREE || first.kind == BLOCK_SEGMENT);

	for (uint32_t at = 0; at < p->len; at += JOURNAL_BLOCK)
		if (block_decode(&b, p->bytes + at, at) &&
		    b.generation > newest)
			newest = b.generation;
	if (newest > j->generation)
		j->generation = newest;
	p->segment->generation = known ? first.generation : newest;
	if (known && first.kind == BLOCK_FREE)
		return false;
	p->last_batch = 0;
	for (uint32_t at = JOURNAL_BLOCK; at < p->len; at += JOURNAL_BLOCK)
		if (block_decode(&b, p->bytes + at, at) &&
		    b.generation == p->segment->generation &&
		    b.kind > BLOCK_SEGMENT && b.batch > p->last_batch)
			p->last_batch = b.batch;
	return newest > 0;
}

/*
 * An entry whose content is not what was written. In the last batch it was
 * not complete when the power went, and nobody was told that it was there;
 * unless it was marked since.
 */
static void
take_damaged(struct replay *p, uint32_t at, const struct block *b)
{
	const struct record *r = &b->record;
	unsigned key = p->told->key(p->told, &r->name);
	struct version there;

	if (at >= p->last_batch && !b->whole)
		return;
	p->told->bad(p->told, r->name.text, "journal");
	/* It may have moved; an older one does not take its place. */
	if (file_version(p->disk, key, &r->name, &there) &&
	    version_cmp(&there, &r->version) >= 0)
		return;
	disk_drop(p->disk, key, r);
	damage_lost_entry(p->disk, r, p->bytes + at);
	p->told->gaps |= !damage_known(p->disk, &r->name);
}

static int
take_entry(struct replay *p, uint32_t at, const struct block *b)
{
	const struct record *r = &b->record;
	struct disk *d = p->disk;
	int rc = 0;

	if (b->kind == BLOCK_STORE && !r->deleted &&
	    !disk_digest_fits(p->bytes + at + JOURNAL_BLOCK, r)) {
		take_damaged(p, at, b);
		return 0;
	}
	pthread_mutex_lock(&d->lock);
	if (b->kind == BLOCK_DROP)
		kept_forget(d, &r->name, &r->version);
	else
		rc = kept_put(d, p->segment, at, r);
	damage_mend(d, &r->name);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

static int
replay(struct replay *p)
{
	uint32_t at = JOURNAL_BLOCK;
	bool hole = false;
	struct block b;
	int rc = 0;

	while (rc == 0 && at < p->len) {
		if (block_decode(&b, p->bytes + at, at) &&
		    b.generation == p->segment->generation &&
		    b.kind > BLOCK_SEGMENT) {
			rc = take_entry(p, at, &b);
			p->end = at += block_span(&b);
			hole = false;
			continue;
		}
		/* It can't say whose it was; others have that one, too. */
		if (at < p->last_batch && !hole) {
			p->told->bad(p->told, "journal", "entry");
			p->told->gaps = true;
		}
		hole = true;
		at += JOURNAL_BLOCK;
	}
	return rc;
}

/*
 * What was read may be on no disk: killed before its flush, or after one that
 * failed. It is written again before anything relies on it.
 */
static int
make_durable(struct replay *p)
{
	struct disk *d = p->disk;
	int rc;

	if (!d->sync || p->end == 0)
		return 0;
	rc = volume_write(d->volume, p->segment->fd, p->bytes, p->end, 0);
	if (rc == 0)
		rc = flush_data(d, p->segment->fd);
	return rc == 0 ? flush_root(d) : rc;
}

/* Of those used, the one that was begun first; the others follow in turn. */
static int
oldest(const struct journal *j, const bool used[JOURNAL_SEGMENTS])
{
	int first = 0;

	for (int i = 0; i < JOURNAL_SEGMENTS; i++)
		if (used[i] &&
		    (!used[first] || j->segments[i].generation <
					 j->segments[first].generation))
			first = i;
	return first;
}

int
journal_recover(struct disk *d, struct disk_scan *told)
{
	struct replay all[JOURNAL_SEGMENTS];
	struct journal *j = &d->journal;
	bool used[JOURNAL_SEGMENTS];
	int rc = 0, first;

	for (int i = 0; i < JOURNAL_SEGMENTS; i++) {
		all[i] = (struct replay){
		    .disk = d, .told = told, .segment = &j->segments[i]};
		if (rc == 0)
			rc = load(&all[i], i);
		used[i] = rc == 0 && find_generation(&all[i]);
	}
	first = oldest(j, used);
	for (int n = 0; n < JOURNAL_SEGMENTS; n++) {
		int i = (first + n) % JOURNAL_SEGMENTS;

		if (rc == 0 && used[i])
			rc = replay(&all[i]);
		if (rc == 0 && used[i])
			rc = make_durable(&all[i]);
		if (used[i])
			j->active = i;
	}
	for (int i = 0; i < JOURNAL_SEGMENTS; i++) {
		if (used[i]) {
			atomic_store(&j->segments[i].urgent, true);
			atomic_store(&j->segments[i].state, SEGMENT_FULL);
		}
		free(all[i].bytes);
	}
	return rc;
}
