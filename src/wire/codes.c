#include <assert.h>
#include <stddef.h>

#include "base/types.h"
#include "wire/codes.h"

static const struct {
	const char *text;
	int status;
} errors[] = {
#define E(name, text, status) {text, status},
    WIRE_ERRORS(E)
#undef E
};

static const char *const peer_states[] = {
    [PEER_STARTING] = "starting",
    [PEER_SYNCING] = "syncing",
    [PEER_UP] = "up",
    [PEER_LEAVING] = "leaving",
    [PEER_LEFT] = "left",
    [PEER_PAUSED] = "paused",
    [PEER_KILLED] = "killed",
    [PEER_FAILED] = "failed",
    [PEER_REMOTE] = "remote",
};

static const struct {
	const char *name;
	unsigned fields;
	const char *value;
} kinds[] = {
#define E(kind, fields, value) {#kind, fields, value},
    EVENTS(E)
#undef E
};

static const char *const findings[] = {
#define K(kind, name) name,
    FINDINGS(K)
#undef K
};

static const char *const member_states[] = {
    [MEMBER_NONE] = "unknown",
    [MEMBER_ALIVE] = "alive",
    [MEMBER_SUSPECT] = "suspect",
    [MEMBER_LEAVING] = "leaving",
    [MEMBER_LEFT] = "left",
    [MEMBER_DEAD] = "dead",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *
wire_error_text(unsigned error)
{
	return error < COUNT(errors) ? errors[error].text : "unknown error";
}

int
wire_error_exit(unsigned error)
{
	return error < COUNT(errors) ? errors[error].status : EXIT_FAILED;
}

const char *
peer_state_text(unsigned state)
{
	return state < COUNT(peer_states) ? peer_states[state] : "unknown";
}

const char *
finding_name(unsigned kind)
{
	return kind < COUNT(findings) ? findings[kind] : "unknown";
}

const char *
member_state_text(unsigned state)
{
	return state < COUNT(member_states) ? member_states[state] : "unknown";
}

const char *
event_kind_name(unsigned kind)
{
	return kind < COUNT(kinds) ? kinds[kind].name : "unknown";
}

unsigned
event_kind_fields(unsigned kind)
{
	return kind < COUNT(kinds) ? kinds[kind].fields : 0;
}

bool
event_kind_is_traffic(unsigned kind)
{
	return (event_kind_fields(kind) & EVENT_NAME) != 0;
}

const char *
event_kind_value(unsigned kind)
{
	return kind < COUNT(kinds) ? kinds[kind].value : "";
}
