#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "cli/print.h"
#include "cli/say.h"
#include "super/call.h"
#include "super/set.h"

/* Bytes in at most four characters and a unit: 81920 is `80 K`. */
static const char *
short_size(uint64_t bytes, char out[8])
{
	size_t len;

	if (humanize_number(
		out, 7, (int64_t)bytes, "", HN_AUTOSCALE, HN_DECIMAL) < 0)
		return "?";
	len = strlen(out);
	while (len > 0 && out[len - 1] == ' ')
		out[--len] = '\0';
	return out;
}

static void
print_id(const struct msg_peer *p, unsigned members, uint16_t id, int width)
{
	/* Who is gone has no neighbours; two have no second successor. */
	if (peer_is_gone(p) || p->members < members)
		printf("  %*s", width, "-");
	else
		printf("  %*u", width, id);
}

static void
text_status(struct output *o)
{
	const struct msg_status *s = &o->status;
	char size[8];

	printf("ring %s: %s, %u of %u peer%s up, %" PRIu64 " file%s, "
	       "%u cop%s",
	    o->ring->ring.text, s->whole ? "whole" : "not whole", s->up,
	    s->wanted, plural(s->wanted), s->files, plural(s->files),
	    o->ring->copies, o->ring->copies == 1 ? "y" : "ies");
	if (s->missing)
		printf(", %" PRIu64 " file%s short of a copy", s->missing,
		    plural(s->missing));
	printf("\nPEER  STATE     PID      FIRST  SECOND  PRED  FILES   BYTES"
	       "  SHORT  FAULTS\n");
	for (size_t i = 0; i < o->peer_count; i++) {
		const struct msg_peer *p = &o->peers[i];

		printf("%4u  %-8s  ", p->id, peer_state_text(p->state));
		if (p->pid)
			printf("%-7" PRIu32, p->pid);
		else
			printf("%-7s", "-");
		print_id(p, 1, p->first, 5);
		print_id(p, 3, p->second, 6);
		print_id(p, 1, p->predecessor, 4);
		printf("  %5" PRIu64 "  %6s  %5" PRIu64 "  %s\n", p->files,
		    short_size(p->bytes, size), p->missing,
		    p->faults.len ? p->faults.text : "-");
	}
}

static void
print_peers(const struct ids *ids, const char *between)
{
	for (unsigned i = 0; i < ids->count; i++)
		printf("%s%u", i ? between : "", ids->at[i]);
}

/* (route 8 > 19, ..., 0.8 ms), without a route when there is none. */
static void
print_how(const struct msg_reply *r, const char *more)
{
	char time[32];

	printf(" (%s", more);
	if (r->route.count) {
		printf("route ");
		print_peers(&r->route, " > ");
		printf(", ");
	}
	if (r->command == COMMAND_REQUEST)
		printf("%" PRIu64 " byte%s, ", r->size, plural(r->size));
	printf("%s)\n", shown_time(r->us, time, sizeof(time)));
}

static void
print_stored(const struct msg_reply *r)
{
	char fewer[64] = "";

	printf("stored ");
	put_text(r->name.text);
	printf(" at ");
	print_peers(&r->holders, ", ");
	if (r->holders.count < r->wanted)
		snprintf(fewer, sizeof(fewer), "%u cop%s of %u wanted, ",
		    r->holders.count, r->holders.count == 1 ? "y" : "ies",
		    r->wanted);
	print_how(r, fewer);
}

/* Of a join request, after its result. */
static void
print_route(const struct ids *route)
{
	if (route->count > 0) {
		printf(" (route ");
		print_peers(route, " > ");
		printf(")");
	}
	printf("\n");
}

static void
print_ring(const struct msg_reply *r)
{
	if (r->route.count > 0)
		printf("first successor %u, ", r->route.at[0]);
	if (r->route.count > 1)
		printf("second successor %u, ", r->route.at[1]);
	printf("predecessor %u\n", r->holder);
}

/* What -q keeps quiet about. */
static bool
tells_only_success(const struct msg_reply *r)
{
	return r->command == COMMAND_STORE || r->command == COMMAND_REQUEST ||
	       r->command == COMMAND_REMOVE || r->command == COMMAND_QUIT ||
	       r->command == COMMAND_NONE;
}

