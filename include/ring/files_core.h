#ifndef RING_FILES_CORE_H
#define RING_FILES_CORE_H

#include "ring/core.h"
#include "ring/write.h"

/* What the files of operations call in each other. */

/* tie.c: whose a connection or an open file is; common small things. */
struct tie *tie_find(struct ties *, uint32_t handle);
struct tie *tie_add(
    struct ties *, uint32_t handle, enum tie_kind, unsigned at, unsigned leg);
void tie_del(struct ties *, uint32_t handle);
/* An idle stream becomes that of kind and at. */
void tie_give(struct ties *, uint32_t handle, enum tie_kind, unsigned at);
/* Opens a stream to id that belongs to kind and at; 0: could not. */
uint32_t stream_start(
    struct peer *, unsigned id, enum tie_kind, unsigned at, unsigned leg);
/* Closes *conn if it is one, and sets it to 0. */
void stream_end(struct peer *, uint32_t *conn);
void stream_send(struct peer *, uint32_t conn, const struct message *);
/* A new handle of a file; 0: no room. */
uint32_t file_new(struct peer *, enum tie_kind, unsigned at);
/* Discards *file if it is one, and sets it to 0. */
void file_end(struct peer *, uint32_t *file);
/*
 * A new file in memory: of the content of this message or, if there is one, of
 * file from; 0: no room.
 */
uint32_t file_take(struct peer *, enum tie_kind, unsigned at, uint32_t from,
    const struct record *);
struct action *act_file(struct peer *, enum action_type, uint32_t file);
void raw_send(struct peer *, uint32_t conn, uint32_t file, uint64_t offset,
    uint64_t size);
void raw_receive(struct peer *, uint32_t conn, uint32_t file, uint64_t offset,
    uint64_t size);
/* Slot at is used from now on; files_tick() lowers tops again. */
void top_raise(unsigned *top, unsigned at);
/* Nothing is due before us; lowers what files_deadline() says. */
void files_wake(struct peer *, uint64_t us);
/* How long no byte has moved, when told so now; asks after id. */
uint64_t files_stall(struct peer *, unsigned id, struct stall *);
/* Can answers be expected of it? Any state but LEFT, DEAD and NONE. */
bool peer_usable(const struct peer *, unsigned id);
/* Its present incarnation, and not DEAD: it may be acknowledged to. */
bool peer_current(const struct peer *, unsigned id, uint32_t incarnation);
bool digest_same(const struct digest *, const struct digest *);
int files_key(struct peer *, const struct name *);
bool files_find(struct peer *, const struct name *, struct record *);
/*
 * The newest version, if it was damaged, here or where this peer would have had
 * it from, and nothing replaced it.
 */
bool files_lost(struct peer *, const struct name *, struct record *out);
/* It was to come here, and is damaged where it should be. */
void files_lacked(struct peer *, const struct record *);
/* Its content may be other than it should be: read it through. */
void files_doubt(struct peer *, const struct record *);
void files_saw(struct peer *, const struct version *);
void note_damaged(struct peer *, const struct name *, const char *reason);
/* Is this peer the owner of key, and may it speak for it? */
bool owns(const struct peer *, unsigned key);
/* A refusal; for not_owner, with what the asker's view may lack. */
void refuse_fill(struct peer *, struct message *, uint64_t op, enum wire_error,
    unsigned key);
void refuse_stream(
    struct peer *, uint32_t conn, uint64_t op, enum wire_error, unsigned key);

/* op.c */
struct op *op_new(struct peer *, const struct msg_command *);
unsigned op_index(const struct peer *, const struct op *);
void op_end(struct peer *, struct op *); /* frees it, closes all */
void op_reply(struct peer *, struct op *, struct msg_reply *);
void op_fail(struct peer *, struct op *, enum wire_error, const char *text);
void op_progress(struct peer *, struct op *);
/* Closes its connection and tries again after a pause. */
void op_pause(struct peer *, struct op *);
void op_retry_now(struct peer *, struct op *);
void op_message(struct peer *, struct op *, const struct message *);
void op_refused(struct peer *, struct op *, const struct msg_refuse *);
void op_closed(struct peer *, struct op *); /* its connection is gone */
void op_event(struct peer *, struct op *, const struct event *);
void op_view_changed(struct peer *);
void op_link_lost(struct peer *, unsigned id);
uint64_t op_tick(struct peer *); /* each _tick: when it wants the next */
void op_freeze(struct peer *);

/* lookup.c */
void op_locate(struct peer *, struct op *);
void op_route_add(struct op *, unsigned id);
void lookup_message(struct peer *, const struct msg_lookup *);
void lookup_owner(struct peer *, const struct msg_owner *);

/* store.c: an op that stores or removes */
void store_start(struct peer *, struct op *);
void store_ask(struct peer *, struct op *);
void store_message(struct peer *, struct op *, const struct message *);
void store_event(struct peer *, struct op *, const struct event *);

/* fetch.c: an op that requests */
void fetch_ask(struct peer *, struct op *);
void fetch_found(struct peer *, struct op *, const struct record *);
/* With its content. */
void fetch_brought(struct peer *, struct op *, const struct record *);
/* The owner names the version that others will be asked for. */
void fetch_newest(struct peer *, struct op *, const struct record *);
void fetch_event(struct peer *, struct op *, const struct event *);
void fetch_closed(struct peer *, struct op *);
/* Asks the next one that may hold it; false: there is none. */
bool fetch_next(struct peer *, struct op *);
bool fetch_redirect(struct peer *, struct op *, const struct ids *);
/* The content is stored here. */
void fetch_local(struct peer *, struct op *, const struct record *);

/* list.c: files, owner */
void list_step(struct peer *, struct op *);
void owner_reply(struct peer *, struct op *);

#endif
