#ifndef RING_PEER_H
#define RING_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"
#include "ring/index.h"
#include "wire/codes.h"
#include "wire/message.h"

/*
 * The protocol core: one peer as a state machine. It makes no system call.
 * Whoever drives it (peer/ with sockets and disks, sim/ with virtual ones)
 * hands it one event at a time and then applies all actions, in order, before
 * the next event. Times are microseconds of one monotonic clock.
 *
 * Connections and open files are named by handles. The core picks those of
 * connections that it opens and of all files; the driver picks those of
 * inbound connections, with CONN_INBOUND set. No handle is used twice.
 */
enum {
	CONN_INBOUND = 1u << 30,
	ACTIONS_MAX = 4096,          /* actions of one step */
	ACTION_BYTES_MAX = 1 << 20,  /* encoded messages of one step */
	DATAGRAM_LEN_MAX = 1400,     /* bytes with envelope and MAC */
};

enum close_reason {
	CLOSE_REFUSED,  /* nobody listens there, or it was ourselves */
	CLOSE_HANGUP,   /* end of file or reset */
	CLOSE_TIMEOUT,  /* no connection or no handshake in time */
	CLOSE_REJECTED, /* wrong key, wrong identifier, garbage */
	CLOSE_LOCAL,    /* no descriptor or memory here */
};

enum event_type {
	EV_TICK,        /* the deadline came, or nothing else to say */
	EV_DATAGRAM,    /* from, incarnation, addr, message */
	EV_UNREACHABLE, /* addr: a datagram to it was refused */
	EV_CONN_OPEN,   /* conn, role, from, incarnation, addr (its listener) */
	EV_CONN_CLOSED, /* conn, reason; also instead of EV_CONN_OPEN */
	EV_CONN_STALLED, /* conn: bytes wait, and none moved for STALL_US */
	EV_MESSAGE,     /* conn, message */
	EV_RAW_SENT,    /* conn, file: all bytes are in the kernel's hands */
	EV_RAW_RECEIVED, /* conn, file, digest of the file from its byte 0 */
	EV_FILE,        /* file, error, size, suffix...: answer to ACT_FILE_* */
	EV_PERSISTED,   /* incarnation is durable, or error */
	EV_COMMAND,     /* message: command */
	EV_CANCEL,      /* op */
	EV_FREEZE,      /* stop: end operations by the deadline, then exit */
};

struct event {
	enum event_type type;
	uint64_t wall_us; /* since 1970: for versions only; always set */
	uint32_t conn;
	uint16_t from;        /* identifier, authenticated */
	uint32_t incarnation; /* of from; 0: it has none yet */
	struct addr addr;
	uint8_t role;   /* enum conn_role */
	uint8_t reason; /* enum close_reason */
	uint32_t file;
	uint8_t error; /* enum wire_error */
	uint64_t size; /* bytes */
	uint64_t op;
	uint32_t deadline_ms;
	struct digest digest;
	struct record record;        /* EV_FILE: as committed or opened */
	const char *text;            /* more about error, or NULL */
	const struct message *message;
};

