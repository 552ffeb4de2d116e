#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "wire/layout.h"

/* No snprintf: the core's trace must not pull in the C library's stdio. */
struct printer {
	char *at;
	size_t left; /* room, the NUL's apart */
};

static void
print_char(struct printer *p, char c)
{
	if (p->left == 0)
		return;
	*p->at++ = c;
	p->left--;
}

static void
print_text(struct printer *p, const char *s)
{
	while (*s != '\0')
		print_char(p, *s++);
}

static void
print_decimal(struct printer *p, uint64_t value)
{
	char digits[20];
	int n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	while (n > 0)
		print_char(p, digits[--n]);
}

/* Exactly so many hexadecimal digits. */
static void
print_hex(struct printer *p, uint64_t value, int digits)
{
	while (digits-- > 0)
		print_char(p, "0123456789abcdef"[value >> 4 * digits & 15]);
}

static void
print_string(struct printer *p, const unsigned char *s, size_t len)
{
	print_char(p, '"');
	for (; len > 0; s++, len--) {
		if (*s < ' ' || *s > '~') {
			print_text(p, "\\x");
			print_hex(p, *s, 2);
			continue;
		}
		if (*s == '"' || *s == '\\')
			print_char(p, '\\');
		print_char(p, (char)*s);
	}
	print_char(p, '"');
}

static void
print_bits(struct printer *p, const struct idset *set)
{
	int id = idset_next(set, 0);

	print_char(p, '[');
	while (id >= 0) {
		print_decimal(p, (unsigned)id);
		id = idset_next(set, (unsigned)id + 1);
		if (id >= 0)
			print_char(p, ' ');
	}
	print_char(p, ']');
}

static void
print_addr(struct printer *p, const unsigned char *from)
{
	struct addr addr;

	memcpy(&addr, from, sizeof(addr));
	for (int shift = 24; shift >= 0; shift -= 8) {
		print_decimal(p, addr.ip >> shift & 255);
		print_char(p, shift > 0 ? '.' : ':');
	}
	print_decimal(p, addr.port);
}

static void
print_version(struct printer *p, const unsigned char *from)
{
	struct version version;

	memcpy(&version, from, sizeof(version));
	print_decimal(p, version.clock);
	print_char(p, '.');
	print_decimal(p, version.ingress);
	print_char(p, '.');
	print_decimal(p, version.op);
}

static void
print_hash(struct printer *p, uint64_t value)
{
	print_text(p, "0x");
	print_hex(p, value, 16);
}

/* Numbers that say nothing in decimal. */
static bool
is_hash(const char *name)
{
	return strcmp(name, "hash") == 0 || strcmp(name, "set") == 0 ||
	       strcmp(name, "view") == 0 || strcmp(name, "nonce") == 0 ||
	       strcmp(name, "buckets") == 0;
}

static void print(
    struct printer *, const char *, unsigned, const unsigned char *);

static void
print_fields(struct printer *p, const struct field *fields, size_t count,
    const unsigned char *from)
{
	for (size_t i = 0; i < count && p->left > 0; i++) {
		if (i > 0)
			print_char(p, ' ');
		print_text(p, fields[i].name);
		print_char(p, '=');
		print(
		    p, fields[i].name, fields[i].type, from + fields[i].offset);
	}
}

static void
print_group(struct printer *p, unsigned type, const unsigned char *from)
{
	const struct layout *l = layout_of(type);

	if (type == FIELD_addr) {
		print_addr(p, from);
	} else if (type == FIELD_version) {
		print_version(p, from);
	} else {
		print_char(p, '{');
		print_fields(p, l->fields, l->count, from);
		print_char(p, '}');
	}
}

static void
print_list(struct printer *p, const char *name, const struct layout *l,
    const unsigned char *from)
{
	uint64_t n = uint_load(from, l->width);

	assert(n <= l->max);
	print_char(p, '[');
	for (size_t i = 0; i < n && p->left > 0; i++) {
		if (i > 0)
			print_char(p, ' ');
		print(p, name, l->item, from + l->at + i * l->item_size);
	}
	print_char(p, ']');
}

static void
print(struct printer *p, const char *name, unsigned type,
    const unsigned char *from)
{
	const struct layout *l = layout_of(type);
	struct idset set;

	switch (l->kind) {
	case KIND_UINT:
		if (l->width == 8 && is_hash(name))
			print_hash(p, uint_load(from, l->width));
		else
			print_decimal(p, uint_load(from, l->width));
		break;
	case KIND_BYTES:
		for (size_t i = 0; i < l->max; i++)
			print_hex(p, from[i], 2);
		break;
	case KIND_STRING:
		print_string(p, from + l->at, uint_load(from, l->width));
		break;
	case KIND_BITS:
		memcpy(&set, from, sizeof(set));
		print_bits(p, &set);
		break;
	case KIND_GROUP:
		print_group(p, type, from);
		break;
	case KIND_LIST:
		print_list(p, name, l, from);
		break;
	}
}

void
message_print(const struct message *m, char *out, size_t size)
{
	const struct shape *shape = shape_of(m->type);
	struct printer p = {out, size - 1};

	assert(size > 0);
	assert(shape != NULL);
	print_text(&p, shape->name);
	print_char(&p, ' ');
	print_fields(&p, shape->fields, shape->count, message_body(m));
	*p.at = '\0';
}
