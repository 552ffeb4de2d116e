/*
 * Values of 4 KiB, by one client and by fifty, in turns: a ring of three
 * peers and one of seven, with 3 copies each, redis with two replicas, etcd
 * with three members. The floor of a put that is on disk: three processes at
 * once each flush so many bytes into a file of their own; of all else, a
 * round trip between two processes by a Unix socket.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum {
	RINGS = 2,
	RING_TARGETS = 2 * RINGS, /* by owner, and at random */
	TARGETS_MAX = RING_TARGETS + 2,
	SLICE_OPS = 1500,
	FLUSHES = 40, /* a round */
	TRIPS = 400,
};

/* Of one store, by so many clients. */
struct cell {
	struct series ms, per_second;
};

struct contest {
	bool sync;
	unsigned rounds;
	struct ring rings[RINGS];
	struct service redis, etcd;
	size_t count;
	struct target targets[TARGETS_MAX];
	/* Of put and get, and of one client and many. */
	struct cell cells[TARGETS_MAX][2][2];
	struct series alone, together, trip;
};

static const unsigned clients[2] = {1, CLIENTS_MAX};

static void
start(struct contest *c)
{
	static const unsigned sizes[RINGS] = {3, 7};
	static const char *const names[RING_TARGETS] = {
	    "3 peers, owner", "3 peers, any", "7 peers, owner", "7 peers, any"};

	load_init();
	for (size_t i = 0; i < RINGS; i++) {
		struct ring *r = &c->rings[i];

		ring_init(r, sizes[i], c->sync ? "sync yes" : "sync no");
		(void)ring_up(r);
		for (size_t any = 0; any < 2; any++)
			ring_target_init(&c->targets[2 * i + any],
			    names[2 * i + any], r, any == 1);
	}
	c->count = RING_TARGETS;
	c->count += redis_start(&c->redis, &c->targets[c->count], c->sync);
	c->count += etcd_start(&c->etcd, &c->targets[c->count]);
	for (size_t i = 0; i < c->count; i++) {
		load_open(&c->targets[i]);
		load_fill(&c->targets[i]);
	}
}

static void
stop(struct contest *c)
{
	char note[NOTE_LEN_MAX];

	for (size_t i = 0; i < c->count; i++) {
		load_close(&c->targets[i]);
		if (c->targets[i].refusals == 0)
			continue;
		(void)snprintf(note, sizeof(note),
		    "refused, and asked again: %u of %s",
		    c->targets[i].refusals, c->targets[i].name);
		report_note(note);
	}
	service_stop(&c->redis);
	service_stop(&c->etcd);
	for (size_t i = 0; i < RINGS; i++) {
		(void)ring_down(&c->rings[i]);
		ring_wipe(&c->rings[i]);
	}
}

static void
one_round(struct contest *c)
{
	double slice_ms = bench.quick ? 50 : 250;
	unsigned max = SAMPLES_MAX / c->rounds;

	if (c->sync) {
		floor_flush(&c->alone, 1, FLUSHES);
		floor_flush(&c->together, 3, FLUSHES);
	}
	floor_round_trip(&c->trip, TRIPS);
	for (size_t k = 0; k < 4; k++) {
		for (size_t i = 0; i < c->count; i++) {
			struct cell *cell = &c->cells[i][k / 2][k % 2];

			series_add(&cell->per_second,
			    load_run(&c->targets[i], clients[k % 2], k / 2 == 0,
				slice_ms, max < SLICE_OPS ? max : SLICE_OPS,
				&cell->ms));
		}
	}
}

static const char *
people(unsigned n, const char *what, const char *who, char *out)
{
	(void)snprintf(out, WHAT_LEN_MAX, "%s %s, %u client%s", what, who, n,
	    n == 1 ? "" : "s");
	return out;
}

static void
floors(const struct contest *c)
{
	struct row alone = {.what = "write and flush 4.5 KB"};
	struct row together = {.what = "write and flush 4.5 KB, 3 at once"};
	struct row trip = {.what = "round trip, Unix socket"};

	if (c->sync) {
		report_row(&alone, &c->alone, NULL);
		report_row(&together, &c->together, NULL);
	}
	report_row(&trip, &c->trip, NULL);
}

/* A row for each cell; a floor stands beside the ring's. */
static void
rows(const struct contest *c)
{
	static const char *const verbs[] = {"put", "get"};

	for (size_t k = 0; k < 4; k++) {
		const struct series *floor =
		    c->sync && k / 2 == 0 ? &c->together : &c->trip;

		for (size_t i = 0; i < c->count; i++) {
			const struct cell *cell = &c->cells[i][k / 2][k % 2];
			struct summary ms = series_summary(&cell->ms);
			struct row r = {.unit = UNIT_MS};

			r.per_second = series_summary(&cell->per_second).median;
			people(clients[k % 2], verbs[k / 2], c->targets[i].name,
			    r.what);
			(void)snprintf(r.also, sizeof(r.also),
			    "p99 %.2f, %.0f /s", ms.p99, r.per_second);
			report_row(
			    &r, &cell->ms, i < RING_TARGETS ? floor : NULL);
		}
	}
}

/* The goals: the put of a ring of three beside the others'. */
static void
goals(const struct contest *c)
{
	for (size_t other = RING_TARGETS; other < c->count; other++) {
		bool etcd = strcmp(c->targets[other].name, "etcd") == 0;

		for (size_t k = 0; k < 4; k++) {
			struct row r = {
			    .unit = UNIT_MS, .ratio_max = etcd ? 0.25 : 1};

			people(clients[k % 2],
			    etcd ? "put, etcd:" : "put, redis:",
			    k / 2 == 0 ? "owner" : "any", r.what);
			report_row(&r, &c->cells[k / 2][0][k % 2].ms,
			    &c->cells[other][0][k % 2].ms);
		}
	}
}

static void
contest(bool sync)
{
	static struct contest c;

	c.sync = sync;
	c.rounds = bench_rounds(9, 2);
	start(&c);
	for (unsigned i = 0; i < c.rounds; i++)
		one_round(&c);
	stop(&c);
	floors(&c);
	rows(&c);
	goals(&c);
}

void
bench_small(void)
{
	contest(true);
}

void
bench_small_nosync(void)
{
	contest(false);
}
