#ifndef CLI_SAY_H
#define CLI_SAY_H

#include <stdbool.h>

/*
 * One line on standard error, `ringctl: ...`; control characters, as a file's
 * name may hold them, are shown as `?`.
 */
void complain(const char *, ...) __attribute__((format(printf, 1, 2)));

/* The same without `ringctl: `: what begins with FILE:LINE already. */
void complain_bare(const char *line);

/*
 * With --json a failure that has printed nothing else is an object too: the
 * last complaint.
 */
void complaint_json(const char *verb, int exit);

/* The same line of information; nothing when quiet. */
void inform(bool quiet, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints s on standard output with control characters as `?`. */
void put_text(const char *s);

/*
 * Flushes standard output. 0, or -1 after saying on standard error what went
 * wrong with anything printed so far.
 */
int output_flush(void);

/* Closed standard descriptors become ones that fail cleanly. */
void standard_descriptors(void);

#endif
