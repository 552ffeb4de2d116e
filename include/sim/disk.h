#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "ring/peer.h"

struct sim;
struct node;
struct item;

/* A disk, at the level of the core's actions: contents are numbers. */
enum {
	SIM_BITS_MAX = 8,
	SIM_SPACE_MAX = 1 << SIM_BITS_MAX,
	STORED_MAX = 64, /* names in one run, and so files on one disk */
	CONTENT_MIXED = 1, /* bytes of different contents: no digest fits */
	CONTENT_FIRST = 2,
};

/* Bytes of this content in which some have flipped. */
static const uint64_t CONTENT_DAMAGED = UINT64_C(1) << 63;

struct stored {
	struct record record;
	uint64_t content;
	bool damaged; /* at rest, and nobody has read it since */
};

/* What outlives a process. */
struct disk {
	uint32_t incarnation; /* 0: none */
	uint32_t synced_incarnation;
	unsigned wipes; /* how often it was lost */
	uint64_t lost_us; /* when it last lost or dropped anything */
	uint64_t wiped_us; /* when all of it was lost */
	bool power_lost; /* since it was last used */
	uint64_t power_us; /* when it last lost its power */
	uint64_t full_us, broken_us; /* until then most fails; MAX: all */
	uint64_t bad_us; /* the last such time, once healed */
	struct member view[SIM_SPACE_MAX]; /* written now and then */
	uint8_t met[SIM_SPACE_MAX / 8]; /* were in it once, and did not leave */
	uint8_t unmet[SIM_SPACE_MAX / 8]; /* were, until its power failed */
	unsigned view_count;
	struct stored files[STORED_MAX];
	unsigned file_count;
	struct stored
	    synced[STORED_MAX]; /* what a power loss leaves at least */
	unsigned synced_count;
	struct record lost[STORED_MAX]; /* found damaged, and set aside */
	unsigned lost_count;
};

/* An open file. Its bytes are have bytes of a content, known by number. */
struct file {
	struct file *next;
	uint32_t handle;
	enum { FILE_SOURCE, FILE_STORED, FILE_TEMP, FILE_TARGET } kind;
	uint64_t content, have;
	uint64_t read; /* digest known so far: bytes read in sequence */
	struct record record;
	uint64_t op; /* FILE_TARGET: the command whose path it is */
};

/* disk.c */
void disk_index(struct index *, struct node *);
uint64_t disk_arrived(void *ctx, uint32_t handle); /* ctx: the node */
void disk_act(struct sim *, struct node *, const struct action *);
void disk_done(struct sim *, struct item *);
void disk_save(struct node *);
/* Did its last process know members, or any, that it had not written down? */
bool disk_forgot(const struct sim *, const struct node *);
struct file *disk_handle(const struct node *, uint32_t handle);
void disk_write(
    struct file *, uint64_t offset, uint64_t content, uint64_t size);
void disk_close_all(struct node *);
struct digest content_digest(uint64_t content, uint64_t size);
struct stored *disk_find(struct node *, const struct name *);
/* The version or a later one, as it was written; NULL: not there. */
struct stored *disk_intact(
    struct node *, const struct name *, const struct version *);
/* disk_fault.c: all that was not flushed is lost, or not, or old. */
void disk_power_off(struct sim *, struct node *);
void disk_flush(struct node *); /* everything */
void disk_synced(struct node *, const struct name *);
bool disk_flushed(
    const struct node *, const struct name *, const struct version *);
/* Bytes of a stored content flip; something will find it some time. */
void disk_damage(struct sim *, struct node *, const struct name *);
/* A process begins: what recovery finds damaged, or the scrub will. */
void disk_recover(struct sim *, struct node *);
void disk_heal(struct sim *, struct node *);
bool disk_bad_since(const struct node *, uint64_t us);
uint64_t disk_bad_until(const struct node *);
/* Why an action fails now: an enum wire_error, or 0. */
unsigned disk_error(struct sim *, struct node *, const struct item *);
/* Sets a damaged content aside; false: there is none. */
bool disk_verify(struct node *, const struct record *);
void disk_forget_lost(struct node *, const struct record *);
void disk_remove(struct stored *list, unsigned *count, const struct name *);

#endif
