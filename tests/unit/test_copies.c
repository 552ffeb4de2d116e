#include <stdlib.h>

#include "super/set.h"
#include "super/super.h"
#include "unit.h"

/* What a kill is about to cost, by what the peers last reported. */
static const uint16_t ids[] = {4, 5, 8};

enum { PEERS = sizeof(ids) / sizeof(ids[0]) };

static struct super *super;
static struct idset killed;

/* 8 owns two files and alone has them. */
static int
setup(void **state)
{
	(void)state;
	super = calloc(1, sizeof(*super));
	assert_non_null(super);
	super->config.copies = 3;
	assert_int_equal(loop_init(&super->loop), 0);
	for (unsigned i = 0; i < PEERS; i++) {
		struct child *c = child_new(super, ids[i], 0);

		/* Nothing is sent to it. */
		c->pid = 1;
		c->reported = true;
		c->report.state = PEER_UP;
		c->report.members = PEERS;
	}
	super->children[8]->report.files = 2;
	super->children[8]->report.owned = 2;
	killed = (struct idset){0};
	idset_add(&killed, 8);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PEERS; i++) {
		super->children[ids[i]]->pid = 0;
		child_free(super->children[ids[i]]);
	}
	loop_free(&super->loop);
	free(super);
	return 0;
}

static void
last_holder(void **state)
{
	(void)state;
	assert_int_equal(copies_alone(super, &killed), 2);
	/* One that was late syncs again: it has none of them still. */
	super->children[4]->report.state = PEER_SYNCING;
	assert_int_equal(copies_alone(super, &killed), 2);
	/* It was called dead. */
	super->children[8]->report.members = 2;
	assert_int_equal(copies_alone(super, &killed), 2);
}

static void
held_by_another(void **state)
{
	(void)state;
	super->children[4]->report.files = 1;
	assert_int_equal(copies_alone(super, &killed), 0);
	super->children[4]->report.state = PEER_SYNCING;
	assert_int_equal(copies_alone(super, &killed), 0);
	/* Nobody can ask one that is paused. */
	super->children[4]->stopped = true;
	super->children[8]->report.members = 2;
	assert_int_equal(copies_alone(super, &killed), 2);
}

static void
members_from_elsewhere(void **state)
{
	(void)state;
	super->children[8]->report.members = PEERS + 1;
	assert_int_equal(copies_alone(super, &killed), 0);
}

#define COPIES_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UNIT_MAIN(COPIES_TEST(last_holder), COPIES_TEST(held_by_another),
    COPIES_TEST(members_from_elsewhere))
