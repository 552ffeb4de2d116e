#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "super/verify.h"
#include "wire/frame.h"

enum { ROOM_FIRST = 64 };

void
findings_free(struct findings *f)
{
	free(f->what);
	free(f->data);
	memset(f, 0, sizeof(*f));
}

static void *
grown(void *p, size_t count, size_t size)
{
	p = reallocarray(p, count, size);
	if (p == NULL)
		abort();
	return p;
}

void
findings_add(struct findings *f, const struct msg_finding *finding,
    uint64_t about, bool heals)
{
	static struct message m;
	static uint8_t frame[FRAME_LEN_MAX];
	size_t len;

	f->count++;
	f->heals |= heals;
	m.type = MSG_finding;
	m.finding = *finding;
	len = frame_encode(&m, frame, sizeof(frame));
	assert(len > 0);
	if (f->kept == FINDINGS_MAX || f->used + len > FINDINGS_BYTES_MAX)
		return;
	if (f->kept == f->room) {
		f->room = f->room == 0 ? ROOM_FIRST : f->room * 2;
		f->what = grown(f->what, f->room, sizeof(*f->what));
	}
	if (f->used + len > f->size) {
		f->size = f->size + len < FRAME_LEN_MAX ? FRAME_LEN_MAX
							: f->size * 2 + len;
		f->data = grown(f->data, f->size, 1);
	}
	f->what[f->kept++] = about;
	memcpy(f->data + f->used, frame, len);
	f->used += len;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* From then on in another order than data. */
void
findings_sort(struct findings *f)
{
	if (f->kept > 0)
		qsort(f->what, f->kept, sizeof(*f->what), compare);
}

bool
findings_has(const struct findings *f, uint64_t about)
{
	return f->kept > 0 && bsearch(&about, f->what, f->kept,
				  sizeof(*f->what), compare) != NULL;
}

bool
findings_same(const struct findings *f, const struct findings *sorted)
{
	if (f->count != sorted->count)
		return false;
	for (size_t i = 0; i < f->kept; i++)
		if (!findings_has(sorted, f->what[i]))
			return false;
	return true;
}

bool
findings_next(const struct findings *f, size_t *at, struct message *m)
{
	long used;

	assert(*at <= f->used);
	if (*at == f->used)
		return false;
	used = frame_decode(m, f->data + *at, f->used - *at);
	assert(used > 0);
	*at += (size_t)used;
	return true;
}
