#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/script.h"
#include "sim/sim.h"

/* Plans from text. */

/* The words of a line, and what is wrong with it. */
struct reader {
	char *rest, *why;
	size_t why_size;
	unsigned line;
	bool bad;
};

static void
wrong(struct reader *r, const char *format, ...)
{
	va_list args;
	int len;

	if (r->bad)
		return;
	r->bad = true;
	len = snprintf(r->why, r->why_size, "%u: ", r->line);
	va_start(args, format);
	vsnprintf(r->why + len, r->why_size - (size_t)len, format, args);
	va_end(args);
}

/* The next word, "" at the end. */
static char *
word(struct reader *r)
{
	static char none[1];
	char *w;

	while ((w = strsep(&r->rest, " \t\n")) != NULL)
		if (*w != '\0')
			return w;
	none[0] = '\0';
	return none;
}

static char *
peek(struct reader *r)
{
	while (r->rest != NULL && isspace((unsigned char)*r->rest))
		r->rest++;
	return r->rest == NULL ? (char *)(uintptr_t) "" : r->rest;
}

static uint64_t
number(struct reader *r, const char *text, char **end)
{
	unsigned long long value;

	errno = 0;
	value = strtoull(text, end, 10);
	if (errno != 0 || *end == text || !isdigit((unsigned char)*text))
		wrong(r, "%s: not a number", text);
	return value;
}

static uint64_t
number_word(struct reader *r, uint64_t max)
{
	char *text = word(r), *end;
	uint64_t value = number(r, text, &end);

	if (*end != '\0' || value > max)
		wrong(r, "%s: not in 0..%" PRIu64, text, max);
	return value;
}

/* A number with a unit, or of seconds with a point. */
static uint64_t
time_word(struct reader *r)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {{"us", 1}, {"ms", MS}, {"s", SECOND}, {"", SECOND}};
	char *text = word(r), *end;
	uint64_t value = number(r, text, &end), part = 0, unit = SECOND;

	if (*end == '.') {
		for (end++; isdigit((unsigned char)*end); end++) {
			unit /= 10;
			part += (uint64_t)(*end - '0') * unit;
		}
		return value * SECOND + part;
	}
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].name) == 0)
			return value * units[i].us;
	wrong(r, "%s: not a time", text);
	return 0;
}

static void
set_word(struct reader *r, const struct plan *p, uint8_t *set)
{
	char *text = word(r), *one, *end;
	uint64_t id, last;

	if (strcmp(text, "all") == 0) {
		memset(set, 0xff, SIM_SPACE_MAX / 8);
		return;
	}
	while ((one = strsep(&text, ",")) != NULL) {
		id = last = number(r, one, &end);
		if (*end == '-')
			last = number(r, end + 1, &end);
		if (*end != '\0' || last >= 1u << p->bits)
			wrong(r, "%s: no identifiers", one);
		for (; !r->bad && id <= last; id++)
			plan_put(set, (unsigned)id);
	}
}

static unsigned
name_word(struct reader *r, struct plan *p)
{
	const char *text = word(r);

	for (unsigned i = 0; i < p->name_count; i++)
		if (strcmp(p->names[i].text, text) == 0)
			return i;
	if (p->name_count == NAMES_MAX || strlen(text) != 4)
		wrong(r, "%s: not a name, or one too many", text);
	else
		name_set(&p->names[p->name_count++], text, 4);
	return r->bad ? 0 : p->name_count - 1;
}

static void
expect(struct reader *r, const char *want)
{
	if (strcmp(word(r), want) != 0)
		wrong(r, "%s is missing", want);
}

static void
read_word(struct reader *r, struct plan *p, struct step *s, enum word w)
{
	char *text, *end;

	switch (w) {
	case WORD_PEERS:
		set_word(r, p, s->peers);
		break;
	case WORD_OTHERS:
		set_word(r, p, s->others);
		break;
	case WORD_ID:
		s->id = (uint16_t)number_word(r, (1u << p->bits) - 1);
		break;
	case WORD_KNOWN:
		s->other = (uint16_t)number_word(r, (1u << p->bits) - 1);
		break;
	case WORD_NAME:
		s->name = (uint8_t)name_word(r, p);
		break;
	case WORD_THROUGH:
		expect(r, "through");
		set_word(r, p, s->peers);
		break;
	case WORD_FOR:
		if (*peek(r) == '\0')
			break;
		expect(r, "for");
		s->for_us = time_word(r);
		break;
	case WORD_AFTER:
		expect(r, "after");
		s->amount = number_word(r, UINT32_MAX);
		break;
	case WORD_PERCENT:
		text = word(r);
		s->amount = (uint64_t)(strtod(text, &end) * 10000 + 0.5);
		if (strcmp(end, "%") != 0)
			wrong(r, "%s: not a percentage", text);
		break;
	case WORD_TIME:
		s->amount = time_word(r);
		break;
	case WORD_BYTES:
	case WORD_NUMBER:
		s->amount = number_word(r, UINT64_MAX);
		break;
	}
}

