#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "disk/trailer.h"

static const char magic[8] = {'R', 'I', 'N', 'G', 'F', 'I', 'L', '1'};

enum { SUM_AT = TRAILER_LEN - 8, RECORD_AT = sizeof(magic) };

static void
checksum(const uint8_t *data, uint8_t out[8])
{
	uint64_t sum = hash_bytes(data, TRAILER_ACKNOWLEDGED);

	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(sum >> (56 - 8 * i));
}

void
trailer_encode(const struct record *r, uint8_t out[TRAILER_LEN])
{
	struct message m;
	size_t len;

	m.type = MSG_found;
	m.found = (struct msg_found){.record = *r};
	m.found.record.acknowledged = 0;
	memset(out, 0, TRAILER_LEN);
	memcpy(out, magic, sizeof(magic));
	len = message_encode(
	    &m, out + RECORD_AT, TRAILER_ACKNOWLEDGED - RECORD_AT);
	assert(len > 0);
	out[TRAILER_ACKNOWLEDGED] = r->acknowledged != 0;
	checksum(out, out + SUM_AT);
}

bool
trailer_decode(struct record *r, const uint8_t in[TRAILER_LEN])
{
	struct message m;
	uint8_t sum[8];

	checksum(in, sum);
	if (memcmp(in, magic, sizeof(magic)) != 0 ||
	    memcmp(in + SUM_AT, sum, sizeof(sum)) != 0)
		return false;
	if (message_decode(
		&m, in + RECORD_AT, TRAILER_ACKNOWLEDGED - RECORD_AT) <= 0 ||
	    m.type != MSG_found)
		return false;
	*r = m.found.record;
	r->acknowledged = in[TRAILER_ACKNOWLEDGED] == 1;
	return true;
}

int
trailer_read(struct volume *v, int fd, struct record *r)
{
	uint8_t data[TRAILER_LEN];
	struct volume_stat st;
	uint64_t content;
	ssize_t n;

	if (v->stat(v, fd, &st) == -1)
		return errno;
	if (!st.regular || st.size < TRAILER_LEN)
		return EBADMSG;
	content = st.size - TRAILER_LEN;
	n = volume_read(v, fd, data, sizeof(data), content);
	if (n == -1)
		return errno;
	if (n != TRAILER_LEN || !trailer_decode(r, data))
		return EBADMSG;
	return (r->deleted ? 0 : r->size) == content ? 0 : EBADMSG;
}
