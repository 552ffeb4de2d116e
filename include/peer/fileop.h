#ifndef PEER_FILEOP_H
#define PEER_FILEOP_H

#include "disk/damage.h"
#include "peer/files.h"

/* One thing asked of the disk; the inside of src/peer's file modules. */
enum {
	OP_RELEASE = -1, /* close, remove what is left over */
	OP_VIEW = -2,
	OP_ROOM = -3, /* what was replaced goes from the disk */
};

struct file_op {
	struct job job;
	TAILQ_ENTRY(file_op) link; /* in a bucket of struct order */
	TAILQ_ENTRY(file_op) ready; /* to be started, or in struct group */
	struct file_ops *bucket;
	struct driver *driver;
	int type; /* enum action_type or OP_* */
	bool is_ready, started, small; /* small: the journal takes it */
	bool placed, damaged;
	bool gone; /* from the disk, which nobody here was told to do */
	bool more; /* only a part was done */
	uint64_t op; /* of the core */
	struct open_file *file, *other; /* other: what is copied */
	uint32_t handle, temp;
	struct record record;
	unsigned key;
	uint32_t incarnation;
	struct verify verify;
	uint8_t *data; /* of the view, or of what is committed */
	size_t len;
	uint64_t offset, end; /* of a copy */
	int error; /* enum wire_error */
	char text[FILE_ERROR_MAX + 1];
};

/* Reads all of a small file into memory; 0, ESTALE: it is shorter, errno. */
int fileop_load(struct open_file *f);

/* Frees f, closed on a helper if there is anything to close or remove. */
void file_op_release(struct open_file *f);

/* On a helper: do it, set error and text (outside.c). */
void run_open_source(struct file_op *, uint8_t *buffer);
void run_check_source(struct file_op *, uint8_t *buffer);
void run_create_target(struct file_op *, uint8_t *buffer);
void run_rename(struct file_op *, uint8_t *buffer);
void run_deliver(struct file_op *, uint8_t *buffer);
void run_copy(struct file_op *, uint8_t *buffer);

/* The same, on the peer's own disk (inside.c). */
void run_open_stored(struct file_op *, uint8_t *buffer);
void run_create_temp(struct file_op *, uint8_t *buffer);
void run_commit(struct file_op *, uint8_t *buffer);
void run_mark(struct file_op *, uint8_t *buffer);
void run_verify(struct file_op *, uint8_t *buffer);
void run_drop(struct file_op *, uint8_t *buffer);
void run_persist(struct file_op *, uint8_t *buffer);
void run_view(struct file_op *, uint8_t *buffer);
void run_release(struct file_op *, uint8_t *buffer);
void run_room(struct file_op *, uint8_t *buffer);
/* Into files/, what the journal could not take. */
void run_commit_alone(struct file_op *);

/* A source's size and times as they are: 0 or an errno; the same again? */
int source_remember(struct open_file *);
void source_again(struct file_op *);

/*
 * Opens what is small and in the system's memory, on the loop (open.c). False:
 * nothing was done.
 */
bool open_here(struct file_op *);

/* Hands the outcome to the core; op is gone. */
void file_op_finish(struct file_op *);

/* In turn with others of the same name (order.c). */
void order_init(struct order *);
void order_add(struct driver *, struct file_op *);
void order_end(struct driver *, struct file_op *);
/* Whether anything of op's name is still to be done. */
bool order_has(struct driver *, const struct file_op *op);
/* Starts what can start. */
void order_run(struct driver *);

/* error, and "PATH: what errno err means" unless path is NULL. */
void fileop_fail(struct file_op *, int error, const char *path, int err);
void fileop_fail_text(
    struct file_op *, int error, const char *path, const char *why);

/* Which error errno err is on a file of this kind. */
int file_error(enum file_kind, int err);

#endif
