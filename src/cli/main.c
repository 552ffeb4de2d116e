#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <bsd/unistd.h>

#include "cli/options.h"
#include "cli/say.h"
#include "cli/verbs.h"
#include "os/log.h"

static const char version[] = "ringctl 0.1";

static int
run(struct options *o, int argc, char **argv)
{
	if (options_parse(o, argc, argv) != 0)
		return EXIT_USAGE;
	if (o->version) {
		puts(version);
		return EXIT_DONE;
	}
	if (o->help) {
		struct options help = *o;

		/* `ringctl VERB --help` is `ringctl help VERB`. */
		help.arg_count = o->verb ? 1 : 0;
		help.args[0] = o->verb ? o->verb->word : NULL;
		return verb_help(&help);
	}
	if (!o->verb) {
		help_short();
		return EXIT_USAGE;
	}
	return verb_run(o);
}

int
main(int argc, char **argv, char **environment)
{
	struct options options = {0};
	int status;

	standard_descriptors();
	setproctitle_init(argc, argv, environment);
	log_init("ringctl", LOG_LEVEL_INFO);
	/* A closed pipe is an error to report, not a silent end. */
	signal(SIGPIPE, SIG_IGN);
	status = run(&options, argc, argv);
	if (options.json && status != EXIT_DONE)
		complaint_json(
		    options.verb ? options.verb->word : NULL, status);
	if (output_flush() != 0 && status == EXIT_DONE)
		status = EXIT_FAILED;
	return status;
}
