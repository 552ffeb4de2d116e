#ifndef CLI_RINGS_H
#define CLI_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/client.h"
#include "cli/options.h"

/* Names in alphabetical order. */
struct names {
	size_t count;
	char (*at)[64];
};

/* Rings of this user that have a socket, up or not. 0, or -1 with why. */
int rings_find(struct names *, struct why *);
void names_free(struct names *);

/*
 * Connects to the ring that -c names, or else to the only one that is up.
 * EXIT_DONE; otherwise the reason was said and the exit status is returned.
 */
int ring_open(struct client *, const struct options *);

/* The same, but says nothing of it when no such ring is up. */
int ring_open_if_up(struct client *, const struct options *);

/* Is that what errno says after client_open? */
bool ring_is_down(int error);

/* For how long a call of this verb may take. */
uint32_t verb_timeout_ms(const struct options *);

#endif
