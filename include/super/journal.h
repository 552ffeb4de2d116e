#ifndef SUPER_JOURNAL_H
#define SUPER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/why.h"
#include "wire/message.h"

/*
 * What a ring's processes said, on disk: frames of `event` (or `line`)
 * messages in DATA/journal/events.N (lines.N), N counting up; the oldest
 * files are removed. Damage costs the rest of its file only.
 */
enum {
	JOURNAL_FILE_MAX = 4 << 20, /* bytes; then the next file begins */
	JOURNAL_FILES = 8, /* kept of each kind */
	JOURNAL_BUFFER = 256 << 10, /* bytes waiting to be written */
};

enum journal_kind {
	JOURNAL_EVENTS,
	JOURNAL_LINES,
};

struct journal {
	char dir[PATH_LEN_MAX + 1];
	enum journal_kind kind;
	int fd;
	unsigned long number; /* of the file being written */
	uint64_t size; /* bytes in it */
	uint64_t lost; /* messages that could not be written */
	size_t used;
	uint8_t *buffer;
};

/* Opens it for appending, in DATA/journal. 0, or -1 with why. */
int journal_open(
    struct journal *, const char *data, enum journal_kind, struct why *);
void journal_close(struct journal *);

/* Appends a message to the buffer; full: writes it first. */
void journal_append(struct journal *, const struct message *);

/* Writes what is buffered. Returns whether there was anything. */
bool journal_flush(struct journal *);

/* A reader may run beside the writer, in another process. */
struct journal_reader {
	char dir[PATH_LEN_MAX + 1];
	enum journal_kind kind;
	int fd;
	unsigned long number;
	off_t at; /* of the next byte to read from the file */
	size_t start, end; /* what was read and not yet returned */
	uint8_t *buffer;
};

/* At the oldest message. 0 (also when nothing is stored), or -1 with why. */
int journal_reader_open(
    struct journal_reader *, const char *data, enum journal_kind, struct why *);

/*
 * The next message, in the order in which they came: 1. 0: no more for now
 * (later calls may find some). -1 with errno: what is stored can't be read. A
 * file that was removed before it was read is skipped.
 */
int journal_read(struct journal_reader *, struct message *);
void journal_reader_close(struct journal_reader *);

#endif
