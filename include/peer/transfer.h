#ifndef PEER_TRANSFER_H
#define PEER_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer/files.h"

/*
 * Raw bytes between a socket and a file: one direction of one connection. A
 * helper moves what it can without waiting for the socket; then the loop waits
 * for it, or for the file to grow.
 */
enum {
	TRANSFER_BYTES = 4 << 20, /* moved by a helper at a time */
	TRANSFER_PIPE = 1 << 20, /* bytes between socket and file, if allowed */
	TRANSFER_SPLICE_MIN = 64 << 10, /* less is copied */
};

enum transfer_state {
	TRANSFER_IDLE,
	TRANSFER_READY, /* wants a helper */
	TRANSFER_RUNNING,
	TRANSFER_SOCKET, /* waits for the socket */
	TRANSFER_FILE, /* waits for the file */
	TRANSFER_STUCK, /* the file failed: the core will close */
};

struct tcp_conn;

struct transfer {
	struct job job;
	struct tcp_conn *conn;
	LIST_ENTRY(transfer) waits; /* in its file's list, in TRANSFER_FILE */
	enum transfer_state state;
	bool sends;
	struct open_file *file;
	uint64_t offset, end;
	uint64_t flushed; /* writeback was started up to here */

	/* For the helper; the loop keeps off while it runs. */
	int fd;
	uint64_t limit; /* bytes of the file that can be sent */
	const uint8_t *early; /* bytes that were read before their turn */
	size_t early_len;
	bool blocked, hangup; /* the socket's */
	bool copies; /* some file systems can't do without */
	int pipe[2]; /* empty between jobs; -1: none */
	int file_error; /* errno */
	uint64_t moved;
};

void transfer_init(struct transfer *, struct tcp_conn *, bool sends);

/* Begins; the transfer refers to f until it is over. */
void transfer_begin(
    struct transfer *, struct open_file *f, uint64_t offset, uint64_t size);

/* Submits a job if there is anything for it to do. */
void transfer_go(struct transfer *);

/* Every byte was moved. */
bool transfer_complete(const struct transfer *);

/* The file changed: its connection looks at it again. */
void transfer_wake(struct transfer *);

/* Over or given up; not while it runs. */
void transfer_end(struct transfer *);

#endif
