#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "super/config.h"
#include "wire/codes.h"

static const char name[] = "fuzz.conf";

struct sink {
	struct config_sink sink;
	unsigned errors;
};

/* FILE:LINE: what: why, on one line. */
static void
on_error(struct config_sink *s, const char *text)
{
	struct sink *sink = (struct sink *)(void *)s;
	const char *at = text + sizeof(name);
	unsigned long line;
	char *end;

	assert(strncmp(text, name, sizeof(name) - 1) == 0);
	assert(text[sizeof(name) - 1] == ':');
	line = strtoul(at, &end, 10);
	assert(end > at && line > 0);
	assert(strncmp(end, ": ", 2) == 0 && end[2] != '\0');
	for (; *text != '\0'; text++)
		assert((unsigned char)*text >= ' ' && *text != 0x7f);
	sink->errors++;
}

static int
parse(const void *data, size_t len, struct config *c)
{
	struct sink sink = {.sink = {.error = on_error}};
	FILE *f = len > 0 ? fmemopen((void *)(uintptr_t)data, len, "r")
			  : fopen("/dev/null", "r");
	int rc;

	assert(f != NULL);
	rc = config_parse(f, name, c, &sink.sink);
	fclose(f);
	assert(rc == 0 || rc == -1);
	assert((rc == -1) == (sink.errors > 0));
	assert(sink.errors <= CONFIG_ERRORS_MAX + 1);
	return rc;
}

static void
check_bounds(const struct config *c)
{
	struct why why;
	int id = -1;

	assert(ring_name_check(c->ring, &why) == 0);
	assert(c->bits >= 1 && c->bits <= BITS_MAX);
	assert(c->port >= 1024 && c->port + (1 << c->bits) <= 65536);
	assert(c->copies >= 1 && c->copies <= COPIES_MAX);
	assert(c->route == ROUTE_DIRECT || c->route == ROUTE_SUCCESSOR);
	assert(c->restart == RESTART_NEVER || c->restart == RESTART_ON_FAILURE);
	assert(c->ping_ms <= PING_MS_MAX);
	assert(idset_count(&c->peers) > 0);
	while ((id = idset_next(&c->peers, (unsigned)(id + 1))) != -1) {
		assert(id < 1 << c->bits);
		assert(config_ping(c, (unsigned)id) <= PING_MS_MAX);
	}
}

/* The canonical form reads back as the same config and prints the same. */
static void
check_reads_back(const struct config *c)
{
	static struct config back;
	char *first, *second;
	size_t first_len, second_len;
	FILE *f = open_memstream(&first, &first_len);

	assert(f != NULL);
	config_print(c, f);
	fclose(f);
	assert(parse(first, first_len, &back) == 0);
	assert(same(&back, c, sizeof(back)));
	f = open_memstream(&second, &second_len);
	assert(f != NULL);
	config_print(&back, f);
	fclose(f);
	assert(first_len == second_len);
	assert(memcmp(first, second, first_len) == 0);
	free(first);
	free(second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct config c;

	if (parse(data, len, &c) == 0) {
		assert(memchr(data, '\0', len) == NULL);
		check_bounds(&c);
		check_reads_back(&c);
	}
	return 0;
}
