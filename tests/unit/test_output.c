#include <string.h>

#include "cli/print.h"
#include "super/call.h"
#include "unit.h"

#include "capture.h"

static struct options options;
static struct msg_welcome ring;
static struct command_line line;
static struct output output;
static struct message m;
static struct capture out, err;

/* An answer to a verb of ringctl or (command) to a peer's own command. */
static void
begin(enum verb verb, enum command command, bool json)
{
	memset(&options, 0, sizeof(options));
	memset(&ring, 0, sizeof(ring));
	memset(&line, 0, sizeof(line));
	options.verb = verb_info(verb);
	options.json = json;
	text_set(&ring.ring, "lab");
	ring.pid = 4700;
	ring.copies = 3;
	line.command = command;
	assert_int_equal(name_set(&line.name, "2067", 4), 0);
	output_init(
	    &output, &options, &ring, command != COMMAND_NONE ? &line : NULL);
}

static const char *
shown(void)
{
	capture_begin(&out, STDOUT_FILENO);
	output_message(&output, &m);
	return capture_end(&out);
}

static void
ids_set(struct ids *ids, unsigned count, const uint16_t *at)
{
	ids->count = (uint16_t)count;
	memcpy(ids->at, at, count * sizeof(*at));
}

static struct msg_reply *
reply(uint16_t peer, enum command command)
{
	memset(&m, 0, sizeof(m));
	m.type = MSG_reply;
	m.reply.peer = peer;
	m.reply.command = (uint8_t)command;
	m.reply.last = 1;
	m.reply.name = line.name;
	m.reply.us = 803;
	return &m.reply;
}

static void
stored(void)
{
	struct msg_reply *r = reply(8, COMMAND_STORE);

	ids_set(&r->route, 2, (const uint16_t[]){8, 19});
	ids_set(&r->holders, 3, (const uint16_t[]){19, 2, 4});
	r->wanted = 3;
	r->size = 4096;
}

static void
store_answers(void **state)
{
	(void)state;
	begin(VERB_EXEC, COMMAND_STORE, false);
	stored();
	assert_string_equal(
	    shown(), "stored 2067 at 19, 2, 4 (route 8 > 19, 0.8 ms)\n");
	m.reply.holders.count = 1;
	assert_string_equal(shown(),
	    "stored 2067 at 19 (1 copy of 3 wanted, route 8 > 19, 0.8 ms)\n");
	output.name_peers = true;
	m.reply.holders.count = 3;
	assert_string_equal(shown(),
	    "peer 8: stored 2067 at 19, 2, 4 (route 8 > 19, 0.8 ms)\n");
	assert_int_equal(output.exit, EXIT_DONE);
}

static void
store_answers_in_json(void **state)
{
	(void)state;
	begin(VERB_EXEC, COMMAND_STORE, true);
	stored();
	assert_string_equal(shown(),
	    "{\"peer\":8,\"command\":\"store\",\"name\":\"2067\",\"ok\":true,"
	    "\"route\":[8,19],\"holders\":[19,2,4],\"wanted\":3,"
	    "\"size\":4096,\"digest\":\"00000000000000000000000000000000\","
	    "\"ms\":0.803}\n");
}

static void
request_answers(void **state)
{
	struct msg_reply *r;

	(void)state;
	begin(VERB_EXEC, COMMAND_REQUEST, false);
	memcpy(output.here, "/home/u", sizeof("/home/u"));
	r = reply(4, COMMAND_REQUEST);
	ids_set(&r->route, 2, (const uint16_t[]){4, 19});
	r->holder = 19;
	r->size = 81920;
	path_set(&r->file, "/home/u/received_2067.pdf");
	assert_string_equal(shown(),
	    "received_2067.pdf from 19 (route 4 > 19, 81920 bytes, "
	    "0.8 ms)\n");
	path_set(&r->file, "/home/user/received_2067.pdf");
	assert_non_null(strstr(shown(), "/home/user/received_2067.pdf from"));
}

static void
refusals(void **state)
{
	struct msg_reply *r;

	(void)state;
	begin(VERB_EXEC, COMMAND_REQUEST, false);
	r = reply(4, COMMAND_REQUEST);
	r->error = ERROR_no_such_file;
	capture_begin(&err, STDERR_FILENO);
	assert_string_equal(shown(), "");
	assert_string_equal(
	    capture_end(&err), "ringctl: peer 4: request 2067: no such file\n");
	assert_int_equal(output.exit, EXIT_FAILED);
	begin(VERB_EXEC, COMMAND_REQUEST, false);
	r = reply(4, COMMAND_REQUEST);
	r->error = ERROR_damaged;
	r->holders.count = 2;
	r->holders.at[0] = 19;
	r->holders.at[1] = 2;
	capture_begin(&err, STDERR_FILENO);
	assert_string_equal(shown(), "");
	assert_string_equal(capture_end(&err),
	    "ringctl: peer 4: request 2067: content does not match its "
	    "digest: peers 19, 2 held it\n");
	begin(VERB_EXEC, COMMAND_REQUEST, true);
	r = reply(4, COMMAND_REQUEST);
	r->error = ERROR_unavailable;
	text_set(&r->text, "peers 19, 2, 4 may hold it and are down");
	assert_string_equal(shown(),
	    "{\"peer\":4,\"command\":\"request\",\"name\":\"2067\","
	    "\"ok\":false,\"error\":\"unavailable\",\"detail\":"
	    "\"peers 19, 2, 4 may hold it and are down\",\"ms\":0.803}\n");
}

