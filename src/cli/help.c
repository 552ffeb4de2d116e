#include <stdio.h>
#include <string.h>

#include "cli/json.h"
#include "cli/say.h"
#include "cli/verbs.h"

static const char usage_line[] =
    "usage: ringctl [-c RING] [--json] [-q] [--timeout SECONDS] VERB [PEERS] "
    "[ARGS]\n";

static void
row_print(const struct command_info *info)
{
	char left[80];

	snprintf(left, sizeof(left), "%s %s", info->word, info->syntax);
	/* A long one has a line of its own. */
	if (strlen(left) > 26)
		printf("  %s\n  %-26s  %s\n", left, "", info->help);
	else
		printf("  %-26s  %s\n", left, info->help);
}

void
help_short(void)
{
	fprintf(stderr,
	    "%s\n"
	    "  ringctl up conf/ring.conf   start a ring of peers\n"
	    "  ringctl status              see how it is\n"
	    "  ringctl store 2067          store the file 2067 or 2067.*\n"
	    "  ringctl request 2067        fetch it as received_2067\n"
	    "  ringctl kill 8              end a peer without a word\n"
	    "  ringctl down                stop the ring\n"
	    "\n"
	    "`ringctl help` lists all verbs, `ringctl help VERB` tells more.\n",
	    usage_line);
}

static void
help_all(void)
{
	const struct command_info *info;

	printf("%s\nVerbs:\n", usage_line);
	for (info = command_table; info->word; info++) {
		if (info->verb != VERB_NONE)
			row_print(info);
	}
	printf("\nA peer's own commands, for exec:\n");
	for (info = command_table; info->word; info++) {
		if (info->command != COMMAND_NONE)
			row_print(info);
	}
	printf("\n"
	       "PEERS: 8, or 4-20,30, or all, or random.\n"
	       "-c RING       which ring; without it, the only one up\n"
	       "--json        JSON, one object a line\n"
	       "-q            say nothing when all went well\n"
	       "--timeout S   wait so many seconds at most\n"
	       "Exit status: 0 done, 1 failed, 2 usage or config, 3 no such "
	       "ring up,\n"
	       "4 no such peer or it is down, 5 timed out, 6 already up.\n");
}

static void
help_json(void)
{
	const struct command_info *info;
	struct json j = {false};

	for (info = command_table; info->word; info++) {
		json_open(&j, NULL, '{');
		json_string(&j, "word", info->word);
		json_bool(&j, "verb", info->verb != VERB_NONE);
		json_bool(&j, "command", info->command != COMMAND_NONE);
		json_string(&j, "syntax", info->syntax);
		json_string(&j, "help", info->help);
		json_close(&j, '}');
		json_line(&j);
	}
}

static void
help_row(const struct command_info *info)
{
	const char *line = info->more;

	printf("usage: ringctl %s%s%s%s\n\n%s\n",
	    info->verb == VERB_NONE ? "exec PEERS " : "", info->word,
	    info->syntax[0] ? " " : "", info->syntax, info->help);
	if (line[0] != '\n')
		putchar('\n');
	fputs(line, stdout);
	if (info->verb == VERB_EXEC) {
		putchar('\n');
		for (info = command_table; info->word; info++) {
			if (info->command != COMMAND_NONE)
				row_print(info);
		}
	}
}

int
verb_help(const struct options *o)
{
	const struct command_info *info;
	const char *word;

	if (o->json) {
		help_json();
		return EXIT_DONE;
	}
	if (o->arg_count == 0) {
		help_all();
		return EXIT_DONE;
	}
	word = o->args[0];
	info = command_find(word, strlen(word), false);
	if (!info)
		info = command_find(word, strlen(word), true);
	if (!info) {
		info = verb_guess(word);
		complain("help %s: no such verb%s%s%s", word,
		    info ? "; did you mean " : "", info ? info->word : "",
		    info ? "?" : "; `ringctl help` lists them");
		return EXIT_USAGE;
	}
	help_row(info);
	return EXIT_DONE;
}
