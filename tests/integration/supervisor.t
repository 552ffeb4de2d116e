#!/bin/bash
# The supervisor as a process: several rings, clients that misbehave, Ctrl-C,
# its own death, and what it keeps of its caller.
LIMIT=300
. "$(dirname "$0")/lib.sh"

# interrupted COMMAND...: starts it as a terminal would; its pid in CHILD.
# (A background job of this shell would ignore SIGINT.)
interruptible()
{
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV or exit 127' "$@" \
	    >"$W/bg.out" 2>"$W/bg.err" </dev/null &
	CHILD=$!
}

gone()
{
	! alive "$1"
}

all_gone()
{
	local pid
	for pid; do alive "$pid" && return 1; done
	return 0
}

ports_free()
{
	perl -MSocket -e 'for my $p ($ARGV[0] .. $ARGV[0] + 255) {
		for my $t (SOCK_STREAM, SOCK_DGRAM) {
			socket my $s, PF_INET, $t, 0 or exit 1;
			setsockopt $s, SOL_SOCKET, SO_REUSEADDR, 1
			    if $t == SOCK_STREAM;
			bind $s, sockaddr_in($p, INADDR_ANY) or exit 1;
		} }' "$PORT"
}

# Several rings.
up one "2 4 5"
does "its name may be left out" ringctl status
up two "2 4 5"
exits "with two it may not" 2 ringctl status
says "both are named" 'one'
says "both are named" 'two'
does "list" ringctl list
says "one" 'one'
says "and two" 'two'
content 2067 5000
does "store in one" ringctl -c one exec 4 store 2067
exits "two has its own files" 1 ringctl -c two exec 4 request 2067
does "kill 4 of two" ringctl -c two kill 4
same "one has its own peers" "$(peer_of one 4 state)" up
exits "up twice" 6 ringctl up one.conf
says "says so" 'one'
sed "s/ring one/ring three/" one.conf >three.conf
exits "another ring on the same ports" 1 ringctl up three.conf
says "the port is named" '[0-9]{5}'
exits "and is not up" 3 ringctl -c three status
down two
holds "down of two leaves one" is_whole one

