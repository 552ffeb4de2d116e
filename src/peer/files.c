#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/drive.h"
#include "peer/fileop.h"
#include "peer/transfer.h"

void
files_open_init(struct driver *d)
{
	d->files = (struct files_open){.next_temp = 0};
	order_init(&d->files.order);
}

struct open_file *
file_find(struct driver *d, uint32_t handle)
{
	struct handle *h = handle_find(&d->files.table, handle);

	return h == NULL ? NULL : CONTAINER(h, struct open_file, handle);
}

struct open_file *
file_add(struct driver *d, uint32_t handle, enum file_kind kind)
{
	struct open_file *f;

	if (d->files.table.count >= FILES_OPEN_MAX)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->hash = XXH3_createState();
	if (f->hash == NULL) {
		free(f);
		return NULL;
	}
	XXH3_128bits_reset(f->hash);
	f->driver = d;
	f->kind = kind;
	f->fd = -1;
	LIST_INIT(&f->waiting);
	pthread_mutex_init(&f->lock, NULL);
	handle_add(&d->files.table, &f->handle, handle);
	return f;
}

void
files_take(struct driver *d, const struct action *a)
{
	const struct open_file *from =
	    a->target == 0 ? NULL : file_find(d, a->target);
	const uint8_t *data = from == NULL ? d->brought : from->content;
	struct open_file *f = file_add(d, a->file, FILE_TEMP);

	/* What asks for it next is told that there is no such handle. */
	if (f == NULL)
		return;
	assert(data != NULL && a->record.size <= SMALL_MAX);
	assert(from == NULL || from->size == a->record.size);
	f->record = a->record;
	f->size = a->record.size;
	f->content = malloc(f->size + 1);
	if (f->content == NULL)
		abort();
	memcpy(f->content, data, f->size);
	file_hash(f, f->content, f->size, 0);
	f->ready = true;
}

void
file_close(struct open_file *f)
{
	if (f->fd != -1)
		close(f->fd);
	f->fd = -1;
}

void
file_free(struct open_file *f)
{
	assert(f->refs == 0);
	assert(LIST_EMPTY(&f->waiting));
	file_close(f);
	pthread_mutex_destroy(&f->lock);
	XXH3_freeState(f->hash);
	free(f->content);
	free(f->path);
	free(f->temp);
	free(f);
}

void
file_ref(struct open_file *f)
{
	f->refs++;
}

void
file_unref(struct open_file *f)
{
	assert(f->refs > 0);
	f->refs--;
	if (f->refs == 0 && f->discarded)
		file_op_release(f);
}

void
file_discard(struct open_file *f)
{
	struct driver *d = f->driver;

	drive_forget_file(d, f->handle.id);
	handle_del(&d->files.table, &f->handle);
	f->discarded = true;
	file_ref(f);
	file_changed(f);
	file_unref(f);
}

void
files_discard_all(struct driver *d)
{
	struct handle_table *t = &d->files.table;

	for (size_t i = 0; i < HANDLE_BUCKETS; i++)
		while (t->bucket[i] != NULL)
			file_discard(
			    CONTAINER(t->bucket[i], struct open_file, handle));
}

uint64_t
file_arrived(void *ctx, uint32_t handle)
{
	struct open_file *f = file_find(ctx, handle);

	return f != NULL && f->ready && !f->failed ? f->size : 0;
}

void
file_changed(struct open_file *f)
{
	struct transfer *t = LIST_FIRST(&f->waiting), *next;

	for (; t != NULL; t = next) {
		next = LIST_NEXT(t, waits);
		transfer_wake(t);
	}
}

void
file_trouble(struct open_file *f, int err)
{
	struct event ev = {.type = EV_FILE,
	    .file = f->handle.id,
	    .error = (uint8_t)file_error(f->kind, err),
	    .record = f->record};
	char text[FILE_ERROR_MAX + 1];

	if (f->discarded || f->failed)
		return;
	f->failed = true;
	snprintf(text, sizeof(text), "%s%s%s", f->path ? f->path : "",
	    f->path ? ": " : "", strerror(err));
	if (err == ESTALE && f->kind == FILE_SOURCE) {
		ev.error = ERROR_changed;
		snprintf(text, sizeof(text), "%s", f->path);
	} else if (err == ESTALE) {
		ev.error = ERROR_damaged;
		snprintf(text, sizeof(text), "changed while it was read");
	}
	drive_defer(f->driver, &ev, text);
}

void
files_damaged_here(struct driver *d, const struct record *r)
{
	struct event ev = {.type = EV_DAMAGED, .record = *r};

	if (catalog_lose(&d->catalog, r))
		drive_defer(d, &ev, NULL);
}

void
files_gone_here(struct driver *d, const struct record *r)
{
	struct record known;

	if (catalog_find(&d->catalog, &r->name, &known) &&
	    version_cmp(&known.version, &r->version) == 0)
		files_damaged_here(d, r);
}

int
file_error(enum file_kind kind, int err)
{
	if (err == EMFILE || err == ENFILE || err == ENOMEM)
		return ERROR_system;
	switch (kind) {
	case FILE_SOURCE:
		return ERROR_bad_source;
	case FILE_TARGET:
		return ERROR_bad_target;
	case FILE_STORED:
		if (err == EBADMSG)
			return ERROR_damaged;
		return err == ENOENT ? ERROR_no_such_file : ERROR_disk;
	case FILE_TEMP:
		break;
	}
	return ERROR_disk;
}

void
file_hash(struct open_file *f, const uint8_t *data, size_t len, uint64_t offset)
{
	pthread_mutex_lock(&f->lock);
	if (offset <= f->hashed && offset + len > f->hashed) {
		size_t skip = (size_t)(f->hashed - offset);

		XXH3_128bits_update(f->hash, data + skip, len - skip);
		f->hashed = offset + len;
	}
	pthread_mutex_unlock(&f->lock);
}

void
file_rehash(struct open_file *f)
{
	pthread_mutex_lock(&f->lock);
	XXH3_128bits_reset(f->hash);
	f->hashed = 0;
	pthread_mutex_unlock(&f->lock);
}

bool
file_digest(struct open_file *f, uint64_t size, struct digest *out)
{
	XXH128_canonical_t canonical;
	bool known;

	if (f->kind == FILE_STORED && size == f->record.size) {
		*out = f->record.digest;
		return true;
	}
	pthread_mutex_lock(&f->lock);
	known = f->hashed == size;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(f->hash));
	pthread_mutex_unlock(&f->lock);
	memset(out, 0, sizeof(*out));
	if (known)
		memcpy(out->bytes, canonical.digest, DIGEST_LEN);
	return known;
}
