#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/inside.h"

/* What all threads of a scan share. */
struct scan {
	struct volume_list list;
	struct disk *disk;
	struct disk_scan *told;
	bool present[DISK_BUCKETS];
	atomic_uint next; /* bucket */
};

/* The names in one folder, by where they lie. */
struct found {
	uint64_t inode;
	char *name;
};

struct bucket {
	struct volume_list list;
	struct found *found;
	size_t count, max;
};

static void
find_bucket(struct volume_list *list, const char *name, uint64_t inode)
{
	struct scan *s = (struct scan *)(void *)list;
	unsigned long number;
	char *end;

	(void)inode;
	number = strtoul(name, &end, 16);
	if (strlen(name) == 2 && *end == '\0')
		s->present[number & 0xff] = true;
}

static void
find_file(struct volume_list *list, const char *name, uint64_t inode)
{
	struct bucket *b = (struct bucket *)(void *)list;

	if (b->count == b->max) {
		b->max = b->max > 0 ? b->max * 2 : 64;
		b->found = reallocarray(b->found, b->max, sizeof(*b->found));
		if (b->found == NULL)
			abort();
	}
	b->found[b->count] = (struct found){inode, strdup(name)};
	if (b->found[b->count++].name == NULL)
		abort();
}

static int
by_inode(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* 0, EBADMSG: it is damaged, or why it can't be read. */
static int
judge(struct volume *v, int bucket, const char *name, struct record *r)
{
	int fd = v->open(v, bucket, name, O_RDONLY | O_NONBLOCK), rc;

	if (fd == -1)
		return errno;
	rc = trailer_read(v, fd, r);
	v->close(v, fd);
	if (rc == 0 && (strlen(name) != r->name.len ||
			   memcmp(name, r->name.text, r->name.len) != 0))
		rc = EBADMSG;
	return rc;
}

/* What the journal has of the same name is newer, as new, or goes. */
static void
take_good(struct scan *s, const struct record *r)
{
	struct kept *k;
	int cmp = 1;

	pthread_mutex_lock(&s->disk->lock);
	k = kept_find(s->disk, &r->name);
	if (k != NULL)
		cmp = version_cmp(&r->version, &k->version);
	if (cmp == 0 && r->acknowledged)
		k->acknowledged = 1;
	if (cmp > 0) {
		kept_forget(s->disk, &r->name, &r->version);
		s->told->good(s->told, r);
	}
	pthread_mutex_unlock(&s->disk->lock);
}

/* Damaged; or half moved, and the power went: then the journal has it. */
static void
take_bad(struct scan *s, const char *path, const char *file, int err)
{
	struct name name = {.len = 0};

	/* Out of descriptors or of rights, it may be good. */
	if (err == EBADMSG || err == EIO)
		damage_path(s->disk, path, file);
	pthread_mutex_lock(&s->disk->lock);
	if (name_set(&name, file, strlen(file)) == 0 &&
	    kept_find(s->disk, &name) != NULL)
		damage_mend(s->disk, &name);
	else if (!damage_known(s->disk, &name))
		s->told->gaps = true;
	s->told->bad(s->told, file, err == EBADMSG ? "trailer" : strerror(err));
	pthread_mutex_unlock(&s->disk->lock);
}

static void
scan_bucket(struct scan *s, unsigned number)
{
	struct volume *v = s->disk->volume;
	struct bucket b = {.list = {find_file}};
	struct record r = {.size = 0};
	char folder[SHORT_PATH], path[SHORT_PATH * 2];
	int fd, rc;

	name_of_bucket(folder, number);
	fd = v->open(v, s->disk->dir_fd, folder, O_RDONLY | O_DIRECTORY);
	if (fd == -1)
		return;
	v->list(v, fd, ".", &b.list);
	/* Mostly also the order on the disk. */
	if (b.count > 1)
		qsort(b.found, b.count, sizeof(*b.found), by_inode);
	for (size_t i = 0; i < b.count; i++) {
		rc = judge(v, fd, b.found[i].name, &r);
		snprintf(path, sizeof(path), "%s/%s", folder, b.found[i].name);
		if (rc == 0)
			take_good(s, &r);
		else
			take_bad(s, path, b.found[i].name, rc);
		free(b.found[i].name);
	}
	free(b.found);
	v->close(v, fd);
}

static void *
scan_buckets(void *arg)
{
	struct scan *s = arg;
	unsigned i;

	while ((i = atomic_fetch_add(&s->next, 1)) < DISK_BUCKETS)
		if (s->present[i])
			scan_bucket(s, i);
	return NULL;
}

static void
scan_by_threads(struct scan *s, unsigned threads)
{
	pthread_t others[SCAN_THREADS_MAX];
	unsigned started = 0;

	while (started + 1 < threads && started < SCAN_THREADS_MAX &&
	       pthread_create(&others[started], NULL, scan_buckets, s) == 0)
		started++;
	scan_buckets(s);
	while (started > 0)
		pthread_join(others[--started], NULL);
}

/* What is newest in the journal; its records are there alone. */
static void
tell_kept(struct disk *d, struct disk_scan *told)
{
	uint8_t *buffer = malloc(JOURNAL_BLOCK + SMALL_MAX);
	struct kept *k, *next;
	struct record r;

	if (buffer == NULL)
		abort();
	for (k = kept_first(d); k != NULL; k = next) {
		next = kept_next(d, k);
		if (entry_read(d, k->segment, k->at, &r, buffer) == 0) {
			r.acknowledged = k->acknowledged;
			told->good(told, &r);
		}
	}
	free(buffer);
}

int
disk_scan(struct disk *d, struct disk_scan *told)
{
	struct scan s = {.disk = d, .told = told, .list = {find_bucket}};
	int rc = damage_load(d);

	if (rc == 0)
		rc = journal_recover(d, told);
	if (rc != 0)
		return rc;
	if (d->volume->list(d->volume, d->dir_fd, "files", &s.list) == -1 &&
	    errno != ENOENT)
		return errno;
	atomic_init(&s.next, 0);
	scan_by_threads(&s, told->threads);
	tell_kept(d, told);
	damage_recall(d, told);
	return 0;
}
