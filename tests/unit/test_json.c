#include <string.h>

#include "cli/json.h"
#include "unit.h"

#include "capture.h"

static struct json json;
static struct capture out;

static void
begin(void)
{
	json = (struct json){false};
	capture_begin(&out, STDOUT_FILENO);
}

static void
objects_and_arrays(void **state)
{
	(void)state;
	begin();
	json_open(&json, NULL, '{');
	json_uint(&json, "id", 8);
	json_bool(&json, "whole", true);
	json_null(&json, "pid");
	json_open(&json, "faults", '[');
	json_close(&json, ']');
	json_open(&json, "route", '[');
	json_uint(&json, NULL, 4);
	json_uint(&json, NULL, UINT64_MAX);
	json_close(&json, ']');
	json_open(&json, "o", '{');
	json_bool(&json, "ok", false);
	json_close(&json, '}');
	json_close(&json, '}');
	json_line(&json);
	json_uint(&json, NULL, 1);
	json_line(&json);
	assert_string_equal(capture_end(&out),
	    "{\"id\":8,\"whole\":true,\"pid\":null,\"faults\":[],"
	    "\"route\":[4,18446744073709551615],\"o\":{\"ok\":false}}\n1\n");
}

static const char *
text_of(const char *text, size_t len)
{
	begin();
	json_text(&json, NULL, text, len);
	return capture_end(&out);
}

static void
texts_are_escaped(void **state)
{
	(void)state;
	assert_string_equal(text_of("a\"b\\c/", 6), "\"a\\\"b\\\\c/\"");
	assert_string_equal(
	    text_of("\n\t\0\x7f", 4), "\"\\u000a\\u0009\\u0000\\u007f\"");
	assert_string_equal(text_of("", 0), "\"\"");
}

/* RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF. */
static void
bad_utf8_is_replaced(void **state)
{
	(void)state;
	assert_string_equal(text_of("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9),
	    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
	assert_string_equal(text_of("\xff", 1), "\"\\ufffd\"");
	assert_string_equal(text_of("\xc3", 1), "\"\\ufffd\"");
	assert_string_equal(text_of("\xc3(", 2), "\"\\ufffd(\"");
	assert_string_equal(text_of("\xc0\xaf", 2), "\"\\ufffd\\ufffd\"");
	assert_string_equal(
	    text_of("\xed\xa0\x80", 3), "\"\\ufffd\\ufffd\\ufffd\"");
	assert_string_equal(
	    text_of("\xf4\x90\x80\x80", 4), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static void
times_keep_their_digits(void **state)
{
	(void)state;
	begin();
	json_open(&json, NULL, '[');
	json_ms(&json, NULL, 803);
	json_ms(&json, NULL, 1000000);
	json_seconds(&json, NULL, 12345678);
	json_seconds(&json, NULL, 1);
	json_close(&json, ']');
	assert_string_equal(
	    capture_end(&out), "[0.803,1000.000,12.345678,0.000001]");
}

UNIT_MAIN(TEST(objects_and_arrays), TEST(texts_are_escaped),
    TEST(bad_utf8_is_replaced), TEST(times_keep_their_digits))
