#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/log.h"

enum { LINE_MAX_BYTES = 2048 };

static struct {
	const char *name;
	enum log_level level;
	bool stamps;
	pid_t pid;
} state = {.name = "ringctl", .level = LOG_LEVEL_INFO};

void
log_init(const char *name, enum log_level level)
{
	assert(name != NULL);
	state.name = name;
	state.level = level;
	state.pid = getpid();
}

void
log_stamps(void)
{
	state.stamps = true;
}

static size_t
stamp(char *line, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(line + n, size - n, ".%06ldZ [%d] ",
	    now.tv_nsec / 1000, (int)getpid());
	return n;
}

/* One write: lines of several processes don't mix. */
static void
emit(int error, const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t used = 0, room = sizeof(line) - 1;
	int saved = errno, n;

	if (state.stamps)
		used = stamp(line, room);
	used += (size_t)snprintf(line + used, room - used, "%s: ", state.name);
	n = vsnprintf(line + used, room - used, format, args);
	if (n > 0)
		used += (size_t)n < room - used ? (size_t)n : room - used - 1;
	if (error != 0 && used < room) {
		n = snprintf(line + used, room - used, ": %s", strerror(error));
		used += (size_t)n < room - used ? (size_t)n : room - used - 1;
	}
	line[used++] = '\n';
	/* Nowhere is left to complain to when this fails. */
	if (write(STDERR_FILENO, line, used) == -1)
		errno = saved;
	errno = saved;
}

void
log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit(errno, format, args);
	va_end(args);
}

void
log_warnx(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit(0, format, args);
	va_end(args);
}

void
log_info(const char *format, ...)
{
	va_list args;

	if (state.level < LOG_LEVEL_INFO)
		return;
	va_start(args, format);
	emit(0, format, args);
	va_end(args);
}

/* A forked process must not run what its parent left for its own exit. */
static _Noreturn void
leave(void)
{
	if (state.pid != 0 && getpid() != state.pid)
		_exit(1);
	exit(1);
}

void
fatal(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit(errno, format, args);
	va_end(args);
	leave();
}
