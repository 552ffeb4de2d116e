#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

/*
 * A message on a stream or pipe is a frame: its length in four bytes,
 * big-endian, then that many bytes, which must be exactly one message and, for
 * a give or bring, the content of its record.
 */
enum { FRAME_HEADER = 4, FRAME_LEN_MAX = FRAME_HEADER + MESSAGE_LEN_MAX };

/* Bytes of content that follow m in its frame; more than SMALL_MAX: never. */
uint64_t frame_content(const struct message *m);

/* Writes the header of a frame of len bytes, which follow. */
void frame_header(uint8_t out[FRAME_HEADER], size_t len);

/*
 * Bytes written (header and message; content has to follow), or 0 if size is
 * too small.
 */
size_t frame_encode(const struct message *, uint8_t *out, size_t size);

/*
 * Bytes consumed, 0: more are needed, -1: never a frame (too long, unknown
 * type, wrong length, bad field). m is written only when it is good. The last
 * frame_content(m) bytes of those consumed are the content.
 */
long frame_decode(struct message *m, const uint8_t *data, size_t len);

#endif
