#include <string.h>

#include "ring/files_repair.h"

/* What is asked of a peer from outside between its steps. */

static enum peer_state
state_of(const struct peer *p)
{
	switch (p->phase) {
	case PHASE_RECALLING:
	case PHASE_JOINING:
	case PHASE_PERSISTING:
		return PEER_STARTING;
	case PHASE_SYNCING:
		return PEER_SYNCING;
	case PHASE_SERVING:
		return PEER_UP;
	case PHASE_LEAVING:
		return PEER_LEAVING;
	case PHASE_REDIRECTING:
	case PHASE_GONE:
		break;
	}
	return PEER_LEFT;
}

void
peer_report(const struct peer *p, struct msg_report *r)
{
	bool member = p->incarnation > 0;

	memset(r, 0, sizeof(*r));
	r->state = (uint8_t)state_of(p);
	r->incarnation = p->incarnation;
	r->hash = p->view_hash;
	r->first = member ? p->successors[0] : ID_NONE;
	r->second = p->successor_count < 2 ? ID_NONE : p->successors[1];
	r->predecessor = member ? p->predecessor : ID_NONE;
	r->members = (uint16_t)p->member_count;
	short_report(p, r);
	r->readonly = member && !member_writable(p, p->config.id) &&
		      member_is(p, p->config.id);
}

bool
peer_members(const struct peer *p, unsigned *next, struct members *list)
{
	list->count = 0;
	for (; *next < p->space && list->count < MEMBERS_MAX; (*next)++)
		if (p->view[*next].state != MEMBER_NONE)
			list->at[list->count++] = p->view[*next];
	return *next < p->space;
}

bool
peer_remembers(const struct peer *p, unsigned *next, struct members *list)
{
	uint8_t least = 0;

	absent_count(p, NULL, &least);
	list->count = 0;
	for (; *next < p->space && list->count < MEMBERS_MAX; (*next)++) {
		struct member m = p->view[*next];

		/* SUSPECT stands for one that may have been the last. */
		if (m.state == MEMBER_SUSPECT)
			m.state = MEMBER_ALIVE;
		/* Who is missed from before goes on being missed. */
		if (absent_has(p, *next) && !peer_usable(p, *next)) {
			m.state = least == 1 ? MEMBER_SUSPECT : MEMBER_ALIVE;
			if (m.incarnation < p->watch[*next].floor)
				m.incarnation = p->watch[*next].floor;
		}
		if (m.state != MEMBER_NONE)
			list->at[list->count++] = m;
	}
	return *next < p->space;
}

uint32_t
peer_incarnation(const struct peer *p)
{
	return p->incarnation;
}

const struct member *
peer_view(const struct peer *p, unsigned id)
{
	return &p->view[id];
}

uint64_t
peer_view_hash(const struct peer *p)
{
	return p->view_hash;
}

size_t
peer_successors(const struct peer *p, uint16_t *out, size_t max)
{
	size_t n = p->successor_count < max ? p->successor_count : max;

	memcpy(out, p->successors, n * sizeof(out[0]));
	return n;
}

bool
peer_idle(const struct peer *p)
{
	for (unsigned i = 0; i < p->followed_count; i++)
		if (p->watch[p->followed[i]].accusing)
			return false;
	return p->admission_count == 0 && !p->has_relay && p->wanted == 0 &&
	       p->phase == PHASE_SERVING && files_idle(p);
}
