#include <assert.h>
#include <string.h>

#include "wire/message.h"

void
idset_add(struct idset *set, unsigned id)
{
	assert(id < SPACE_MAX);
	set->bits[id / 8] |= (uint8_t)(1u << id % 8);
}

void
idset_del(struct idset *set, unsigned id)
{
	assert(id < SPACE_MAX);
	set->bits[id / 8] &= (uint8_t) ~(1u << id % 8);
}

int
idset_has(const struct idset *set, unsigned id)
{
	return id < SPACE_MAX && (set->bits[id / 8] >> id % 8 & 1) != 0;
}

unsigned
idset_count(const struct idset *set)
{
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(set->bits); i++) {
		for (unsigned b = set->bits[i]; b != 0; b &= b - 1)
			n++;
	}
	return n;
}

int
idset_next(const struct idset *set, unsigned id)
{
	uint64_t many;

	while (id < SPACE_MAX) {
		/* Most sets are nearly empty. */
		memcpy(&many, &set->bits[id / 64 * 8], sizeof(many));
		if (many == 0)
			id += 64 - id % 64;
		else if (set->bits[id / 8] >> id % 8 == 0)
			id += 8 - id % 8;
		else if (idset_has(set, id))
			return (int)id;
		else
			id++;
	}
	return -1;
}

/* The whole array, so that equal texts are equal bytes. */
static size_t
text_copy(char *to, size_t size, const char *from, size_t len)
{
	if (len > size - 1)
		len = size - 1;
	memcpy(to, from, len);
	memset(to + len, 0, size - len);
	return len;
}

void
text_set(struct text *t, const char *s)
{
	t->len = (uint16_t)text_copy(t->text, sizeof(t->text), s, strlen(s));
}

void
path_set(struct path *p, const char *s)
{
	p->len = (uint16_t)text_copy(p->text, sizeof(p->text), s, strlen(s));
}

int
name_set(struct name *n, const char *s, size_t len)
{
	if (len == 0 || len > NAME_LEN_MAX || memchr(s, '\0', len) != NULL)
		return -1;
	n->len = (uint8_t)text_copy(n->text, sizeof(n->text), s, len);
	return 0;
}

int
suffix_set(struct suffix *f, const char *s, size_t len)
{
	if (len > SUFFIX_LEN_MAX || memchr(s, '\0', len) != NULL)
		return -1;
	f->len = (uint8_t)text_copy(f->text, sizeof(f->text), s, len);
	return 0;
}

int
version_cmp(const struct version *a, const struct version *b)
{
	if (a->clock != b->clock)
		return a->clock < b->clock ? -1 : 1;
	if (a->ingress != b->ingress)
		return a->ingress < b->ingress ? -1 : 1;
	if (a->op != b->op)
		return a->op < b->op ? -1 : 1;
	return 0;
}

int
name_cmp(const struct name *a, const struct name *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->text, b->text, len);

	return order != 0 ? order : (int)a->len - (int)b->len;
}
