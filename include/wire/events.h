#ifndef WIRE_EVENTS_H
#define WIRE_EVENTS_H

#include <stdbool.h>

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
 * and copies are the supervisor's own; their peer is the one concerned.
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
	E(trouble, EVENT_REASON, "")                                           \
	E(neighbour, EVENT_ABOUT | EVENT_OTHER | EVENT_VALUE | EVENT_REASON,   \
	    "second")                                                          \
	E(superseded, EVENT_ABOUT | EVENT_OTHER | EVENT_NAME, "")              \
	E(copies, EVENT_VALUE | EVENT_REASON, "files")

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

/* Is it of a file, of which there are many, and not of the ring? */
bool event_kind_is_traffic(unsigned kind);

#endif
