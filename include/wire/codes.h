#ifndef WIRE_CODES_H
#define WIRE_CODES_H

/* What the one-byte fields of messages stand for. Never renumbered. */

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,   /* usage, config, or a name or identifier refused */
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
	SPREAD_RELAY,     /* passed on to a few that may lack it */
	SPREAD_EXCHANGE,  /* repair of one view: news are relayed */
};

enum conn_role {
	CONN_LINK,   /* standing: messages both ways */
	CONN_STREAM, /* one transfer: messages and raw bytes */
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

/* How a call chooses peers. */
enum which {
	WHICH_NONE,
	WHICH_LIST,
	WHICH_ALL,
	WHICH_RANDOM,
};

enum call_flag {
	CALL_FOLLOW = 1, /* events, logs: go on until the client leaves */
};

/* What an event says, besides who and when. */
enum event_field {
	EVENT_ABOUT = 1,
	EVENT_OTHER = 2,
	EVENT_INCARNATION = 4,
	EVENT_VALUE = 8,
	EVENT_NAME = 16,
	EVENT_REASON = 32,
};

/*
 * EVENTS(E) calls E(kind, fields, name of value in JSON or ""). The first rows
 * are the supervisor's own; their peer is the one concerned.
 */
#define EVENTS(E)                                                              \
	E(forked, EVENT_VALUE, "pid")                                          \
	E(killed, EVENT_VALUE, "signal")                                       \
	E(exited, EVENT_VALUE, "status")                                       \
	E(paused, 0, "")                                                       \
	E(resumed, 0, "")                                                      \
	E(whole, EVENT_VALUE, "peers")                                         \
	E(broken, EVENT_REASON, "")                                            \
	E(started, EVENT_INCARNATION, "")                                      \
	E(serving, EVENT_INCARNATION, "")                                      \
	E(syncing, EVENT_INCARNATION, "")                                      \
	E(member, EVENT_ABOUT | EVENT_INCARNATION, "")                         \
	E(suspect, EVENT_ABOUT | EVENT_INCARNATION | EVENT_REASON, "")         \
	E(dead, EVENT_ABOUT | EVENT_INCARNATION | EVENT_REASON, "")            \
	E(leaving, EVENT_ABOUT | EVENT_INCARNATION, "")                        \
	E(left, EVENT_ABOUT | EVENT_INCARNATION, "")                           \
	E(refuted, EVENT_INCARNATION | EVENT_REASON, "")                       \
	E(successors, EVENT_ABOUT | EVENT_OTHER, "")                           \
	E(predecessor, EVENT_ABOUT, "")                                        \
	E(join_asked, EVENT_ABOUT, "")                                         \
	E(join_forwarded, EVENT_ABOUT | EVENT_OTHER, "")                       \
	E(admitted, EVENT_ABOUT | EVENT_INCARNATION, "")                       \
	E(joined, EVENT_ABOUT, "")                                             \
	E(ping_sent, EVENT_ABOUT | EVENT_OTHER, "")                            \
	E(ping_received, EVENT_ABOUT, "")                                      \
	E(pong_received, EVENT_ABOUT, "")                                      \
	E(lookup_forwarded, EVENT_ABOUT | EVENT_OTHER | EVENT_NAME, "")        \
	E(store_accepted, EVENT_ABOUT | EVENT_NAME, "")                        \
	E(stored, EVENT_NAME | EVENT_VALUE, "bytes")                           \
	E(removed, EVENT_NAME, "")                                             \
	E(request_sent, EVENT_ABOUT | EVENT_NAME, "")                          \
	E(sending, EVENT_ABOUT | EVENT_NAME, "")                               \
	E(sent, EVENT_ABOUT | EVENT_NAME, "")                                  \
	E(receiving, EVENT_ABOUT | EVENT_NAME, "")                             \
	E(received, EVENT_ABOUT | EVENT_NAME | EVENT_VALUE, "bytes")           \
	E(missing, EVENT_ABOUT | EVENT_NAME, "")                               \
	E(copied, EVENT_ABOUT | EVENT_NAME | EVENT_VALUE, "bytes")             \
	E(released, EVENT_ABOUT | EVENT_NAME, "")                              \
	E(damaged, EVENT_NAME | EVENT_REASON, "")                              \
	E(synced, EVENT_ABOUT, "")                                             \
	E(disk, EVENT_REASON, "")                                              \
	E(trouble, EVENT_REASON, "")

enum event_kind {
#define E(kind, fields, value) EVENT_##kind,
	EVENTS(E)
#undef E
	EVENT_KINDS,
};

/* The kind's name, its fields, its value's name; kind < EVENT_KINDS. */
const char *event_kind_name(unsigned kind);
unsigned event_kind_fields(unsigned kind);
const char *event_kind_value(unsigned kind);

#endif
