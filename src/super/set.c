#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "super/set.h"

char *
set_print(const struct idset *set, char *out, size_t size)
{
	size_t used = 0;
	int first = idset_next(set, 0), last, n;

	assert(size >= 4);
	out[0] = '\0';
	while (first != -1) {
		last = first;
		while (
		    last + 1 < SPACE_MAX && idset_has(set, (unsigned)last + 1))
			last++;
		n = snprintf(out + used, size - used,
		    last > first ? "%s%d-%d" : "%s%d", used > 0 ? "," : "",
		    first, last);
		if ((size_t)n >= size - used) {
			memcpy(out + (used + 4 <= size ? used : size - 4),
			    "...", 4);
			break;
		}
		used += (size_t)n;
		first = last + 1 < SPACE_MAX
			    ? idset_next(set, (unsigned)last + 1)
			    : -1;
	}
	return out;
}

const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

char *
span_print(uint64_t us, char *out, size_t size)
{
	double ms = (double)us / 1000;

	if (us < 10000)
		snprintf(out, size, "%.1f ms", ms);
	else if (us < 1000000)
		snprintf(out, size, "%.0f ms", ms);
	else
		snprintf(out, size, "%.1f s", ms / 1000);
	return out;
}

char *
ping_print(uint32_t ping_ms, char *out, size_t size)
{
	static const struct {
		uint32_t ms;
		const char *text;
	} units[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
	size_t i = 0;

	if (ping_ms == 0) {
		snprintf(out, size, "auto");
		return out;
	}
	while (ping_ms % units[i].ms != 0)
		i++;
	snprintf(out, size, "%u%s", ping_ms / units[i].ms, units[i].text);
	return out;
}
