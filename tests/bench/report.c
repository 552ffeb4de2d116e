#include <sys/mman.h>
#include <sys/utsname.h>

#include <assert.h>
#include <err.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { ROWS_MAX = 256, CELL = 32, NOTES_MAX = 24 };

static struct report {
	size_t n;
	const char *section;
	struct row rows[ROWS_MAX];
	size_t note_count;
	char notes[NOTES_MAX][NOTE_LEN_MAX];
} * report;

static const struct {
	const char *json, *text;
} units[] = {
    [UNIT_MS] = {"ms", " ms"},
    [UNIT_KIB] = {"kib", " KiB"},
    [UNIT_PERCENT] = {"percent", " %"},
    [UNIT_HOPS] = {"hops", " hops"},
    [UNIT_PER_SECOND] = {"per_second", " /s"},
};

void
series_add(struct series *s, double value)
{
	assert(s->n < SAMPLES_MAX);
	s->v[s->n++] = value;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct summary
series_summary(const struct series *s)
{
	static double sorted[SAMPLES_MAX];
	struct summary sum = {.n = s->n};
	size_t n = s->n;

	if (n == 0)
		return sum;
	memcpy(sorted, s->v, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), compare);
	for (size_t i = 0; i < n; i++)
		sum.mean += sorted[i] / (double)n;
	sum.median = (sorted[n / 2] + sorted[(n - 1) / 2]) / 2;
	sum.min = sorted[0];
	sum.max = sorted[n - 1];
	sum.p99 = sorted[(n * 99 + 99) / 100 - 1];
	return sum;
}

void
report_init(void)
{
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		err(1, "memory for the report");
	printf("%-34s %12s %12s %7s  %-18s %s\n", "what", "measured", "floor",
	    "ratio", "goal", "met?");
}

void
report_head(const char *section)
{
	report->section = section;
	printf("%s\n", section);
	(void)fflush(stdout);
}

/* The number that counts. */
static double
typical(const struct row *r, const struct summary *s)
{
	return r->by_mean ? s->mean : s->median;
}

/* How many times worse than the floor; NAN: there is none. */
static double
ratio(const struct row *r)
{
	double measured = typical(r, &r->measured);
	double floor = typical(r, &r->floor);

	if (r->floor.n == 0 || measured <= 0 || floor <= 0)
		return NAN;
	return r->unit == UNIT_PER_SECOND ? floor / measured : measured / floor;
}

static double
speed_percent(const struct row *r)
{
	return r->bytes ? 100 / ratio(r) : NAN;
}

static double
mb_per_second(const struct row *r, const struct summary *s)
{
	return r->bytes ? (double)r->bytes / 1000 / s->median : NAN;
}

/* 1: all goals are met, 0: not all, -1: there are none. */
static int
met(const struct row *r)
{
	if (r->ratio_max == 0 && r->value_max == 0 && r->speed_min == 0)
		return -1;
	if (r->ratio_max != 0 && !(ratio(r) <= r->ratio_max))
		return 0;
	if (r->value_max != 0 && !(typical(r, &r->measured) < r->value_max))
		return 0;
	return r->speed_min == 0 || speed_percent(r) >= r->speed_min;
}

static const char *
cell(char out[CELL], double value, const char *unit)
{
	int digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 0.1 ? 2 : 4;

	out[0] = '\0';
	if (!isnan(value))
		(void)snprintf(out, CELL, "%.*f%s", digits, value, unit);
	return out;
}

static const char *
goal_text(const struct row *r, char out[2 * CELL])
{
	char value[CELL] = "";

	if (r->value_max != 0)
		(void)snprintf(value, sizeof(value), "%s< %g%s",
		    r->ratio_max != 0 ? ", " : "", r->value_max,
		    units[r->unit].text);
	out[0] = '\0';
	if (r->speed_min != 0)
		(void)snprintf(out, 2 * CELL, ">= %g%% speed", r->speed_min);
	else if (r->ratio_max != 0)
		(void)snprintf(out, 2 * CELL, "<= %gx%s", r->ratio_max, value);
	else
		(void)snprintf(out, 2 * CELL, "%s", value);
	return out;
}

