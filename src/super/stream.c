#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "super/stream.h"
#include "wire/frame.h"

enum {
	FIRST_SIZE = 4 << 10,
	INLET_MAX = 2 * FRAME_LEN_MAX,
};

static uint8_t *
resize(uint8_t *data, size_t size)
{
	data = realloc(data, size);
	if (data == NULL)
		abort();
	return data;
}

int
inlet_fill(struct inlet *in, int fd)
{
	ssize_t n;

	assert(in->start <= in->end && in->end <= in->size);
	if (in->start > 0) {
		memmove(in->data, in->data + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	if (in->end == in->size && in->size < INLET_MAX) {
		in->size = in->size == 0 ? FIRST_SIZE : in->size * 2;
		in->data = resize(in->data, in->size);
	}
	/* Never full: a frame fits, and whole ones were taken. */
	assert(in->end < in->size);
	do
		n = read(fd, in->data + in->end, in->size - in->end);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return (int)n;
	in->end += (size_t)n;
	return 1;
}

int
inlet_next(struct inlet *in, struct message *m)
{
	long used;

	if (in->start == in->end)
		return 0;
	used = frame_decode(m, in->data + in->start, in->end - in->start);
	if (used < 0)
		return -1;
	in->start += (size_t)used;
	if (in->start == in->end)
		inlet_free(in);
	return used > 0 ? 1 : 0;
}

void
inlet_free(struct inlet *in)
{
	free(in->data);
	memset(in, 0, sizeof(*in));
}

void
outlet_init(struct outlet *out, size_t max)
{
	memset(out, 0, sizeof(*out));
	out->max = max;
}

size_t
outlet_used(const struct outlet *out)
{
	return out->end - out->start;
}

int
outlet_put(struct outlet *out, const struct message *m)
{
	size_t need = outlet_used(out) + FRAME_LEN_MAX, len;

	if (need > out->max)
		return -1;
	if (out->size - out->start < need) {
		if (out->start > 0)
			memmove(out->data, out->data + out->start,
			    outlet_used(out));
		out->end -= out->start;
		out->start = 0;
	}
	if (out->size < need) {
		while (out->size < need)
			out->size =
			    out->size == 0 ? FRAME_LEN_MAX : out->size * 2;
		out->data = resize(out->data, out->size);
	}
	len = frame_encode(m, out->data + out->end, out->size - out->end);
	assert(len > 0);
	out->end += len;
	return 0;
}

int
outlet_write(struct outlet *out, int fd)
{
	ssize_t n;

	while (out->start < out->end) {
		n = write(fd, out->data + out->start, outlet_used(out));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n == -1)
			return -1;
		out->start += (size_t)n;
	}
	if (out->size > 0)
		outlet_free(out);
	return 0;
}

void
outlet_free(struct outlet *out)
{
	size_t max = out->max;

	free(out->data);
	outlet_init(out, max);
}
