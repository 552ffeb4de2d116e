#include <string.h>

#include "unit.h"
#include "wire/codes.h"
#include "wire/message.h"

static struct message m;
static char out[1024];

static void
numbers(void **state)
{
	(void)state;
	m.type = MSG_ping;
	m.ping = (struct msg_ping){1, 0xbeef, 4, 1};
	message_print(&m, out, sizeof(out));
	assert_string_equal(
	    out, "ping seq=1 hash=0x000000000000beef target=4 marked=1");
	m.type = MSG_go;
	m.go = (struct msg_go){UINT64_MAX, 0};
	message_print(&m, out, sizeof(out));
	assert_string_equal(out, "go op=18446744073709551615 offset=0");
}

static void
lists_and_groups(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	m.type = MSG_gossip;
	m.gossip.members.count = 2;
	m.gossip.members.at[0] =
	    (struct member){8, 3, MEMBER_ALIVE, 0, 0, {0x7f000001, 12008}};
	message_print(&m, out, sizeof(out));
	assert_string_equal(out,
	    "gossip spread=0 members=[{id=8 incarnation=3 state=1 flags=0 "
	    "revision=0 addr=127.0.0.1:12008} {id=0 incarnation=0 state=0 "
	    "flags=0 revision=0 addr=0.0.0.0:0}]");
	memset(&m, 0, sizeof(m));
	m.type = MSG_owner;
	m.owner.route.count = 3;
	m.owner.route.at[1] = 19;
	message_print(&m, out, sizeof(out));
	assert_string_equal(out, "owner op=0 owner=0 route=[0 19 0]");
}

static void
sets_and_versions(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	m.type = MSG_accept;
	message_print(&m, out, sizeof(out));
	assert_string_equal(out, "accept nonce=0x0000000000000000 drop=[]");
	idset_add(&m.accept.drop, 0);
	idset_add(&m.accept.drop, 4095);
	message_print(&m, out, sizeof(out));
	assert_string_equal(
	    out, "accept nonce=0x0000000000000000 drop=[0 4095]");
	memset(&m, 0, sizeof(m));
	m.type = MSG_mark;
	assert_int_equal(name_set(&m.mark.name, "2067", 4), 0);
	m.mark.version = (struct version){1700000000000000, 8, 3};
	message_print(&m, out, sizeof(out));
	assert_string_equal(
	    out, "mark name=\"2067\" version=1700000000000000.8.3");
}

static void
nothing_reaches_the_terminal(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	m.type = MSG_started;
	text_set(&m.started.text, "a\"b\\c\n\x1b[31m\xff~");
	message_print(&m, out, sizeof(out));
	assert_string_equal(
	    out, "started error=0 text=\"a\\\"b\\\\c\\x0a\\x1b[31m\\xff~\"");
}

/* Every size holds the beginning of the whole, and its NUL. */
static void
cut_to_size(void **state)
{
	static char whole[1 << 18], part[1 << 18];
	struct random r;

	(void)state;
	random_seed(&r, 1);
	message_random(&m, MSG_reply, &r);
	message_print(&m, whole, sizeof(whole));
	for (size_t size = 1; size < strlen(whole); size += 1 + size / 16) {
		part[size] = 0x77;
		message_print(&m, part, size);
		assert_int_equal(strlen(part), size - 1);
		assert_memory_equal(part, whole, size - 1);
		assert_int_equal(part[size], 0x77);
	}
}

static void
every_message_prints(void **state)
{
	struct random r;

	(void)state;
	random_seed(&r, 2);
#define M(code, name)                                                          \
	message_random(&m, MSG_##name, &r);                                    \
	message_print(&m, out, sizeof(out));                                   \
	assert_memory_equal(out, #name " ", sizeof(#name));
	MESSAGES(M)
#undef M
}

UNIT_MAIN(TEST(numbers), TEST(lists_and_groups), TEST(sets_and_versions),
    TEST(nothing_reaches_the_terminal), TEST(cut_to_size),
    TEST(every_message_prints))