static void
print_row(const struct row *r)
{
	static const char *const answers[] = {"", "short", "met"};
	char a[CELL], b[CELL], c[CELL], goal[2 * CELL];

	printf("  %-32s %12s %12s %7s  %-18s %-5s", r->what,
	    cell(a, typical(r, &r->measured), units[r->unit].text),
	    cell(b, r->floor.n ? typical(r, &r->floor) : NAN,
		units[r->unit].text),
	    cell(c, ratio(r), ""), goal_text(r, goal), answers[met(r) + 1]);
	if (r->bytes)
		printf("  %s, %.0f%% of the floor's",
		    cell(a, mb_per_second(r, &r->measured), " MB/s"),
		    speed_percent(r));
	else if (r->also[0] != '\0')
		printf("  %s", r->also);
	putchar('\n');
	(void)fflush(stdout);
}

void
report_row(
    struct row *r, const struct series *measured, const struct series *floor)
{
	r->section = report->section;
	r->measured = series_summary(measured);
	if (floor != NULL)
		r->floor = series_summary(floor);
	assert(r->measured.n > 0 && report->n < ROWS_MAX);
	if (r->also[0] == '\0' && r->unit == UNIT_MS && r->measured.n > 1)
		(void)snprintf(r->also, sizeof(r->also),
		    "p99 %.2f, max %.2f of %zu", r->measured.p99,
		    r->measured.max, r->measured.n);
	report->rows[report->n++] = *r;
	print_row(r);
}

void
report_note(const char *text)
{
	assert(report->note_count < NOTES_MAX);
	(void)snprintf(
	    report->notes[report->note_count++], NOTE_LEN_MAX, "%s", text);
	printf("  (%s)\n", text);
	(void)fflush(stdout);
}

static json_t *
maybe(double value, bool there)
{
	return there && !isnan(value) ? json_real(value) : json_null();
}

static json_t *
summary_json(const struct summary *s)
{
	if (s->n == 0)
		return json_null();
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:I}", "median", s->median,
	    "mean", s->mean, "min", s->min, "max", s->max, "p99", s->p99,
	    "rounds", (json_int_t)s->n);
}

/* Under the name with %s replaced by the unit. */
static void
set_unit(json_t *o, const struct row *r, const char *before, const char *after,
    json_t *value)
{
	char key[2 * CELL];

	(void)snprintf(
	    key, sizeof(key), "%s%s%s", before, units[r->unit].json, after);
	(void)json_object_set_new(o, key, value);
}

static json_t *
row_json(const struct row *r)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "section", r->section, "what",
	    r->what, "unit", units[r->unit].json);
	int all = met(r);

	set_unit(o, r, "measured_", "", summary_json(&r->measured));
	set_unit(o, r, "floor_", "", summary_json(&r->floor));
	(void)json_object_set_new(o, "ratio", maybe(ratio(r), true));
	(void)json_object_set_new(
	    o, "per_second", maybe(r->per_second, r->per_second > 0));
	(void)json_object_set_new(o, "bytes",
	    r->bytes ? json_integer((json_int_t)r->bytes) : json_null());
	(void)json_object_set_new(o, "measured_mb_per_second",
	    maybe(mb_per_second(r, &r->measured), true));
	(void)json_object_set_new(
	    o, "speed_percent", maybe(speed_percent(r), true));
	(void)json_object_set_new(
	    o, "goal_ratio_max", maybe(r->ratio_max, r->ratio_max != 0));
	set_unit(o, r, "goal_", "_max", maybe(r->value_max, r->value_max != 0));
	(void)json_object_set_new(o, "goal_speed_percent_min",
	    maybe(r->speed_min, r->speed_min != 0));
	(void)json_object_set_new(
	    o, "met", all == -1 ? json_null() : json_boolean(all));
	return o;
}

void
report_write(const char *path, const char *const *failed, size_t count)
{
	json_t *rows = json_array(), *names = json_array(), *all;
	json_t *notes = json_array();
	struct utsname name;

	if (uname(&name) != 0)
		err(1, "uname");
	for (size_t i = 0; i < report->n; i++)
		(void)json_array_append_new(rows, row_json(&report->rows[i]));
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(names, json_string(failed[i]));
	for (size_t i = 0; i < report->note_count; i++)
		(void)json_array_append_new(
		    notes, json_string(report->notes[i]));
	all = json_pack("{s:b, s:I, s:s, s:o, s:o, s:o}", "quick", bench.quick,
	    "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "kernel",
	    name.release, "failed", names, "notes", notes, "rows", rows);
	if (all == NULL || json_dump_file(all, path, JSON_INDENT(1)) != 0)
		errx(1, "%s: can't write", path);
	json_decref(all);
}
