#include <assert.h>
#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <string.h>

#include "super/parse.h"
#include "super/set.h"

enum { COLUMNS = 60 /* then a printed line of peers ends */ };

static bool
word_is(struct word w, const char *text)
{
	return w.len == strlen(text) && memcmp(w.text, text, w.len) == 0;
}

/* The number of a word, or -1 after an error. */
static long
number(struct parser *p, const char *what, struct word w, long min, long max,
    const char *note)
{
	char text[24];
	const char *bad = "x";
	long long value = 0;

	/* strtonum would take blanks and a sign. */
	if (w.len > 0 && w.len < sizeof(text) && w.text[0] >= '0' &&
	    w.text[0] <= '9') {
		memcpy(text, w.text, w.len);
		text[w.len] = '\0';
		value = strtonum(text, min, max, &bad);
	}
	if (bad == NULL)
		return (long)value;
	parse_error(p, what, w, "not in %ld..%ld%s", min, max, note);
	return -1;
}

/* The position of a word among choices, or -1 after an error. */
static int
choice(struct parser *p, const char *what, struct word w, const char *first,
    const char *second)
{
	if (word_is(w, first))
		return 0;
	if (word_is(w, second))
		return 1;
	parse_error(p, what, w, "not %s or %s", first, second);
	return -1;
}

int
ring_name_check(const char *name, struct why *why)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(name);

	if (len == 0 || len > RING_NAME_MAX || strspn(name, good) != len ||
	    name[0] == '.')
		return why_set(why,
		    "a ring's name is 1 to %d letters, digits, '-', '_' and "
		    "'.', no '.' first",
		    RING_NAME_MAX);
	return 0;
}

static void
set_ring(struct parser *p, struct word w)
{
	char name[RING_NAME_MAX + 2];
	struct why why;

	strlcpy(name, w.text, w.len < sizeof(name) ? w.len + 1 : sizeof(name));
	if (ring_name_check(name, &why) == -1)
		parse_error(p, "ring", w, "%s", why.text);
	else
		strlcpy(p->config->ring, name, sizeof(p->config->ring));
}

static void
set_port(struct parser *p, struct word w)
{
	long max = 65536 - (1L << p->bits);
	long port = number(p, "port", w, 1024, max, " (65536 - 2^bits)");

	if (port != -1)
		p->config->port = (uint16_t)port;
}

static void
set_bits(struct parser *p, struct word w)
{
	long bits = number(p, "bits", w, 1, BITS_MAX, "");

	if (bits != -1)
		p->config->bits = (uint8_t)bits;
}

static void
set_copies(struct parser *p, struct word w)
{
	long copies = number(p, "copies", w, 1, COPIES_MAX, "");

	if (copies != -1)
		p->config->copies = (uint8_t)copies;
}

static void
set_names(struct parser *p, struct word w)
{
	int n = choice(p, "names", w, "digits", "any");

	if (n != -1)
		p->config->any_names = n == 1;
}

static void
set_route(struct parser *p, struct word w)
{
	int n = choice(p, "route", w, "direct", "successor");

	if (n != -1)
		p->config->route = n == 0 ? ROUTE_DIRECT : ROUTE_SUCCESSOR;
}

static void
set_sync(struct parser *p, struct word w)
{
	int n = choice(p, "sync", w, "yes", "no");

	if (n != -1)
		p->config->sync = n == 0;
}

/* 4M: bytes a second, in units of 1024 x 1024. */
static void
set_scrub(struct parser *p, struct word w)
{
	static const char units[] = "KMG";
	struct word digits = w;
	uint64_t rate = 0;
	const char *unit =
	    w.len > 1 ? memchr(units, w.text[w.len - 1], sizeof(units) - 1)
		      : NULL;

	if (word_is(w, "no")) {
		p->config->scrub = 0;
		return;
	}
	digits.len -= unit != NULL;
	if (number_parse(&rate, digits, SCRUB_MAX) == 0 && unit != NULL)
		rate <<= 10 * (unit - units + 1);
	if (rate < SCRUB_MIN || rate > SCRUB_MAX)
		parse_error(p, "scrub", w,
		    "not no or 64K..1G, bytes a second, as in 4M");
	else
		p->config->scrub = (uint32_t)rate;
}