static void
text_reply(struct output *o, const struct msg_reply *r)
{
	char why[TEXT_LEN_MAX + NAME_LEN_MAX + 64], time[32];

	if (r->error != ERROR_none) {
		refusal(o, r, why, sizeof(why));
		complain("%s", why);
		return;
	}
	if (o->to_stdout || (o->options->quiet && tells_only_success(r)))
		return;
	if (o->name_peers)
		printf("peer %u: ", r->peer);
	switch ((enum command)r->command) {
	case COMMAND_STORE:
		print_stored(r);
		break;
	case COMMAND_REQUEST:
		put_text(shown_path(o, r->file.text));
		printf(" from %u", r->holder);
		print_how(r, "");
		break;
	case COMMAND_REMOVE:
		printf("removed ");
		put_text(r->name.text);
		print_how(r, "");
		break;
	case COMMAND_OWNER:
		put_text(r->name.text);
		printf(" belongs to %u", r->holder);
		print_how(r, "");
		break;
	case COMMAND_RING:
		print_ring(r);
		break;
	case COMMAND_PING:
		printf("%u answered in %s\n", r->holder,
		    shown_time(r->us, time, sizeof(time)));
		break;
	case COMMAND_QUIT:
		printf("left the ring\n");
		break;
	case COMMAND_NONE:
		printf("joined through peer %u", r->holder);
		print_route(&r->route);
		break;
	case COMMAND_FILES:
		break;
	}
}

static void
text_files(
    struct output *o, const struct listing *l, const struct msg_reply *last)
{
	(void)last;
	if (o->name_peers)
		printf("peer %u: %zu file%s\n", l->peer, l->count,
		    plural(l->count));
	else if (l->count == 0)
		inform(o->options->quiet, "peer %u holds no files", l->peer);
	for (size_t i = 0; i < l->count; i++) {
		const struct record *r = &l->at[i];

		printf("%s", o->name_peers ? "  " : "");
		put_text(r->name.text);
		put_text(r->suffix.text);
		printf("  %" PRIu64 " byte%s\n", r->size, plural(r->size));
	}
}

static void
text_event(struct output *o, const struct msg_event *e)
{
	unsigned fields = event_kind_fields(e->kind);

	(void)o;
	printf("%" PRIu64 ".%06" PRIu64 "  ", e->t_us / 1000000,
	    e->t_us % 1000000);
	if (e->peer == PEER_NOBODY)
		printf("ring: ");
	else
		printf("peer %u: ", e->peer);
	for (const char *c = event_kind_name(e->kind); *c; c++)
		putchar(*c == '_' ? ' ' : *c);
	if (fields & EVENT_NAME) {
		putchar(' ');
		put_text(e->name.text);
	}
	if (fields & EVENT_ABOUT)
		printf(" %u", e->about);
	if (fields & EVENT_OTHER)
		printf(", %u", e->other);
	if (fields & EVENT_INCARNATION)
		printf(" incarnation %" PRIu32, e->incarnation);
	if (fields & EVENT_VALUE)
		printf(" %s %" PRIu64, event_kind_value(e->kind), e->value);
	if ((fields & EVENT_REASON) && e->reason.len) {
		printf(" (");
		put_text(e->reason.text);
		putchar(')');
	}
	putchar('\n');
}

static void
text_line(struct output *o, const struct msg_line *l)
{
	if (o->name_peers)
		printf("%u| ", l->peer);
	put_text(l->text.text);
	putchar('\n');
}

/* Who could not be asked is named by the result. */
static void
text_finding(struct output *o, const struct msg_finding *f)
{
	(void)o;
	if (f->kind == FINDING_unknown)
		return;
	put_text(f->text.text);
	putchar('\n');
}

static void
print_result(const struct output *o, const struct msg_result *r)
{
	printf("%s", r->text.text);
	print_route(&o->route);
}

static void
text_result(struct output *o, const struct msg_result *r)
{
	bool said = false; /* the result names the first failure itself */

	if (r->text.len && r->exit != EXIT_DONE)
		complain("%s", r->text.text);
	else if (r->text.len && !o->options->quiet)
		print_result(o, r);
	for (size_t i = 0; i < o->outcome_count; i++) {
		if (o->outcomes[i].ok)
			continue;
		if (said)
			complain("%s", o->outcomes[i].text.text);
		said = true;
	}
}

const struct printer print_text = {
    .status = text_status,
    .reply = text_reply,
    .files = text_files,
    .event = text_event,
    .line = text_line,
    .finding = text_finding,
    .result = text_result,
};
