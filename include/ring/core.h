#ifndef RING_CORE_H
#define RING_CORE_H

#include "ring/state.h"
#include "ring/view.h"

/* What the files of src/ring call in each other. */
/* gossip.c */
void gossip_broadcast(struct peer *, unsigned id); /* at the step's end */
void gossip_relay(struct peer *, unsigned id); /* a little later */
void gossip_tell(struct peer *, struct addr, unsigned id); /* one entry */
void gossip_message(struct peer *, const struct event *);
void gossip_summary(struct peer *, unsigned id, struct addr, bool asks);
/* On the link: it answers there, before anything else, who else is gone. */
void gossip_compare(struct peer *, unsigned id);
/* The entries of a set to one peer; and nobody needs to be told of them. */
void gossip_send(struct peer *, const struct idset *, struct addr);
void gossip_keep(struct peer *, const struct idset *);
/* The whole view, as messages on a connection. */
void gossip_send_view(struct peer *, struct conn *);
void gossip_flush(struct peer *);
void gossip_tick(struct peer *);
uint64_t gossip_deadline(const struct peer *);
/* Members and contacts at distances 1, 2, 4, ... in the ring; how many. */
unsigned gossip_fingers(const struct peer *, uint16_t *out);

/* start.c */
void start_begin(struct peer *);
void start_join_message(struct peer *, struct conn *, const struct message *);
void start_conn(struct peer *, struct conn *, bool open, unsigned reason);
void start_persisted(struct peer *, const struct event *);
/* Its own copies may be stale: it serves again when they are not. */
void start_sync(struct peer *, const char *reason);
void start_tick(struct peer *);
uint64_t start_deadline(const struct peer *);
/* Makes incarnation n durable, then uses it. */
void start_incarnation(struct peer *, uint32_t n);

/* All expected are known, or were waited for: it serves. */
void start_gathered(struct peer *);

/* recall.c: the incarnation that others remember. */
void recall_begin(struct peer *, unsigned contacts);
void recall_message(struct peer *, const struct event *);
void recall_tick(struct peer *);
/* Its number is written: asks whom it heard of since; false: it is its own. */
bool recall_anew(struct peer *);

/* gather.c: the first meeting of a new ring. */
void gather_begin(struct peer *);
void gather_step(struct peer *);
void gather_end(struct peer *); /* if it has not ended yet */

/* admit.c: the owner's side of a join. */
void admit_join(struct peer *, struct conn *, const struct msg_join *);
void admit_conn(struct peer *, struct conn *, bool open, unsigned reason);
void admit_tick(struct peer *);
uint64_t admit_deadline(const struct peer *);

/* leave.c */
void leave_begin(struct peer *, const struct msg_command *);
void leave_message(struct peer *, struct conn *, const struct message *);
void leave_freeze(struct peer *, uint32_t deadline_ms);
void leave_tick(struct peer *);
uint64_t leave_deadline(const struct peer *);

/* link.c */
struct conn *conn_find(struct peer *, uint32_t handle);
struct conn *conn_new(
    struct peer *, enum conn_purpose, enum conn_role, unsigned id, struct addr);
struct conn *conn_accept(struct peer *, const struct event *);
/* Frees the slot without closing: the driver already did. */
void conn_forget(struct peer *, struct conn *);
/*
 * The link to a member: open, or opening (what is sent now is queued by the
 * driver, and lost if it fails). NULL: no address or no room.
 */
struct conn *link_to(struct peer *, unsigned id);
struct conn *link_find(struct peer *, unsigned id);
/* Does a link to that one stand without being asked for? */
bool link_stands(const struct peer *, unsigned id);
/* Sends on link_to(); false: could not even try. */
bool link_send(struct peer *, unsigned id, const struct message *);
void link_opened(struct peer *, struct conn *);
void link_closed(struct peer *, struct conn *, unsigned reason);
void link_tick(struct peer *);
uint64_t link_deadline(const struct peer *);
/* A new connection for one transfer; NULL as above. */
struct conn *stream_open(struct peer *, unsigned id);
void conn_send(struct peer *, struct conn *, const struct message *);
/* On the link to id, with the content of file (0: none); false: no link. */
bool link_give(
    struct peer *, unsigned id, const struct message *, uint32_t file);
/* Closes it and frees the slot; no event comes for it any more. */
void conn_close(struct peer *, struct conn *);
/* Closes it, for whatever used it as well: its stream, or what was asked. */
void conn_end(struct peer *, struct conn *);
/* Closes all connections with an older incarnation of id than the view's. */
void conn_close_stale(struct peer *, unsigned id);

/* ping.c */
uint32_t ping_send(struct peer *, unsigned id, struct addr, bool marked);
void ping_changed(struct peer *);
/* Soon after that time views are compared with both neighbours. */
void ping_repair_after(struct peer *, uint64_t after_us);
void ping_soon(struct peer *); /* new successors: within an interval */
void ping_event(struct peer *, const struct event *);
void ping_command(struct peer *, const struct msg_command *);
void ping_cancel(struct peer *, uint64_t op);
void ping_tick(struct peer *);
uint64_t ping_deadline(const struct peer *);

/* detect.c */
void detect_probe(struct peer *, unsigned id, bool marked);
void detect_doubt(struct peer *, unsigned id); /* overdue: ping it at once */
void detect_alive(struct peer *, unsigned id); /* a sign of life */
void detect_dead(struct peer *, unsigned id, const char *reason);
void detect_accused(struct peer *, unsigned id, unsigned by);
void detect_tick(struct peer *);
uint64_t detect_deadline(const struct peer *);
void detect_forgive(struct peer *, uint64_t late_us);

/* sweep.c: the identifier probe, and contacts that were not heard of. */
void sweep_init(struct peer *);
unsigned sweep_contacts(const struct peer *); /* how many */
void sweep_view_changed(struct peer *); /* fewer: it is sooner */
void sweep_tick(struct peer *);
uint64_t sweep_deadline(const struct peer *);

/* action.c: append to p->out. */
struct action *act(struct peer *, enum action_type);
void act_datagram(struct peer *, struct addr, const struct message *);
void act_multicast(struct peer *, const struct idset *, const struct message *);
void act_note(struct peer *, const struct msg_event *);
void act_reply(struct peer *, const struct msg_reply *);
/* The common shapes of notes. */
void note(struct peer *, enum event_kind, unsigned about, const char *reason);
void note_name(struct peer *, enum event_kind, unsigned about,
    const struct name *, uint64_t value);

#endif