static void
print_scrub(uint32_t rate, FILE *out)
{
	int unit = 0;

	for (; rate > 0 && rate % 1024 == 0 && unit < 3; unit++)
		rate /= 1024;
	if (rate == 0)
		fprintf(out, "scrub no\n");
	else
		fprintf(out, "scrub %u%.1s\n", rate, &"\0KMG"[unit]);
}

static void
set_restart(struct parser *p, struct word w)
{
	int n = choice(p, "restart", w, "never", "on-failure");

	if (n != -1)
		p->config->restart =
		    n == 0 ? RESTART_NEVER : RESTART_ON_FAILURE;
}

static void
set_log(struct parser *p, struct word w)
{
	if (word_is(w, "pings"))
		p->config->log_pings = true;
	else
		parse_error(p, "log", w, "not pings");
}

/* 0, or -1 after an error. */
static int
interval(struct parser *p, const char *what, struct word w, uint32_t *ms)
{
	bool bare =
	    w.len > 0 && w.text[w.len - 1] >= '0' && w.text[w.len - 1] <= '9';

	if (word_is(w, "auto")) {
		*ms = 0;
		return 0;
	}
	if (!bare && interval_parse(ms, w, 1, PING_MS_MAX) == 0)
		return 0;
	parse_error(p, what, w,
	    bare ? "needs a unit: ms, s, m or h, as in 30s"
		 : "not auto or 1ms..1h");
	return -1;
}

static void
set_ping(struct parser *p, struct word w)
{
	interval(p, "ping", w, &p->config->ping_ms);
}

static void
set_path(struct parser *p, const char *what, struct word w, char *out)
{
	for (size_t i = 0; i < w.len; i++) {
		unsigned char c = (unsigned char)w.text[i];

		if (c < 0x20 || c == 0x7f) {
			parse_error(p, what, w, "a control character");
			return;
		}
	}
	if (w.len > PATH_LEN_MAX) {
		parse_error(p, what, w, "longer than %d bytes", PATH_LEN_MAX);
		return;
	}
	memcpy(out, w.text, w.len);
	out[w.len] = '\0';
}

static void
set_data(struct parser *p, struct word w)
{
	set_path(p, "data", w, p->config->data);
}

static void
set_key(struct parser *p, struct word w)
{
	set_path(p, "key", w, p->config->key);
}

static void
add_peer(struct parser *p, unsigned id, const uint32_t *ping_ms)
{
	char text[8];

	assert(id < SPACE_MAX);
	if (p->peer_line[id] != 0) {
		snprintf(text, sizeof(text), "%u", id);
		parse_error(p, "peer", (struct word){text, strlen(text)},
		    p->peer_line[id] == p->line ? "given twice in line %u"
						: "given before, in line %u",
		    p->peer_line[id]);
		return;
	}
	p->peer_line[id] = p->line;
	idset_add(&p->config->peers, id);
	if (ping_ms != NULL) {
		idset_add(&p->config->own_ping, id);
		p->config->peer_ping_ms[id] = *ping_ms;
	}
}

/* `8` or `4-20`: a dash in front would be a sign, and no identifier has one. */
static void
add_range(struct parser *p, struct word w, const uint32_t *ping_ms)
{
	const char *dash =
	    w.len > 1 ? memchr(w.text + 1, '-', w.len - 1) : NULL;
	struct word first = w, last = w;
	long from, to, max = (1L << p->bits) - 1;

	if (dash != NULL) {
		first.len = (size_t)(dash - w.text);
		last.text = dash + 1;
		last.len = w.len - first.len - 1;
	}
	from = number(p, "peer", first, 0, max, "");
	to = dash == NULL || from == -1 ? from
					: number(p, "peer", last, 0, max, "");
	if (from == -1 || to == -1)
		return;
	if (from > to)
		parse_error(
		    p, "peer", w, "a range goes from the lower to the higher");
	for (long id = from; id <= to; id++)
		add_peer(p, (unsigned)id, ping_ms);
}

static void
add_set(struct parser *p, struct word w, const uint32_t *ping_ms)
{
	const char *comma;

	do {
		struct word item = w;

		comma = memchr(w.text, ',', w.len);
		if (comma != NULL) {
			item.len = (size_t)(comma - w.text);
			w.text = comma + 1;
			w.len -= item.len + 1;
		}
		add_range(p, item, ping_ms);
	} while (comma != NULL);
}

