#include "wire/command.h"

/*
 * The table. A row with a verb and a command is both: the verb is the short
 * form of the command at a peer picked at random.
 */
const struct command_info command_table[] = {
    {VERB_UP, COMMAND_NONE, "up", "[-F] [-n] FILE", {ARG_CONFIG}, 1,
	OPTION_FOREGROUND | OPTION_CHECK, WHERE_CLIENT,
	"start the ring of a config file",
	"FILE is a config file, see ring.conf(5). Its peers become processes,\n"
	"and files that the ring stored before are there again.\n"
	"-F stays in the foreground; Ctrl-C then is `ringctl down`.\n"
	"-n only checks FILE: it prints the canonical form, or every error.\n"
	"\n"
	"  ringctl up conf/ring.conf\n"},
    {VERB_DOWN, COMMAND_NONE, "down", "", {ARG_NONE}, 0, 0, WHERE_SUPERVISOR,
	"stop the ring; its files stay on disk",
	"Operations under way end or fail, everything is flushed, and all\n"
	"peers exit. It says where the files stay; `up` brings them back.\n"
	"\n"
	"  ringctl down\n"},
    {VERB_WIPE, COMMAND_NONE, "wipe", "[--yes] [FILE]", {ARG_CONFIG}, 0,
	OPTION_YES, WHERE_CLIENT,
	"remove the stored files of a ring that is down",
	"The ring is that of a config file, or the one that -c names. Its "
	"data\n"
	"folder is named and you are asked first; --yes answers the question.\n"
	"\n"
	"  ringctl wipe conf/ring.conf\n"},
    {VERB_STATUS, COMMAND_NONE, "status", "[PEERS]", {ARG_PEERS}, 0, 0,
	WHERE_SUPERVISOR, "the state of the ring and of each peer",
	"FIRST, SECOND and PRED are a peer's successors and predecessor, "
	"FILES\n"
	"and BYTES what it stores, SHORT its files with fewer copies than\n"
	"wanted. Exit status 0 means that every wanted peer is up.\n"
	"\n"
	"  ringctl status 4,8\n"},
    {VERB_LIST, COMMAND_NONE, "list", "", {ARG_NONE}, 0, 0, WHERE_CLIENT,
	"every ring of yours that is up",
	"\n"
	"  ringctl list\n"},
    {VERB_EXEC, COMMAND_NONE, "exec", "PEERS COMMAND [ARGS]",
	{ARG_PEERS, ARG_COMMAND}, 2, 0, WHERE_PEERS,
	"have peers carry out a command of their own",
	"COMMAND is one of those below, in any case. With several peers each\n"
	"does it and answers. All behind COMMAND is its arguments, but for\n"
	"--json, -q and --timeout at the end.\n"
	"\n"
	"  ringctl exec 4 request 2067\n"},
    {VERB_STORE, COMMAND_STORE, "store", "NAME [FILE]", {ARG_NAME, ARG_FILE}, 1,
	0, WHERE_PEER, "store a file in the ring",
	"FILE is a regular file or - for standard input. Without it, it is "
	"the\n"
	"file NAME in this folder, or the one file here named NAME.*; the\n"
	"suffix is kept. `stored` is said when all copies are on disk.\n"
	"\n"
	"  ringctl store 2067 report.pdf\n"},
    {VERB_REQUEST, COMMAND_REQUEST, "request", "NAME [FILE]",
	{ARG_NAME, ARG_FILE}, 1, 0, WHERE_PEER, "fetch a file from the ring",
	"Writes FILE, or standard output when it is -. Without FILE it writes\n"
	"received_NAME and the suffix that NAME was stored with, in this\n"
	"folder. An old file of that name is replaced when all has come.\n"
	"\n"
	"  ringctl request 2067\n"},
    {VERB_REMOVE, COMMAND_REMOVE, "remove", "NAME", {ARG_NAME}, 1, 0,
	WHERE_PEER, "remove a file from the ring",
	"\n"
	"  ringctl remove 2067\n"},
    {VERB_OWNER, COMMAND_OWNER, "owner", "NAME", {ARG_NAME}, 1, 0, WHERE_PEER,
	"which peer a name belongs to, and the way there",
	"\n"
	"  ringctl owner 2067\n"},
    {VERB_FILES, COMMAND_NONE, "files", "[PEERS]", {ARG_PEERS}, 0, 0,
	WHERE_PEERS, "the files that each peer holds",
	"\n"
	"  ringctl files 19\n"},
    {VERB_JOIN, COMMAND_NONE, "join", "ID KNOWN [PING]",
	{ARG_ID, ARG_ID, ARG_INTERVAL}, 2, 0, WHERE_SUPERVISOR,
	"add a new peer, which joins through peer KNOWN",
	"Returns when the newcomer holds the files that are now its own. PING\n"
	"is its ping interval: 30 or 30s, 50ms, 1m.\n"
	"\n"
	"  ringctl join 25 4\n"},
    {VERB_QUIT, COMMAND_NONE, "quit", "PEERS", {ARG_PEERS}, 1, 0,
	WHERE_SUPERVISOR, "have peers leave in good order",
	"Their files go to others first; returns when the processes are gone.\n"
	"What is on their disks stays there.\n"
	"\n"
	"  ringctl quit 9\n"},
    {VERB_KILL, COMMAND_NONE, "kill", "PEERS", {ARG_PEERS}, 1, 0,
	WHERE_SUPERVISOR, "end peers by SIGKILL, without a word",
	"Says what it cost: how long until the ring was whole again, how many\n"
	"files lost a copy, and how long until all had their copies back.\n"
	"\n"
	"  ringctl kill 8\n"},
    {VERB_START, COMMAND_NONE, "start", "PEERS", {ARG_PEERS}, 1, 0,
	WHERE_SUPERVISOR, "start peers again that left or died",
	"Each comes back with its own disk; returns when they serve.\n"
	"\n"
	"  ringctl start 8\n"},
    {VERB_PAUSE, COMMAND_NONE, "pause", "PEERS", {ARG_PEERS}, 1, 0,
	WHERE_SUPERVISOR, "stop peers where they stand (SIGSTOP)",
	"A paused peer answers nobody, so the others soon take it for dead.\n"
	"\n"
	"  ringctl pause 8\n"},
    {VERB_RESUME, COMMAND_NONE, "resume", "PEERS", {ARG_PEERS}, 1, 0,
	WHERE_SUPERVISOR, "let paused peers go on (SIGCONT)",
	"\n"
	"  ringctl resume 8\n"},
    {VERB_WAIT, COMMAND_NONE, "wait", "[whole|ready|down]", {ARG_GOAL}, 0, 0,
	WHERE_SUPERVISOR, "wait until the ring is whole, ready or down",
	"whole: all live peers have the same view of each other, and no dead\n"
	"one is in it. ready: whole, every wanted peer up, and no file short\n"
	"of a copy. down: it is gone.\n"
	"\n"
	"  ringctl --timeout 5 wait ready\n"},
    {VERB_CHECK, COMMAND_NONE, "check", "", {ARG_NONE}, 0, 0, WHERE_SUPERVISOR,
	"is the ring right? 0: yes, 1: no, 2: it can't tell",
	"Asks every peer for its view, its neighbours and its files: one "
	"cycle,\n"
	"equal views, every file at its holders and nowhere else. Each "
	"violation\n"
	"is a line. What heals within 5 s is none. Disks of peers that are "
	"down\n"
	"are read, too: files that nobody else has are named.\n"
	"\n"
	"  ringctl check\n"},
    {VERB_EVENTS, COMMAND_NONE, "events",
	"[-f] [--since T] [--kind KIND] [PEERS]", {ARG_PEERS}, 0,
	OPTION_FOLLOW | OPTION_SINCE | OPTION_KIND, WHERE_SUPERVISOR,
	"what happened in the ring, with times",
	"-f goes on until Ctrl-C. T is a time as events print it, in seconds,\n"
	"or with a unit (10s, 5m) that long ago. Works when the ring is down.\n"
	"\n"
	"  ringctl events --kind dead\n"},
    {VERB_LOGS, COMMAND_NONE, "logs", "[-f] [--since T] [PEERS]", {ARG_PEERS},
	0, OPTION_FOLLOW | OPTION_SINCE, WHERE_SUPERVISOR,
	"what each peer printed",
	"Bare lines for one peer, `8| ` before them for several. -f goes on\n"
	"until Ctrl-C. Works when the ring is down.\n"
	"\n"
	"  ringctl logs -f 8\n"},
    {VERB_PEER, COMMAND_NONE, "peer",
	"[-f FILE] init ID FIRST SECOND [PING] | join ID KNOWN [PING]",
	{ARG_START, ARG_ID, ARG_ID, ARG_ID, ARG_INTERVAL}, 3, OPTION_CONFIG,
	WHERE_CLIENT, "one peer in this terminal, without a supervisor",
	"init begins a ring, or finds the peers FIRST and SECOND, its "
	"successors\n"
	"as far as you know; join comes in through peer KNOWN. It prints what "
	"it\n"
	"does and reads its commands, in any case: Store 2067, Request 2067,\n"
	"Quit, and those that `ringctl help` lists. Ctrl-C is an abrupt\n"
	"departure. PING is its ping interval: 30 or 30s, 50ms, 1m. -f takes\n"
	"all but the peers from a config; without it everything is as in the\n"
	"textbook exercise: conf/exercise.conf.\n"
	"\n"
	"  ringctl peer init 2 4 5 30\n"},
    {VERB_HELP, COMMAND_NONE, "help", "[VERB]", {ARG_WORD}, 0, 0, WHERE_CLIENT,
	"this help, or more about one verb",
	"\n"
	"  ringctl help store\n"},
    {VERB_NONE, COMMAND_FILES, "files", "", {ARG_NONE}, 0, 0, WHERE_PEERS,
	"the files that this peer holds",
	"\n"
	"  ringctl exec 19 files\n"},
    {VERB_NONE, COMMAND_RING, "ring", "", {ARG_NONE}, 0, 0, WHERE_PEERS,
	"this peer's successors and predecessor",
	"\n"
	"  ringctl exec 4 ring\n"},
    {VERB_NONE, COMMAND_PING, "ping", "ID", {ARG_ID}, 1, 0, WHERE_PEERS,
	"ping another peer and say how long it took",
	"\n"
	"  ringctl exec 4 ping 9\n"},
    {VERB_NONE, COMMAND_QUIT, "quit", "", {ARG_NONE}, 0, 0, WHERE_PEERS,
	"leave the ring in good order",
	"\n"
	"  ringctl exec 9 quit\n"},
    {VERB_NONE, COMMAND_NONE, NULL, NULL, {ARG_NONE}, 0, 0, WHERE_CLIENT, NULL,
	NULL},
};
