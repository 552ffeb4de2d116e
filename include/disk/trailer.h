#ifndef DISK_TRAILER_H
#define DISK_TRAILER_H

#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"

/*
 * The last TRAILER_LEN bytes of a stored file: magic, the encoded record, its
 * checksum, and whether it is acknowledged: one byte outside the checksum, so
 * that setting it can't be torn.
 */
enum { TRAILER_ACKNOWLEDGED = TRAILER_LEN - 9 };

void trailer_encode(const struct record *, uint8_t out[TRAILER_LEN]);

/* False: it is damaged. */
bool trailer_decode(struct record *, const uint8_t in[TRAILER_LEN]);

/*
 * Reads the trailer of the whole file fd. 0, EBADMSG if it is damaged or does
 * not fit the file's size, or another errno.
 */
int trailer_read(struct volume *, int fd, struct record *);

#endif
