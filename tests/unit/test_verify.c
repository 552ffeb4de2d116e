#include <stdio.h>
#include <string.h>

#include "super/verify.h"
#include "unit.h"
#include "wire/codes.h"

/* What check says of one file, by who has which version of it. */
enum { KEY = 19, HELD_MAX = 8 };

static struct situation situation;
static struct findings found;
static struct record records[HELD_MAX];
static struct holding held[HELD_MAX];
static size_t count;

/* The ring of the exercise: 19, 2 and 4 should hold the key 19. */
static int
setup(void **state)
{
	static const unsigned ids[] = {2, 4, 5, 8, 9, 14, 19};

	(void)state;
	memset(&situation, 0, sizeof(situation));
	situation.space = 256;
	situation.copies = 3;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		idset_add(&situation.members, ids[i]);
		idset_add(&situation.writable, ids[i]);
		idset_add(&situation.asked, ids[i]);
	}
	memset(records, 0, sizeof(records));
	count = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	findings_free(&found);
	return 0;
}

static struct record *
holds(unsigned id, uint64_t clock)
{
	struct record *r = &records[count];

	assert_int_equal(name_set(&r->name, "2067", 4), 0);
	r->version.clock = clock;
	r->size = 4096;
	r->acknowledged = 1;
	held[count++] = (struct holding){(uint16_t)id, false, r};
	return r;
}

/* The same, on the disk of a peer that is down. */
static struct record *
keeps(unsigned id, uint64_t clock)
{
	struct record *r = holds(id, clock);

	held[count - 1].down = true;
	idset_del(&situation.members, id);
	idset_del(&situation.writable, id);
	idset_del(&situation.asked, id);
	return r;
}

/* All that is said, a line each; so many copies are counted. */
static void
says(unsigned copies, const char *text)
{
	static char said[4096];
	static struct message m;
	size_t at = 0;

	assert_int_equal(
	    verify_file(&situation, KEY, held, count, &found), copies);
	said[0] = '\0';
	while (findings_next(&found, &at, &m)) {
		assert_int_equal(m.type, MSG_finding);
		assert_string_equal(m.finding.name.text, "2067");
		assert_true(m.finding.peers.count > 0);
		snprintf(said + strlen(said), sizeof(said) - strlen(said),
		    "%s: %s\n", finding_name(m.finding.kind),
		    m.finding.text.text);
	}
	assert_string_equal(said, text);
}

static void
right(void **state)
{
	(void)state;
	holds(2, 1);
	holds(4, 1);
	holds(19, 1);
	says(3, "");
	assert_int_equal(found.count, 0);
}

static void
missing_copies(void **state)
{
	(void)state;
	holds(2, 1);
	holds(19, 1);
	says(2, "missing: 2067: missing at 4 (held by 19, 2)\n");
	assert_true(found.heals);
}

/* Nobody who could take the third can write; who has it counts. */
static void
short_copies(void **state)
{
	static const unsigned full[] = {4, 5, 8, 9, 14};

	(void)state;
	for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++)
		idset_del(&situation.writable, full[i]);
	holds(2, 2);
	holds(19, 2);
	holds(4, 1);
	says(2,
	    "short: 2067: at 2 of 3 copies (held by 19, 2); can't write: 4, "
	    "5, 8, 9, 14\n");
	findings_free(&found);
	held[2].record = held[1].record;
	says(3, "");
	/* One that can't be asked may have it. */
	count = 2;
	idset_del(&situation.asked, 9);
	says(2, "");
}

static void
stray_copies(void **state)
{
	(void)state;
	holds(2, 1);
	holds(4, 1);
	holds(8, 1);
	holds(14, 1);
	holds(19, 1);
	says(5, "stray: 2067: stray at 8, 14\n");
}

static void
older_copies(void **state)
{
	(void)state;
	holds(2, 1);
	holds(4, 2);
	holds(19, 2);
	says(2, "version: 2067: version differs at 2 (the newest is at "
		"19, 4)\n");
}

static void
other_content(void **state)
{
	(void)state;
	holds(2, 1)->digest.bytes[7] = 1;
	holds(4, 1)->size = 4095;
	holds(19, 1);
	says(3, "digest: 2067: digest or size differs at 2, 4 from that at "
		"19\n");
}

