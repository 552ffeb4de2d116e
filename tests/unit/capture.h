#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdio.h>
#include <unistd.h>

/* Standard output (fd 1) or error (fd 2) of one piece of a test. */
struct capture {
	int fd, saved;
	char text[4096];
};

static inline void
capture_begin(struct capture *c, int fd)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	fflush(stdout);
	c->fd = fd;
	c->saved = dup(fd);
	assert_int_equal(dup2(fileno(f), fd), fd);
	fclose(f);
}

/* Ends it; what was written. */
static inline const char *
capture_end(struct capture *c)
{
	ssize_t n;

	fflush(stdout);
	n = pread(c->fd, c->text, sizeof(c->text) - 1, 0);
	dup2(c->saved, c->fd);
	close(c->saved);
	assert_true(n >= 0);
	c->text[n] = '\0';
	return c->text;
}

#endif
