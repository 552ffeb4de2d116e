#ifndef PEER_HERE_H
#define PEER_HERE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Short calls that find what they need in the system's memory are made on the
 * loop: to hand them to a helper costs more. Should a disk hold one up all the
 * same, helpers make them all for a while.
 */
enum {
	HERE_SLOW_US = 1000, /* one that waited and took longer was held up */
	HERE_SHUN_US = 1000000, /* none is made for so long */
	HERE_BUFFER = 64 << 10, /* bytes lent to each */
};

struct here {
	uint64_t shun_us; /* until then none */
	long waits; /* of this thread, before the one under way */
	uint8_t *buffer; /* made at first use */
};

/* Whether one may be made: then its beginning, else 0. */
uint64_t here_begin(struct here *);
void here_end(struct here *, uint64_t began_us);
void here_free(struct here *);

#endif
