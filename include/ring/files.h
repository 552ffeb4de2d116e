#ifndef RING_FILES_H
#define RING_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"
#include "ring/files_sync.h"
#include "wire/message.h"

/* Operations on files: what member.c and peer.c call. */

struct peer;
struct event;
struct conn;

void files_init(struct peer *);
void files_start(struct peer *); /* with the first step */

/* EV_FILE, EV_RAW_*, EV_CONN_STALLED of streams. */
void files_event(struct peer *, const struct event *);

/* A stored version was found damaged, and is not in the index any more. */
void files_damaged(struct peer *, const struct record *);

/* A message of lookup .. promise (not join and leave) on a connection. */
void files_message(struct peer *, struct conn *, const struct message *);

/* One on a link; files_message() knows which. */
void files_link_message(struct peer *, struct conn *, const struct message *);

/* A stream opened or closed (c is freed after); a link to id closed. */
void files_opened(struct peer *, struct conn *c);
void files_closed(struct peer *, struct conn *c, unsigned reason);
void files_link_lost(struct peer *, unsigned id);

/* A command: store, request, remove, files, owner. */
void files_command(struct peer *, const struct msg_command *);
void files_cancel(struct peer *, uint64_t op);

/* This process was late by so much: its own copies may be stale. */
void files_late(struct peer *, uint64_t late_us);

/* A member says itself that it does not serve yet. */
void files_syncing(struct peer *, unsigned id);

/* Members or their ability to write changed. */
void files_view_changed(struct peer *);

/* Deadlines. */
uint64_t files_deadline(const struct peer *);
void files_tick(struct peer *);

/* While SYNCING: has all that it must have arrived? */
bool files_synced(const struct peer *);
/* While LEAVING: is each object held by min(copies, members) others? */
bool files_handed_over(const struct peer *);
/* By its present view it holds nothing that others should and may lack. */
bool files_settled(const struct peer *);
/* No operation or transfer under way. */
bool files_idle(const struct peer *);
/* Refuse new operations; end those under way when the deadline comes. */
void files_freeze(struct peer *, uint64_t deadline_us);
/* This process is about to exit: every command gets its reply. */
void files_stop(struct peer *);
/* Files of which this peer is the owner, with fewer holders than wanted. */
uint64_t files_missing(const struct peer *);

#endif
