#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "peer/auth.h"

enum { PARTY_LEN = 2 + 4 + 4 + 2 + SECRET_LEN, PROOF_LEN = 2 + 2 * PARTY_LEN };

static const char label[] = "ringctl";

enum { LABEL_LEN = sizeof(label) - 1 };

int
auth_init(void)
{
	return sodium_init() == -1 ? -1 : 0;
}

void
auth_nonce(struct secret *nonce)
{
	randombytes_buf(nonce->bytes, sizeof(nonce->bytes));
}

static void
keyed_hash(const struct secret *key, const uint8_t *data, size_t len,
    uint8_t *mac, size_t mac_len)
{
	int rc = crypto_generichash(
	    mac, mac_len, data, len, key->bytes, sizeof(key->bytes));

	assert(rc == 0);
}

static uint8_t *
put(uint8_t *out, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		*out++ = (uint8_t)(value >> (8 * i));
	return out;
}

void
auth_ring_key(struct secret *out, const struct secret *shared,
    uint16_t port_base, uint8_t bits)
{
	uint8_t data[LABEL_LEN + 3], *end = data + LABEL_LEN;

	memcpy(data, label, LABEL_LEN);
	end = put(end, port_base, 2);
	end = put(end, bits, 1);
	assert(end == data + sizeof(data));
	keyed_hash(shared, data, sizeof(data), out->bytes, sizeof(out->bytes));
}

void
auth_datagram(const struct secret *key, const uint8_t *data, size_t len,
    uint8_t mac[DATAGRAM_MAC_LEN])
{
	keyed_hash(key, data, len, mac, DATAGRAM_MAC_LEN);
}

bool
auth_datagram_good(const struct secret *key, const uint8_t *data, size_t len,
    const uint8_t mac[DATAGRAM_MAC_LEN])
{
	uint8_t want[DATAGRAM_MAC_LEN];

	keyed_hash(key, data, len, want, sizeof(want));
	return sodium_memcmp(want, mac, sizeof(want)) == 0;
}

static uint8_t *
put_party(uint8_t *out, const struct party *p)
{
	out = put(out, p->id, 2);
	out = put(out, p->incarnation, 4);
	out = put(out, p->addr.ip, 4);
	out = put(out, p->addr.port, 2);
	memcpy(out, p->nonce.bytes, SECRET_LEN);
	return out + SECRET_LEN;
}

void
auth_proof(const struct secret *key, char side, uint8_t role,
    const struct party *connector, const struct party *acceptor,
    struct secret *mac)
{
	uint8_t data[PROOF_LEN], *end = data;

	assert(side == 'A' || side == 'C');
	end = put(end, (uint8_t)side, 1);
	end = put(end, role, 1);
	end = put_party(end, connector);
	end = put_party(end, acceptor);
	assert(end == data + sizeof(data));
	keyed_hash(key, data, sizeof(data), mac->bytes, sizeof(mac->bytes));
}

bool
auth_equal(const struct secret *a, const struct secret *b)
{
	return sodium_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
