#ifndef PEER_FILES_H
#define PEER_FILES_H

#include <sys/queue.h>
#include <sys/types.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <xxhash.h>

#include "os/worker.h"
#include "peer/handle.h"
#include "ring/peer.h"

/*
 * The files that the core has open, and what it asks of the disk. Everything
 * runs on helper threads and is answered by EV_FILE; what concerns one stored
 * name is done in order.
 */
enum {
	FILES_OPEN_MAX = 4096,
	ORDER_BUCKETS = 256,
	ORDERED_RUNNING = 8, /* so many at a time are enough for the helpers */
	FILE_ERROR_MAX = TEXT_LEN_MAX,
	FILE_COPY_BYTES = 8 << 20, /* of a local copy at a time */
	WRITEBACK_BYTES = 8 << 20, /* starts writeback so often */
};

struct driver;

enum file_kind {
	FILE_SOURCE, /* a caller's, read */
	FILE_STORED, /* ours, read */
	FILE_TEMP, /* ours, written */
	FILE_TARGET, /* a caller's, written */
};

/* A waiting transfer; transfer.h has the rest. */
struct transfer;
LIST_HEAD(transfer_list, transfer);

struct open_file {
	struct handle handle;
	struct driver *driver;
	enum file_kind kind;
	int fd; /* -1: not open */
	bool ready; /* opened; only then is anything below fixed */
	bool failed;
	bool discarded; /* goes when refs is 0 */
	bool filling; /* a helper moves bytes into it */
	bool leftover; /* a temporary file that must be removed */
	unsigned refs; /* operations and transfers under way */
	uint64_t size; /* bytes from byte 0 that can be read */
	uint8_t *content; /* all of a small file, owned; NULL: in fd alone */
	struct record record;
	char *path; /* source, or final name of a target */
	char *temp; /* temporary name of a target */
	struct timespec mtime, ctime;
	struct transfer_list waiting;

	pthread_mutex_t lock; /* of the hash */
	XXH3_state_t *hash; /* of bytes [0, hashed) */
	uint64_t hashed;
};

struct file_op;
TAILQ_HEAD(file_ops, file_op);

/* Commits, marks, drops, incarnations: by name, in their order (order.c). */
struct order {
	struct file_ops bucket[ORDER_BUCKETS];
	struct file_ops ready, ready_small; /* small: for the journal */
	unsigned running; /* on helpers, the journal's apart */
	bool inside;
};

struct files_open {
	struct handle_table table;
	struct order order;
	uint32_t next_temp; /* for tombstones */
	dev_t device; /* of the peer's own files; 0: not known */
};

void files_open_init(struct driver *);

/* Small sources on the disk's device may be read on the loop from now on. */
void open_here_init(struct driver *);

/* Applies an ACT_OPEN_SOURCE .. ACT_PERSIST. */
void files_open_apply(struct driver *, const struct action *);

/* Writes the durable view; takes data over. */
void files_write_view(struct driver *, uint8_t *data, size_t len);

/* Applies ACT_TAKE. */
void files_take(struct driver *, const struct action *);

/* NULL: there is none, or it was discarded. */
struct open_file *file_find(struct driver *, uint32_t handle);

/* Not open yet, in the table; NULL: too many, or no memory. */
struct open_file *file_add(struct driver *, uint32_t handle, enum file_kind);

/* Out of the table; closed and gone when nothing needs it any more. */
void file_discard(struct open_file *);
void files_discard_all(struct driver *);
void file_free(struct open_file *);
void file_close(struct open_file *); /* its descriptor, if there is one */

void file_ref(struct open_file *);
void file_unref(struct open_file *);

/* Of that handle's file (ring/index.h, arrivals); ctx: the driver. */
uint64_t file_arrived(void *ctx, uint32_t handle);

/* More can be read, or nothing ever will: transfers go on. */
void file_changed(struct open_file *);

/* A stored version was set aside: the core hears of it, and the index. */
void files_damaged_here(struct driver *, const struct record *);

/* It was not there; the same, if it is not that it was dropped meanwhile. */
void files_gone_here(struct driver *, const struct record *);

/* Tells the core that reading or writing failed; err is an errno. */
void file_trouble(struct open_file *, int err);

/* Any thread. Goes on with the hash if offset is not beyond it. */
void file_hash(
    struct open_file *, const uint8_t *, size_t len, uint64_t offset);
/* Begins the hash again. */
void file_rehash(struct open_file *);
/* The digest of [0, size); false: it is not known. */
bool file_digest(struct open_file *, uint64_t size, struct digest *);

#endif
