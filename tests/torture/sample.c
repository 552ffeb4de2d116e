/* Memory and descriptors of all processes, at each rest. */
#include <dirent.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"

enum {
	SAMPLES_MAX = 4096,
	RESTS_MIN = 4, /* to tell a trend */
	KIB_MORE_MAX = 1024, /* the last quarter may have over the first */
	FDS_MORE_MAX = 16,
	FDS_OF_CHILD = 3, /* a supervisor has: two pipes and a pidfd */
};

enum what { PEER_KIB, PEER_FDS, SUPER_KIB, SUPER_FDS, WHATS };

static const char *const words[WHATS] = {"memory of a peer, KiB",
    "descriptors of a peer", "memory of the supervisor, KiB",
    "descriptors of the supervisor, beside those for its peers"};

static double samples[WHATS][SAMPLES_MAX];
static double most[WHATS];
static size_t count;

/* Proportional: pages that all share since the fork count once. */
static double
pss_kib(pid_t pid)
{
	char path[64], line[256];
	double kib = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "Pss:", 4) == 0)
			kib = strtod(line + 4, NULL);
	if (file != NULL)
		(void)fclose(file);
	return kib;
}

static double
descriptors(pid_t pid)
{
	const struct dirent *e;
	char path[64];
	double n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL)
		n += e->d_name[0] != '.';
	if (dir != NULL)
		(void)closedir(dir);
	return n;
}

static void
take(enum what what, double value)
{
	samples[what][count] = value;
	if (value > most[what])
		most[what] = value;
}

void
sample_take(void)
{
	double kib = 0, fds = 0, n = 0;

	if (count == SAMPLES_MAX)
		return;
	for (unsigned id = 0; id < PEERS_MAX; id++) {
		double k, f;

		if (!seen[id].known || seen[id].state != PEER_UP)
			continue;
		k = pss_kib(seen[id].pid);
		f = descriptors(seen[id].pid);
		most[PEER_KIB] = k > most[PEER_KIB] ? k : most[PEER_KIB];
		most[PEER_FDS] = f > most[PEER_FDS] ? f : most[PEER_FDS];
		kib += k;
		fds += f;
		n++;
	}
	if (n == 0)
		return;
	take(PEER_KIB, kib / n);
	take(PEER_FDS, fds / n);
	take(SUPER_KIB, pss_kib(supervisor));
	take(SUPER_FDS, descriptors(supervisor) - FDS_OF_CHILD * n);
	count++;
}

static double
mean(enum what what, size_t from, size_t to)
{
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += samples[what][i];
	return sum / (double)(to - from);
}

/* Sanitizers keep what was freed; and a few rests say little. */
static bool
judged(enum what what)
{
	const char *san = getenv("SAN");
	bool memory = what == PEER_KIB || what == SUPER_KIB;

	return count >= RESTS_MIN && (!memory || san == NULL || *san == '\0');
}

/* Flat: the mean of the last quarter is that of the first, about. */
void
sample_print(FILE *out)
{
	size_t quarter = (count + 3) / 4;

	for (enum what what = 0; what < WHATS && count > 0; what++) {
		double first = mean(what, 0, quarter);
		double last = mean(what, count - quarter, count);
		int more = what == PEER_KIB || what == SUPER_KIB ? KIB_MORE_MAX
								 : FDS_MORE_MAX;

		(void)fprintf(out,
		    "  %s: first quarter %.0f, last %.0f, most %.0f\n",
		    words[what], first, last, most[what]);
		if (judged(what) && last > first + more)
			violation(&tally.other, "%s: %.0f more", words[what],
			    last - first);
	}
}
