#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mutant.h"
#include "sim/model.h"

#define MODEL_OF(ptr, member)                                                  \
	((struct model *)(void *)((char *)(ptr)-offsetof(struct model, member)))

void
model_fail(struct model *m, const char *format, ...)
{
	va_list args;

	if (m->failed)
		return;
	m->failed = true;
	printf("violation: disk: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n  replay: build/ringctl-sim --disk --seed %llu --trace\n",
	    (unsigned long long)m->seed);
}

void
model_say(struct model *m, const char *format, ...)
{
	va_list args;

	if (!m->trace)
		return;
	printf("%6llu ", (unsigned long long)m->volume->calls);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

unsigned
model_key(const struct name *name)
{
	return (unsigned)(name->text[3] - '0') * 19;
}

unsigned
model_new(struct model *m, unsigned name)
{
	unsigned v = ++m->versions;
	uint64_t kind = random_below(&m->random, 20);

	assert(v <= MODEL_VERSIONS);
	m->owner[v] = (uint8_t)name;
	m->deleted[v] = kind < 3;
	m->size[v] =
	    (uint16_t)random_below(&m->random, kind < 5    ? 1
					       : kind < 17 ? 2000
							   : SMALL_MAX + 1);
	if (kind == 19)
		m->size[v] =
		    (uint16_t)(SMALL_MAX + 1 + random_below(&m->random, 3000));
	return v;
}

struct record
model_record(struct model *m, unsigned version, uint8_t *out)
{
	struct record r;
	XXH128_canonical_t sum;
	struct random bytes;

	memset(&r, 0, sizeof(r));
	r.name.len = 4;
	snprintf(r.name.text, sizeof(r.name.text), "000%u", m->owner[version]);
	r.version = (struct version){.clock = version, .op = m->seed};
	r.deleted = m->deleted[version];
	r.size = r.deleted ? 0 : m->size[version];
	random_seed(&bytes, m->seed << 16 | version);
	for (size_t i = 0; i < r.size; i += 8) {
		uint64_t word = random_u64(&bytes);

		memcpy(out + i, &word, r.size - i < 8 ? r.size - i : 8);
	}
	XXH128_canonicalFromHash(&sum, XXH3_128bits(out, r.size));
	memcpy(r.digest.bytes, sum.digest, DIGEST_LEN);
	return r;
}

static unsigned
name_of(const struct record *r)
{
	unsigned n = r->name.len == 4 ? (unsigned)(r->name.text[3] - '0') : 99;

	return n < MODEL_NAMES ? n : MODEL_NAMES;
}

static void
on_good(struct disk_scan *s, const struct record *r)
{
	struct model *m = MODEL_OF(s, scan);
	unsigned n = name_of(r);
	struct record want;

	if (n == MODEL_NAMES || r->version.clock == 0 ||
	    r->version.clock > m->versions || m->owner[r->version.clock] != n) {
		model_fail(
		    m, "a record that was never committed: %s", r->name.text);
		return;
	}
	if (m->names[n].found != 0)
		model_fail(m, "name %u was told of twice", n);
	m->names[n].found = (unsigned)r->version.clock;
	want = model_record(m, m->names[n].found, m->scratch);
	if (r->version.op != want.version.op || r->size != want.size ||
	    r->deleted != want.deleted ||
	    memcmp(r->digest.bytes, want.digest.bytes, DIGEST_LEN) != 0)
		model_fail(m, "name %u: another record", n);
}

static void
on_bad(struct disk_scan *s, const char *name, const char *reason)
{
	struct model *m = MODEL_OF(s, scan);

	model_say(m, "damaged: %s: %s", name, reason);
	m->bad = true;
}

static void
on_lost(struct disk_scan *s, const struct record *r)
{
	struct model *m = MODEL_OF(s, scan);
	unsigned n = name_of(r);

	model_say(m, "lost: %s %llu", r->name.text,
	    (unsigned long long)r->version.clock);
	if (n < MODEL_NAMES &&
	    (r->version.clock == 0 || r->version.clock >= m->names[n].acked))
		m->names[n].excused = true;
}

static unsigned
scan_key(struct disk_scan *s, const struct name *name)
{
	(void)s;
	return model_key(name);
}

static unsigned
loss_key(struct journal_loss *l, const struct name *name)
{
	(void)l;
	return model_key(name);
}

static void
loss_lost(struct journal_loss *l, const struct record *r)
{
	struct model *m = MODEL_OF(l, loss);
	unsigned n = name_of(r);

	if (m->volume->dead)
		return;
	model_say(m, "lost while moving: %u", n);
	if (!m->trouble)
		model_fail(m, "name %u lost without a reason", n);
	m->names[n].excused = true;
	if (m->names[n].stored == r->version.clock)
		m->names[n].stored = 0;
}

/* False: it failed, or died; then it is to be tried again. */
static bool
try_start(struct model *m)
{
	int rc = disk_open(
	    &m->disk, &m->volume->volume, VOLUME_ROOT_FD, "virtual", m->sync);

	m->disk.journal.len_max = MODEL_SEGMENT_LEN;
	m->disk.journal.step = MODEL_STEP;
	m->loss = (struct journal_loss){.key = loss_key, .lost = loss_lost};
	m->scan = (struct disk_scan){
	    .key = scan_key, .good = on_good, .bad = on_bad, .lost = on_lost};
	for (unsigned n = 0; n < MODEL_NAMES; n++)
		m->names[n].found = 0;
	if (rc == 0 && virtual_count(m->volume, "tmp") > 0)
		model_fail(m, "temporary files after a start");
	if (rc == 0)
		rc = disk_scan(&m->disk, &m->scan);
	model_say(m, "start: %d%s", rc, m->volume->dead ? ", dead" : "");
	return rc == 0 && !m->volume->dead;
}

static void
check_name(struct model *m, unsigned n)
{
	struct model_name *x = &m->names[n];
	bool excused = m->trouble && (x->excused || m->bad || m->flipped);

	if (x->found < x->acked && !excused)
		model_fail(m, "name %u: version %u is there, %u acknowledged",
		    n, x->found, x->acked);
	/* A failed flush, or a flipped bit, may take with it what says so. */
	if (x->found != 0 && x->found <= x->dropped && !x->loose &&
	    !m->trouble && !m->volume->flush_failed)
		model_fail(m, "name %u: version %u is there, %u was dropped", n,
		    x->found, x->dropped);
	if (x->found < x->acked)
		x->acked = 0;
	x->excused = false;
	x->stored = x->found;
}

void
model_read(struct model *m, unsigned n)
{
	struct model_name *x = &m->names[n];
	struct disk_content got;
	struct record r;
	struct verify v = {.hash = NULL};
	int rc;

	if (x->stored == 0 || m->volume->dead)
		return;
	r = model_record(m, x->stored, m->scratch);
	rc = disk_read(&m->disk, model_key(&r.name), &r, m->buffer, &got);
	model_say(m, "read %u version %u: %d", n, x->stored, rc);
	if (rc == 0 && got.small != NULL) {
		if (memcmp(got.small, m->scratch, r.size) != 0)
			model_fail(m, "name %u: wrong bytes served", n);
		free(got.small);
	} else if (rc == 0) {
		m->volume->volume.close(&m->volume->volume, got.fd);
		while ((rc = verify_step(&m->disk, model_key(&r.name), &r, &v,
			    m->buffer, 4096)) == EAGAIN)
			;
		verify_end(&m->disk, &v);
	}
	if (m->volume->dead || rc == 0)
		return;
	if (!m->trouble)
		model_fail(m, "name %u: version %u can't be read: %s", n,
		    x->stored, strerror(rc));
	/* Set aside: it is known to be lost. */
	if (rc == EBADMSG || rc == ENOENT) {
		x->excused = true;
		x->acked = x->stored = 0;
	}
}

void
model_start(struct model *m, bool faults)
{
	struct virtual_volume *v = m->volume;

	for (int i = 0;; i++) {
		bool fault = faults && i < 2;

		if (fault && random_below(&m->random, 4) == 0)
			v->cut_at = v->calls + random_below(&m->random, 60) + 1;
		if (try_start(m))
			break;
		if (!fault) {
			model_fail(m, "can't start");
			return;
		}
		model_crash(m, random_below(&m->random, 2) == 0);
	}
	v->cut_at = 0;
	for (unsigned n = 0; n < MODEL_NAMES && !m->failed; n++)
		check_name(m, n);
	for (unsigned n = 0; n < MODEL_NAMES && !m->failed; n++)
		model_read(m, n);
	m->bad = m->flipped = false;
}

void
model_crash(struct model *m, bool power)
{
	model_say(m, power ? "power cut" : "kill");
	disk_close(&m->disk);
	if (virtual_open(m->volume) > 0)
		model_fail(m, "descriptors are left open");
	if (!power) {
		virtual_kill(m->volume);
		return;
	}
	virtual_cut(m->volume);
	for (unsigned n = 0; n < MODEL_NAMES; n++) {
		m->names[n].loose = true;
		if (!m->sync)
			m->names[n].acked = 0;
	}
	/* Without flushes it may also have left what is half. */
	m->trouble = m->trouble || !m->sync;
}
