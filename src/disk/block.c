#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "disk/inside.h"

static const char magic[8] = {'R', 'I', 'N', 'G', 'J', 'N', 'L', '1'};

enum {
	KIND_AT = sizeof(magic),
	GENERATION_AT = KIND_AT + 1,
	AT_AT = GENERATION_AT + 4,
	BATCH_AT = AT_AT + 4,
	RECORD_AT = BATCH_AT + 4,
	SUM_AT = JOURNAL_BLOCK - 8,
};

static void
put_u32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t
get_u32(const uint8_t *in)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | in[i];
	return value;
}

static void
checksum(const uint8_t *block, uint8_t out[8])
{
	uint64_t sum = hash_bytes(block, BLOCK_ACKNOWLEDGED);

	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(sum >> (56 - 8 * i));
}

void
block_encode(const struct block *b, uint8_t out[JOURNAL_BLOCK])
{
	struct message m;
	size_t len = 1;

	/* Not all of the union: that is much. */
	m.type = MSG_found;
	m.found = (struct msg_found){.record = b->record};
	m.found.record.acknowledged = 0;
	memset(out, 0, JOURNAL_BLOCK);
	memcpy(out, magic, sizeof(magic));
	out[KIND_AT] = (uint8_t)b->kind;
	put_u32(out + GENERATION_AT, b->generation);
	put_u32(out + AT_AT, b->at);
	put_u32(out + BATCH_AT, b->batch);
	if (b->kind == BLOCK_STORE || b->kind == BLOCK_DROP)
		len = message_encode(
		    &m, out + RECORD_AT, BLOCK_ACKNOWLEDGED - RECORD_AT);
	assert(len > 0);
	out[BLOCK_ACKNOWLEDGED] = b->record.acknowledged != 0;
	checksum(out, out + SUM_AT);
}

bool
block_decode(struct block *b, const uint8_t in[JOURNAL_BLOCK], uint32_t at)
{
	struct message m;
	uint8_t sum[8];

	if (memcmp(in, magic, sizeof(magic)) != 0 || in[KIND_AT] > BLOCK_DROP ||
	    get_u32(in + AT_AT) != at)
		return false;
	checksum(in, sum);
	if (memcmp(in + SUM_AT, sum, sizeof(sum)) != 0)
		return false;
	*b = (struct block){.kind = in[KIND_AT],
	    .generation = get_u32(in + GENERATION_AT),
	    .at = at,
	    .batch = get_u32(in + BATCH_AT)};
	if (b->kind == BLOCK_FREE || b->kind == BLOCK_SEGMENT)
		return true;
	if (message_decode(
		&m, in + RECORD_AT, BLOCK_ACKNOWLEDGED - RECORD_AT) <= 0 ||
	    m.type != MSG_found ||
	    (b->kind == BLOCK_STORE && !m.found.record.deleted &&
		m.found.record.size > SMALL_MAX))
		return false;
	b->record = m.found.record;
	b->whole = in[BLOCK_ACKNOWLEDGED] == MARKED_LATER;
	b->record.acknowledged = in[BLOCK_ACKNOWLEDGED] == 1 || b->whole;
	return true;
}

uint32_t
block_span(const struct block *b)
{
	struct journal_item item = {
	    .record = &b->record, .drop = b->kind != BLOCK_STORE};

	return (uint32_t)journal_item_len(&item);
}
