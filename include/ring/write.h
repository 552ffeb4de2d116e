#ifndef RING_WRITE_H
#define RING_WRITE_H

#include "ring/core.h"

/* A version on its way into the store: write.c, commit.c, spread.c. */
void write_put(struct peer *, struct conn *, const struct msg_put *);
void write_give(struct peer *, struct conn *, const struct msg_give *);
/* A local store or remove at its owner. */
void write_local(struct peer *, struct op *);
/* All replicas shall hold what is held here; tells serves[serve]. */
bool write_back(struct peer *, const struct record *, unsigned serve);
void write_message(struct peer *, struct write *, const struct message *);
void write_event(struct peer *, struct write *, const struct event *);
void write_closed(struct peer *, struct write *);
void write_commit(struct peer *, struct write *);
void write_checked(struct peer *, struct write *, enum wire_error);
/* What do the others know? write_queried() goes on. */
void write_ask(struct peer *, struct write *);
void write_queried(struct peer *, struct write *, const struct query *);
/* Nothing newer is known: into the store. */
void write_store(struct peer *, struct write *);
/* Tells who fed it, and ends it. */
void write_refuse(struct peer *, struct write *, enum wire_error);
/*
 * Who waited for it until now asks again. It may be another command, not an
 * earlier try of the same: what it stored was replaced by this version.
 */
void write_displaced(struct peer *, struct write *);
void write_older(struct peer *, struct write *, const struct record *);
void write_end(struct peer *, struct write *);
/* What was held here, and counted as such, is not any more. */
void write_lost(struct peer *, const struct record *);
void write_unfeed(struct peer *, enum feed, unsigned feeder);
/* Is a version of this name on its way into the store? */
bool write_active(const struct peer *, const struct name *);
/* Likewise this one, or all of a later one: its rest may never come. */
bool write_brings(const struct peer *, const struct record *);
unsigned write_index(const struct peer *, const struct write *);
void write_disk_failed(struct peer *, const char *text);
void write_finish(struct peer *, struct write *); /* all hold it */
void write_view_changed(struct peer *);
uint64_t write_tick(struct peer *);
void spread_set(struct peer *, struct write *);
void spread_digest(struct peer *, struct write *);
void spread_check(struct peer *, struct write *);
void spread_end(struct peer *, struct write *);
/* Each leg that waits for nothing else begins. */
void spread_start(struct peer *, struct write *);
/* What id answers to what it was given. */
void spread_answer(
    struct peer *, struct write *, unsigned id, const struct message *);
void spread_link_lost(struct peer *, unsigned id);
void leg_message(
    struct peer *, struct write *, unsigned leg, const struct message *);
void leg_event(
    struct peer *, struct write *, unsigned leg, const struct event *);
void leg_closed(struct peer *, struct write *, unsigned leg);
/* Are bytes on their way to a replica? */
bool spread_moves(const struct peer *, const struct write *);
uint64_t spread_tick(struct peer *, struct write *);

#endif
