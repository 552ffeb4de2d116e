#include <string.h>

#include "base/hash.h"
#include "ring/index.h"

uint64_t
record_hash(const struct record *r)
{
	struct {
		uint64_t name, clock, from, op, size;
		struct digest digest;
	} x;

	memset(&x, 0, sizeof(x));
	x.name = hash_bytes(r->name.text, r->name.len);
	x.clock = r->version.clock;
	x.from = (uint64_t)r->version.ingress << 1 | r->deleted;
	x.op = r->version.op;
	x.size = r->size;
	x.digest = r->digest;
	return hash_bytes(&x, sizeof(x));
}
