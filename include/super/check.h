#ifndef SUPER_CHECK_H
#define SUPER_CHECK_H

#include "super/client.h"
#include "super/verify.h"

/*
 * Is the ring right? The inside of check. It is looked at in passes: each asks
 * every live peer for its view, then for its records, a page at a time, in the
 * order of keys and names, so that what is held in memory does not grow with
 * the number of files. What two passes in a row find is so.
 */
enum {
	CHECK_REST_US = 5000000, /* what heals within this is no violation */
	CHECK_PAUSE_US = 200000, /* between passes */
	CHECK_ANSWER_US = 2000000, /* for a live peer to answer */
};

enum check_phase {
	CHECK_WAITING, /* for its turn: one at a time */
	CHECK_PAUSED, /* until the next pass */
	CHECK_REFERENCE, /* one peer is asked for its view */
	CHECK_VIEWS, /* so are the others */
	CHECK_FILES,
	CHECK_TELLING, /* the client reads what was found */
};

/* A live peer, or the disk of one that is down, which a process reads. */
struct witness {
	struct check *check;
	uint16_t id;
	bool down;
	uint64_t op; /* what it was asked last */
	bool asked; /* and has not answered */

	uint64_t hash; /* of its view */
	unsigned upto; /* entries below are compared */
	unsigned differs; /* entries that are not as the reference has them */
	struct text difference; /* the first */

	pid_t pid; /* of the reader */
	int to_fd, from_fd;
	struct source from;
	struct inlet inlet;
	bool opened;

	bool over; /* no records follow */
	uint16_t key; /* of the page */
	unsigned at; /* the next of the page */
	struct records page;
};

struct check {
	struct super *super;
	struct client *client;
	enum check_phase phase;
	uint64_t since_us; /* its turn came */
	struct timer timer;
	struct witness *all[SPACE_MAX]; /* by identifier, count of them */
	unsigned count;
	struct idset silent; /* live peers that did not answer */
	struct idset unread; /* of all: down, and their disks can't be read */
	uint16_t reference; /* whose view the others' are compared with */
	struct member view[SPACE_MAX]; /* its view */
	struct situation situation;
	struct findings found, before; /* of this pass and the one before */
	bool compared; /* there was one before */
	uint64_t files, copies; /* of this pass */
	char why[TEXT_LEN_MAX + 1]; /* it could not be completed */
	bool all_told; /* not only what was found before, too */
	size_t told, number; /* bytes of found, and how many */
	struct msg_verdict verdict;
	int exit;
};

/* check.c */
struct witness *check_witness(const struct check *, unsigned id);
/* The ring moves: this pass is no good; another one follows. */
void check_again(struct check *, const char *why, ...)
    __attribute__((format(printf, 2, 3)));
/* All witnesses have said all. */
void check_passed(struct check *);
/* Waits a while for who was asked. */
void check_await(struct check *);
/* No more is asked: peers may start on their disks, the next may begin. */
void check_leave(struct check *);
unsigned check_live(const struct check *); /* live witnesses */

/* verdict.c: all: of what this pass found; else only what the last did, too */
void verdict_reach(struct check *, bool all);
void verdict_tell(struct check *); /* on: as much as the client reads */

/* views.c */
void views_ask(struct check *); /* the reference */
void views_members(
    struct check *, struct witness *, const struct msg_members *);
/* All views are there: what is wrong with them and the neighbours. */
void views_judge(struct check *);

/* witness.c */
struct witness *witness_new(struct check *, unsigned id, bool down);
void witness_free(struct witness *);
/* Its next records; or none will follow: its disk can't be read. */
void witness_ask_records(struct witness *);
void witness_ask_members(struct witness *);

/* files.c: goes on as far as it can with what has come. */
void files_begin(struct check *);
void files_records(struct witness *, const struct msg_records *);

#endif
