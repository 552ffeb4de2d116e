#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "disk/damage.h"
#include "disk/recover.h"
#include "sim/volume.h"

/* What one run of the exerciser has done, and what must therefore be true. */
enum {
	MODEL_NAMES = 8,
	MODEL_VERSIONS = 2048, /* of one run, in all names */
	MODEL_LEN_MAX = SMALL_MAX + 4000,
	MODEL_SEGMENT_LEN = 72 << 10,
	MODEL_STEP = 8 << 10,
};

struct model_name {
	unsigned stored; /* the version that the index has; 0: none */
	unsigned acked; /* what was acknowledged last; 0: nothing, or dropped */
	unsigned dropped; /* nothing up to this one may be there... */
	bool loose; /* ...unless the power was cut since */
	bool excused; /* reported as damaged */
	unsigned found; /* by the last scan */
};

struct model {
	struct virtual_volume *volume;
	struct disk disk;
	struct random random;
	struct disk_scan scan;
	struct journal_loss loss;
	bool sync, trace, failed;
	bool trouble; /* a read failed, or a bit flipped, in this run */
	bool flipped; /* in the journal, since the last start */
	bool bad; /* damage of which it can't be said whose it was */
	uint64_t seed;
	struct model_name names[MODEL_NAMES];
	unsigned versions; /* the last one; they are made in this order */
	uint8_t owner[MODEL_VERSIONS + 1]; /* name */
	uint16_t size[MODEL_VERSIONS + 1];
	bool deleted[MODEL_VERSIONS + 1];
	uint8_t buffer[DISK_BUFFER];
	uint8_t content[4][MODEL_LEN_MAX]; /* of a batch */
	uint8_t scratch[MODEL_LEN_MAX];
};

void model_fail(struct model *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void model_say(struct model *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A version: its record, and its content in out (MODEL_LEN_MAX bytes). */
unsigned model_new(struct model *, unsigned name);
struct record model_record(struct model *, unsigned version, uint8_t *out);
unsigned model_key(const struct name *);

/* Starts on what is on the volume, until that works; checks what is there. */
void model_start(struct model *, bool faults);

/* The process ends, by itself or by a fault; with power: what was not safe. */
void model_crash(struct model *, bool power);

/* Reads the stored version of a name, and compares. */
void model_read(struct model *, unsigned name);

#endif
