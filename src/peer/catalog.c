#include <assert.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

#include "peer/catalog.h"
#include "wire/message.h"

/* A record without the room that its name and suffix don't need. */
struct entry {
	RB_ENTRY(entry) link;
	struct version version;
	uint64_t size, hash; /* hash: its share of the key's digest */
	struct digest digest;
	uint16_t key;
	uint8_t deleted, acknowledged;
	uint8_t name_len, suffix_len;
	const char *name; /* not terminated; the suffix follows */
	char text[];
};

static int
entry_cmp(const struct entry *a, const struct entry *b)
{
	size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
	int cmp;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	cmp = memcmp(a->name, b->name, len);
	return cmp != 0 ? cmp : a->name_len - b->name_len;
}

RB_PROTOTYPE_INTERNAL(
    catalog_tree, entry, link, entry_cmp, static __attribute__((unused)))
RB_GENERATE_INTERNAL(
    catalog_tree, entry, link, entry_cmp, static __attribute__((unused)))

static struct entry
probe(uint16_t key, const struct name *name)
{
	return (struct entry){
	    .key = key, .name = name->text, .name_len = name->len};
}

static void
to_record(const struct entry *e, struct record *r)
{
	*r = (struct record){.version = e->version,
	    .size = e->size,
	    .digest = e->digest,
	    .deleted = e->deleted,
	    .acknowledged = e->acknowledged};
	r->name.len = e->name_len;
	memcpy(r->name.text, e->name, e->name_len);
	r->suffix.len = e->suffix_len;
	memcpy(r->suffix.text, e->name + e->name_len, e->suffix_len);
}

static int
key_of_digits(const struct name *n)
{
	int value = 0;

	if (n->len != 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		if (n->text[i] < '0' || n->text[i] > '9')
			return -1;
		value = value * 10 + (n->text[i] - '0');
	}
	return value;
}

static int
key_of_any(const struct name *n)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;

	if (n->len == 0 || memchr(n->text, '/', n->len) != NULL ||
	    memchr(n->text, '\0', n->len) != NULL)
		return -1;
	if (n->text[0] == '.' &&
	    (n->len == 1 || (n->len == 2 && n->text[1] == '.')))
		return -1;
	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)n->text, n->len);
	SHA256Final(sum, &ctx);
	return sum[0] << 8 | sum[1];
}

int
catalog_key(const struct catalog *c, const struct name *n)
{
	int key;

	if (c->any_names) {
		key = key_of_any(n);
		return key == -1 ? -1 : key >> (16 - c->bits);
	}
	key = key_of_digits(n);
	return key == -1 ? -1 : key & ((1 << c->bits) - 1);
}

static struct entry *
lookup(const struct catalog *c, struct catalog_tree tree, const struct name *n)
{
	int key = catalog_key(c, n);
	struct entry want;

	if (key == -1)
		return NULL;
	want = probe((uint16_t)key, n);
	return RB_FIND(catalog_tree, &tree, &want);
}

bool
catalog_find(const struct catalog *c, const struct name *n, struct record *out)
{
	const struct entry *e = lookup(c, c->tree, n);

	if (e != NULL)
		to_record(e, out);
	return e != NULL;
}

/* Counts an entry in, or (sign -1) out. */
static void
account(struct catalog *c, const struct entry *e, int sign)
{
	c->digests[e->key] ^= e->hash;
	if (e->deleted)
		return;
	c->changes++;
	if (sign > 0) {
		c->files++;
		c->counts[e->key]++;
		c->bytes += e->size;
	} else {
		assert(c->files > 0);
		c->files--;
		c->counts[e->key]--;
		c->bytes -= e->size;
	}
}

static void
erase(struct catalog *c, struct entry *e)
{
	account(c, e, -1);
	RB_REMOVE(catalog_tree, &c->tree, e);
	free(e);
}

/* NULL: no memory. */
static struct entry *
entry_new(const struct catalog *c, const struct record *r)
{
	size_t len = (size_t)r->name.len + r->suffix.len;
	int key = catalog_key(c, &r->name);
	struct entry *e;

	assert(key >= 0);
	e = malloc(sizeof(*e) + len);
	if (e == NULL)
		return NULL;
	*e = (struct entry){.version = r->version,
	    .size = r->size,
	    .hash = record_hash(r),
	    .digest = r->digest,
	    .key = (uint16_t)key,
	    .deleted = r->deleted,
	    .acknowledged = r->acknowledged,
	    .name_len = r->name.len,
	    .suffix_len = r->suffix.len,
	    .name = e->text};
	memcpy(e->text, r->name.text, r->name.len);
	memcpy(e->text + r->name.len, r->suffix.text, r->suffix.len);
	return e;
}

static void
forget_lost(struct catalog *c, struct entry *e)
{
	RB_REMOVE(catalog_tree, &c->lost, e);
	c->lost_count--;
	free(e);
}