/* One peer down: the others are done, and the exit status says so. */
static void
first_error_is_the_status(void **state)
{
	struct msg_reply *r;

	(void)state;
	begin(VERB_EXEC, COMMAND_RING, true);
	reply(4, COMMAND_RING);
	shown();
	assert_int_equal(output.exit, EXIT_DONE);
	r = reply(8, COMMAND_RING);
	r->error = ERROR_no_peer;
	shown();
	assert_int_equal(output.exit, EXIT_NO_PEER);
	r->error = ERROR_timeout;
	shown();
	assert_int_equal(output.exit, EXIT_NO_PEER);
}

static void
peer_message(uint16_t id, enum peer_state state)
{
	memset(&m, 0, sizeof(m));
	m.type = MSG_peer;
	m.peer.id = id;
	m.peer.state = (uint8_t)state;
	m.peer.pid = state == PEER_UP ? 4711 : 0;
	m.peer.port = (uint16_t)(12000 + id);
	m.peer.incarnation = 1;
	m.peer.members = 7;
	m.peer.first = 4;
	m.peer.second = 5;
	m.peer.predecessor = 19;
	m.peer.files = 1;
	m.peer.bytes = 81920;
	output_message(&output, &m);
}

static void
status_of(bool json)
{
	begin(VERB_STATUS, COMMAND_NONE, json);
	memset(&m, 0, sizeof(m));
	m.type = MSG_status;
	m.status = (struct msg_status){
	    .whole = 1, .ready = 1, .wanted = 7, .up = 7, .files = 1};
	output_message(&output, &m);
	peer_message(2, PEER_UP);
	peer_message(9, PEER_KILLED);
	memset(&m, 0, sizeof(m));
	m.type = MSG_result;
}

static void
status_as_a_table(void **state)
{
	(void)state;
	status_of(false);
	assert_string_equal(shown(),
	    "ring lab: whole, 7 of 7 peers up, 1 file, 3 copies\n"
	    "PEER  STATE     PID      FIRST  SECOND  PRED  FILES   BYTES"
	    "  SHORT  FAULTS\n"
	    "   2  up        4711         4       5    19      1    80 K"
	    "      0  -\n"
	    "   9  killed    -            -       -     -      1    80 K"
	    "      0  -\n");
	output_free(&output);
}

static void
status_as_json(void **state)
{
	(void)state;
	status_of(true);
	assert_string_equal(shown(),
	    "{\"ring\":\"lab\",\"pid\":4700,\"whole\":true,\"ready\":true,"
	    "\"route\":\"direct\",\"copies\":3,\"peers\":["
	    "{\"id\":2,\"state\":\"up\",\"pid\":4711,\"port\":12002,"
	    "\"incarnation\":1,\"first_successor\":4,"
	    "\"second_successor\":5,\"predecessor\":19,\"files\":1,"
	    "\"bytes\":81920,\"short\":0,\"restarts\":0,\"dropped\":0,"
	    "\"faults\":[]},"
	    "{\"id\":9,\"state\":\"killed\",\"pid\":null,\"port\":12009,"
	    "\"incarnation\":1,\"first_successor\":null,"
	    "\"second_successor\":null,\"predecessor\":null,\"files\":1,"
	    "\"bytes\":81920,\"short\":0,\"restarts\":0,\"dropped\":0,"
	    "\"faults\":[]}]}\n");
	output_free(&output);
}

static void
events_in_both_forms(void **state)
{
	(void)state;
	for (int json = 0; json < 2; json++) {
		begin(VERB_EVENTS, COMMAND_NONE, json == 1);
		memset(&m, 0, sizeof(m));
		m.type = MSG_event;
		m.event.t_us = 12345678;
		m.event.wall_us = 1795168800123456;
		m.event.peer = 4;
		m.event.kind = EVENT_dead;
		m.event.about = 8;
		m.event.incarnation = 2;
		text_set(&m.event.reason, "refused");
		assert_string_equal(shown(),
		    json ? "{\"t\":12.345678,"
			   "\"wall\":\"2026-11-20T10:00:00.123456Z\","
			   "\"peer\":4,\"event\":\"dead\",\"about\":8,"
			   "\"incarnation\":2,\"reason\":\"refused\"}\n"
			 : "12.345678  peer 4: dead 8 incarnation 2 "
			   "(refused)\n");
	}
	options.kind = "member";
	assert_string_equal(shown(), "");
}

/* Names and lines are shown, never obeyed. */
static void
terminals_are_safe(void **state)
{
	(void)state;
	begin(VERB_LOGS, COMMAND_NONE, false);
	memset(&m, 0, sizeof(m));
	m.type = MSG_line;
	m.line.peer = 8;
	text_set(&m.line.text, "a\x1b[2Jb");
	assert_string_equal(shown(), "a?[2Jb\n");
	output.name_peers = true;
	assert_string_equal(shown(), "8| a?[2Jb\n");
}

static void
times_are_short(void **state)
{
	char time[32];

	(void)state;
	assert_string_equal(shown_time(803, time, sizeof(time)), "0.8 ms");
	assert_string_equal(shown_time(12345, time, sizeof(time)), "12 ms");
	assert_string_equal(shown_time(2345678, time, sizeof(time)), "2.3 s");
}

UNIT_MAIN(TEST(store_answers), TEST(store_answers_in_json),
    TEST(request_answers), TEST(refusals), TEST(first_error_is_the_status),
    TEST(status_as_a_table), TEST(status_as_json), TEST(events_in_both_forms),
    TEST(terminals_are_safe), TEST(times_are_short))
