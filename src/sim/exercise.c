#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mutant.h"
#include "sim/exercise.h"
#include "sim/model.h"
#include "sim/option.h"

enum { OPS_MIN = 40, OPS_MAX = 160, HANDLE = 7 };

static uint64_t
below(struct model *m, uint64_t bound)
{
	return random_below(&m->random, bound);
}

static void
acknowledge(struct model *m, unsigned version)
{
	struct model_name *x = &m->names[m->owner[version]];

	model_say(m, "acknowledged: %u version %u", m->owner[version], version);
	x->acked = version;
	x->excused = false;
}

/* What the driver does with the end of a commit. */
static void
committed(struct model *m, unsigned version, int rc, bool placed)
{
	if (m->volume->dead)
		return;
	if (placed)
		m->names[m->owner[version]].stored = version;
	if (rc == 0)
		acknowledge(m, version);
}

static void
commit_alone(struct model *m, unsigned version)
{
	struct record r = model_record(m, version, m->scratch);
	bool placed = false;
	int rc;

	if (MUTANT(EARLY_ACK))
		acknowledge(m, version);
	rc = disk_commit_content(
	    &m->disk, HANDLE, m->scratch, model_key(&r.name), &r, &placed);
	model_say(m, "file of %u version %u, %u bytes: %d", m->owner[version],
	    version, m->size[version], rc);
	committed(m, version, rc, placed);
}

static int
move(struct model *m, unsigned slices)
{
	bool more = true;
	int rc = 0;

	while (rc == 0 && more && slices-- > 0)
		rc = journal_move(&m->disk, m->buffer, &m->loss, &more);
	model_say(m, "move: %d", rc);
	return rc;
}

static void
drop(struct model *m)
{
	struct model_name *x = &m->names[below(m, MODEL_NAMES)];
	unsigned version = x->stored;
	struct record r;
	int rc;

	if (version == 0)
		return;
	r = model_record(m, version, m->scratch);
	/* Half done, it may be there or not. */
	x->acked = 0;
	rc = disk_drop(&m->disk, model_key(&r.name), &r);
	model_say(m, "drop %u version %u: %d", m->owner[version], version, rc);
	if (m->volume->dead)
		return;
	x->dropped = version;
	x->loose = rc != 0 && rc != ENOENT;
	x->stored = 0;
}

/* As the driver's group: to the journal, or each by itself. */
static void
write_batch(struct model *m, struct journal_item *items, size_t count)
{
	int rc = journal_write_now(&m->disk, items, count, m->buffer);

	if (rc == EBUSY)
		rc = EAGAIN;
	for (int i = 0; i < 8 && rc == EAGAIN; i++) {
		rc = journal_write(&m->disk, items, count, m->buffer);
		if (rc == EAGAIN && move(m, 3) != 0)
			break;
	}
	model_say(m, "batch of %zu: %d", count, rc);
	for (size_t i = 0; i < count; i++) {
		unsigned version = (unsigned)items[i].record->version.clock;

		if (rc == 0 && below(m, 2) == 0)
			disk_make_room(&m->disk,
			    model_key(&items[i].record->name), items[i].record);
		if (rc == 0)
			committed(m, version, 0, true);
		else if (!m->volume->dead)
			commit_alone(m, version);
	}
}

static void
batch(struct model *m)
{
	struct journal_item items[4] = {{.drop = false}};
	struct record records[4];
	size_t count = 0, want = below(m, 4) + 1;
	unsigned first = (unsigned)below(m, MODEL_NAMES);

	for (unsigned i = 0; i < want; i++) {
		unsigned name = (first + i) % MODEL_NAMES;
		unsigned version = model_new(m, name);

		records[count] = model_record(m, version, m->content[count]);
		if (m->size[version] > SMALL_MAX && !m->deleted[version]) {
			commit_alone(m, version);
			continue;
		}
		model_say(m, "commit %u version %u, %u bytes", name, version,
		    m->size[version]);
		if (MUTANT(EARLY_ACK))
			acknowledge(m, version);
		items[count] = (struct journal_item){
		    .record = &records[count], .content = m->content[count]};
		count++;
	}
	if (count > 0 && !m->volume->dead)
		write_batch(m, items, count);
}

static void
mark(struct model *m)
{
	struct model_name *x = &m->names[below(m, MODEL_NAMES)];
	struct record r;
	int rc;

	if (x->stored == 0)
		return;
	r = model_record(m, x->stored, m->scratch);
	rc = disk_mark_now(&m->disk, &r);
	if (rc == EBUSY)
		rc = disk_mark(&m->disk, model_key(&r.name), &r);
	model_say(m, "mark version %u: %d", x->stored, rc);
}