int
catalog_put(struct catalog *c, const struct record *r)
{
	struct entry *e = entry_new(c, r), *old;

	if (e == NULL)
		return -1;
	old = RB_FIND(catalog_tree, &c->tree, e);
	if (old != NULL)
		erase(c, old);
	old = RB_FIND(catalog_tree, &c->lost, e);
	if (old != NULL && version_cmp(&old->version, &e->version) <= 0)
		forget_lost(c, old);
	RB_INSERT(catalog_tree, &c->tree, e);
	account(c, e, 1);
	return 0;
}

bool
catalog_lose(struct catalog *c, const struct record *r)
{
	struct entry *e = entry_new(c, r), *old;
	int cmp = 1;

	if (e == NULL)
		return false;
	old = RB_FIND(catalog_tree, &c->tree, e);
	if (old != NULL)
		cmp = version_cmp(&e->version, &old->version);
	if (old != NULL && cmp == 0)
		erase(c, old);
	old = RB_FIND(catalog_tree, &c->lost, e);
	if (cmp < 0 ||
	    (old != NULL && version_cmp(&old->version, &e->version) > 0)) {
		free(e);
		return false;
	}
	if (old != NULL)
		forget_lost(c, old);
	if (c->lost_count == CATALOG_LOST_MAX) {
		free(e);
		return true;
	}
	RB_INSERT(catalog_tree, &c->lost, e);
	c->lost_count++;
	return true;
}

static struct entry *
lookup_version(const struct catalog *c, const struct record *r)
{
	struct entry *e = lookup(c, c->tree, &r->name);

	if (e == NULL || version_cmp(&e->version, &r->version) != 0)
		return NULL;
	return e;
}

bool
catalog_mark(struct catalog *c, const struct record *r)
{
	struct entry *e = lookup_version(c, r);

	if (e != NULL)
		e->acknowledged = 1;
	return e != NULL;
}

bool
catalog_drop(struct catalog *c, const struct record *r)
{
	struct entry *e = lookup_version(c, r);

	if (e != NULL)
		erase(c, e);
	return e != NULL;
}

static int
index_key(void *ctx, const struct name *n)
{
	return catalog_key(ctx, n);
}

static bool
index_find(void *ctx, const struct name *n, struct record *out)
{
	return catalog_find(ctx, n, out);
}

static const struct entry *
next_entry(const struct catalog *c, uint16_t key, const struct name *after)
{
	static const struct name first;
	struct entry want = probe(key, after != NULL ? after : &first), *e;
	struct catalog_tree tree = c->tree;

	e = RB_NFIND(catalog_tree, &tree, &want);
	if (e != NULL && after != NULL && entry_cmp(e, &want) == 0)
		e = RB_NEXT(catalog_tree, &tree, e);
	return e;
}

static bool
index_next(
    void *ctx, uint16_t key, const struct name *after, struct record *out)
{
	const struct entry *e = next_entry(ctx, key, after);

	if (e == NULL || e->key != key)
		return false;
	to_record(e, out);
	return true;
}

bool
catalog_after(const struct catalog *c, uint16_t key, const struct name *after,
    struct record *out)
{
	const struct entry *e = next_entry(c, key, after);

	if (e != NULL)
		to_record(e, out);
	return e != NULL;
}

static bool
index_lost(void *ctx, const struct name *n, struct record *out)
{
	const struct catalog *c = ctx;
	const struct entry *e = lookup(c, c->lost, n);

	if (e != NULL)
		to_record(e, out);
	return e != NULL;
}

static uint64_t
index_digest(void *ctx, uint16_t key)
{
	const struct catalog *c = ctx;

	return key < 1u << c->bits ? c->digests[key] : 0;
}

static uint64_t
index_count(void *ctx, uint16_t key)
{
	const struct catalog *c = ctx;

	return key < 1u << c->bits ? c->counts[key] : 0;
}

struct index
catalog_index(struct catalog *c)
{
	return (struct index){.ctx = c,
	    .key = index_key,
	    .find = index_find,
	    .next = index_next,
	    .lost = index_lost,
	    .digest = index_digest,
	    .count = index_count};
}

int
catalog_init(struct catalog *c, unsigned bits, bool any_names)
{
	assert(bits > 0 && bits <= BITS_MAX);
	*c = (struct catalog){.bits = bits, .any_names = any_names};
	RB_INIT(&c->tree);
	RB_INIT(&c->lost);
	c->digests = calloc((size_t)2 << bits, sizeof(*c->digests));
	if (c->digests == NULL)
		return -1;
	c->counts = c->digests + ((size_t)1 << bits);
	return 0;
}

void
catalog_free(struct catalog *c)
{
	struct entry *e;

	while ((e = RB_MIN(catalog_tree, &c->tree)) != NULL)
		erase(c, e);
	while ((e = RB_MIN(catalog_tree, &c->lost)) != NULL)
		forget_lost(c, e);
	free(c->digests);
	*c = (struct catalog){.bits = 0};
}
