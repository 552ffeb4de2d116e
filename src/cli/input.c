#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/input.h"

void
input_open(struct input *in)
{
	struct stat st;

	memset(in, 0, sizeof(*in));
	in->terminal = isatty(STDIN_FILENO) == 1;
	in->fd = -1;
	/*
	 * Opened again it can be non-blocking for us alone: a line that poll
	 * has seen may be somebody else's by the time it is read.
	 */
	if (fstat(STDIN_FILENO, &st) == 0 && !S_ISREG(st.st_mode))
		in->fd = open("/proc/self/fd/0",
		    O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (in->fd == -1)
		in->fd = STDIN_FILENO;
}

void
input_close(struct input *in)
{
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	in->fd = -1;
}

void
input_fill(struct input *in, uint64_t now_us)
{
	ssize_t n;

	assert(in->fd != -1 && in->end < sizeof(in->data));
	n = read(in->fd, in->data + in->end, sizeof(in->data) - in->end);
	if (n > 0)
		in->end += (size_t)n;
	else if (in->terminal)
		in->again_us = now_us + INPUT_AGAIN_US;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		input_close(in);
}

/* Where the line at the start ends, its newline included; 0: not yet. */
static size_t
line_end(const struct input *in)
{
	const char *from = in->data + in->start;
	const char *end = memchr(from, '\n', in->end - in->start);

	if (end)
		return (size_t)(end - from) + 1;
	/* The last one needs no newline. */
	return in->fd == -1 ? in->end - in->start : 0;
}

static void
make_room(struct input *in)
{
	memmove(in->data, in->data + in->start, in->end - in->start);
	in->end -= in->start;
	in->start = 0;
}

int
input_next(struct input *in, const char **line, size_t *len)
{
	size_t end;

	while ((end = line_end(in)) > 0) {
		bool skipped = in->skipping;

		*line = in->data + in->start;
		in->start += end;
		in->skipping = false;
		if (skipped)
			continue;
		*len = end - ((*line)[end - 1] == '\n');
		if (*len > 0 && (*line)[*len - 1] == '\r')
			--*len;
		return 1;
	}
	make_room(in);
	if (in->end < sizeof(in->data))
		return 0;
	in->end = 0;
	if (in->skipping)
		return 0;
	in->skipping = true;
	return -1;
}
