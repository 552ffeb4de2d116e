#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "peer/drive.h"
#include "wire/codes.h"

static __attribute__((format(printf, 2, 3))) void
line(struct driver *d, const char *format, ...)
{
	struct message m = {.type = MSG_line};
	char text[TEXT_LEN_MAX + 1];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* A name may hold what would end the line. */
	for (char *c = text; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	m.line.t_us = d->loop.now_us;
	m.line.peer = d->setup->id;
	text_set(&m.line.text, text);
	pipe_send(d, &m);
}

static void
line_successors(
    struct driver *d, const char *new, unsigned first, unsigned second)
{
	line(d, "My %sfirst successor is Peer %u", new, first);
	line(d, "My %ssecond successor is Peer %u", new, second);
}

/* The core has put these in order, and leaves out what is far away. */
static void
on_neighbour(struct driver *d, const struct msg_event *e)
{
	unsigned first = e->other, second = (unsigned)e->value;

	if (strcmp(e->reason.text, "leaving") == 0)
		line(d, "Peer %u will depart from the network", e->about);
	else if (strcmp(e->reason.text, "dead") == 0)
		line(d, "Peer %u is no longer alive", e->about);
	else if (e->about != first)
		line(d, "Successor Change request received");
	line_successors(d, "new ", first, second);
}

static void
on_serving(struct driver *d)
{
	struct printer *p = &d->printer;
	uint16_t list[2] = {d->setup->id, d->setup->id};

	peer_successors(d->core, list, 2);
	p->first = list[0];
	if (p->joining)
		line_successors(d, "", list[0], list[1]);
	p->joining = false;
}

/* Who has the newcomer between itself and its successor precedes it. */
static void
on_join_forwarded(struct driver *d, const struct msg_event *e)
{
	unsigned id = d->setup->id, mask = (1u << d->setup->bits) - 1;
	unsigned first = d->printer.first;

	if (((e->about - id) & mask) < ((first - id) & mask))
		line(d, "Peer %u Join request received", e->about);
	else if (e->other == first)
		line(d, "Peer %u Join request forwarded to my successor",
		    e->about);
	else
		line(d, "Peer %u Join request forwarded to Peer %u", e->about,
		    e->other);
}

static void
on_membership(struct driver *d, const struct msg_event *e)
{
	struct printer *p = &d->printer;

	switch (e->kind) {
	case EVENT_serving:
		on_serving(d);
		break;
	case EVENT_joined:
		p->joining = true;
		line(d, "Join request has been accepted");
		break;
	case EVENT_join_asked:
		/* Alone it is the newcomer's predecessor and owner in one. */
		if (p->first == d->setup->id)
			line(d, "Peer %u Join request received", e->about);
		break;
	case EVENT_join_forwarded:
		on_join_forwarded(d, e);
		break;
	case EVENT_successors:
		p->first = e->about;
		break;
	case EVENT_neighbour:
		on_neighbour(d, e);
		break;
	default:
		break;
	}
}

static void
on_ping(struct driver *d, const struct msg_event *e)
{
	if (!d->setup->log_pings)
		return;
	if (e->kind == EVENT_ping_received)
		line(d, "Ping request message received from Peer %u", e->about);
	else if (e->kind == EVENT_pong_received)
		line(d, "Ping response received from Peer %u", e->about);
	else if (e->about == e->other)
		line(d, "Ping requests sent to Peer %u", e->about);
	else
		line(d, "Ping requests sent to Peers %u and %u", e->about,
		    e->other);
}

static void
on_forwarded(struct driver *d, const struct msg_event *e)
{
	const char *name = e->name.text;

	if (e->value == COMMAND_STORE)
		line(d, "Store %s request forwarded to my successor", name);
	else if (e->value == COMMAND_REQUEST)
		line(d,
		    "Request for File %s has been received, "
		    "but the file is not stored here",
		    name);
}

static void
on_file(struct driver *d, const struct msg_event *e)
{
	const char *name = e->name.text;

	switch (e->kind) {
	case EVENT_store_accepted:
		line(d, "Store %s request accepted", name);
		break;
	case EVENT_request_sent:
		if (e->about == d->printer.first)
			line(d,
			    "File request for %s has been sent to my "
			    "successor",
			    name);
		else
			line(d, "File request for %s has been sent to Peer %u",
			    name, e->about);
		break;
	case EVENT_sending:
		line(d, "File %s is stored here", name);
		line(d, "Sending file %s to Peer %u", name, e->about);
		break;
	case EVENT_sent:
		line(d, "The file has been sent");
		break;
	case EVENT_receiving:
		if (e->about == d->setup->id) {
			line(d, "File %s is stored here", name);
			break;
		}
		line(d, "Peer %u had File %s", e->about, name);
		line(d, "Receiving File %s from Peer %u", name, e->about);
		break;
	case EVENT_received:
		line(d, "File %s received", name);
		break;
	case EVENT_missing:
		line(d, "File %s: no such file", name);
		break;
	default:
		break;
	}
}

void
print_event(struct driver *d, const struct msg_event *e)
{
	switch (e->kind) {
	case EVENT_ping_sent:
	case EVENT_ping_received:
	case EVENT_pong_received:
		on_ping(d, e);
		break;
	case EVENT_lookup_forwarded:
		on_forwarded(d, e);
		break;
	default:
		on_membership(d, e);
		on_file(d, e);
	}
}
