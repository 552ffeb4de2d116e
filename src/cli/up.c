#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/rings.h"
#include "cli/say.h"
#include "cli/verbs.h"
#include "os/log.h"
#include "os/paths.h"
#include "super/up.h"

static void
config_error(struct config_sink *sink, const char *text)
{
	(void)sink;
	complain_bare(text);
}

int
config_read(struct config *config, const struct options *o, const char *file,
    bool resolved, bool peerless)
{
	struct config_sink sink = {.error = config_error, .peerless = peerless};
	struct why why;

	if (config_load(file, config, &sink) != 0)
		return EXIT_USAGE;
	if (resolved && config_resolve(config, file, &why) != 0) {
		complain("%s: %s", file, why.text);
		return EXIT_USAGE;
	}
	if (o->ring && strcmp(o->ring, config->ring) != 0) {
		complain(
		    "-c %s: %s is of ring %s", o->ring, file, config->ring);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static int
check(const struct options *o, const struct config *config)
{
	struct msg_result result = {.exit = EXIT_DONE};

	if (!o->json) {
		if (!o->quiet)
			config_print(config, stdout);
		return EXIT_DONE;
	}
	for (int id = idset_next(&config->peers, 0); id != -1;
	     id = id + 1 < SPACE_MAX
		      ? idset_next(&config->peers, (unsigned)id + 1)
		      : -1)
		result.ids.at[result.ids.count++] = (uint16_t)id;
	result_print(o, config->ring, &result);
	return EXIT_DONE;
}

int
verb_up(const struct options *o)
{
	static struct config config;
	struct up_options how = {
	    .foreground = (o->flags & OPTION_FOREGROUND) != 0,
	    .timeout_ms = verb_timeout_ms(o)};
	static struct msg_result result;
	bool only_check = (o->flags & OPTION_CHECK) != 0;
	int status = config_read(&config, o, o->args[0], !only_check, false);

	if (status != EXIT_DONE)
		return status;
	if (only_check)
		return check(o, &config);
	log_init("ringctl", o->quiet ? LOG_LEVEL_WARN : LOG_LEVEL_INFO);
	status = super_up(&config, &how, &result);
	result_print(o, config.ring, &result);
	return status;
}

/* The ring's name and its data folder: of FILE, or of -c. */
static int
wipe_which(const struct options *o, char ring[RING_NAME_MAX + 1],
    struct path_buf *data)
{
	static struct config config;
	struct why why;
	int status, failed;

	if (o->arg_count == 0 && !o->ring) {
		complain("wipe: of which ring? Name its config file, or -c "
			 "NAME");
		return EXIT_USAGE;
	}
	if (o->arg_count) {
		status = config_read(&config, o, o->args[0], true, true);
		if (status != EXIT_DONE)
			return status;
		snprintf(ring, RING_NAME_MAX + 1, "%s", config.ring);
	} else {
		if (ring_name_check(o->ring, &why) != 0) {
			complain("-c %s: %s", o->ring, why.text);
			return EXIT_USAGE;
		}
		snprintf(ring, RING_NAME_MAX + 1, "%s", o->ring);
	}
	if (o->arg_count)
		failed = config_data(&config, data, &why);
	else
		failed = paths_data(data, ring, &why);
	if (failed)
		complain("%s", why.text);
	return failed ? EXIT_FAILED : EXIT_DONE;
}

static bool
answered_yes(const char *ring, const char *what)
{
	char line[16];

	fprintf(stderr, "ring %s: remove %s? [y/N] ", ring, what);
	fflush(stderr);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	return line[0] == 'y' || line[0] == 'Y';
}

int
verb_wipe(const struct options *o)
{
	static struct msg_result result;
	char ring[RING_NAME_MAX + 1], what[PATH_LEN_MAX + 64];
	struct path_buf data;
	struct why why;
	uint64_t files = 0, bytes = 0;
	int status = wipe_which(o, ring, &data);

	if (status != EXIT_DONE)
		return status;
	if (super_wipe(data.text, false, &files, &bytes, &why) != 0) {
		complain("ring %s: %s", ring, why.text);
		return EXIT_FAILED;
	}
	snprintf(what, sizeof(what),
	    "%s with %llu record%s of files (%llu bytes)", data.text,
	    (unsigned long long)files, files == 1 ? "" : "s",
	    (unsigned long long)bytes);
	if (!(o->flags & OPTION_YES)) {
		if (!isatty(STDIN_FILENO)) {
			complain("ring %s: --yes would remove %s", ring, what);
			return EXIT_USAGE;
		}
		if (!answered_yes(ring, what)) {
			complain("ring %s: nothing was removed", ring);
			return EXIT_FAILED;
		}
	}
	if (super_wipe(data.text, true, NULL, NULL, &why) != 0) {
		complain("ring %s: %s", ring, why.text);
		return EXIT_FAILED;
	}
	memset(&result, 0, sizeof(result));
	text_add(&result.text, "removed ");
	text_add(&result.text, what);
	result_print(o, ring, &result);
	return EXIT_DONE;
}
