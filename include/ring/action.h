#ifndef RING_ACTION_H
#define RING_ACTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

/* What the core wants done, in order, before the next event. */

enum {
	ACTIONS_MAX = 16384, /* actions of one step */
	ACTION_BYTES_MAX = 1 << 22, /* encoded messages of one step */
	DATAGRAM_LEN_MAX = 1400, /* bytes with envelope and MAC */
};

enum action_type {
	ACT_DATAGRAM, /* bytes to addr */
	ACT_MULTICAST, /* bytes to every member in targets[] (count ids) */
	ACT_CONNECT, /* conn, id expected, addr, role, timeout_us */
	ACT_SEND, /* bytes on conn, and the content of file if there is one */
	ACT_CLOSE, /* conn: what is queued is flushed first; no event */
	ACT_RAW_SEND, /* file [offset, offset+size) on conn after messages */
	ACT_RAW_RECV, /* size bytes of conn into file at offset */
	ACT_TAKE, /* a new file in memory, of what target has or, without one,
			of what came with this message; no event */
	ACT_OPEN_SOURCE, /* path: a caller's regular file -> EV_FILE, size;
			a small one is read, checked and held in memory */
	ACT_CHECK_SOURCE, /* file: unchanged since opened? -> EV_FILE */
	ACT_OPEN_STORED, /* record's name and version -> EV_FILE with record;
			a small one is read into memory */
	ACT_CREATE_TEMP, /* in the peer's folder, for record -> EV_FILE */
	ACT_CREATE_TARGET, /* path: temporary beside it -> EV_FILE */
	ACT_COPY, /* from file (a stored one) into file target: EV_FILE */
	ACT_COMMIT, /* file or, without one, tombstone record: durable, in
			  the index -> EV_FILE */
	ACT_DELIVER, /* file (in memory) becomes that of path: EV_FILE */
	ACT_RENAME, /* file (a target) to its path -> EV_FILE */
	ACT_DISCARD, /* file: closed, a temporary one removed; no event */
	ACT_MARK, /* record's name and version: acknowledged; no event */
	ACT_VERIFY, /* record's name and version: read it through; EV_DAMAGED
			  if its content is not what its digest says */
	ACT_DROP, /* record's name and version: removed; no event */
	ACT_PERSIST, /* incarnation -> EV_PERSISTED */
	ACT_REPLY, /* bytes: a reply message, for op */
	ACT_NOTE, /* bytes: an event message without its times */
	ACT_EXIT, /* code: leave the process */
};

struct action {
	enum action_type type;
	uint32_t conn, file, target;
	uint16_t id;
	uint8_t role, code;
	uint32_t incarnation, timeout_us;
	struct addr addr;
	uint64_t op, offset, size;
	size_t bytes, len; /* position and length in actions.data */
	size_t targets, count; /* position and length in actions.ids */
	struct record record;
	const char *path; /* NUL-terminated; valid until the next event */
};

struct actions {
	size_t count, used, ids_used;
	struct action at[ACTIONS_MAX];
	uint8_t data[ACTION_BYTES_MAX];
	uint16_t ids[SPACE_MAX * 4];
};

#endif