enum action_type {
	ACT_DATAGRAM,  /* bytes to addr */
	ACT_MULTICAST, /* bytes to every member in targets[] (count ids) */
	ACT_CONNECT,   /* conn, id expected, addr, role, timeout_us */
	ACT_SEND,      /* bytes on conn */
	ACT_CLOSE,     /* conn: what is queued is flushed first; no event */
	ACT_RAW_SEND,  /* file [offset, offset+size) on conn after messages */
	ACT_RAW_RECV,  /* size bytes of conn into file at offset */
	ACT_OPEN_SOURCE, /* path: a caller's regular file -> EV_FILE with size */
	ACT_CHECK_SOURCE, /* file: unchanged since opened? -> EV_FILE */
	ACT_OPEN_STORED, /* record's name and version -> EV_FILE with record */
	ACT_CREATE_TEMP, /* in the peer's folder, for record -> EV_FILE */
	ACT_CREATE_TARGET, /* path: temporary beside it -> EV_FILE */
	ACT_COPY,        /* from file (a stored one) into file target: EV_FILE */
	ACT_COMMIT,    /* file or, without one, tombstone record: durable, in
			  the index -> EV_FILE */
	ACT_RENAME,    /* file (a target) to its path -> EV_FILE */
	ACT_DISCARD,   /* file: closed, a temporary one removed; no event */
	ACT_MARK,      /* record's name and version: acknowledged; no event */
	ACT_DROP,      /* record's name and version: removed; no event */
	ACT_PERSIST,   /* incarnation -> EV_PERSISTED */
	ACT_REPLY,     /* bytes: a reply message, for op */
	ACT_NOTE,      /* bytes: an event message without its times */
	ACT_EXIT,      /* code: leave the process */
};

struct action {
	enum action_type type;
	uint32_t conn, file, target;
	uint16_t id;
	uint8_t role, code;
	uint32_t incarnation, timeout_us;
	struct addr addr;
	uint64_t op, offset, size;
	size_t bytes, len;      /* position and length in actions.data */
	size_t targets, count;  /* position and length in actions.ids */
	struct record record;
	const char *path; /* NUL-terminated; valid until the next event */
};

struct actions {
	size_t count, used, ids_used;
	struct action at[ACTIONS_MAX];
	uint8_t data[ACTION_BYTES_MAX];
	uint16_t ids[SPACE_MAX * 4];
};

struct peer_config {
	uint16_t id;
	uint8_t bits, copies, route;
	uint32_t ping_ms;      /* 0: auto */
	uint16_t port_base;    /* an address nobody told: host, base + id */
	uint32_t host_ip;
	struct addr addr;      /* this peer's own */
	uint32_t incarnation;  /* to use now, durable; 0: none stored */
	uint64_t seed;
	int join_through;      /* identifier of a contact, or -1 */
	const struct member *contacts; /* id, addr; copied by peer_init */
	size_t contact_count;
	const struct member *remembered; /* the durable view; copied */
	size_t remembered_count;
	struct index index;
	bool note_pings;       /* make notes of marked pings */
	/* Rules broken on purpose, in test builds: enum mutant. */
	uint32_t mutants;
};

enum mutant {
	MUTANT_NO_PROBE = 1,
	MUTANT_SAME_INCARNATION = 2, /* the driver restarts with the old one */
	MUTANT_MOVE_ON_SUSPICION = 4,
};

struct peer;

/* Bytes of memory a peer needs; aligned as malloc does. */
size_t peer_size(void);

/*
 * Prepares a peer in p, which must be zeroed (untouched pages of its tables
 * cost nothing); it acts from its first step on.
 */
void peer_init(struct peer *p, const struct peer_config *, uint64_t now_us);

/* One event in, an ordered array of actions out (out is emptied first). */
void peer_step(struct peer *p, uint64_t now_us, const struct event *,
    struct actions *out);

/* When peer_step wants EV_TICK; UINT64_MAX: never. */
uint64_t peer_deadline(const struct peer *p);

/* What the supervisor is told; files, bytes, dropped are the driver's. */
void peer_report(const struct peer *p, struct msg_report *);

/*
 * Copies members from identifier *next on into list, advances *next. Returns
 * false when there are no more.
 */
bool peer_members(const struct peer *p, unsigned *next, struct members *list);

/* For checks of invariants and for the durable view. */
uint32_t peer_incarnation(const struct peer *p);
const struct member *peer_view(const struct peer *p, unsigned id);
uint64_t peer_view_hash(const struct peer *p);
size_t peer_successors(const struct peer *p, uint16_t *out, size_t max);

/* Nothing under way: no operation, transfer, suspicion. */
bool peer_idle(const struct peer *p);

#endif
