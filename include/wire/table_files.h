#ifndef WIRE_TABLE_FILES_H
#define WIRE_TABLE_FILES_H

/* The fields of the messages between peers about files: wire/table.h. */

/* clang-format off */

/* Files. op names the operation at the side that began it. */
#define MESSAGE_put(F)                                                         \
	F(u64, op) F(record, record) F(u8, replica) /* 0: to the owner */      \
	F(u64, set) /* hash of the replica set; 0 to the owner */
#define MESSAGE_go(F) F(u64, op) F(u64, offset)
#define MESSAGE_end(F) F(u64, op) F(digest, digest)
#define MESSAGE_held(F) F(u64, op) F(version, version) F(u64, set)
#define MESSAGE_stored(F) F(u64, op) F(ids, holders) F(u8, wanted)
#define MESSAGE_mark(F) F(name, name) F(version, version)
#define MESSAGE_get(F)                                                         \
	F(u64, op) F(name, name) F(u8, exact) /* enum exact */                 \
	F(version, version) F(u64, offset)
#define MESSAGE_found(F) F(u64, op) F(record, record)
#define MESSAGE_ask(F) F(u64, op) F(name, name) F(u64, set)
#define MESSAGE_answer(F) F(u64, op) F(u8, known) F(record, record)
#define MESSAGE_sync_ask(F)                                                    \
	F(u32, session) F(u16, after) F(u16, upto) /* keys (after, upto] */    \
	F(u64, view) F(hashes, buckets)
#define MESSAGE_sync_diff(F)                                                   \
	F(u32, session) F(missed, missed) F(idset, buckets)
#define MESSAGE_sync_list(F) F(u32, session) F(u8, last) F(records, records)
#define MESSAGE_sync_done(F) F(u32, session) F(missed, missed)
#define MESSAGE_offer(F) F(u64, nonce) F(u64, view) F(records, records)
#define MESSAGE_accept(F) F(u64, nonce) F(idset, drop) /* positions */
/*
 * Small files, on links: the content follows in the same frame (wire/frame.h).
 * give is a put that needs no more; bring answers a get.
 */
#define MESSAGE_give(F)                                                        \
	F(u64, op) F(record, record) F(u8, replica) F(u64, set) /* as put */
#define MESSAGE_bring(F) F(u64, op) F(record, record)
#define MESSAGE_promise_ask(F)                                                 \
	F(u64, nonce) F(u64, set) /* hash of the replica set */                \
	F(records, records)
#define MESSAGE_promise(F)                                                     \
	F(u64, nonce) F(u64, set) /* as its sender sees it */                  \
	F(idset, kept) /* positions */
/* clang-format on */

#endif
