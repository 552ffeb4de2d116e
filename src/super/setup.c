#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#include "super/setup.h"

enum { LOOPBACK = 0x7f000001 };

void
setup_init(struct peer_setup *setup, const struct config *config, unsigned id,
    const char *data, const uint8_t key[SECRET_LEN])
{
	*setup = (struct peer_setup){.id = (uint16_t)id,
	    .bits = config->bits,
	    .copies = config->copies,
	    .route = config->route,
	    .any_names = config->any_names,
	    .sync = config->sync,
	    .scrub = config->scrub,
	    .log_pings = config->log_pings,
	    .port = config->port,
	    .host_ip = LOOPBACK,
	    .join_through = -1,
	    .in = -1,
	    .out = -1};
	strlcpy(setup->ring, config->ring, sizeof(setup->ring));
	snprintf(setup->data, sizeof(setup->data), "%.*s/%u", PATH_LEN_MAX - 8,
	    data, id);
	memcpy(setup->key.bytes, key, sizeof(setup->key.bytes));
}

struct member
setup_contact(const struct config *config, unsigned id)
{
	return (struct member){.id = (uint16_t)id,
	    .addr = {.ip = LOOPBACK, .port = (uint16_t)(config->port + id)}};
}
