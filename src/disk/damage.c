#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/inside.h"

/*
 * NUMBER.NAME in damaged/ is lost; NUMBER-NAME was, until it was stored again.
 * What is known of a damaged file follows it as a trailer.
 */
enum { LOST = '.', MENDED = '-' };

static void
damaged_path(char out[SHORT_PATH], const char *name)
{
	snprintf(out, SHORT_PATH, "damaged/%.255s", name);
}

static void
remember(struct volume_list *list, const char *name, uint64_t inode)
{
	struct damage_load *l = (struct damage_load *)(void *)list;
	unsigned long number;
	char *end;

	(void)inode;
	if (!isdigit((unsigned char)name[0]))
		return;
	number = strtoul(name, &end, 10);
	if (number < DAMAGED_KEPT && (*end == LOST || *end == MENDED) &&
	    l->disk->damaged[number] == NULL)
		l->disk->damaged[number] = strdup(name);
}

int
damage_load(struct disk *d)
{
	struct damage_load l = {.list = {remember}, .disk = d};
	int rc = d->volume->list(d->volume, d->dir_fd, "damaged", &l.list);

	return rc == -1 && errno != ENOENT ? errno : 0;
}

void
damage_free(struct disk *d)
{
	for (unsigned i = 0; i < DAMAGED_KEPT; i++) {
		free(d->damaged[i]);
		d->damaged[i] = NULL;
	}
}

/* A number for one more: unused, or of the one that has had it longest. */
static unsigned
free_number(struct disk *d)
{
	struct volume *v = d->volume;
	char path[SHORT_PATH];
	unsigned n = d->next_damaged;

	for (unsigned i = 0; i < DAMAGED_KEPT; i++)
		if (d->damaged[(n + i) % DAMAGED_KEPT] == NULL) {
			n = (n + i) % DAMAGED_KEPT;
			break;
		}
	if (d->damaged[n] != NULL) {
		damaged_path(path, d->damaged[n]);
		v->unlink(v, d->dir_fd, path);
		free(d->damaged[n]);
		d->damaged[n] = NULL;
	}
	d->next_damaged = (n + 1) % DAMAGED_KEPT;
	return n;
}

/* With the lock held. */
static int
set_aside(struct disk *d, const char *from, const char *name, int len)
{
	struct volume *v = d->volume;
	unsigned n = free_number(d);
	char to[SHORT_PATH], as[SHORT_PATH];

	if (v->mkdir(v, d->dir_fd, "damaged") == -1 && errno != EEXIST)
		return errno;
	/* As long as a name may be. */
	snprintf(as, NAME_LEN_MAX + 1, "%u%c%.*s", n, LOST, len, name);
	damaged_path(to, as);
	if (v->rename(v, d->dir_fd, from, to) == -1)
		return errno;
	d->damaged[n] = strdup(as);
	return 0;
}

/* What is known of it follows it. */
static void
append_record(struct disk *d, int fd, uint64_t at, const struct record *r)
{
	uint8_t trailer[TRAILER_LEN];

	trailer_encode(r, trailer);
	volume_write(d->volume, fd, trailer, sizeof(trailer), at);
}

