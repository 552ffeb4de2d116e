#include <assert.h>
#include <stdbool.h>

#include "wire/frame.h"
#include "wire/layout.h"

_Static_assert(SMALL_MAX <= MESSAGE_LEN_MAX / 2, "a frame has room for it");

uint64_t
frame_content(const struct message *m)
{
	const struct record *r;

	if (m->type == MSG_give)
		r = &m->give.record;
	else if (m->type == MSG_bring)
		r = &m->bring.record;
	else
		return 0;
	return r->deleted ? 0 : r->size;
}

void
frame_header(uint8_t out[FRAME_HEADER], size_t len)
{
	assert(len > 0 && len <= MESSAGE_LEN_MAX);
	for (int i = 0; i < FRAME_HEADER; i++)
		out[i] = (uint8_t)(len >> 8 * (FRAME_HEADER - 1 - i));
}

size_t
frame_encode(const struct message *m, uint8_t *out, size_t size)
{
	uint64_t content = frame_content(m);
	size_t len;

	assert(content <= SMALL_MAX);
	if (size <= FRAME_HEADER)
		return 0;
	len = message_encode(m, out + FRAME_HEADER, size - FRAME_HEADER);
	if (len == 0)
		return 0;
	frame_header(out, len + content);
	return FRAME_HEADER + len;
}

/* The message and its content fill all of size bytes. */
static bool
fill_with_content(
    struct message *m, const uint8_t *data, size_t len, size_t size)
{
	struct message probe;

	message_fill(&probe, data, len);
	if (frame_content(&probe) != size - len || size - len > SMALL_MAX)
		return false;
	*m = probe;
	return true;
}

long
frame_decode(struct message *m, const uint8_t *data, size_t len)
{
	uint32_t size = 0;
	long used;

	/* What is missing counts as zeros: see take_uint() in message.c. */
	for (size_t i = 0; i < FRAME_HEADER; i++)
		size = size << 8 | (i < len ? data[i] : 0u);
	if (size > MESSAGE_LEN_MAX)
		return -1;
	if (len < FRAME_HEADER)
		return 0;
	if (size == 0)
		return -1;
	data += FRAME_HEADER;
	len -= FRAME_HEADER;
	/* No scan of a part: it would cost the square of a long frame. */
	if (len > 0 && message_name(data[0]) == NULL)
		return -1;
	if (len < size)
		return 0;
	used = message_scan(data, size);
	if (used == (long)size && data[0] != MSG_give && data[0] != MSG_bring)
		message_fill(m, data, size);
	else if (used <= 0 || (data[0] != MSG_give && data[0] != MSG_bring) ||
		 !fill_with_content(m, data, (size_t)used, size))
		return -1;
	return FRAME_HEADER + (long)size;
}
