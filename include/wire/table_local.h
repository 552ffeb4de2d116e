#ifndef WIRE_TABLE_LOCAL_H
#define WIRE_TABLE_LOCAL_H

/* The fields of the messages that stay on one machine: wire/table.h. */

/* clang-format off */

/* Supervisor to peer. */
#define MESSAGE_command(F)                                                     \
	F(u64, op) F(u8, command) /* enum command */ F(u16, id)                \
	F(u32, timeout_ms) F(name, name) F(suffix, suffix) F(path, path)
#define MESSAGE_cancel(F) F(u64, op)
#define MESSAGE_freeze(F) F(u32, deadline_ms)
#define MESSAGE_members_ask(F) F(u64, op)
#define MESSAGE_records_ask(F) /* what follows this name, by key and name */   \
	F(u64, op) F(u16, key) F(name, name) /* none: this key's first */

/* Peer to supervisor; reply, event and line go on to clients. */
#define MESSAGE_members(F) F(u64, op) F(u64, hash) F(u8, last) F(members, list)
#define MESSAGE_report(F)                                                      \
	F(u8, state) /* enum peer_state */ F(u32, incarnation) F(u64, hash)    \
	F(u16, first) F(u16, second) F(u16, predecessor) F(u16, members)       \
	F(u64, files) F(u64, bytes) F(u64, owned) F(u64, missing)              \
	F(u64, stuck) /* of those: too few peers can write */                  \
	F(u8, unsure) /* whether they are all */                               \
	F(u8, readonly) F(u64, dropped) F(u32, ping_ms)
#define MESSAGE_reply(F)                                                       \
	F(u64, op) F(u16, peer) F(u8, command) F(u8, error) F(u8, last)        \
	F(name, name) F(ids, route) F(u16, holder) F(ids, holders)             \
	F(u8, wanted) F(u64, size) F(digest, digest) F(path, file)             \
	F(u16, key) F(u64, us) F(records, records) F(text, text)
#define MESSAGE_event(F)                                                       \
	F(u64, t_us) F(u64, wall_us) F(u8, kind) /* enum event_kind */         \
	F(u16, peer) F(u16, about) F(u16, other) F(u32, incarnation)           \
	F(u64, value) F(name, name) F(text, reason)
#define MESSAGE_line(F) F(u64, t_us) F(u16, peer) F(text, text)
#define MESSAGE_started(F) F(u8, error) F(text, text)
#define MESSAGE_records(F) /* all of one key; none: no more follow */          \
	F(u64, op) F(u64, hash) /* of the view */ F(u16, key) F(records, list)

/* The control socket. */
#define MESSAGE_welcome(F)                                                     \
	F(text, ring) F(u32, pid) F(u8, bits) F(u8, any_names) F(u8, route)    \
	F(u8, copies) F(u16, port)
#define MESSAGE_call(F)                                                        \
	F(u8, verb) /* enum verb */ F(u8, which) /* enum which */              \
	F(idset, peers) F(u16, id) F(u16, known) F(u32, ping_ms)               \
	F(u32, timeout_ms) F(u32, flags) /* enum call_flag */ F(u64, since_us) \
	F(u8, command) F(name, name) F(suffix, suffix) F(path, path)           \
	F(text, text)
#define MESSAGE_status(F)                                                      \
	F(u8, whole) F(u8, ready) F(u16, wanted) F(u16, up) F(u64, files)      \
	F(u64, missing)
#define MESSAGE_peer(F)                                                        \
	F(u16, id) F(u8, state) F(u32, pid) F(u16, port) F(u32, incarnation)   \
	F(u16, members) F(u16, first) F(u16, second) F(u16, predecessor)       \
	F(u64, files) F(u64, bytes) F(u64, missing) F(u64, dropped)            \
	F(u32, restarts) F(text, faults)
#define MESSAGE_result(F)                                                      \
	F(u8, exit) /* enum exit_status */ F(u64, us) F(ids, ids) F(text, text)
#define MESSAGE_cost(F) /* of a kill; times: 0 if it did not come to it */     \
	F(u64, whole_us) F(u64, files) /* that lost a copy */                  \
	F(u64, copies_us) F(u64, missing) /* still short */                    \
	F(u64, few) /* files with all the copies that so few peers can hold */ \
	F(u64, orphans) /* of files: those that no live peer holds */
#define MESSAGE_finding(F) /* of check, in its words too */                    \
	F(u8, kind) /* enum finding_kind */ F(u16, peer) F(name, name)         \
	F(ids, peers) F(ids, holders) F(text, text)
#define MESSAGE_verdict(F)                                                     \
	F(u16, peers) F(u16, disks) F(u64, files) F(u64, copies)               \
	F(u64, violations) F(u16, unknown) /* peers that could not be asked */
/* clang-format on */

#endif
