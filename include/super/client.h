#ifndef SUPER_CLIENT_H
#define SUPER_CLIENT_H

#include "super/call.h"
#include "super/super.h"

/* A client of the control socket and the call it has under way. */
struct client {
	struct client *next;
	struct super *super;
	int fd;
	struct source source;
	struct inlet inlet;
	struct outlet outlet;
	bool gone; /* freed at the end of the turn */
	bool ahead; /* calls again before it has its result */
	uint64_t idle_us; /* since when nothing is asked */

	bool busy; /* with call, until its result */
	struct msg_call call;
	const struct verb_row *row;
	uint64_t serial; /* of the call */
	uint64_t began_us; /* or when its signal was sent */
	struct timer timer;
	struct idset waiting; /* peers that have not answered */
	struct idset sent; /* commands or signals: to those */
	struct idset done;
	struct idset probed; /* peers asked for a sign of life */
	uint64_t probed_us;
	int exit; /* the worst so far */
	char trouble[TEXT_LEN_MAX + 1]; /* the first */
	bool down, ready; /* wait: for that */
	uint64_t whole_us; /* kill: the ring was, after so long; 0: not yet */
	uint64_t held; /* kill: the most files that one of them had */
	uint64_t lacked; /* kill: files short of a copy before it */
	uint64_t orphans; /* kill: files that only the killed held */
	struct check *check; /* check: what was found so far, or NULL */
	bool reading; /* events, logs: reader is open */
	bool behind; /* there may be more to read than was sent */
	struct journal_reader reader;
};

/* One row for each verb that the socket carries; any but begin may be NULL. */
struct verb_row {
	enum verb verb;
	bool early; /* also while the ring starts or goes down */
	void (*begin)(struct client *); /* checks and starts the call */
	void (*settle)(struct client *); /* something changed: is it done? */
	void (*expire)(struct client *); /* the time is over */
	void (*cancel)(struct client *); /* the client has left */
};

/* Ended by one without begin. */
extern const struct verb_row verb_rows[];

/* control.c */
void control_accept(struct source *, uint32_t events);
void control_accept_again(struct timer *);
void control_settle(struct super *); /* something changed */
void control_pump(struct super *); /* the journals grew */
void control_turn(struct super *); /* writes, reads on, frees */
void control_end(struct super *); /* last words to everybody */
void client_send(struct client *, const struct message *);
void client_drop(struct client *);

/* call.c: shared by the verbs. */
void call_begin(struct client *, const struct msg_call *);
void call_end(struct client *); /* the ring is down */
void call_fire(struct timer *);
void call_arm(struct client *, uint32_t default_ms);

/* Which of two exit statuses tells more. */
int call_worse(int a, int b);

/* One peer's share is done: a `reply` with the text. */
void call_answer(struct client *, unsigned id, enum wire_error, const char *,
    ...) __attribute__((format(printf, 4, 5)));

/* The result; what went wrong at single peers is added to the text. */
void call_finish(struct client *, int exit, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Fills waiting with the peers that the call names; those that it can't be
 * done to are answered. false: the call has its result already.
 */
bool call_pick(struct client *, bool (*fits)(const struct child *));

/* A peer's `reply` to a call, or to nobody any more. */
void call_reply(struct super *, struct child *, struct message *);
uint64_t call_op(const struct client *, unsigned id);

/* `peer 8` or `peers 4-5`; returns out. */
const char *call_names(const struct idset *, char *out, size_t size);

/* For each peer that the call still waits for. */
#define EACH_WAITING(c, id)                                                    \
	for (int id = idset_next(&(c)->waiting, 0); id != -1;                  \
	     id = idset_next(&(c)->waiting, (unsigned)id + 1))

/* kill.c */
void verb_kill_begin(struct client *), verb_kill_settle(struct client *);
void verb_kill_expire(struct client *);

/* verb.c: processes */
void verb_signal(struct client *, int signal); /* to those it waits for */
void verb_start_begin(struct client *), verb_start_settle(struct client *);
void verb_pause_begin(struct client *), verb_pause_settle(struct client *);
void verb_resume_begin(struct client *), verb_resume_settle(struct client *);
void verb_quit_begin(struct client *), verb_quit_settle(struct client *);
void verb_quit_reply(struct client *, struct child *, const struct message *);
void verb_peers_expire(struct client *);

/* join.c */
void verb_join_begin(struct client *), verb_join_settle(struct client *);
void verb_join_expire(struct client *), verb_join_cancel(struct client *);
/* What the newcomer says of it, before it is up: goes on to the client. */
void verb_join_route(struct super *, struct child *, struct message *);
void join_check(struct super *); /* newcomers that are up, or failed */

/* exec.c */
void verb_exec_begin(struct client *), verb_exec_settle(struct client *);
void verb_exec_expire(struct client *), verb_exec_cancel(struct client *);
void verb_exec_reply(struct client *, struct child *, struct message *);

/* check.c */
void verb_check_begin(struct client *), verb_check_settle(struct client *);
void verb_check_expire(struct client *); /* verdict.c */
void check_free(struct client *);
void check_drained(struct client *); /* the client has read all */
/* A peer's `members` or `records`. */
void check_message(
    struct super *, const struct child *, const struct message *);
void check_child_starts(struct super *, unsigned id); /* its disk is its own */

/* ask.c */
void verb_status_begin(struct client *), verb_down_begin(struct client *);
void verb_wait_begin(struct client *), verb_wait_settle(struct client *);
void verb_wait_expire(struct client *);
void verb_stream_begin(struct client *), stream_pump(struct client *);

#endif
