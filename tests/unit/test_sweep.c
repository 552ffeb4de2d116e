#include "core_files.h"

/* Whom a peer looks for that finds itself alone. */
enum { SELF = 8, STEP_US = 1000, LATEST_US = 5000000 };

static struct actions out;

/* Peers that were asked for before it serves again. */
static unsigned
asked_before_serving(struct peer *p)
{
	struct event tick = {.type = EV_TICK, .wall_us = 1};
	struct idset asked = {0};

	for (uint64_t us = p->now_us; p->phase != PHASE_SERVING;
	     us += STEP_US) {
		assert_true(us < LATEST_US);
		peer_step(p, us, &tick, &out);
		for (size_t i = 0; i < out.count; i++)
			if (out.at[i].type == ACT_DATAGRAM)
				idset_add(&asked, out.at[i].addr.port - 12000);
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

UNIT_MAIN(cmocka_unit_test(all_identifiers_when_called_dead))
