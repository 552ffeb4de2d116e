#include <assert.h>

#include "wire/frame.h"
#include "wire/layout.h"

size_t
frame_encode(const struct message *m, uint8_t *out, size_t size)
{
	size_t len;

	if (size <= FRAME_HEADER)
		return 0;
	len = message_encode(m, out + FRAME_HEADER, size - FRAME_HEADER);
	if (len == 0)
		return 0;
	assert(len <= MESSAGE_LEN_MAX);
	for (int i = 0; i < FRAME_HEADER; i++)
		out[i] = (uint8_t)(len >> 8 * (FRAME_HEADER - 1 - i));
	return FRAME_HEADER + len;
}

long
frame_decode(struct message *m, const uint8_t *data, size_t len)
{
	uint32_t size = 0;

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
	if (message_scan(data, size) != (long)size)
		return -1;
	message_fill(m, data, size);
	return FRAME_HEADER + (long)size;
}
