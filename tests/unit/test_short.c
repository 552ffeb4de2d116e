#include <stdio.h>

#include "core.h"
#include "peer/catalog.h"
#include "ring/files_repair.h"

/* How many files an owner says are short of a holder, as members go. */
enum { SELF = 9 };

static struct peer *p;
static struct actions *out;
static struct catalog catalog;

static void
keep(const char *name, bool deleted)
{
	struct record r = {.version = {1, 1, 1}, .deleted = deleted};

	assert_int_equal(name_set(&r.name, name, strlen(name)), 0);
	assert_int_equal(catalog_put(&catalog, &r), 0);
}

/* All that is stored is where it belongs. */
static void
complete(void)
{
	p->files.complete_set = p->files.set;
	assert_true(p->files.set != 0);
	assert_int_equal(files_missing(p), 0);
}

/* Records may be a million: they were counted when they came. */
static bool
next_of_many(
    void *ctx, uint16_t key, const struct name *after, struct record *found)
{
	(void)ctx;
	(void)key;
	(void)after;
	(void)found;
	fail_msg("walked through the records");
	return false;
}

static int
setup(void **state)
{
	static const char *const names[] = {
	    "0009", "0006", "0007", "0262", "0005", "0003"};

	(void)state;
	assert_int_equal(catalog_init(&catalog, 8, false), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		keep(names[i], false);
	keep("0008", true);
	keep("0265", true);
	out = calloc(1, sizeof(*out));
	assert_non_null(out);
	p = core_ring(SELF, out);
	p->config.index = catalog_index(&catalog);
	p->config.index.next = next_of_many;
	range_view_changed(p);
	complete();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(p);
	free(out);
	catalog_free(&catalog);
	return 0;
}

static void
changes(unsigned id, uint32_t incarnation, enum member_state state)
{
	struct member m = member_of(id, incarnation, state);

	if (incarnation > 1 && state == MEMBER_ALIVE)
		m.flags = MEMBER_SYNCING;
	assert_true(view_merge(p, &m));
	range_view_changed(p);
}

/* 9 had its own files, those of 8 and those of 5; the second half of them. */
static void
predecessor_dies(void **state)
{
	(void)state;
	changes(8, 1, MEMBER_DEAD);
	/* 6, 7 and 262 are 19's as well now; 9 is where it was. */
	assert_int_equal(files_missing(p), 3);
	complete();
	changes(5, 1, MEMBER_DEAD);
	/* And those of 5: 0005 is new to 19. */
	assert_int_equal(files_missing(p), 1);
}

static void
successor_dies(void **state)
{
	(void)state;
	changes(14, 1, MEMBER_DEAD);
	assert_int_equal(files_missing(p), 1);
	complete();
	/* Far away, and nothing of this range is there. */
	changes(4, 1, MEMBER_DEAD);
	assert_int_equal(files_missing(p), 0);
}

/* The second death finds the first one's copies not yet made. */
static void
two_die(void **state)
{
	(void)state;
	changes(8, 1, MEMBER_DEAD);
	changes(14, 1, MEMBER_DEAD);
	assert_int_equal(files_missing(p), 4);
	complete();
	assert_int_equal(files_missing(p), 0);
}

/* A far death does not make forget what is still under way. */
static void
far_death(void **state)
{
	(void)state;
	changes(8, 1, MEMBER_DEAD);
	changes(2, 1, MEMBER_DEAD);
	assert_int_equal(files_missing(p), 3);
}

/* Who comes back may have lost its disk, until it has been compared. */
static void
restart(void **state)
{
	(void)state;
	changes(14, 2, MEMBER_ALIVE);
	assert_int_equal(files_missing(p), 1);
	complete();
	changes(14, 2, MEMBER_DEAD);
	assert_int_equal(files_missing(p), 1);
	changes(14, 3, MEMBER_ALIVE);
	assert_int_equal(files_missing(p), 1);
	complete();
}

/* Was suspected, and is the same process as ever. */
static void
refuted(void **state)
{
	struct member m = member_of(14, 2, MEMBER_ALIVE);
	uint64_t set = p->files.set;

	(void)state;
	assert_true(view_merge(p, &m));
	range_view_changed(p);
	assert_true(p->files.set != set);
	assert_int_equal(files_missing(p), 0);
}

static void
newcomer(void **state)
{
	(void)state;
	changes(12, 1, MEMBER_ALIVE);
	assert_int_equal(files_missing(p), 1);
	complete();
	changes(7, 1, MEMBER_ALIVE);
	assert_int_equal(files_missing(p), 0);
}

/* Fewer peers than copies are wanted: as many as there are will do. */
static void
few_peers(void **state)
{
	static const unsigned gone[] = {2, 4, 5, 8, 19};

	(void)state;
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		changes(gone[i], 1, MEMBER_DEAD);
		complete();
	}
	changes(14, 1, MEMBER_DEAD);
	assert_int_equal(files_missing(p), 0);
	complete();
	/* Another one: it has nothing yet. */
	changes(200, 1, MEMBER_ALIVE);
	assert_true(files_missing(p) > 0);
}

