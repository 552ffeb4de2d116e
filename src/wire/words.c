#include <assert.h>
#include <string.h>

#include "wire/words.h"

enum { SHOWN_MAX = 40 }; /* bytes of a bad word that an error repeats */

void
text_add_len(struct text *t, const char *s, size_t len)
{
	size_t room = TEXT_LEN_MAX - t->len;

	assert(t->len <= TEXT_LEN_MAX);
	if (len > room)
		len = room;
	memcpy(t->text + t->len, s, len);
	t->len = (uint16_t)(t->len + len);
	t->text[t->len] = '\0';
}

void
text_add(struct text *t, const char *s)
{
	text_add_len(t, s, strlen(s));
}

void
text_add_number(struct text *t, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	text_add_len(t, digits + at, sizeof(digits) - at);
}

void
text_add_word(struct text *t, struct word w)
{
	text_add(t, "'");
	for (size_t i = 0; i < w.len && i < SHOWN_MAX; i++) {
		unsigned char c = (unsigned char)w.text[i];

		/* What a terminal would act on is not repeated to it. */
		text_add_len(t, c < 0x20 || c == 0x7f ? "?" : w.text + i, 1);
	}
	text_add(t, w.len > SHOWN_MAX ? "...'" : "'");
}

static void
name_refuse(struct text *error, struct word w, bool any_names)
{
	error->len = 0;
	text_add(error, "name ");
	text_add_word(error, w);
	text_add(error,
	    any_names
		? ": a name is 1 to 255 bytes without '/' or NUL, not . or .."
		: ": a name is exactly four decimal digits, 0000 to 9999");
}

static bool
name_good_digits(struct word w)
{
	if (w.len != 4)
		return false;
	for (size_t i = 0; i < w.len; i++) {
		if (w.text[i] < '0' || w.text[i] > '9')
			return false;
	}
	return true;
}

static bool
name_good_any(struct word w)
{
	if (w.len == 0 || w.len > NAME_LEN_MAX)
		return false;
	if (memchr(w.text, '/', w.len) || memchr(w.text, '\0', w.len))
		return false;
	if (w.text[0] == '.' &&
	    (w.len == 1 || (w.len == 2 && w.text[1] == '.')))
		return false;
	return true;
}

int
name_parse(struct name *out, struct word w, bool any_names, struct text *error)
{
	if (!(any_names ? name_good_any(w) : name_good_digits(w))) {
		name_refuse(error, w, any_names);
		return -1;
	}
	memset(out, 0, sizeof(*out));
	out->len = (uint8_t)w.len;
	memcpy(out->text, w.text, w.len);
	return 0;
}

int
number_parse(uint64_t *out, struct word w, uint64_t max)
{
	uint64_t value = 0;

	if (w.len == 0)
		return -1;
	for (size_t i = 0; i < w.len; i++) {
		unsigned digit = (unsigned)(w.text[i] - '0');

		if (w.text[i] < '0' || w.text[i] > '9')
			return -1;
		if (digit > max || value > (max - digit) / 10)
			return -1;
		value = value * 10 + digit;
	}
	*out = value;
	return 0;
}

int
id_parse(uint16_t *out, struct word w, unsigned bits, struct text *error)
{
	uint64_t value, max;

	assert(bits >= 1 && bits <= BITS_MAX);
	max = (1u << bits) - 1;
	if (number_parse(&value, w, max) == 0) {
		*out = (uint16_t)value;
		return 0;
	}
	error->len = 0;
	text_add(error, "peer ");
	text_add_word(error, w);
	text_add(error, ": not in 0..");
	text_add_number(error, max);
	return -1;
}

static uint64_t
unit_us(struct word w)
{
	static const struct {
		const char *text;
		uint64_t us;
	} units[] = {
	    {"", 1000000},
	    {"ms", 1000},
	    {"s", 1000000},
	    {"m", 60000000},
	    {"h", 3600000000},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (w.len == strlen(units[i].text) &&
		    memcmp(w.text, units[i].text, w.len) == 0)
			return units[i].us;
	}
	return 0;
}

static size_t
digits(struct word w, size_t at)
{
	size_t end = at;

	while (end < w.len && w.text[end] >= '0' && w.text[end] <= '9')
		end++;
	return end - at;
}

int
interval_parse(
    uint32_t *out_ms, struct word w, uint32_t min_ms, uint32_t max_ms)
{
	struct word part = {w.text, digits(w, 0)};
	uint64_t whole, unit, us, scale = 1, fraction = 0;
	size_t at = part.len;

	if (number_parse(&whole, part, 1000000000) != 0)
		return -1;
	if (at < w.len && w.text[at] == '.') {
		part.text = w.text + at + 1;
		part.len = digits(w, at + 1);
		if (part.len > 6 || number_parse(&fraction, part, 999999) != 0)
			return -1;
		for (size_t i = 0; i < part.len; i++)
			scale *= 10;
		at += 1 + part.len;
	}
	part.text = w.text + at;
	part.len = w.len - at;
	unit = unit_us(part);
	us = whole * unit + fraction * unit / scale;
	if (unit == 0 || us < (uint64_t)min_ms * 1000 ||
	    us > (uint64_t)max_ms * 1000)
		return -1;
	*out_ms = (uint32_t)((us + 999) / 1000);
	return 0;
}

static bool
word_is(struct word w, const char *text)
{
	return w.len == strlen(text) && memcmp(w.text, text, w.len) == 0;
}

static int
range_add(struct idset *set, struct word w, unsigned bits, struct text *error)
{
	struct word first = w, last = w;
	const char *dash = NULL;
	uint16_t from, to;

	/* A dash in front is a sign, and no identifier has one. */
	if (w.len > 1)
		dash = memchr(w.text + 1, '-', w.len - 1);
	if (dash) {
		first.len = (size_t)(dash - w.text);
		last.text = dash + 1;
		last.len = w.len - first.len - 1;
	}
	if (id_parse(&from, first, bits, error) != 0 ||
	    id_parse(&to, last, bits, error) != 0)
		return -1;
	if (from > to) {
		error->len = 0;
		text_add(error, "peers ");
		text_add_word(error, w);
		text_add(error, ": a range goes from the lower to the higher");
		return -1;
	}
	for (unsigned id = from; id <= to; id++)
		idset_add(set, id);
	return 0;
}

int
peers_parse(enum which *which, struct idset *set, struct word w, unsigned bits,
    struct text *error)
{
	memset(set, 0, sizeof(*set));
	if (word_is(w, "all") || word_is(w, "random")) {
		*which = word_is(w, "all") ? WHICH_ALL : WHICH_RANDOM;
		return 0;
	}
	for (;;) {
		const char *comma = w.len ? memchr(w.text, ',', w.len) : NULL;
		struct word item = w;

		if (comma)
			item.len = (size_t)(comma - w.text);
		if (range_add(set, item, bits, error) != 0)
			return -1;
		if (!comma)
			break;
		w.text = comma + 1;
		w.len -= item.len + 1;
	}
	*which = WHICH_LIST;
	return 0;
}
