#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

/*
 * A message on a stream or pipe is a frame: its length in four bytes,
 * big-endian, then that many bytes, which must be exactly one message.
 */
enum { FRAME_HEADER = 4, FRAME_LEN_MAX = FRAME_HEADER + MESSAGE_LEN_MAX };

/* Bytes written (header and message), or 0 if size is too small. */
size_t frame_encode(const struct message *, uint8_t *out, size_t size);

/*
 * Bytes consumed, 0: more are needed, -1: never a frame (too long, unknown
 * type, wrong length, bad field). m is written only when it is good.
 */
long frame_decode(struct message *m, const uint8_t *data, size_t len);

#endif
