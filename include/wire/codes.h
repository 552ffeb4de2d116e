#ifndef WIRE_CODES_H
#define WIRE_CODES_H

#include "wire/events.h"

/* What the one-byte fields of messages stand for. Never renumbered. */

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2, /* usage, config, or a name or identifier refused */
	EXIT_NO_RING = 3, /* no such ring up */
	EXIT_NO_PEER = 4, /* no such peer, or it is down */
	EXIT_TIMEOUT = 5,
	EXIT_UP_ALREADY = 6,
};

enum route {
	ROUTE_DIRECT,
	ROUTE_SUCCESSOR,
};

/* How a gossip message came to be, and what its receiver does with news. */
enum spread {
	SPREAD_BROADCAST, /* from its source to every member: kept */
	SPREAD_RELAY, /* passed on to a few that may lack it */
	SPREAD_EXCHANGE, /* repair of one view: news are relayed */
};

enum conn_role {
	CONN_LINK, /* standing: messages both ways */
	CONN_STREAM, /* one transfer: messages and raw bytes */
};

/* Which version a get asks for. */
enum exact {
	EXACT_NEWEST, /* the owner's answer */
	EXACT_VERSION, /* of a request that goes on elsewhere */
	EXACT_HELD, /* or a later acknowledged one: the owner said who has it */
	EXACT_COPY, /* as EXACT_VERSION, to be held there: no request */
};

/* A peer's own commands. */
enum command {
	COMMAND_NONE,
	COMMAND_STORE,
	COMMAND_REQUEST,
	COMMAND_REMOVE,
	COMMAND_FILES,
	COMMAND_RING,
	COMMAND_OWNER,
	COMMAND_PING,
	COMMAND_QUIT,
};

/* Why something was refused: wire_error_text() has the words. */
#define WIRE_ERRORS(E)                                                         \
	E(none, "", EXIT_DONE)                                                 \
	E(no_such_file, "no such file", EXIT_FAILED)                           \
	E(unavailable, "unavailable", EXIT_FAILED)                             \
	E(not_owner, "not the owner", EXIT_FAILED)                             \
	E(not_serving, "not serving yet", EXIT_FAILED)                         \
	E(duplicate, "identifier is in use", EXIT_FAILED)                      \
	E(busy, "busy", EXIT_FAILED)                                           \
	E(bad_name, "bad name", EXIT_USAGE)                                    \
	E(bad_source, "can't read", EXIT_FAILED)                               \
	E(bad_target, "can't write", EXIT_FAILED)                              \
	E(changed, "file changed while it was read", EXIT_FAILED)              \
	E(damaged, "content does not match its digest", EXIT_FAILED)           \
	E(disk, "disk failure", EXIT_FAILED)                                   \
	E(older, "a newer version is stored", EXIT_FAILED)                     \
	E(timeout, "timed out", EXIT_TIMEOUT)                                  \
	E(cancelled, "cancelled", EXIT_FAILED)                                 \
	E(leaving, "leaving", EXIT_FAILED)                                     \
	E(no_peer, "no such peer", EXIT_NO_PEER)                               \
	E(unreachable, "no answer", EXIT_FAILED)                               \
	E(system, "system failure", EXIT_FAILED)

enum wire_error {
#define E(name, text, status) ERROR_##name,
	WIRE_ERRORS(E)
#undef E
};

/* The words for an error, and the exit status that it means. */
const char *wire_error_text(unsigned error);
int wire_error_exit(unsigned error);

/* What a supervisor knows of a peer. A peer itself reports the first five. */
enum peer_state {
	PEER_STARTING,
	PEER_SYNCING,
	PEER_UP,
	PEER_LEAVING,
	PEER_LEFT,
	PEER_PAUSED,
	PEER_KILLED,
	PEER_FAILED,
	PEER_REMOTE,
};

const char *peer_state_text(unsigned state);

/* What a view says of a member: enum member_state. */
const char *member_state_text(unsigned state);

/* What a check finds: FINDINGS(K) calls K(kind, name in JSON). */
#define FINDINGS(K)                                                            \
	K(unknown, "unknown") /* a peer that could not be asked */             \
	K(view, "view") /* its view is not like the others', or not true */    \
	K(first, "first_successor")                                            \
	K(second, "second_successor")                                          \
	K(predecessor, "predecessor")                                          \
	K(missing, "missing") /* at peers, held by holders */                  \
	K(few, "short") /* at holders alone: peers can't write */              \
	K(stray, "stray") /* at peers, which are none of its holders */        \
	K(version, "version") /* older at peers than at holders */             \
	K(digest, "digest") /* the same version, but another content */        \
	K(lost, "lost") /* only on the disks of peers, which are down */       \
	K(outdated, "outdated") /* newer there than at holders */

enum finding_kind {
#define K(kind, name) FINDING_##kind,
	FINDINGS(K)
#undef K
};

const char *finding_name(unsigned kind);

/* How a call chooses peers. */
enum which {
	WHICH_NONE,
	WHICH_LIST,
	WHICH_ALL,
	WHICH_RANDOM,
};

enum call_flag {
	CALL_FOLLOW = 1, /* events, logs: go on until the client leaves */
	CALL_RANGE = 2, /* peers: those of a range that there are */
};

#endif
