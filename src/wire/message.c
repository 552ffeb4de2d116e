#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "wire/layout.h"

struct output {
	uint8_t *at;
	size_t left;
	bool full; /* something did not fit */
};

struct input {
	const uint8_t *at;
	size_t left;
	bool never; /* no more bytes could make it good */
};

static void
put_bytes(struct output *out, const unsigned char *from, size_t len)
{
	if (out->full || out->left < len) {
		out->full = true;
		return;
	}
	memcpy(out->at, from, len);
	out->at += len;
	out->left -= len;
}

static void
put_uint(struct output *out, unsigned width, uint64_t max, uint64_t value)
{
	uint8_t bytes[8];

	assert(width > 0 && width <= sizeof(bytes));
	assert(value <= max);
	for (unsigned i = width; i-- > 0; value >>= 8)
		bytes[i] = (uint8_t)value;
	put_bytes(out, bytes, width);
}

static void
put_string(
    struct output *out, const struct layout *l, const unsigned char *from)
{
	uint64_t len = uint_load(from, l->width);

	put_uint(out, l->width, l->max, len);
	assert(memchr(from + l->at, '\0', len) == NULL);
	put_bytes(out, from + l->at, len);
}

static void
put_bits(struct output *out, const struct layout *l, const unsigned char *from)
{
	size_t len = l->max;

	while (len > 0 && from[len - 1] == 0)
		len--;
	put_uint(out, l->width, l->max, len);
	put_bytes(out, from, len);
}

static void
put(struct output *out, unsigned type, const unsigned char *from)
{
	const struct layout *l = layout_of(type);
	uint64_t n;

	switch (l->kind) {
	case KIND_UINT:
		put_uint(out, l->width, l->max, uint_load(from, l->width));
		break;
	case KIND_BYTES:
		put_bytes(out, from, l->max);
		break;
	case KIND_STRING:
		put_string(out, l, from);
		break;
	case KIND_BITS:
		put_bits(out, l, from);
		break;
	case KIND_GROUP:
		for (const struct field *f = l->fields;
		     f < l->fields + l->count; f++)
			put(out, f->type, from + f->offset);
		break;
	case KIND_LIST:
		n = uint_load(from, l->width);
		put_uint(out, l->width, l->max, n);
		for (uint64_t i = 0; i < n && !out->full; i++)
			put(out, l->item, from + l->at + i * l->item_size);
		break;
	}
}

size_t
message_encode(const struct message *m, uint8_t *out, size_t size)
{
	const struct shape *shape = shape_of(m->type);
	struct output o = {out, size, false};

	assert(shape != NULL);
	put_uint(&o, 1, UINT8_MAX, m->type);
	for (const struct field *f = shape->fields;
	     f < shape->fields + shape->count && !o.full; f++)
		put(&o, f->type, message_body(m) + f->offset);
	assert(size - o.left <= MESSAGE_LEN_MAX);
	return o.full ? 0 : size - o.left;
}

/*
 * What is missing counts as zeros: if that is already too much, the bytes to
 * come can't help.
 */
static bool
take_uint(struct input *in, unsigned width, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v = v << 8 | (i < in->left ? in->at[i] : 0u);
	if (v > max)
		in->never = true;
	if (v > max || in->left < width)
		return false;
	in->at += width;
	in->left -= width;
	*value = v;
	return true;
}

/* The next len bytes, or NULL. */
static const uint8_t *
take_bytes(struct input *in, size_t len)
{
	const uint8_t *bytes = in->at;

	if (in->left < len)
		return NULL;
	in->at += len;
	in->left -= len;
	return bytes;
}

static bool
take_string(struct input *in, const struct layout *l, unsigned char *to)
{
	const uint8_t *bytes;
	uint64_t len;

	if (!take_uint(in, l->width, l->max, &len))
		return false;
	if (memchr(in->at, '\0', len < in->left ? len : in->left) != NULL) {
		in->never = true;
		return false;
	}
	if ((bytes = take_bytes(in, len)) == NULL)
		return false;
	if (to != NULL) {
		uint_store(to, l->width, len);
		memcpy(to + l->at, bytes, len);
	}
	return true;
}

static bool
take_bits(struct input *in, const struct layout *l, unsigned char *to)
{
	const uint8_t *bytes;
	uint64_t len;

	if (!take_uint(in, l->width, l->max, &len))
		return false;
	if ((bytes = take_bytes(in, len)) == NULL)
		return false;
	if (len > 0 && bytes[len - 1] == 0) {
		in->never = true;
		return false;
	}
	if (to != NULL)
		memcpy(to, bytes, len);
	return true;
}

/* Reads one value to zeroed memory or, to being NULL, only checks it. */
static bool
take(struct input *in, unsigned type, unsigned char *to)
{
	const struct layout *l = layout_of(type);
	const uint8_t *bytes;
	uint64_t n;

	switch (l->kind) {
	case KIND_UINT:
		if (!take_uint(in, l->width, l->max, &n))
			return false;
		if (to != NULL)
			uint_store(to, l->width, n);
		return true;
	case KIND_BYTES:
		if ((bytes = take_bytes(in, l->max)) == NULL)
			return false;
		if (to != NULL)
			memcpy(to, bytes, l->max);
		return true;
	case KIND_STRING:
		return take_string(in, l, to);
	case KIND_BITS:
		return take_bits(in, l, to);
	case KIND_GROUP:
		for (const struct field *f = l->fields;
		     f < l->fields + l->count; f++) {
			if (!take(in, f->type,
				to == NULL ? NULL : to + f->offset))
				return false;
		}
		return true;
	case KIND_LIST:
		if (!take_uint(in, l->width, l->max, &n))
			return false;
		if (to != NULL)
			uint_store(to, l->width, n);
		for (size_t i = 0; i < n; i++) {
			if (!take(in, l->item,
				to == NULL ? NULL
					   : to + l->at + i * l->item_size))
				return false;
		}
		return true;
	}
	return false;
}

static bool
take_fields(struct input *in, const struct shape *shape, unsigned char *to)
{
	for (const struct field *f = shape->fields;
	     f < shape->fields + shape->count; f++) {
		if (!take(in, f->type, to == NULL ? NULL : to + f->offset))
			return false;
	}
	return true;
}

long
message_scan(const uint8_t *data, size_t len)
{
	const struct shape *shape;
	struct input in;

	if (len == 0)
		return 0;
	if ((shape = shape_of(data[0])) == NULL)
		return -1;
	in = (struct input){data + 1, len - 1, false};
	if (!take_fields(&in, shape, NULL))
		return in.never ? -1 : 0;
	assert(len - in.left <= MESSAGE_LEN_MAX);
	return (long)(len - in.left);
}

void
message_fill(struct message *m, const uint8_t *data, size_t len)
{
	const struct shape *shape = shape_of(data[0]);
	struct input in = {data + 1, len - 1, false};
	unsigned char *body = (unsigned char *)&m->ping;
	bool good;

	assert(shape != NULL);
	m->type = (enum message_type)data[0];
	/* Not all of m: its largest member has 100 times a ping's size. */
	memset(body, 0, shape->size);
	good = take_fields(&in, shape, body);
	assert(good);
}

long
message_decode(struct message *m, const uint8_t *data, size_t len)
{
	long used = message_scan(data, len);

	if (used > 0)
		message_fill(m, data, (size_t)used);
	return used;
}
