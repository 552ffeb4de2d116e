#include "core_files.h"

/* Whom a peer looks for that finds itself alone, or misses some. */
enum { SELF = 8, STEP_US = 1000, LATEST_US = 5000000, MISSED = 16 };

static struct actions out;

static void
tick_asks(struct peer *p, uint64_t us, struct idset *asked)
{
	struct event tick = {.type = EV_TICK, .wall_us = 1};

	peer_step(p, us, &tick, &out);
	for (size_t i = 0; i < out.count; i++)
		if (out.at[i].type == ACT_DATAGRAM)
			idset_add(asked, out.at[i].addr.port - 12000);
}

/* Peers that were asked for before it serves again. */
static unsigned
asked_before_serving(struct peer *p)
{
	struct idset asked = {0};

	for (uint64_t us = p->now_us; p->phase != PHASE_SERVING;
	     us += STEP_US) {
		assert_true(us < LATEST_US);
		tick_asks(p, us, &asked);
	}
	return idset_count(&asked);
}

/* Others may have come while it was stopped, and those it knew have died. */
static void
all_identifiers_when_called_dead(void **state)
{
	struct peer *p = core_new(SELF, &out);
	struct shelf shelf = {.count = 0};

	(void)state;
	shelf_use(p, &shelf);
	p->begun = true;
	p->incarnation = 2;
	p->files.member_us = 1;
	p->contact_pass = 3;
	p->contact_us = UINT64_MAX;
	p->contacts_asked_us = 1;
	sweep_init(p);
	p->sweep_us = UINT64_MAX;
	files_view_changed(p);
	start_sync(p, "was called dead");
	assert_int_equal(asked_before_serving(p), 255);
	free(p);
}

/* As many as are asked at once, so that nobody is left for the next turn. */
static void
missed_contacts_again_and_again(void **state)
{
	struct peer *p = core_new(SELF, &out);
	struct idset before = {0}, after = {0};
	uint64_t us = 0;

	(void)state;
	p->begun = true;
	for (unsigned id = 100; id < 100 + MISSED; id++)
		p->watch[id].contact = true;
	sweep_init(p);
	tick_asks(p, us, &before);
	p->sweep_us = UINT64_MAX;
	for (; us < LATEST_US; us += STEP_US)
		tick_asks(p, us, &before);
	for (; us < 2 * LATEST_US; us += STEP_US)
		tick_asks(p, us, &after);
	assert_int_equal(idset_count(&before), MISSED);
	assert_int_equal(idset_count(&after), MISSED);
	free(p);
}

UNIT_MAIN(cmocka_unit_test(all_identifiers_when_called_dead),
    cmocka_unit_test(missed_contacts_again_and_again))
