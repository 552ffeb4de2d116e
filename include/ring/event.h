#ifndef RING_EVENT_H
#define RING_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"
#include "wire/codes.h"
#include "wire/message.h"

/* What a driver hands to the core: one event a step (ring/peer.h). */

enum { CONN_INBOUND = 1u << 30 }; /* in a handle that the driver picked */

enum close_reason {
	CLOSE_REFUSED, /* nobody listens there, or it was ourselves */
	CLOSE_HANGUP, /* end of file or reset */
	CLOSE_TIMEOUT, /* no connection or no handshake in time */
	CLOSE_REJECTED, /* wrong key, wrong identifier, garbage */
	CLOSE_LOCAL, /* no descriptor or memory here */
};

enum event_type {
	EV_TICK, /* the deadline came, or nothing else to say */
	EV_DATAGRAM, /* from, incarnation, addr, message */
	EV_UNREACHABLE, /* addr: a datagram to it was refused */
	EV_CONN_OPEN, /* conn, role, from, incarnation, addr (its listener) */
	EV_CONN_CLOSED, /* conn, reason; also instead of EV_CONN_OPEN */
	EV_CONN_STALLED, /* conn: bytes wait, and none moved for STALL_US */
	EV_MESSAGE, /* conn, message; digest of the content that came with it */
	EV_RAW_SENT, /* conn, file: all bytes are in the kernel's hands */
	EV_RAW_RECEIVED, /* conn, file, digest of the file from its byte 0 */
	EV_FILE, /* file, error, size...: answer to an action; whole */
	EV_DAMAGED, /* record: set aside, and out of the index */
	EV_PERSISTED, /* incarnation is durable, or error */
	EV_COMMAND, /* message: command */
	EV_CANCEL, /* op */
	EV_FREEZE, /* stop: end operations by the deadline, then exit */
};

struct event {
	enum event_type type;
	uint64_t wall_us; /* since 1970: for versions only; always set */
	uint32_t conn;
	uint16_t from; /* identifier, authenticated */
	uint32_t incarnation; /* of from; 0: it has none yet */
	struct addr addr;
	uint8_t role; /* enum conn_role */
	uint8_t reason; /* enum close_reason */
	uint32_t file;
	uint8_t error; /* enum wire_error */
	uint64_t size; /* bytes */
	bool whole; /* its content is in memory, and digest is its */
	uint64_t op;
	uint32_t deadline_ms;
	struct digest digest;
	struct record record; /* EV_FILE: as committed or opened */
	const char *text; /* more about error, or NULL */
	const struct message *message;
};

#endif
