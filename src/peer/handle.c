#include <assert.h>
#include <stddef.h>

#include "peer/handle.h"

void
handle_add(struct handle_table *t, struct handle *h, uint32_t id)
{
	struct handle **at = &t->bucket[id % HANDLE_BUCKETS];

	assert(handle_find(t, id) == NULL);
	h->id = id;
	h->next = *at;
	*at = h;
	t->count++;
}

void
handle_del(struct handle_table *t, struct handle *h)
{
	struct handle **at = &t->bucket[h->id % HANDLE_BUCKETS];

	while (*at != h) {
		assert(*at != NULL);
		at = &(*at)->next;
	}
	*at = h->next;
	t->count--;
}

struct handle *
handle_find(const struct handle_table *t, uint32_t id)
{
	struct handle *h = t->bucket[id % HANDLE_BUCKETS];

	while (h != NULL && h->id != id)
		h = h->next;
	return h;
}
