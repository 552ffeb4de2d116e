#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "wire/layout.h"

/* Bounds are where mistakes are: half of the values are near one. */
static uint64_t
random_uint(struct random *r, uint64_t max)
{
	uint64_t v;

	switch (random_below(r, 4)) {
	case 0:
		v = random_below(r, 3);
		return v < max ? v : max;
	case 1:
		v = random_below(r, 3);
		return v < max ? max - v : 0;
	}
	return max == UINT64_MAX ? random_u64(r) : random_below(r, max + 1);
}

/* Mostly short ones, as in life. */
static uint64_t
random_len(struct random *r, uint64_t max)
{
	uint64_t few = max < 8 ? max : 8;

	return random_below(r, 4) == 0 ? random_uint(r, max)
				       : random_below(r, few + 1);
}

static void
random_bytes(struct random *r, unsigned char *to, size_t len, unsigned min)
{
	assert(min <= UINT8_MAX);
	for (size_t i = 0; i < len; i++)
		to[i] =
		    (unsigned char)(min + random_below(r, UINT8_MAX + 1 - min));
}

/* to is zeroed. */
static void
fill(struct random *r, unsigned type, unsigned char *to)
{
	const struct layout *l = layout_of(type);
	uint64_t n;

	switch (l->kind) {
	case KIND_UINT:
		uint_store(to, l->width, random_uint(r, l->max));
		break;
	case KIND_BYTES:
		random_bytes(r, to, l->max, 0);
		break;
	case KIND_STRING:
		n = random_len(r, l->max);
		uint_store(to, l->width, n);
		random_bytes(r, to + l->at, n, 1);
		break;
	case KIND_BITS:
		random_bytes(r, to, random_len(r, l->max), 0);
		break;
	case KIND_GROUP:
		for (const struct field *f = l->fields;
		     f < l->fields + l->count; f++)
			fill(r, f->type, to + f->offset);
		break;
	case KIND_LIST:
		n = random_len(r, l->max);
		uint_store(to, l->width, n);
		for (size_t i = 0; i < n; i++)
			fill(r, l->item, to + l->at + i * l->item_size);
		break;
	}
}

void
message_random(struct message *m, enum message_type type, struct random *r)
{
	const struct shape *shape = shape_of(type);
	unsigned char *body = (unsigned char *)&m->ping;

	assert(shape != NULL);
	m->type = type;
	memset(body, 0, shape->size);
	for (const struct field *f = shape->fields;
	     f < shape->fields + shape->count; f++)
		fill(r, f->type, body + f->offset);
}
