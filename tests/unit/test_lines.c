#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/drive.h"
#include "unit.h"
#include "wire/frame.h"

/* What a peer prints, as the textbook exercise words it. */
static struct driver driver;
static struct peer_setup peer;
static char said[4096];

static void
begin(uint16_t id, uint16_t first)
{
	memset(&driver, 0, sizeof(driver));
	memset(&peer, 0, sizeof(peer));
	peer.id = id;
	peer.bits = 8;
	driver.setup = &peer;
	driver.pipe.out_fd = 1; /* lines stay in its queue */
	driver.printer.first = first;
}

static struct msg_event
event_of(enum event_kind kind, uint16_t about, uint16_t other)
{
	struct msg_event e;

	memset(&e, 0, sizeof(e));
	e.kind = (uint8_t)kind;
	e.peer = peer.id;
	e.about = about;
	e.other = other;
	assert_int_equal(name_set(&e.name, "4103", 4), 0);
	return e;
}

static void
happens(enum event_kind kind, uint16_t about, uint16_t other)
{
	struct msg_event e = event_of(kind, about, other);

	print_event(&driver, &e);
}

/* about joins, leaves or dies: what, and the successors after that. */
static void
changes(const char *what, uint16_t about, uint16_t first, uint16_t second)
{
	struct msg_event e = event_of(EVENT_neighbour, about, first);

	e.value = second;
	text_set(&e.reason, what);
	print_event(&driver, &e);
}

/* All lines since the last call, one below the other. */
static const char *
lines(void)
{
	struct pipe *p = &driver.pipe;
	struct message m;
	long used;

	said[0] = '\0';
	for (; p->sent < p->len; p->sent += (size_t)used) {
		size_t at = strlen(said);

		used = frame_decode(&m, p->queue + p->sent, p->len - p->sent);
		assert_true(used > 0);
		assert_int_equal(m.type, MSG_line);
		assert_int_equal(m.line.peer, peer.id);
		snprintf(
		    said + at, sizeof(said) - at, "%s\n", m.line.text.text);
	}
	free(p->queue);
	p->queue = NULL;
	p->sent = p->len = p->room = 0;
	return said;
}

static void
pings(void **state)
{
	(void)state;
	begin(2, 4);
	happens(EVENT_ping_sent, 4, 5);
	assert_string_equal(lines(), "");
	peer.log_pings = true;
	happens(EVENT_ping_sent, 4, 5);
	happens(EVENT_ping_sent, 4, 4);
	happens(EVENT_ping_received, 19, 0);
	happens(EVENT_pong_received, 4, 0);
	assert_string_equal(lines(),
	    "Ping requests sent to Peers 4 and 5\n"
	    "Ping requests sent to Peer 4\n"
	    "Ping request message received from Peer 19\n"
	    "Ping response received from Peer 4\n");
}

/* 15 joins 2 4 5 8 9 14 19 through 4. */
static void
join(void **state)
{
	(void)state;
	begin(8, 9);
	happens(EVENT_join_forwarded, 15, 9);
	/* With route direct it goes to the owner. */
	happens(EVENT_join_forwarded, 15, 19);
	assert_string_equal(lines(),
	    "Peer 15 Join request forwarded to my successor\n"
	    "Peer 15 Join request forwarded to Peer 19\n");
	begin(14, 19);
	happens(EVENT_join_asked, 15, 0);
	happens(EVENT_join_forwarded, 15, 19);
	happens(EVENT_member, 15, 0);
	happens(EVENT_successors, 15, 19);
	changes("joined", 15, 15, 19);
	assert_string_equal(lines(), "Peer 15 Join request received\n"
				     "My new first successor is Peer 15\n"
				     "My new second successor is Peer 19\n");
	begin(9, 14);
	changes("joined", 15, 14, 15);
	assert_string_equal(lines(), "Successor Change request received\n"
				     "My new first successor is Peer 14\n"
				     "My new second successor is Peer 15\n");
	begin(7, 7);
	happens(EVENT_join_asked, 15, 0);
	changes("joined", 15, 15, 7);
	assert_string_equal(lines(), "Peer 15 Join request received\n"
				     "My new first successor is Peer 15\n"
				     "My new second successor is Peer 7\n");
}

/* The gap that the newcomer falls into may span zero. */
static void
join_across_zero(void **state)
{
	(void)state;
	begin(19, 2);
	happens(EVENT_join_forwarded, 1, 2);
	assert_string_equal(lines(), "Peer 1 Join request received\n");
	happens(EVENT_join_forwarded, 3, 2);
	assert_string_equal(
	    lines(), "Peer 3 Join request forwarded to my successor\n");
}

static void
departure(void **state)
{
	(void)state;
	begin(8, 9);
	changes("leaving", 9, 14, 19);
	assert_string_equal(lines(), "Peer 9 will depart from the network\n"
				     "My new first successor is Peer 14\n"
				     "My new second successor is Peer 19\n");
	changes("dead", 14, 19, 2);
	assert_string_equal(lines(), "Peer 14 is no longer alive\n"
				     "My new first successor is Peer 19\n"
				     "My new second successor is Peer 2\n");
}

/* What the view says is the core's affair. */
static void
silence(void **state)
{
	(void)state;
	begin(8, 9);
	happens(EVENT_member, 10, 0);
	happens(EVENT_successors, 10, 14);
	happens(EVENT_suspect, 10, 0);
	happens(EVENT_leaving, 10, 0);
	happens(EVENT_dead, 10, 0);
	happens(EVENT_refuted, 8, 0);
	happens(EVENT_predecessor, 5, 0);
	assert_string_equal(lines(), "");
}

static void
files(void **state)
{
	struct msg_event e;

	(void)state;
	begin(8, 9);
	happens(EVENT_store_accepted, 2, 0);
	happens(EVENT_request_sent, 9, 0);
	happens(EVENT_sending, 2, 0);
	happens(EVENT_sent, 2, 0);
	happens(EVENT_receiving, 9, 0);
	happens(EVENT_received, 9, 0);
	happens(EVENT_missing, 9, 0);
	happens(EVENT_receiving, 8, 0); /* from itself */
	assert_string_equal(lines(),
	    "Store 4103 request accepted\n"
	    "File request for 4103 has been sent to my successor\n"
	    "File 4103 is stored here\n"
	    "Sending file 4103 to Peer 2\n"
	    "The file has been sent\n"
	    "Peer 9 had File 4103\n"
	    "Receiving File 4103 from Peer 9\n"
	    "File 4103 received\n"
	    "File 4103: no such file\n"
	    "File 4103 is stored here\n");
	e = event_of(EVENT_lookup_forwarded, 9, 2);
	e.value = COMMAND_STORE;
	print_event(&driver, &e);
	e.value = COMMAND_REQUEST;
	print_event(&driver, &e);
	assert_string_equal(lines(),
	    "Store 4103 request forwarded to my successor\n"
	    "Request for File 4103 has been received, "
	    "but the file is not stored here\n");
}

static void
one_line_is_one_line(void **state)
{
	struct msg_event e;

	(void)state;
	begin(8, 9);
	e = event_of(EVENT_received, 9, 0);
	assert_int_equal(name_set(&e.name, "a\n\x1b[2Jb", 7), 0);
	print_event(&driver, &e);
	assert_string_equal(lines(), "File a??[2Jb received\n");
}

UNIT_MAIN(TEST(pings), TEST(join), TEST(join_across_zero), TEST(departure),
    TEST(silence), TEST(files), TEST(one_line_is_one_line))
