/*
 * How many peers a question passes until the owner has it: from all peers,
 * for names spread over the ring. What it is held against is calculated:
 * direct, 0 at the owner and 1 elsewhere; by successors 0 .. n - 1, evenly.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

enum { NAME_STEP = 1009 }; /* a prime: keys come in any order */

static void
ask_all(struct series *hops, unsigned n, unsigned name)
{
	json_t *all = ringctl_json(
		   "--timeout 60 exec all owner %04u --json", name % 10000),
	       *one;
	size_t i;

	if (json_array_size(all) != n)
		errx(1, "owner: not answered by all %u peers", n);
	json_array_foreach(all, i, one)
	{
		size_t route = json_array_size(json_object_get(one, "route"));

		if (!json_is_true(json_object_get(one, "ok")) || route == 0)
			errx(1, "owner: a peer could not tell");
		series_add(hops, (double)(route - 1));
	}
	json_decref(all);
}

static void
measure(unsigned n, const char *route)
{
	struct row row = {.unit = UNIT_HOPS, .by_mean = true};
	struct series hops = {0}, expected = {0};
	unsigned rounds = bench_rounds(8, 2);
	char directive[WHAT_LEN_MAX];
	struct summary sum;
	struct ring r;

	(void)snprintf(directive, sizeof(directive), "route %s", route);
	ring_init(&r, n, directive);
	(void)ring_up(&r);
	for (unsigned i = 0; i < rounds && hops.n + n <= SAMPLES_MAX; i++)
		ask_all(&hops, n, (i + 1) * NAME_STEP);
	(void)ring_down(&r);
	ring_wipe(&r);
	for (unsigned i = 0; i < n; i++)
		series_add(&expected, strcmp(route, "direct") == 0 ? i > 0 : i);
	sum = series_summary(&hops);
	(void)snprintf(
	    row.what, sizeof(row.what), "route %s, %u peers", route, n);
	(void)snprintf(
	    row.also, sizeof(row.also), "max %.0f of %zu", sum.max, sum.n);
	report_row(&row, &hops, &expected);
}

void
bench_hops(void)
{
	static const char *const routes[] = {"direct", "successor"};
	static const unsigned sizes[] = {7, 16, 64, 256};

	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < (bench.quick ? 1 : 4); k++)
			measure(sizes[k], routes[i]);
	}
}