static struct session *
compares_with(unsigned i, unsigned id, unsigned keys)
{
	struct session *s = &p->files.sessions[i];

	s->role = SESSION_MINE;
	s->id = (uint16_t)id;
	s->set = p->files.set;
	s->passed = keys;
	p->files.session_top = i + 1;
	range_passed(p);
	return s;
}

/* As many as one of the replicas still lacks. */
static void
counts_down(void **state)
{
	struct session *s;

	(void)state;
	changes(8, 1, MEMBER_DEAD);
	assert_int_equal(files_missing(p), 3);
	compares_with(0, 14, 4);
	assert_int_equal(files_missing(p), 3);
	/* Key 6 of 6, 7, 8 and 9. */
	s = compares_with(1, 19, 1);
	assert_int_equal(files_missing(p), 1);
	/* The last ones may not have arrived yet. */
	s->passed = 4;
	range_passed(p);
	assert_int_equal(files_missing(p), 1);
	complete();
}

static void
full(unsigned id)
{
	struct member m = member_of(id, 1, MEMBER_ALIVE);

	m.flags = MEMBER_READONLY;
	m.revision = 2;
	assert_true(view_merge(p, &m));
	range_view_changed(p);
}

static void
reports(uint64_t missing, uint64_t stuck)
{
	struct msg_report r;

	peer_report(p, &r);
	assert_int_equal(r.missing, missing);
	assert_int_equal(r.stuck, stuck);
}

/* Two can write: what they can't hold counts if another one has it. */
static void
full_disks(void **state)
{
	static const unsigned ids[] = {2, 4, 5, 8, 19};
	struct session *s = &p->files.sessions[0];
	struct msg_report r;

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		full(ids[i]);
	complete();
	reports(6, 6);
	peer_report(p, &r);
	assert_true(r.unsure);
	/* All but key 6, from 15 on. */
	*s = (struct session){.role = SESSION_SEEN,
	    .id = 19,
	    .set = p->files.set,
	    .agreed_set = p->files.set,
	    .after = 14,
	    .upto = SELF};
	s->differ[(6 + 256 - 15) / 8] = 1u << (6 + 256 - 15) % 8;
	p->files.session_top = 1;
	p->files.settle_us = 0;
	short_seen(p);
	reports(2, 2);
	peer_report(p, &r);
	assert_false(r.unsure);
	/* Another one dies that had nothing; then there are too few. */
	changes(8, 1, MEMBER_DEAD);
	reports(2, 2);
	changes(2, 1, MEMBER_DEAD);
	changes(4, 1, MEMBER_DEAD);
	changes(5, 1, MEMBER_DEAD);
	changes(19, 1, MEMBER_DEAD);
	reports(0, 0);
}

#define SHORT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(SHORT_TEST(predecessor_dies), SHORT_TEST(successor_dies),
    SHORT_TEST(two_die), SHORT_TEST(far_death), SHORT_TEST(restart),
    SHORT_TEST(refuted), SHORT_TEST(newcomer), SHORT_TEST(few_peers),
    SHORT_TEST(counts_down), SHORT_TEST(full_disks))
