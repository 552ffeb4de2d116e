#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

void
ring_init(struct ring *r, unsigned n, const char *directives)
{
	static const uint16_t textbook[] = {2, 4, 5, 8, 9, 14, 19};
	static unsigned rings;
	FILE *file;

	memset(r, 0, sizeof(*r));
	r->n = n;
	(void)snprintf(
	    r->name, sizeof(r->name), "bench-%d-%u", (int)getpid(), ++rings);
	(void)snprintf(r->conf, sizeof(r->conf), "%s.conf", r->name);
	file = fopen(r->conf, "w");
	if (file == NULL)
		err(1, "%s", r->conf);
	fprintf(file, "ring %s\nport %u\n%s\npeer", r->name, bench.port,
	    directives);
	for (unsigned i = 0; i < n; i++) {
		r->ids[i] = (uint16_t)(i * (BENCH_PEERS_MAX / n));
		if (n == sizeof(textbook) / sizeof(textbook[0]))
			r->ids[i] = textbook[i];
		fprintf(file, " %u", r->ids[i]);
	}
	fprintf(file, "\n");
	if (fclose(file) != 0)
		err(1, "%s", r->conf);
}

double
ring_up(const struct ring *r)
{
	return ringctl_ms("--timeout 100 up %s", r->conf);
}

double
ring_down(const struct ring *r)
{
	return ringctl_ms("--timeout 100 -c %s down", r->name);
}

void
rings_down(void)
{
	json_t *all = ringctl_json("list --json"), *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		(void)ringctl_ms("--timeout 100 -c %s down",
		    json_string_value(json_object_get(one, "ring")));
	}
	json_decref(all);
}

void
ring_wipe(const struct ring *r)
{
	(void)ringctl_ms("wipe --yes %s", r->conf);
}

void
ring_look(struct ring *r)
{
	json_t *all = ringctl_json("-c %s status --json", r->name), *peers,
	       *peer;
	json_t *status = json_array_get(all, 0);
	size_t i;

	peers = json_object_get(status, "peers");
	if (json_array_size(peers) != r->n)
		errx(1, "status: not %u peers", r->n);
	r->supervisor =
	    (pid_t)json_integer_value(json_object_get(status, "pid"));
	json_array_foreach(peers, i, peer)
	{
		r->pids[i] =
		    (pid_t)json_integer_value(json_object_get(peer, "pid"));
		if (r->pids[i] <= 0)
			errx(1, "status: peer %u is not up", r->ids[i]);
	}
	json_decref(all);
}
