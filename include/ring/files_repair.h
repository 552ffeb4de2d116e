#ifndef RING_FILES_REPAIR_H
#define RING_FILES_REPAIR_H

#include "ring/files_core.h"
#include "ring/mourn.h"

/* What answers requests, and what keeps replicas alike. */

/* serve.c */
void serve_get(
    struct peer *, struct conn *, const struct msg_get *, bool linked);
void serve_local(struct peer *, struct op *);
void serve_forget_op(struct peer *, unsigned op);
void serve_message(struct peer *, struct serve *, const struct message *);
void serve_event(struct peer *, struct serve *, const struct event *);
void serve_closed(struct peer *, struct serve *);
void serve_queried(struct peer *, struct serve *, const struct query *);
/* Its write back has ended. */
void serve_written(struct peer *, unsigned serve, bool done);
void serve_end(struct peer *, struct serve *);
void serve_view_changed(struct peer *);
uint64_t serve_tick(struct peer *);

/* query.c */
bool query_start(struct peer *, enum tie_kind, unsigned at, const struct name *,
    unsigned key);
void query_cancel(struct peer *, enum tie_kind, unsigned at);
void query_ask(struct peer *, struct conn *, const struct msg_ask *);
void query_answer(struct peer *, struct conn *, const struct msg_answer *);
void query_view_changed(struct peer *);
uint64_t query_tick(struct peer *);
/* Is the newest record acknowledged, or at all of the set? */
bool query_sure(const struct peer *, const struct query *);
/* Has anybody answered who must know what is newest? */
bool query_vouched(const struct peer *, const struct query *);
bool query_holds(const struct query *, unsigned id);
/* Is a version damaged that is newer than all that anybody holds? */
bool query_lost(const struct query *);
/* May that one have been acknowledged? Then nothing older is served. */
bool query_denied(const struct peer *, const struct query *);
/* How a query without a live record ends; dead holders into ids. */
enum wire_error query_silence(
    struct peer *, const struct query *, struct ids *);

/* pull.c */
bool pull_start(struct peer *, unsigned from, const struct record *,
    unsigned session, unsigned item);
void pull_message(struct peer *, struct pull *, const struct message *);
void pull_event(struct peer *, struct pull *, const struct event *);
void pull_closed(struct peer *, struct pull *);
void pull_view_changed(struct peer *);
void pull_link_lost(struct peer *, unsigned id);
uint64_t pull_tick(struct peer *);
void pull_end(struct peer *, struct pull *, enum pulled);
bool pull_room(const struct peer *); /* for another one */

/* Is this very version on its way here? */
bool pull_active(struct peer *, const struct record *);

/* mend.c: what was found damaged here */
uint64_t mend_tick(struct peer *);

/* session.c: comparisons */
void session_begin(struct peer *, struct session *);
void session_fail(struct peer *, struct session *);
void session_pulled(
    struct peer *, struct session *, unsigned item, enum pulled);
void session_agree(struct peer *, struct session *);
/* The session of a message's number, if it is the present one. */
struct session *session_of(struct peer *, unsigned id, uint32_t number);
/* Tells the other side which buckets differ. */
void session_send_diff(struct peer *, struct session *, unsigned buckets);
/* page.c: sends the next page; goes on with the other side's. */
void session_list(struct peer *, struct session *);
void session_step(struct peer *, struct session *);
void session_sync_ask(
    struct peer *, struct conn *, const struct msg_sync_ask *);
void session_sync_diff(
    struct peer *, struct conn *, const struct msg_sync_diff *);
void session_sync_list(
    struct peer *, struct conn *, const struct msg_sync_list *);
void session_sync_done(
    struct peer *, struct conn *, const struct msg_sync_done *);
struct session *session_new(struct peer *, enum session_role, unsigned id);
void session_link_lost(struct peer *, unsigned id);
uint64_t session_tick(struct peer *);

/* Keys of its range. */
unsigned session_keys(const struct peer *, const struct session *);
bool session_busy(const struct session *); /* messages are awaited */
void session_free(struct session *);

/* range.c: the own range, and whether it is complete */
void range_view_changed(struct peer *);
void range_agreed(struct peer *);
/* A replica has more of it than before. */
void range_passed(struct peer *);
/* A record came to it other than by a write. */
void range_touched(struct peer *);
bool range_complete(const struct peer *);
/* Does it own a range? Not when it leaves, or can't write. */
bool range_owned(const struct peer *);
/* NULL: none. */
struct session *range_session(
    const struct peer *, enum session_role, unsigned id);
bool range_synced(const struct peer *);
uint64_t range_tick(struct peer *);
/* Hash of a range: its begin and its replica set. */
uint64_t range_hash(const struct peer *, unsigned owner);
bool range_in_set(const struct peer *, unsigned owner, unsigned id);
/* Keys (*after, id] are those for which this peer is a replica. */
unsigned range_held_after(const struct peer *);

/* former.c */
void former_view_changed(struct peer *);
/* Who had its range before it came: the next one that serves, if any. */
unsigned range_former(const struct peer *);
/*
 * Until it serves: who may hold what the range had, but for those who were
 * heard; not all: COPIES_MAX of them.
 */
unsigned range_formers(const struct peer *, uint16_t *ids, bool *all);
/* These agreed: others are asked now. */
void former_heard(struct peer *, const uint16_t *ids, unsigned n);

/* release.c: the owner's side of an offer, and its replicas' */
void release_offer(struct peer *, struct conn *, const struct msg_offer *);
void release_ask(struct peer *, struct conn *, const struct msg_promise_ask *);
void release_promise(struct peer *, struct conn *, const struct msg_promise *);
/* Own records are fewer than when it was asked: no answer counts. */
void release_forget(struct peer *);

/* short.c: files with fewer holders than wanted */
void short_view_changed(struct peer *); /* before the set is another */
uint64_t short_count(const struct peer *); /* in the own range */
/*
 * When too few can write: those who can't and may hold some of it. Returns how
 * many, at most TARGETS_MAX.
 */
unsigned short_others(const struct peer *, uint16_t *ids);
void short_report(const struct peer *, struct msg_report *);
void short_seen(struct peer *); /* more is known of what they hold */

/* offer.c */
void offer_accept(struct peer *, struct conn *, const struct msg_accept *);
void offer_view_changed(struct peer *);
uint64_t offer_tick(struct peer *);

#endif
