#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

/*
 * One line for each event and action, with the printer of messages: the same
 * from run to run, for nothing in it depends on memory or on real time.
 */

static const char *const event_names[] = {
    [EV_TICK] = "tick",
    [EV_DATAGRAM] = "datagram",
    [EV_UNREACHABLE] = "unreachable",
    [EV_CONN_OPEN] = "open",
    [EV_CONN_CLOSED] = "closed",
    [EV_CONN_STALLED] = "stalled",
    [EV_MESSAGE] = "message",
    [EV_RAW_SENT] = "raw sent",
    [EV_RAW_RECEIVED] = "raw received",
    [EV_FILE] = "file",
    [EV_DAMAGED] = "damaged",
    [EV_PERSISTED] = "persisted",
    [EV_COMMAND] = "command",
    [EV_CANCEL] = "cancel",
    [EV_FREEZE] = "freeze",
};

static const char *const action_names[] = {
    [ACT_DATAGRAM] = "datagram",
    [ACT_MULTICAST] = "multicast",
    [ACT_CONNECT] = "connect",
    [ACT_SEND] = "send",
    [ACT_CLOSE] = "close",
    [ACT_RAW_SEND] = "raw send",
    [ACT_RAW_RECV] = "raw receive",
    [ACT_TAKE] = "take",
    [ACT_DELIVER] = "deliver",
    [ACT_OPEN_SOURCE] = "open source",
    [ACT_CHECK_SOURCE] = "check source",
    [ACT_OPEN_STORED] = "open stored",
    [ACT_CREATE_TEMP] = "create temporary",
    [ACT_CREATE_TARGET] = "create target",
    [ACT_COPY] = "copy",
    [ACT_COMMIT] = "commit",
    [ACT_RENAME] = "rename",
    [ACT_DISCARD] = "discard",
    [ACT_MARK] = "mark",
    [ACT_VERIFY] = "verify",
    [ACT_DROP] = "drop",
    [ACT_PERSIST] = "persist",
    [ACT_REPLY] = "reply",
    [ACT_NOTE] = "note",
    [ACT_EXIT] = "exit",
};

static void
begin(const struct sim *s, const struct node *n)
{
	printf("%llu.%06llu ", (unsigned long long)(s->now_us / SECOND),
	    (unsigned long long)(s->now_us % SECOND));
	if (n == NULL)
		printf("  - ");
	else if (n->addr.ip == SIM_HOST)
		printf("%3u ", n->id);
	else
		printf("%3u@%u ", n->id, n->addr.ip - SIM_HOST);
}

static void
print_message(const struct message *m)
{
	static char text[1 << 16];

	message_print(m, text, sizeof(text));
	printf(": %s", text);
}

static void
print_addr(struct addr a)
{
	printf(" %u.%u.%u.%u:%u", a.ip >> 24, a.ip >> 16 & 255, a.ip >> 8 & 255,
	    a.ip & 255, a.port);
}

static void
print_record(const struct record *r)
{
	if (r->name.len > 0)
		printf(" %s version=%llu/%u/%llu size=%llu%s", r->name.text,
		    (unsigned long long)r->version.clock, r->version.ingress,
		    (unsigned long long)r->version.op,
		    (unsigned long long)r->size, r->deleted ? " deleted" : "");
}

void
trace_event(const struct sim *s, const struct node *n, const struct event *e)
{
	if (!s->trace)
		return;
	begin(s, n);
	printf("< %s", event_names[e->type]);
	if (e->conn != 0)
		printf(" conn=%u", e->conn);
	if (e->type == EV_DATAGRAM || e->type == EV_CONN_OPEN)
		printf(" from=%u/%u", e->from, e->incarnation);
	if (e->addr.port != 0)
		print_addr(e->addr);
	if (e->type == EV_CONN_CLOSED)
		printf(" reason=%u", e->reason);
	if (e->file != 0)
		printf(
		    " file=%u size=%llu", e->file, (unsigned long long)e->size);
	if (e->type == EV_PERSISTED)
		printf(" incarnation=%u", e->incarnation);
	if (e->error != ERROR_none)
		printf(" error=%s", wire_error_text(e->error));
	if (e->type == EV_FILE)
		print_record(&e->record);
	if (e->message != NULL)
		print_message(e->message);
	printf("\n");
}

static void
print_action(const struct sim *s, const struct action *a)
{
	static struct message m;

	printf("> %s", action_names[a->type]);
	if (a->conn != 0)
		printf(" conn=%u", a->conn);
	if (a->type == ACT_CONNECT)
		printf(" id=%u role=%u timeout_us=%u", a->id, a->role,
		    a->timeout_us);
	if (a->addr.port != 0)
		print_addr(a->addr);
	if (a->file != 0 || a->size != 0)
		printf(" file=%u offset=%llu size=%llu", a->file,
		    (unsigned long long)a->offset, (unsigned long long)a->size);
	if (a->type == ACT_PERSIST)
		printf(" incarnation=%u", a->incarnation);
	if (a->type == ACT_EXIT)
		printf(" code=%u", a->code);
	print_record(&a->record);
	for (size_t i = 0; i < a->count; i++)
		printf(" %u", s->out->ids[a->targets + i]);
	if (a->len > 0 &&
	    message_decode(&m, s->out->data + a->bytes, a->len) > 0)
		print_message(&m);
	printf("\n");
}

void
trace_actions(const struct sim *s, const struct node *n)
{
	if (!s->trace)
		return;
	for (size_t i = 0; i < s->out->count; i++) {
		begin(s, n);
		print_action(s, &s->out->at[i]);
	}
}

void
trace_say(const struct sim *s, const struct node *n, const char *format, ...)
{
	va_list args;

	if (!s->trace)
		return;
	begin(s, n);
	printf("- ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}
