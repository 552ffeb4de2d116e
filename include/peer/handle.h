#ifndef PEER_HANDLE_H
#define PEER_HANDLE_H

#include <stdint.h>

/* A small hash table of what the core names by numbers. Chained, intrusive. */
enum { HANDLE_BUCKETS = 256 };

struct handle {
	uint32_t id;
	struct handle *next;
};

struct handle_table {
	struct handle *bucket[HANDLE_BUCKETS];
	uint32_t count;
};

/* id must not be in the table yet. */
void handle_add(struct handle_table *, struct handle *, uint32_t id);
void handle_del(struct handle_table *, struct handle *);
struct handle *handle_find(const struct handle_table *, uint32_t id);

#endif