/* IDS ... [ping D]: the end is needed before the identifiers. */
static void
set_peer(struct parser *p, struct word value)
{
	struct word rest = value, w, ids = value;
	uint32_t ping_ms;
	bool own = false;

	while ((w = parse_word(&rest)).len > 0 && !word_is(w, "ping"))
		;
	if (w.len > 0) {
		ids.len = (size_t)(w.text - value.text);
		w = parse_word(&rest);
		if (interval(p, "peer ... ping", w, &ping_ms) == -1)
			return;
		own = true;
		w = parse_word(&rest);
		if (w.len > 0)
			parse_error(p, "peer ... ping D", w,
			    "nothing may follow the interval");
	}
	w = parse_word(&ids);
	if (w.len == 0)
		parse_error(p, "peer", w, "no identifier");
	for (; w.len > 0; w = parse_word(&ids))
		add_set(p, w, own ? &ping_ms : NULL);
}

const struct directive config_directives[] = {
    {"ring", set_ring, false, "NAME"},
    {"port", set_port, false, "1024..65536 - 2^bits"},
    {"bits", set_bits, false, "1..12"},
    {"names", set_names, false, "digits|any"},
    {"route", set_route, false, "direct|successor"},
    {"ping", set_ping, false, "auto|1ms..1h"},
    {"copies", set_copies, false, "1..16"},
    {"sync", set_sync, false, "yes|no"},
    {"scrub", set_scrub, false, "64K..1G|no"},
    {"data", set_data, false, "FOLDER"},
    {"key", set_key, false, "FILE"},
    {"restart", set_restart, false, "never|on-failure"},
    {"log", set_log, false, "pings"},
    {"peer", set_peer, true, "ID ... [ping 1ms..1h]"},
    {NULL, NULL, false, NULL},
};
_Static_assert(
    sizeof(config_directives) / sizeof(config_directives[0]) <= DIRECTIVES_MAX,
    "parser.said has a place for each");

static void
print_path(const char *what, const char *path, FILE *out)
{
	if (path[0] == '\0')
		return;
	fprintf(out, "%s ", what);
	for (; *path != '\0'; path++) {
		if (*path == '#' || *path == '\\')
			fputc('\\', out);
		fputc(*path, out);
	}
	fputc('\n', out);
}

static void
end_peers(bool own, uint32_t ping_ms, FILE *out)
{
	char text[24];

	if (own)
		fprintf(
		    out, " ping %s", ping_print(ping_ms, text, sizeof(text)));
	fputc('\n', out);
}

/* Peers with the same interval share lines. */
static void
print_peers(const struct config *c, FILE *out)
{
	struct idset left = c->peers;
	int id, other, columns;

	while ((id = idset_next(&left, 0)) != -1) {
		bool own = idset_has(&c->own_ping, (unsigned)id);
		uint32_t ping_ms = c->peer_ping_ms[id];

		columns = fprintf(out, "peer");
		for (other = id; other != -1 && columns < COLUMNS;
		     other = idset_next(&left, (unsigned)other + 1)) {
			if (idset_has(&c->own_ping, (unsigned)other) != own ||
			    (own && c->peer_ping_ms[other] != ping_ms))
				continue;
			columns += fprintf(out, " %d", other);
			idset_del(&left, (unsigned)other);
		}
		end_peers(own, ping_ms, out);
	}
}

void
config_print(const struct config *c, FILE *out)
{
	char text[24];

	fprintf(out, "ring %s\nport %u\nbits %u\n", c->ring, c->port, c->bits);
	fprintf(out, "names %s\n", c->any_names ? "any" : "digits");
	fprintf(out, "route %s\n",
	    c->route == ROUTE_DIRECT ? "direct" : "successor");
	fprintf(out, "ping %s\n", ping_print(c->ping_ms, text, sizeof(text)));
	fprintf(out, "copies %u\nsync %s\n", c->copies, c->sync ? "yes" : "no");
	print_scrub(c->scrub, out);
	print_path("data", c->data, out);
	print_path("key", c->key, out);
	fprintf(out, "restart %s\n",
	    c->restart == RESTART_NEVER ? "never" : "on-failure");
	if (c->log_pings)
		fprintf(out, "log pings\n");
	print_peers(c, out);
}