# What it keeps of its caller.
exec 7>"$W/held"
ring held "2 4 5"
ringctl up held.conf >"$W/out" 2>"$W/err" </dev/null
same "up with descriptors open" $? 0
exec 7>&-
kept=
for pid in $(supervisor_of held) $(pids_of held); do
	for fd in /proc/$pid/fd/*; do
		case $(readlink "$fd") in
		"$W/held" | "$W/out" | "$W/err" | /dev/pts/* | /dev/tty*)
			kept+=" $pid:$(readlink "$fd")" ;;
		esac
	done
	[ "$(readlink "/proc/$pid/cwd")" != "$W/here" ] ||
	    kept+=" $pid:cwd"
	session=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f4)
	[ "$session" != "$(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f4)" ] ||
	    kept+=" $pid:session"
	tty=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f5)
	[ "$tty" = 0 ] || kept+=" $pid:terminal"
done
same "no descriptor, folder, session or terminal of the caller is kept" \
    "$kept" ""
holds "up ended its output: a pipe from it closes" timeout 20 \
    bash -c 'ringctl -c held down >/dev/null; ringctl up held.conf | cat'
fds()
{
	ls "/proc/$1/fd" 2>/dev/null | wc -l
}
supervisor=$(supervisor_of held)
before=$(fds "$supervisor")
for i in 1 2 3; do
	ringctl -c held kill 4 >/dev/null 2>&1 </dev/null
	ringctl -c held start 4 >/dev/null 2>&1 </dev/null
done
back_at_base()
{
	[ "$(fds "$supervisor")" -le "$before" ]
}
eventually "its descriptors are back at their base" 5 back_at_base
same "a peer's name says what it is" "$(tr '\0' ' ' \
    <"/proc/$(peer_of held 4 pid)/cmdline" | sed 's/ *$//')" \
    "ringctl: peer 4 [held]"

# Clients that never read, or leave in the middle.
perl "$HERE/clients.pl" "$RINGCTL_DIR" held 100 "$W/clients.up" &
clients=$!
disown
eventually "100 clients that never read" 20 test -e "$W/clients.up"
start=$(now_ms)
does "nobody waits for them: status" ringctl -c held status
does "store" ringctl -c held exec 2 store 2067
took=$(($(now_ms) - start))
holds "quickly: $took ms" [ $took -lt $((2000 * SLOW)) ]
kill -9 -- -$clients
eventually "when they leave, so do their descriptors" 5 back_at_base
for i in $(seq 30); do
	ringctl -c held exec 2 ring >"$W/bg.out" 2>&1 </dev/null &
done
wait
holds "30 clients at once" grep -q succ "$W/bg.out"
followers=
for verb in events logs events logs; do
	ringctl -c held $verb -f >/dev/null 2>&1 </dev/null &
	followers+=" $!"
	disown
done
timeout 2 ringctl -c held events -f </dev/null 2>/dev/null |
    head -n 1 >"$W/first"
kill -9 $followers
wait 2>/dev/null
eventually "followers that leave cost nothing" 5 back_at_base

# Ctrl-C in store and request.
content big 300000000
for delay in 0 0.005 0.02 0.05 0.1 0.2; do
	interruptible ringctl -c held exec 2 store 3000 big
	sleep $delay
	kill -INT $CHILD 2>/dev/null
	wait $CHILD
done
does "after Ctrl-C in store: store" ringctl -c held exec 4 store 3000 big
for delay in 0 0.005 0.02 0.05 0.1 0.2; do
	rm -f received_3000
	interruptible ringctl -c held exec 2 request 3000
	sleep $delay
	kill -INT $CHILD 2>/dev/null
	wait $CHILD
	status=$?
	[ ! -e received_3000 ] || cmp -s big received_3000 ||
	    fail "a half-written file after Ctrl-C at $delay"
done
no_scraps()
{
	[ -z "$(find . -maxdepth 1 -newer held.conf ! -name 'received_*' \
	    ! -name . ! -name big)" ]
}
eventually "after Ctrl-C in request: no scraps" 5 no_scraps
rm -f received_3000
no_temporaries()
{
	[ -z "$(find "$XDG_STATE_HOME/ringctl/held" -path '*/held/*/tmp/*')" ]
}
eventually "and none in the data folders" 10 no_temporaries
does "request" ringctl -c held exec 2 request 3000
holds "the same bytes" cmp big received_3000
eventually "descriptors at their base" 5 back_at_base
rm -f received_3000 big

# Ctrl-C in down: it goes down, or stays up whole; then down works.
pids="$(supervisor_of held) $(pids_of held)"
for delay in 0 0.01; do
	interruptible ringctl -c held down
	sleep $delay
	kill -INT $CHILD 2>/dev/null
	wait $CHILD
done
run ringctl -c held down
holds "down after Ctrl-C in down: exit $STATUS" \
    [ "$STATUS" = 0 -o "$STATUS" = 3 ]
eventually "nothing of it is left" 20 all_gone $pids

# Two at once.
does "up" ringctl up held.conf
pids="$(supervisor_of held) $(pids_of held)"
ringctl -c held down >/dev/null 2>"$W/err1" </dev/null &
first=$!
ringctl -c held down >/dev/null 2>"$W/err2" </dev/null
second=$?
wait $first
first=$?
holds "two downs at once: exits $first and $second" \
    [ $first$second = 00 -o $first$second = 03 -o $first$second = 30 ]
eventually "nothing of it is left" 5 all_gone $pids

# Ctrl-C in up.
for delay in 0 0.002 0.005 0.01 0.02 0.04 0.08; do
	interruptible ringctl up held.conf
	sleep $delay
	kill -INT $CHILD 2>/dev/null
	wait $CHILD
	status=$?
	run ringctl -c held down
	[ "$STATUS" = 0 ] || [ "$STATUS" = 3 ] || {
		fail "down after Ctrl-C in up ($delay)"
		details
	}
done
does "after Ctrl-C in up: up" ringctl up held.conf
does "request" ringctl -c held exec 4 request 3000

# down in the middle of up: whole is said, or an error.
ring early 0-99
told=0
for try in 1 2 3 4 5; do
	ringctl up early.conf >early.out 2>early.err &
	CHILD=$!
	poll 10 test -S "$RINGCTL_DIR/early.sock"
	poll 10 ringctl -q -c early down 2>"$W/err"
	wait $CHILD
	case "$? $(cat early.out early.err)" in
	0\ *whole,*) ;;
	1\ *"told to go down"*) told=1 ;;
	*) fail "up, taken down: $(cat early.out early.err)" ;;
	esac
done
same "up says that it was told to go down" $told 1

# The supervisor dies.
supervisor=$(supervisor_of held)
pids=$(pids_of held)
interruptible ringctl -c held exec 2 request 3000
kill -9 "$supervisor"
eventually "SIGKILL of the supervisor: no peer is left" 5 all_gone $pids
eventually "its clients end" 5 gone $CHILD
wait $CHILD
holds "with an error" [ $? != 0 ]
exits "it is not up" 3 ringctl -c held status
holds "its socket is stale" test -S "$(find "$RINGCTL_DIR" -type s \
    -name '*held*' | head -1)"
does "events of a ring that is down" ringctl -c held events
does "up heals it" ringctl up held.conf
holds "whole" is_whole held
rm -f received_3000
does "files outlive it" ringctl -c held exec 4 request 3000
eventually "half-written files are gone" 5 no_temporaries
kill -STOP "$(peer_of held 4 pid)"
pids=$(pids_of held)
kill -9 "$(supervisor_of held)"
eventually "not even a stopped peer stays" 5 all_gone $pids
does "up" ringctl up held.conf
down held
kill -9 $(supervisor_of one)

# In the foreground.
ring front "2 4 5"
interruptible ringctl up -F front.conf
eventually "up -F" 10 is_whole front
pids=$(pids_of front)
holds "stays in the foreground" alive $CHILD
kill -INT $CHILD
eventually "Ctrl-C ends it" 15 gone $CHILD
wait $CHILD
holds "and its peers" all_gone $pids
does "and it comes again" ringctl up front.conf

# A caller's SIGCHLD, ignored, would be inherited: children reap themselves.
down front
does "up by one that ignores SIGCHLD" \
    perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV or exit 127' \
    ringctl up front.conf
does "kill" ringctl -c front kill 4
does "the ring outlives it" ringctl -c front start 4

# Wipe.
exits "wipe of a ring that is up" 1 ringctl -c front wipe --yes
down front
does "wipe" ringctl -c front wipe --yes
holds "nothing is left of its files" \
    test ! -e "$XDG_STATE_HOME/ringctl/front/2"
does "up after wipe" ringctl up front.conf
down front
holds "its ports are free" ports_free
eventually "no process is left" 5 no_leftovers
finish
