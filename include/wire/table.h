#ifndef WIRE_TABLE_H
#define WIRE_TABLE_H

#include "wire/table_files.h"
#include "wire/table_local.h"

/*
 * Every message that crosses a socket or a pipe: MESSAGES(M) calls
 * M(code, name), and for each name there is MESSAGE_name(F), which calls
 * F(type, field). A type is one of wire/message.h's FIELD_TYPES. Codes are
 * never renumbered. Peers' datagrams: 1..19; peers' streams: 20..79; pipes
 * between supervisor and peer: 80..99; the control socket: 100.. (which also
 * carries reply, event and line).
 */
#define MESSAGES(M)                                                            \
	M(1, ping)                                                             \
	M(2, pong)                                                             \
	M(3, ping_req)                                                         \
	M(4, ping_ack)                                                         \
	M(5, gossip)                                                           \
	M(6, summary)                                                          \
	M(7, recall)                                                           \
	M(20, hello)                                                           \
	M(21, challenge)                                                       \
	M(22, proof)                                                           \
	M(30, lookup)                                                          \
	M(31, owner)                                                           \
	M(40, join)                                                            \
	M(41, admit)                                                           \
	M(42, refuse)                                                          \
	M(43, leaving)                                                         \
	M(44, leaving_ok)                                                      \
	M(50, put)                                                             \
	M(51, go)                                                              \
	M(52, end)                                                             \
	M(53, held)                                                            \
	M(54, stored)                                                          \
	M(55, mark)                                                            \
	M(56, get)                                                             \
	M(57, found)                                                           \
	M(58, ask)                                                             \
	M(59, answer)                                                          \
	M(60, sync_ask)                                                        \
	M(61, sync_diff)                                                       \
	M(62, sync_list)                                                       \
	M(63, sync_done)                                                       \
	M(64, offer)                                                           \
	M(65, accept)                                                          \
	M(66, give)                                                            \
	M(67, bring)                                                           \
	M(68, promise_ask)                                                     \
	M(69, promise)                                                         \
	M(80, command)                                                         \
	M(81, cancel)                                                          \
	M(82, freeze)                                                          \
	M(83, members_ask)                                                     \
	M(84, members)                                                         \
	M(85, report)                                                          \
	M(86, reply)                                                           \
	M(87, event)                                                           \
	M(88, line)                                                            \
	M(89, started)                                                         \
	M(90, records_ask)                                                     \
	M(91, records)                                                         \
	M(100, welcome)                                                        \
	M(101, call)                                                           \
	M(102, status)                                                         \
	M(103, peer)                                                           \
	M(104, result)                                                         \
	M(105, cost)                                                           \
	M(106, finding)                                                        \
	M(107, verdict)

/* clang-format off */

/* Datagrams. Their sender and its incarnation are in the envelope. */
#define MESSAGE_ping(F)                                                        \
	F(u32, seq)    /* echoed by the pong */                                \
	F(u64, hash)   /* of the sender's view */                              \
	F(u16, target) /* who is meant */                                      \
	F(u8, marked)  /* the interval's ping: both sides print it */
#define MESSAGE_pong(F)                                                        \
	F(u32, seq) F(u64, hash) F(u8, marked)                                 \
	F(u8, settled) /* by that view, nothing is left to be handed over */
#define MESSAGE_ping_req(F) F(u32, seq) F(u16, target) F(addr, addr)
#define MESSAGE_ping_ack(F) F(u32, seq) F(u16, target) F(u32, incarnation)
#define MESSAGE_gossip(F) F(u8, spread) /* enum spread */ F(members, members)
#define MESSAGE_summary(F) F(u64, hash) F(u8, asks) F(hashes, buckets)
#define MESSAGE_recall(F)                                                      \
	F(u8, asks) F(u32, life) /* another one after each start */            \
	F(u32, met) /* the receiver's when first met; 0: not yet */            \
	F(u16, first) F(u32, first_life) /* likewise of whom all ask first */  \
	F(idset, heard) F(members, members)

/* The handshake of every connection between peers. */
#define MESSAGE_hello(F)                                                       \
	F(u8, protocol) F(u8, role) /* enum conn_role */ F(u16, id)            \
	F(u32, incarnation) F(addr, addr) F(u16, target) F(secret, nonce)
#define MESSAGE_challenge(F)                                                   \
	F(u16, id) F(u32, incarnation) F(addr, addr) F(secret, nonce)          \
	F(secret, mac)
#define MESSAGE_proof(F) F(secret, mac)

/* From successor to successor, or straight to the owner. */
#define MESSAGE_lookup(F)                                                      \
	F(u64, op) F(u16, origin) F(addr, addr) F(u16, key) F(u8, command)     \
	F(name, name) F(ids, route)
#define MESSAGE_owner(F) F(u64, op) F(u16, owner) F(ids, route)

/* Membership. */
#define MESSAGE_join(F)                                                        \
	F(u64, op) F(u16, id) F(addr, addr)                                    \
	F(u32, incarnation) /* highest seen on the way */ F(ids, route)
#define MESSAGE_admit(F)                                                       \
	F(u64, op) F(u32, incarnation) /* highest seen */ F(ids, route)
#define MESSAGE_refuse(F)                                                      \
	F(u64, op) F(u8, error) /* enum wire_error */                          \
	F(u8, taken) /* what was put may yet be stored */                      \
	F(ids, ids) F(members, members) F(text, text)
#define MESSAGE_leaving(F) F(u32, incarnation)
#define MESSAGE_leaving_ok(F) F(u32, incarnation)

/* clang-format on */

#endif