int
damage_file(struct disk *d, unsigned key, const struct record *r, int fd)
{
	struct volume_stat seen, there;
	struct volume *v = d->volume;
	char path[SHORT_PATH];
	int now, rc = ENOENT;

	name_of_file(path, key, &r->name);
	pthread_mutex_lock(&d->lock);
	now = v->open(v, d->dir_fd, path, O_RDWR | O_NONBLOCK);
	if (now == -1 && errno == EISDIR)
		rc = set_aside(d, path, r->name.text, r->name.len);
	if (now != -1 && v->stat(v, fd, &seen) == 0 &&
	    v->stat(v, now, &there) == 0 && seen.inode == there.inode) {
		append_record(d, now, there.size, r);
		rc = set_aside(d, path, r->name.text, r->name.len);
	}
	if (now != -1)
		v->close(v, now);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

/* What the journal held goes to damaged/ by way of a temporary file. */
static void
save_bytes(struct disk *d, const struct record *r, const uint8_t *bytes)
{
	struct volume *v = d->volume;
	char temp[SHORT_PATH];
	int fd = disk_temp(d, DAMAGE_TEMP);
	uint64_t len = r->deleted || r->size > SMALL_MAX ? 0 : r->size;

	if (fd == -1)
		return;
	snprintf(temp, sizeof(temp), "tmp/%d", DAMAGE_TEMP);
	if (volume_write(v, fd, bytes + JOURNAL_BLOCK, len, 0) == 0)
		append_record(d, fd, len, r);
	v->close(v, fd);
	if (set_aside(d, temp, r->name.text, r->name.len) != 0)
		v->unlink(v, d->dir_fd, temp);
}

int
damage_kept(struct disk *d, unsigned key, const struct record *r, uint32_t at,
    const uint8_t *bytes)
{
	struct kept *k;
	char path[SHORT_PATH];
	int rc = ENOENT;

	name_of_file(path, key, &r->name);
	pthread_mutex_lock(&d->lock);
	k = kept_find(d, &r->name);
	if (k != NULL && k->at == at &&
	    version_cmp(&k->version, &r->version) == 0) {
		/* In files/ there may be a good one already; else an older. */
		if (!k->moved) {
			save_bytes(d, r, bytes);
			d->volume->unlink(d->volume, d->dir_fd, path);
			rc = 0;
		}
		kept_remove(d, k);
	}
	pthread_mutex_unlock(&d->lock);
	return rc;
}

int
damage_path(struct disk *d, const char *path, const char *name)
{
	int rc;

	pthread_mutex_lock(&d->lock);
	rc = set_aside(d, path, name, NAME_LEN_MAX);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

/* The number, from first on, of a lost one of that name; or DAMAGED_KEPT. */
static unsigned
find_lost(const struct disk *d, const struct name *name, unsigned first)
{
	char want[SHORT_PATH];

	for (; first < DAMAGED_KEPT; first++) {
		if (d->damaged[first] == NULL)
			continue;
		snprintf(want, NAME_LEN_MAX + 1, "%u%c%.*s", first, LOST,
		    (int)name->len, name->text);
		if (strcmp(d->damaged[first], want) == 0)
			break;
	}
	return first;
}

void
damage_lost_entry(struct disk *d, const struct record *r, const uint8_t *bytes)
{
	pthread_mutex_lock(&d->lock);
	/* Each start finds it until its segment is used again. */
	if (find_lost(d, &r->name, 0) == DAMAGED_KEPT)
		save_bytes(d, r, bytes);
	pthread_mutex_unlock(&d->lock);
}

bool
damage_known(const struct disk *d, const struct name *name)
{
	return find_lost(d, name, 0) < DAMAGED_KEPT;
}

bool
damage_gone(struct disk *d, unsigned key, const struct name *name)
{
	struct volume *v = d->volume;
	char path[SHORT_PATH];
	bool gone;
	int fd;

	name_of_file(path, key, name);
	pthread_mutex_lock(&d->lock);
	fd = v->open(v, d->dir_fd, path, O_RDONLY | O_NONBLOCK);
	gone = fd == -1 && errno == ENOENT && kept_find(d, name) == NULL &&
	       !damage_known(d, name);
	if (fd != -1)
		v->close(v, fd);
	pthread_mutex_unlock(&d->lock);
	return gone;
}

void
damage_mend(struct disk *d, const struct name *name)
{
	char from[SHORT_PATH], to[SHORT_PATH], as[SHORT_PATH];
	struct volume *v = d->volume;
	unsigned i = 0;

	for (; (i = find_lost(d, name, i)) < DAMAGED_KEPT; i++) {
		damaged_path(from, d->damaged[i]);
		snprintf(as, sizeof(as), "%s", d->damaged[i]);
		*strchr(as, LOST) = MENDED;
		damaged_path(to, as);
		if (v->rename(v, d->dir_fd, from, to) == 0)
			*strchr(d->damaged[i], LOST) = MENDED;
	}
}

/* The record behind a damaged file; false: there is none, but its name. */
static bool
recall_one(struct disk *d, const char *file, struct record *r)
{
	struct volume *v = d->volume;
	uint8_t trailer[TRAILER_LEN];
	char path[SHORT_PATH];
	const char *name = strchr(file, LOST) + 1;
	struct volume_stat st;
	bool known = false;
	int fd;

	damaged_path(path, file);
	fd = v->open(v, d->dir_fd, path, O_RDONLY | O_NONBLOCK);
	if (fd != -1 && v->stat(v, fd, &st) == 0 && st.size >= TRAILER_LEN &&
	    volume_read(v, fd, trailer, TRAILER_LEN, st.size - TRAILER_LEN) ==
		TRAILER_LEN)
		known = trailer_decode(r, trailer);
	if (fd != -1)
		v->close(v, fd);
	if (known)
		return true;
	memset(r, 0, sizeof(*r));
	name_set(&r->name, name, strlen(name));
	return false;
}

void
damage_recall(struct disk *d, struct disk_scan *s)
{
	struct record r;

	for (unsigned i = 0; i < DAMAGED_KEPT; i++) {
		const char *file = d->damaged[i];

		if (file == NULL || file[strspn(file, "0123456789")] != LOST)
			continue;
		s->gaps |= !recall_one(d, file, &r);
		s->lost(s, &r);
	}
}
