#ifndef PEER_AUTH_H
#define PEER_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

/* Keyed BLAKE2b (libsodium): who lacks the ring's key is not listened to. */
enum { DATAGRAM_MAC_LEN = 16 };

/* One end of a connection, as its handshake presents it. */
struct party {
	uint16_t id;
	uint32_t incarnation;
	struct addr addr; /* its listener */
	struct secret nonce;
};

/* Before all else; 0, or -1: the system gives no random bytes. */
int auth_init(void);

/*
 * The key of one ring's datagrams and handshakes: rings that share a key file
 * differ by their port base or bits, and so don't understand each other.
 */
void auth_ring_key(struct secret *out, const struct secret *shared,
    uint16_t port_base, uint8_t bits);

void auth_nonce(struct secret *);

void auth_datagram(const struct secret *key, const uint8_t *data, size_t len,
    uint8_t mac[DATAGRAM_MAC_LEN]);
bool auth_datagram_good(const struct secret *key, const uint8_t *data,
    size_t len, const uint8_t mac[DATAGRAM_MAC_LEN]);

/*
 * The proof that one end gives: side is 'A' for the acceptor, 'C' for the
 * connector; role is enum conn_role. Whoever is not the hello's target gives
 * none, so that the acceptor's identifier also stands for the target.
 */
void auth_proof(const struct secret *key, char side, uint8_t role,
    const struct party *connector, const struct party *acceptor,
    struct secret *mac);
bool auth_equal(const struct secret *, const struct secret *);

#endif
