#ifndef SUPER_SETUP_H
#define SUPER_SETUP_H

#include "peer/run.h"
#include "super/config.h"

/*
 * What a peer is told: all that the config of its ring says. data: the ring's
 * folder. Not set: its interval, its contacts, the pipes. It joins nobody.
 */
void setup_init(struct peer_setup *, const struct config *, unsigned id,
    const char *data, const uint8_t key[SECRET_LEN]);

/* A peer where the config has it: on this machine. */
struct member setup_contact(const struct config *, unsigned id);

#endif
