#include <string.h>

#include "peer/auth.h"
#include "unit.h"

static struct secret key;

static int
setup(void **state)
{
	(void)state;
	memset(&key, 0x11, sizeof(key));
	return auth_init();
}

static void
datagrams_are_whole_and_ours(void **state)
{
	uint8_t data[100], mac[DATAGRAM_MAC_LEN];
	struct secret other = key;

	(void)state;
	memset(data, 7, sizeof(data));
	auth_datagram(&key, data, sizeof(data), mac);
	assert_true(auth_datagram_good(&key, data, sizeof(data), mac));
	assert_false(auth_datagram_good(&key, data, sizeof(data) - 1, mac));
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] ^= 0x80;
		assert_false(auth_datagram_good(&key, data, sizeof(data), mac));
		data[i] ^= 0x80;
	}
	for (size_t i = 0; i < sizeof(mac); i++) {
		mac[i] ^= 1;
		assert_false(auth_datagram_good(&key, data, sizeof(data), mac));
		mac[i] ^= 1;
	}
	other.bytes[SECRET_LEN - 1] ^= 1;
	assert_false(auth_datagram_good(&other, data, sizeof(data), mac));
}

static void
nonces_differ(void **state)
{
	struct secret a, b;

	(void)state;
	auth_nonce(&a);
	auth_nonce(&b);
	assert_false(auth_equal(&a, &b));
	b = a;
	assert_true(auth_equal(&a, &b));
	b.bytes[SECRET_LEN - 1] ^= 1;
	assert_false(auth_equal(&a, &b));
}

static const struct party connector = {4, 2, {0x7f000001, 12004}, {{1}}};
static const struct party acceptor = {8, 3, {0x7f000001, 12008}, {{2}}};
static struct secret proof;

static void
differs(const struct secret *k, char side, uint8_t role,
    const struct party *from, const struct party *to)
{
	struct secret other;

	auth_proof(k, side, role, from, to, &other);
	assert_false(auth_equal(&proof, &other));
}

/* A proof is good for this connection, in this direction, and nothing else. */
static void
proofs_are_bound(void **state)
{
	struct party p;
	struct secret other = key;

	(void)state;
	auth_proof(&key, 'A', 0, &connector, &acceptor, &proof);
	differs(&key, 'C', 0, &connector, &acceptor);
	differs(&key, 'A', 1, &connector, &acceptor);
	differs(&key, 'A', 0, &acceptor, &connector);
	other.bytes[0] ^= 1;
	differs(&other, 'A', 0, &connector, &acceptor);
	for (int i = 0; i < 5; i++) {
		p = connector;
		p.id ^= i == 0;
		p.incarnation ^= i == 1;
		p.addr.ip ^= i == 2;
		p.addr.port ^= i == 3;
		p.nonce.bytes[SECRET_LEN - 1] ^= i == 4;
		differs(&key, 'A', 0, &p, &acceptor);
		p = acceptor;
		p.id ^= i == 0;
		p.incarnation ^= i == 1;
		p.addr.ip ^= i == 2;
		p.addr.port ^= i == 3;
		p.nonce.bytes[SECRET_LEN - 1] ^= i == 4;
		differs(&key, 'A', 0, &connector, &p);
	}
}

/* Which ring it is: its key file, port base and size. */
static void
rings_differ(void **state)
{
	struct secret a, b, other = key;

	(void)state;
	other.bytes[0] ^= 1;
	auth_ring_key(&a, &key, 12000, 8);
	assert_false(auth_equal(&a, &key));
	auth_ring_key(&b, &key, 12000, 8);
	assert_true(auth_equal(&a, &b));
	auth_ring_key(&b, &key, 12001, 8);
	assert_false(auth_equal(&a, &b));
	auth_ring_key(&b, &key, 12000, 9);
	assert_false(auth_equal(&a, &b));
	auth_ring_key(&b, &other, 12000, 8);
	assert_false(auth_equal(&a, &b));
}

#define AUTH_TEST(f) cmocka_unit_test_setup(f, setup)

UNIT_MAIN(AUTH_TEST(datagrams_are_whole_and_ours), AUTH_TEST(nonces_differ),
    AUTH_TEST(proofs_are_bound), AUTH_TEST(rings_differ))
