#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/json.h"

static unsigned lines;

/* Bytes of the UTF-8 character (RFC 3629) that begins here; 0: it is none. */
static size_t
utf8_len(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char from, to; /* of its first byte */
		unsigned char second_from, second_to;
		size_t len;
	} forms[] = {
	    {0x00, 0x7f, 0x80, 0xbf, 1},
	    {0xc2, 0xdf, 0x80, 0xbf, 2},
	    {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3},
	    {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4},
	    {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		if (s[0] < forms[f].from || s[0] > forms[f].to)
			continue;
		if (forms[f].len > len)
			return 0;
		if (forms[f].len > 1 &&
		    (s[1] < forms[f].second_from || s[1] > forms[f].second_to))
			return 0;
		for (size_t i = 2; i < forms[f].len; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
		}
		return forms[f].len;
	}
	return 0;
}

static void
quoted(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	putchar('"');
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(s + i, len - i);

		if (n == 0)
			fputs("\\ufffd", stdout);
		else if (s[i] == '"' || s[i] == '\\')
			printf("\\%c", s[i]);
		else if (s[i] < 0x20 || s[i] == 0x7f)
			printf("\\u%04x", s[i]);
		else
			fwrite(s + i, 1, n, stdout);
		i += n ? n : 1;
	}
	putchar('"');
}

static void
next(struct json *j, const char *key)
{
	if (j->comma)
		putchar(',');
	j->comma = true;
	if (key) {
		quoted(key, strlen(key));
		putchar(':');
	}
}

void
json_open(struct json *j, const char *key, char bracket)
{
	next(j, key);
	putchar(bracket);
	j->comma = false;
}

void
json_close(struct json *j, char bracket)
{
	putchar(bracket);
	j->comma = true;
}

void
json_uint(struct json *j, const char *key, uint64_t value)
{
	next(j, key);
	printf("%" PRIu64, value);
}

void
json_bool(struct json *j, const char *key, bool value)
{
	next(j, key);
	fputs(value ? "true" : "false", stdout);
}

void
json_null(struct json *j, const char *key)
{
	next(j, key);
	fputs("null", stdout);
}

void
json_text(struct json *j, const char *key, const char *text, size_t len)
{
	next(j, key);
	quoted(text, len);
}

void
json_string(struct json *j, const char *key, const char *text)
{
	json_text(j, key, text, strlen(text));
}

void
json_ms(struct json *j, const char *key, uint64_t us)
{
	next(j, key);
	printf("%" PRIu64 ".%03" PRIu64, us / 1000, us % 1000);
}

void
json_seconds(struct json *j, const char *key, uint64_t us)
{
	next(j, key);
	printf("%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

void
json_line(struct json *j)
{
	putchar('\n');
	j->comma = false;
	lines++;
}

unsigned
json_lines(void)
{
	return lines;
}