/* A tombstone belongs at the same peers; elsewhere it bothers nobody. */
static void
removed(void **state)
{
	(void)state;
	holds(2, 2)->deleted = 1;
	holds(8, 2)->deleted = 1;
	holds(4, 1);
	holds(19, 2)->deleted = 1;
	says(0, "version: 2067 (removed): version differs at 4 (the newest is "
		"at 19, 2, 8)\n");
}

static void
everything_wrong(void **state)
{
	(void)state;
	holds(4, 1);
	holds(5, 3);
	keeps(2, 4);
	says(1, "outdated: 2067: disk of 2, which is down, is newer than what "
		"is at 5\n"
		"missing: 2067: missing at 19 (held by 5)\n"
		"version: 2067: version differs at 4 (the newest is at 5)\n");
}

/* Down, they are not the holders any more: 5, 8 and 9 are. */
static void
lost_files(void **state)
{
	(void)state;
	keeps(2, 1);
	keeps(4, 2);
	keeps(19, 2);
	says(0, "lost: 2067: no live holder; on the disks of 19, 4, which are "
		"down\n");
	assert_false(found.heals);
}

static void
perhaps_never_acknowledged(void **state)
{
	(void)state;
	keeps(4, 2)->acknowledged = 0;
	says(0, "lost: 2067: no live holder; on the disk of 4, which is down; "
		"perhaps never acknowledged\n");
}

/* A peer that was not asked may have it. */
static void
blindness(void **state)
{
	(void)state;
	keeps(4, 2);
	idset_del(&situation.asked, 19);
	situation.blind = true;
	says(0, "");
	holds(2, 1);
	holds(5, 1);
	says(2, "");
}

static void
removed_long_ago(void **state)
{
	(void)state;
	keeps(4, 1);
	keeps(2, 2)->deleted = 1;
	says(0, "");
}

/* Older than what is there: of no interest. */
static void
old_disks(void **state)
{
	(void)state;
	keeps(4, 1);
	holds(2, 2);
	holds(5, 2);
	holds(19, 2);
	says(3, "");
}

static void
few_peers(void **state)
{
	(void)state;
	memset(&situation.writable, 0, sizeof(situation.writable));
	idset_add(&situation.writable, 8);
	idset_add(&situation.writable, 14);
	holds(8, 1);
	holds(14, 1);
	/* Read-only, it can't give away what it has. */
	holds(2, 1);
	says(3, "");
}

static void
findings_are_compared(void **state)
{
	static struct msg_finding m;
	struct findings other = {0};

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		findings_add(&found, &m, i * 7919 % 1000, true);
		findings_add(&other, &m, i, true);
	}
	findings_sort(&found);
	assert_true(findings_same(&other, &found));
	findings_add(&other, &m, 1000, true);
	assert_false(findings_same(&other, &found));
	assert_true(findings_has(&found, 999));
	assert_false(findings_has(&found, 1000));
	findings_free(&other);
}

/* Beyond the limit they are counted. */
static void
too_many_findings(void **state)
{
	static struct msg_finding m;

	(void)state;
	for (uint64_t i = 0; i < FINDINGS_MAX + 10; i++)
		findings_add(&found, &m, i, false);
	assert_int_equal(found.count, FINDINGS_MAX + 10);
	assert_int_equal(found.kept, FINDINGS_MAX);
	assert_false(found.heals);
}

#define VERIFY_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(VERIFY_TEST(right), VERIFY_TEST(missing_copies),
    VERIFY_TEST(short_copies), VERIFY_TEST(stray_copies),
    VERIFY_TEST(older_copies), VERIFY_TEST(other_content), VERIFY_TEST(removed),
    VERIFY_TEST(everything_wrong), VERIFY_TEST(lost_files),
    VERIFY_TEST(perhaps_never_acknowledged), VERIFY_TEST(blindness),
    VERIFY_TEST(removed_long_ago), VERIFY_TEST(old_disks),
    VERIFY_TEST(few_peers), VERIFY_TEST(findings_are_compared),
    VERIFY_TEST(too_many_findings))
