#include <assert.h>

#include "peer/replay.h"

bool
replay_fresh(struct replay *r, uint32_t incarnation, uint64_t seq)
{
	uint64_t back, ahead;

	if (incarnation == 0 || incarnation < r->incarnation)
		return true;
	if (incarnation > r->incarnation) {
		*r = (struct replay){incarnation, seq, 1};
		return true;
	}
	assert((r->seen & 1) != 0);
	if (seq > r->top) {
		ahead = seq - r->top;
		r->seen = ahead < REPLAY_WINDOW ? r->seen << ahead | 1 : 1;
		r->top = seq;
		return true;
	}
	back = r->top - seq;
	if (back >= REPLAY_WINDOW || (r->seen >> back & 1) != 0)
		return false;
	r->seen |= UINT64_C(1) << back;
	return true;
}