static void
read_step(struct reader *r, struct plan *p)
{
	struct step *s = &p->steps[p->step_count];
	uint64_t at_us = time_word(r);
	const char *verb = word(r);
	unsigned v = 0;

	while (v < VERBS && strcmp(script_verbs[v].name, verb) != 0)
		v++;
	if (v == VERBS || p->step_count == STEPS_MAX) {
		wrong(r, "%s: not a verb, or one step too many", verb);
		return;
	}
	memset(s, 0, sizeof(*s));
	s->verb = (uint8_t)v;
	s->at_us = at_us;
	for (const char *w = script_verbs[v].words; *w != '\0'; w++)
		read_word(r, p, s, (enum word) * w);
	if (*peek(r) != '\0')
		wrong(r, "%s: too much", r->rest);
	p->step_count++;
}

static void
setting_put(struct plan *p, const struct setting *t, uint64_t value)
{
	uint32_t narrow = (uint32_t)value;

	memcpy((char *)p + t->at, t->wide ? (void *)&value : (void *)&narrow,
	    t->wide ? sizeof(value) : sizeof(narrow));
}

static void
read_settings(struct reader *r, struct plan *p)
{
	const char *name;

	while (*(name = word(r)) != '\0') {
		unsigned i = 0;

		while (
		    i < SETTINGS && strcmp(script_settings[i].name, name) != 0)
			i++;
		if (i == SETTINGS)
			wrong(r, "%s: not a setting", name);
		else
			setting_put(p, &script_settings[i],
			    number_word(r, script_settings[i].wide
					       ? UINT64_MAX
					       : UINT32_MAX));
	}
}

static void
read_up(struct reader *r, struct plan *p)
{
	while (isdigit((unsigned char)*peek(r)))
		if (p->id_count == NODES_MAX)
			wrong(r, "too many peers");
		else
			p->ids[p->id_count++] =
			    (uint16_t)number_word(r, SIM_SPACE_MAX - 1);
	read_settings(r, p);
	if (p->bits < 1 || p->bits > SIM_BITS_MAX || p->copies < 1 ||
	    p->copies > COPIES_MAX || p->groups < 1)
		wrong(r, "bits, copies or groups are out of bounds");
	for (unsigned i = 0; i < p->id_count && !r->bad; i++)
		if (p->ids[i] >= 1u << p->bits)
			wrong(r, "peer %u: not in the space", p->ids[i]);
}

int
plan_read(struct plan *p, FILE *in, char *why, size_t size)
{
	static const struct quality good = {30, 100, 0, 0, 0, 0, 300, 20 * MS};
	struct reader r = {.why = why, .why_size = size};
	char line[4096], *comment;

	memset(p, 0, sizeof(*p));
	p->seed = p->sync = p->groups = 1;
	p->bits = BITS_DEFAULT;
	p->copies = 3;
	p->byte_ps = 1000;
	p->quality = good;
	while (!r.bad && fgets(line, sizeof(line), in) != NULL) {
		const char *first;

		r.line++;
		r.rest = line;
		if ((comment = strchr(line, '#')) != NULL)
			*comment = '\0';
		first = word(&r);
		if (strcmp(first, "at") == 0)
			read_step(&r, p);
		else if (strcmp(first, "up") == 0)
			read_up(&r, p);
		else if (strcmp(first, "sim") == 0)
			read_settings(&r, p);
		else if (strcmp(first, "names") == 0)
			while (*peek(&r) != '\0')
				name_word(&r, p);
		else if (*first != '\0')
			wrong(&r, "%s: at, up, names or sim", first);
	}
	if (p->until_us == 0 && p->step_count > 0)
		p->until_us = p->steps[p->step_count - 1].at_us + MS;
	if (p->id_count == 0)
		wrong(&r, "no ring: up PEERS is missing");
	return r.bad ? -1 : 0;
}
