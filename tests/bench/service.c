#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

enum { LINE = 1024, WORDS_MAX = 40, LOOK_MS = 20 };

/* "3.4.23" of any line that a program says of its version. */
static void
version_of(const char *line, char *out, size_t size)
{
	const char *at = strpbrk(line, "0123456789");

	(void)snprintf(out, size, "%.*s",
	    at != NULL ? (int)strcspn(at, " \n") : 0, at != NULL ? at : "");
}

bool
service_find(struct service *s, const char *name, const char *program)
{
	char line[LINE], note[NOTE_LEN_MAX];
	FILE *from;

	*s = (struct service){.name = name, .program = program};
	(void)snprintf(line, sizeof(line), "%s --version 2>/dev/null", program);
	from = popen(line, "r");
	/* All of it, or the program may fail over the rest. */
	while (from != NULL && fgets(line, sizeof(line), from) != NULL) {
		if (s->version[0] == '\0')
			version_of(line, s->version, sizeof(s->version));
	}
	if (from == NULL || pclose(from) != 0 || s->version[0] == '\0') {
		(void)snprintf(note, sizeof(note),
		    "%s is not installed: its rows are skipped", name);
		report_note(note);
		return false;
	}
	return true;
}

static void
become(const char *folder, char *line)
{
	char *words[WORDS_MAX + 1] = {NULL};
	int log;

	for (size_t i = 0; i < WORDS_MAX && line != NULL; i++)
		words[i] = strsep(&line, " ");
	log = open("/dev/null", O_RDONLY);
	if (chdir(folder) != 0 || dup2(log, STDIN_FILENO) == -1)
		_exit(126);
	log = open("log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (log == -1 || dup2(log, STDOUT_FILENO) == -1 ||
	    dup2(log, STDERR_FILENO) == -1)
		_exit(126);
	(void)execvp(words[0], words);
	_exit(127);
}

void
service_start(struct service *s, unsigned i, const char *format, ...)
{
	char folder[WHAT_LEN_MAX], line[LINE];
	va_list args;
	int n;

	(void)snprintf(folder, sizeof(folder), "%s%u", s->name, i);
	n = snprintf(line, sizeof(line), "%s ", s->program);
	va_start(args, format);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
	va_end(args);
	if ((size_t)n >= sizeof(line) || mkdir(folder, 0700) != 0)
		err(1, "%s", folder);
	s->pids[i] = child_fork();
	if (s->pids[i] == 0)
		become(folder, line);
}

void
service_wait(const struct service *s)
{
	char command[WHAT_LEN_MAX];

	for (unsigned i = 0; i < SERVICE_COPIES; i++) {
		if (s->pids[i] == 0 ||
		    waitpid(s->pids[i], NULL, WNOHANG) != s->pids[i])
			continue;
		(void)snprintf(
		    command, sizeof(command), "tail -n 3 %s%u/log", s->name, i);
		(void)command_ms(command, "/dev/stderr");
		errx(1, "%s has ended", s->name);
	}
	sleep_ms(LOOK_MS);
}

void
service_stop(struct service *s)
{
	char command[WHAT_LEN_MAX];

	for (unsigned i = 0; i < SERVICE_COPIES; i++) {
		if (s->pids[i] == 0)
			continue;
		child_end(s->pids[i]);
		s->pids[i] = 0;
		(void)snprintf(
		    command, sizeof(command), "rm -rf %s%u", s->name, i);
		(void)command_ms(command, "/dev/null");
	}
}
