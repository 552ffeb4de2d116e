#include <sys/stat.h>

#include <string.h>

#include "folder.h"
#include "super/config.h"
#include "super/set.h"
#include "unit.h"
#include "wire/codes.h"

static struct config config;

/* The errors of one reading, a line each. */
static struct {
	struct config_sink sink;
	unsigned count;
	char text[8192];
} said;

static void
on_error(struct config_sink *s, const char *text)
{
	size_t used = strlen(said.text);

	assert_ptr_equal(s, &said.sink);
	said.count++;
	snprintf(said.text + used, sizeof(said.text) - used, "%s\n", text);
}

static bool peerless;

static int
parse_bytes(const char *text, size_t len)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, len, "r");
	int rc;

	memset(&said, 0, sizeof(said));
	said.sink.error = on_error;
	said.sink.peerless = peerless;
	assert_non_null(f);
	rc = config_parse(f, "ring.conf", &config, &said.sink);
	fclose(f);
	assert_int_equal(rc, said.count > 0 ? -1 : 0);
	return rc;
}

static void
good(const char *text)
{
	if (parse_bytes(text, strlen(text)) != 0)
		fail_msg("%s: %s", text, said.text);
}

static void
bad(const char *text, const char *errors)
{
	if (parse_bytes(text, strlen(text)) == 0)
		fail_msg("%s: accepted", text);
	assert_string_equal(said.text, errors);
}

static void
exercise(void **state)
{
	(void)state;
	good("# conf/ring.conf\n"
	     "ring lab\nport 13000\nping auto\ncopies 2\nsync no\n"
	     "peer 2 4 5 8 9 14 19\n");
	assert_string_equal(config.ring, "lab");
	assert_int_equal(config.port, 13000);
	assert_int_equal(config.bits, 8);
	assert_int_equal(config.copies, 2);
	assert_false(config.sync);
	assert_int_equal(config.ping_ms, 0);
	assert_int_equal(idset_count(&config.peers), 7);
	assert_true(idset_has(&config.peers, 19));
}

static void
defaults(void **state)
{
	(void)state;
	good("peer 0\n");
	assert_int_equal(config.port, PORT_DEFAULT);
	assert_int_equal(config.bits, BITS_DEFAULT);
	assert_int_equal(config.copies, COPIES_DEFAULT);
	assert_int_equal(config.route, ROUTE_DIRECT);
	assert_int_equal(config.restart, RESTART_NEVER);
	assert_true(config.sync);
	assert_false(config.any_names);
	assert_false(config.log_pings);
}

static void
lines_that_go_on(void **state)
{
	(void)state;
	good("peer 1 \\\n 2\\\n\n# no \\\nbits 5\n");
	assert_int_equal(idset_count(&config.peers), 2);
	assert_int_equal(config.bits, 5);
	good("peer 1\ndata /a\\\\\nkey /k\n");
	assert_string_equal(config.data, "/a\\");
	assert_string_equal(config.key, "/k");
}

static void
every_directive(void **state)
{
	(void)state;
	good("ring lab-2.x_y\nport 20000\nbits 10\nnames any\n"
	     "route successor\nping 50ms\ncopies 16\nsync no\nscrub 100K\n"
	     "data /tmp/a b\\#c\nkey ../k\nrestart on-failure\nlog pings\n"
	     "peer 1-3,30 40 ping 30s\npeer 1023 # the last\n");
	assert_int_equal(config.bits, 10);
	assert_true(config.any_names);
	assert_int_equal(config.route, ROUTE_SUCCESSOR);
	assert_int_equal(config.restart, RESTART_ON_FAILURE);
	assert_true(config.log_pings);
	assert_int_equal(config.scrub, 100 * 1024);
	assert_string_equal(config.data, "/tmp/a b#c");
	assert_string_equal(config.key, "../k");
	assert_int_equal(idset_count(&config.peers), 6);
	assert_int_equal(config_ping(&config, 2), 30000);
	assert_int_equal(config_ping(&config, 40), 30000);
	assert_int_equal(config_ping(&config, 1023), 50);
}

static void
bits_may_come_last(void **state)
{
	(void)state;
	good("port 61440\npeer 4095\nbits 12\n");
	assert_true(idset_has(&config.peers, 4095));
	bad("port 61441\npeer 4095\nbits 12\n",
	    "ring.conf:1: port 61441: not in 1024..61440 (65536 - 2^bits)\n");
}

