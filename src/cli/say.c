#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/say.h"

enum { LINE_MAX_LEN = 8192 };

static char last[LINE_MAX_LEN]; /* complaint */

static int failed; /* the error of a write to standard output */

static char
printable(char c)
{
	unsigned char u = (unsigned char)c;

	return u < 0x20 || u == 0x7f ? '?' : c;
}

static void
say(const char *prefix, const char *line)
{
	/* What was printed before comes before on a terminal too. */
	if (fflush(stdout) != 0)
		failed = errno;
	fprintf(stderr, "%s", prefix);
	for (; *line; line++)
		fputc(printable(*line), stderr);
	fputc('\n', stderr);
}

void
complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last, sizeof(last), format, args);
	va_end(args);
	say("ringctl: ", last);
}

void
complain_bare(const char *line)
{
	snprintf(last, sizeof(last), "%s", line);
	say("", line);
}

void
inform(bool quiet, const char *format, ...)
{
	char line[LINE_MAX_LEN];
	va_list args;

	if (quiet)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	say("", line);
}

void
complaint_json(const char *verb, int exit)
{
	struct json j = {false};

	if (json_lines() > 0)
		return;
	json_open(&j, NULL, '{');
	if (verb)
		json_string(&j, "verb", verb);
	json_bool(&j, "ok", false);
	json_uint(&j, "exit", (uint64_t)exit);
	json_string(&j, "error", last);
	json_close(&j, '}');
	json_line(&j);
}

void
put_text(const char *s)
{
	for (; *s; s++)
		putchar(printable(*s));
}

int
output_flush(void)
{
	static bool said;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	if (errno == 0)
		errno = failed;
	if (!said)
		fprintf(stderr, "ringctl: standard output: %s\n",
		    errno ? strerror(errno) : "a write failed");
	said = true;
	return -1;
}

void
standard_descriptors(void)
{
	/*
	 * Else a socket would become descriptor 1 and get what is printed.
	 * What was closed still can't be read, or printed to.
	 */
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};

	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
			continue;
		if (open("/dev/null", modes[fd]) != fd)
			_Exit(1);
	}
}
