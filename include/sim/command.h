#ifndef SIM_COMMAND_H
#define SIM_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"
#include "wire/message.h"

struct sim;
struct node;

/* The commands of one run, and what became of each. */
enum { COMMANDS_MAX = 1024, HOLDERS_KEPT = 32, NAMES_MAX = 64 };

struct command_log {
	uint8_t command; /* enum command */
	uint8_t name; /* position in names */
	uint8_t error;
	uint16_t key;
	const struct node *node;
	uint32_t process;
	uint64_t content, size; /* store: what; request: what came */
	uint64_t start_us, end_us;
	uint64_t delivered, delivered_size; /* in the target, renamed */
	uint64_t effect_us; /* it surely was in force; UINT64_MAX: not yet */
	struct version version; /* of its first commit anywhere */
	bool committed; /* there was one */
	bool marked; /* as acknowledged, heard of by its client or not */
	bool target; /* it was */
	bool begun; /* the core was told */
	bool done, cancelled, lost; /* lost: its process died */
	struct digest digest; /* of the reply */
	uint16_t owner;
	/* Named in the reply, or who took over from them. */
	uint16_t holders[HOLDERS_KEPT];
	unsigned wipes[HOLDERS_KEPT]; /* of their disks then */
	unsigned holder_count, lost_holders;
	unsigned set; /* least that had to hold it, by who was asked */
};

/* How a copy went. */
enum loss {
	LOSS_DROP, /* as the core wanted */
	LOSS_DISK, /* with its disk, or by flipped bits */
	LOSS_POWER, /* it was not flushed */
};

struct commands {
	struct command_log at[COMMANDS_MAX + 1]; /* from 1: the op */
	unsigned count;
	struct name names[NAMES_MAX];
	struct idset losers[NAMES_MAX]; /* through whom, by EVENT_superseded */
	unsigned name_count;
	uint64_t contents; /* handed out */
};

void commands_reset(struct sim *);

/* The op, or 0: no more in this run. size matters to a store only. */
uint64_t command_give(struct sim *, struct node *, unsigned command,
    unsigned name, uint64_t size);
uint64_t command_ask_owner(struct sim *, struct node *, unsigned key);
void command_cancel(struct sim *, uint64_t op);
void command_replied(struct sim *, struct node *, const struct msg_reply *);
void command_lost(struct sim *, const struct node *); /* a process ended */
/* A target of this op was renamed into place. */
void command_delivered(
    struct sim *, uint64_t op, uint64_t content, uint64_t size);
/* n drops its copy, or loses it: those that have it take over. */
void command_released(
    struct sim *, const struct node *n, const struct record *);
void command_copy_lost(
    struct sim *, const struct node *n, const struct record *, enum loss);
/* The version is in the store of n. */
void command_committed(
    struct sim *, const struct node *n, const struct record *);
/* A peer knows it to be acknowledged, if its client may not. */
void command_marked(struct sim *, const struct record *);
void command_superseded(struct sim *, const struct msg_event *);
/* Who has it on disk now are its holders too. */
void command_holders(struct sim *, struct command_log *);
bool commands_done(const struct sim *);

/* Size of a replica set, in its view. */
unsigned command_set(const struct sim *, const struct node *);
/* Its view, and so perhaps the least number since its commands began. */
void commands_view_changed(struct sim *, const struct node *);

/* history.c: may this answer be, after all that was? */
void history_check(struct sim *, struct command_log *);

/* At rest: a request of every name at a random peer, then what came of it. */
void command_request_all(struct sim *);
/* Of requests since that op. */
void command_check_files(struct sim *, unsigned first);

/* Q3: is each name at its right holders, in one version, and nowhere else? */
bool content_placed(struct sim *);
void content_check_places(struct sim *);

#endif