static void
errors_name_file_and_line(void **state)
{
	(void)state;
	bad("peer 1\npeer 256\n", "ring.conf:2: peer 256: not in 0..255\n");
	bad("peer -1\n", "ring.conf:1: peer -1: not in 0..255\n");
	bad("peer x\n", "ring.conf:1: peer x: not in 0..255\n");
	bad("peer 4\n\npeer 4\n",
	    "ring.conf:3: peer 4: given before, in line 1\n");
	bad("peer 4 5 4\n", "ring.conf:1: peer 4: given twice in line 1\n");
	bad("peers 4\npeer 5\n",
	    "ring.conf:1: peers: no such directive; did you mean peer?\n");
	bad("colour red\npeer 5\n", "ring.conf:1: colour: no such directive\n");
	good("peer 1\nscrub no\n");
	assert_int_equal(config.scrub, 0);
	bad("scrub 63K\npeer 5\n",
	    "ring.conf:1: scrub 63K: not no or 64K..1G, bytes a second, as in "
	    "4M\n");
	bad("scrub 2G\npeer 5\n",
	    "ring.conf:1: scrub 2G: not no or 64K..1G, bytes a second, as in "
	    "4M\n");
	bad("scrub fast\npeer 5\n",
	    "ring.conf:1: scrub fast: not no or 64K..1G, bytes a second, as in "
	    "4M\n");
	bad("sync maybe\npeer 5\n", "ring.conf:1: sync maybe: not yes or no\n");
	bad("port 65281\npeer 5\n",
	    "ring.conf:1: port 65281: not in 1024..65280 "
	    "(65536 - 2^bits)\n");
	bad("ping 30\npeer 5\n",
	    "ring.conf:1: ping 30: needs a unit: ms, s, m or h, as in 30s\n");
	bad("ping 2h\npeer 5\n", "ring.conf:1: ping 2h: not auto or 1ms..1h\n");
	bad("ring a\nring b\npeer 5\n",
	    "ring.conf:2: ring: said before, in line 1\n");
	bad("peer 5\nport\n",
	    "ring.conf:2: port: needs a value: port 1024..65536 - 2^bits\n");
}

static void
all_errors_are_reported(void **state)
{
	char many[4096] = "";

	(void)state;
	bad("copies 17\npeer 300\nbits 13\n",
	    "ring.conf:1: copies 17: not in 1..16\n"
	    "ring.conf:2: peer 300: not in 0..255\n"
	    "ring.conf:3: bits 13: not in 1..12\n");
	for (size_t i = 0; i < 800; i++)
		many[i] = "x y\n"[i % 4];
	assert_int_equal(parse_bytes(many, strlen(many)), -1);
	assert_in_range(said.count, CONFIG_ERRORS_MAX, CONFIG_ERRORS_MAX + 1);
}

static void
what_is_no_config(void **state)
{
	(void)state;
	bad("ring lab\n", "ring.conf:1: no peer: say which there are, as in: "
			  "peer 2 4 5 8\n");
	peerless = true;
	assert_int_equal(parse_bytes("ring lab\n", 9), 0);
	assert_string_equal(config.ring, "lab");
	peerless = false;
	assert_int_equal(parse_bytes("peer 1\npeer\0 2\n", 15), -1);
	assert_non_null(strstr(said.text, "ring.conf:2: a NUL byte"));
	bad("ring \x1b[31m\npeer 1\n",
	    "ring.conf:1: ring ?[31m: a ring's name is 1 to 63 letters, "
	    "digits, '-', '_' and '.', no '.' first\n");
}

static void
canonical_form_reads_back(void **state)
{
	static struct config first;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	good(
	    "peer 1 5 ping 2s\nkey /k\\#\\\\ey\npeer 3\nping 90s\nlog pings\n");
	first = config;
	assert_non_null(f);
	config_print(&config, f);
	fclose(f);
	assert_non_null(strstr(text, "\nkey /k\\#\\\\ey\n"));
	assert_non_null(strstr(text, "\npeer 1 5 ping 2s\n"));
	good(text);
	assert_memory_equal(&config, &first, sizeof(config));
	free(text);
}

static void
only_regular_files_are_loaded(void **state)
{
	struct folder folder;
	char path[300];

	(void)state;
	assert_int_equal(folder_make(&folder), 0);
	memset(&said, 0, sizeof(said));
	said.sink.error = on_error;
	assert_int_equal(config_load(folder.path, &config, &said.sink), -1);
	assert_non_null(strstr(said.text, "folder"));
	snprintf(path, sizeof(path), "%s/fifo", folder.path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(config_load(path, &config, &said.sink), -1);
	assert_non_null(strstr(said.text, "/fifo: not a regular file"));
	snprintf(path, sizeof(path), "%s/none", folder.path);
	assert_int_equal(config_load(path, &config, &said.sink), -1);
	assert_non_null(strstr(said.text, "/none: No such file"));
	assert_int_equal(folder_remove(&folder), 0);
}

static void
sets_and_times_are_printed(void **state)
{
	struct idset set = {{0}};
	char out[64];

	(void)state;
	assert_string_equal(set_print(&set, out, sizeof(out)), "");
	idset_add(&set, 30);
	assert_string_equal(set_print(&set, out, sizeof(out)), "30");
	for (unsigned id = 4; id <= 20; id++)
		idset_add(&set, id);
	idset_add(&set, 4095);
	assert_string_equal(set_print(&set, out, sizeof(out)), "4-20,30,4095");
	assert_string_equal(set_print(&set, out, 8), "4-20...");
	assert_string_equal(ping_print(0, out, sizeof(out)), "auto");
	assert_string_equal(ping_print(50, out, sizeof(out)), "50ms");
	assert_string_equal(ping_print(1500, out, sizeof(out)), "1500ms");
	assert_string_equal(ping_print(90000, out, sizeof(out)), "90s");
	assert_string_equal(ping_print(3600000, out, sizeof(out)), "1h");
}

UNIT_MAIN(TEST(exercise), TEST(defaults), TEST(every_directive),
    TEST(lines_that_go_on), TEST(bits_may_come_last),
    TEST(errors_name_file_and_line), TEST(all_errors_are_reported),
    TEST(what_is_no_config), TEST(canonical_form_reads_back),
    TEST(only_regular_files_are_loaded), TEST(sets_and_times_are_printed))