/* A clean end: all of it is in files. */
static void
stop_and_start(struct model *m)
{
	journal_finish(&m->disk);
	if (move(m, 1000) == 0 && !m->volume->dead && journal_used(&m->disk))
		model_fail(m, "the journal is used after all of it moved");
	model_crash(m, false);
	model_start(m, true);
}

/* In the journal's last batch it looks like a write cut short. */
static void
flip(struct model *m, uint64_t where)
{
	bool in_journal = where < JOURNAL_SEGMENTS;
	char path[SHORT_PATH] = "files";

	if (in_journal)
		snprintf(path, sizeof(path), "journal.%u", (unsigned)where);
	if (!virtual_flip(m->volume, path))
		return;
	m->trouble = true;
	m->flipped = m->flipped || in_journal;
	model_say(m, "a bit flips in %s", path);
}

static void
fault(struct model *m)
{
	struct virtual_volume *v = m->volume;
	uint64_t kind = below(m, 8);

	if (kind == 0) {
		v->full = !v->full;
	} else if (kind < 4) {
		v->fail_at = v->calls + below(m, 20) + 1;
		v->fail_errno = kind == 1 ? ENOSPC : EIO;
		m->trouble = m->trouble || kind > 1;
	} else if (kind < 7) {
		v->cut_at = v->calls + below(m, 40) + 1;
	} else {
		flip(m, below(m, JOURNAL_SEGMENTS + 2));
	}
	model_say(m, "fault %llu", (unsigned long long)kind);
}

static void
op(struct model *m)
{
	uint64_t kind = below(m, 100);

	if (kind < 52)
		batch(m);
	else if (kind < 60)
		drop(m);
	else if (kind < 75)
		model_read(m, (unsigned)below(m, MODEL_NAMES));
	else if (kind < 82)
		mark(m);
	else if (kind < 88)
		move(m, 1);
	else if (kind < 97)
		fault(m);
	else if (kind < 98)
		stop_and_start(m);
	else
		m->volume->cut_at = m->volume->calls + 1;
	if (m->volume->dead || kind >= 98) {
		model_crash(m, below(m, 2) == 0);
		model_start(m, true);
	}
}

static void
run(struct model *m, uint64_t seed)
{
	struct virtual_volume *v = m->volume;
	bool trace = m->trace;
	uint64_t ops;

	memset(m, 0, offsetof(struct model, buffer));
	m->volume = v;
	m->trace = trace;
	m->seed = seed;
	random_seed(&m->random, seed);
	virtual_reset(v, random_u64(&m->random));
	m->sync = below(m, 4) > 0;
	model_say(m, "seed %llu, sync %s", (unsigned long long)seed,
	    m->sync ? "yes" : "no");
	model_start(m, false);
	ops = OPS_MIN + below(m, OPS_MAX - OPS_MIN);
	for (uint64_t i = 0; i < ops && !m->failed; i++)
		op(m);
	if (!m->failed) {
		model_crash(m, below(m, 2) == 0);
		model_start(m, false);
	}
	disk_close(&m->disk);
	virtual_kill(v);
}

static const struct option options[] = {
    {"disk", no_argument, NULL, 'd'},
    {"seed", required_argument, NULL, 's'},
    {"seeds", required_argument, NULL, 'n'},
    {"start", required_argument, NULL, 'S'},
    {"stop-after", required_argument, NULL, 'x'},
    {"mutant", required_argument, NULL, 'm'},
    {"trace", no_argument, NULL, 't'},
    {NULL, 0, NULL, 0},
};

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
exercise_main(int argc, char **argv)
{
	struct model *m = calloc(1, sizeof(*m));
	uint64_t seed = 1, seeds = 1, stop = UINT64_MAX;
	uint64_t violations = 0, calls = 0, done = 0;
	double start = seconds();
	int opt;

	if (m == NULL)
		abort();
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 's' || opt == 'S')
			seed = option_number("seed", optarg);
		else if (opt == 'n')
			seeds = option_number("seeds", optarg);
		else if (opt == 'x')
			stop = option_number("stop-after", optarg);
		else if (opt == 'm')
			option_mutant(optarg);
		else if (opt == 't')
			m->trace = true;
		else if (opt != 'd')
			exit(2);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	m->volume = virtual_new();
	while (done < seeds && violations < stop) {
		run(m, seed++);
		calls += m->volume->calls;
		violations += m->failed;
		done++;
	}
	printf("seeds %llu, calls %llu, violations %llu",
	    (unsigned long long)done, (unsigned long long)calls,
	    (unsigned long long)violations);
	if (!m->trace)
		printf(", %.0f seeds/s",
		    (double)done / (seconds() - start + 1e-9));
	printf("\n");
	virtual_free(m->volume);
	free(m);
	return violations > 0;
}
