#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes JSON to standard output, one value after the other; commas come by
 * themselves. key: the member's name, or NULL inside arrays and at the top.
 * Text that is no UTF-8 has its bad bytes replaced by U+FFFD.
 */
struct json {
	bool comma;
};

void json_open(struct json *, const char *key, char bracket);
void json_close(struct json *, char bracket);
void json_uint(struct json *, const char *key, uint64_t);
void json_bool(struct json *, const char *key, bool);
void json_null(struct json *, const char *key);
void json_text(struct json *, const char *key, const char *, size_t len);
void json_string(struct json *, const char *key, const char *);

/* Microseconds as milliseconds, and as seconds, with all their digits. */
void json_ms(struct json *, const char *key, uint64_t us);
void json_seconds(struct json *, const char *key, uint64_t us);

/* Ends a line at the top. */
void json_line(struct json *);

/* How many there were so far. */
unsigned json_lines(void);

#endif
