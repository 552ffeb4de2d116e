#!/bin/bash
# Ports held, descriptors, disks and folders that refuse: a clear error each,
# the ring unharmed, nothing half done.
LIMIT=240

# As root, in a mount namespace of its own, for small disks.
if [ "$(id -u)" = 0 ] && [ -z "${OWN_MOUNTS:-}" ] &&
    unshare -m --propagation private true 2>/dev/null; then
	OWN_MOUNTS=1 exec unshare -m --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"

# hold TYPE PORT: another program has it. Its pid in HOLDER.
hold()
{
	rm -f "$W/holds"
	perl -MSocket -e 'socket my $s, PF_INET, $ARGV[0] eq "tcp" ?
		SOCK_STREAM : SOCK_DGRAM, 0 or die $!;
	    setsockopt $s, SOL_SOCKET, SO_REUSEADDR, 1
		if $ARGV[0] eq "tcp";
	    bind $s, sockaddr_in($ARGV[1], INADDR_ANY) or die $!;
	    listen $s, 1 if $ARGV[0] eq "tcp";
	    open my $f, ">", $ARGV[2]; close $f; sleep 1000' \
	    "$1" "$2" "$W/holds" &
	HOLDER=$!
	poll 10 test -e "$W/holds"
}

release()
{
	kill -9 $HOLDER
	wait $HOLDER 2>/dev/null
}

nothing_runs()
{
	[ -z "$(leftovers)" ]
}

# Ports.
ring lab "2 4 5 8 9 14 19"
for type in tcp udp; do
	hold $type $((PORT + 8))
	exits "$type port of 8 is held: up" 1 ringctl up lab.conf
	says "the port is named" $((PORT + 8))
	exits "nothing is up" 3 ringctl -c lab status
	release
	eventually "nothing runs" 5 nothing_runs
done
does "up when it is free" ringctl up lab.conf
content 2067 10000
does "store" ringctl exec 4 store 2067
hold tcp $((PORT + 30))
exits "port of a newcomer is held: join" 1 ringctl join 30 4
says "the port is named" $((PORT + 30))
same "no peer 30 is left behind" "$(peer_of lab 30 state)" null
release
does "kill 8" ringctl kill 8
hold udp $((PORT + 8))
exits "port is held: start" 1 ringctl start 8
says "the port is named" $((PORT + 8))
release
does "start when it is free" ringctl start 8
holds "whole" poll 5 is_whole lab

# Descriptors: as many as it has now, and no more.
pid=$(peer_of lab 8 pid)
prlimit --pid "$pid" --nofile="$(ls "/proc/$pid/fd" | wc -l)":
for i in 1 2 3; do
	start=$(now_ms)
	run ringctl --timeout 5 exec 8 store 2067
	holds "no descriptors left at 8: store ends with $STATUS" \
	    [ "$STATUS" -lt 124 ]
	[ "$STATUS" = 0 ] || says "a clear error" '[a-z]{4}'
done
holds "nobody else minds" ringctl exec 4 request 2067
prlimit --pid "$pid" --nofile="$(ulimit -n)":
does "with descriptors again: store" ringctl exec 8 store 2067
does "request" ringctl exec 8 request 2067
holds "whole" poll 5 is_whole lab
same "nobody was thought dead but 8, which was killed" \
    "$(ringctl events --json --kind dead </dev/null 2>/dev/null |
	grep -vc '"about": *8\b')" 0
down lab
ring many "0-63"
(ulimit -n 24; ringctl up many.conf) >"$W/out" 2>"$W/err" </dev/null
same "up with 24 descriptors" $? 1
COMMAND="ulimit -n 24; ringctl up many.conf" says "the limit is named" '24'
eventually "nothing runs" 5 nothing_runs

last_has_both()
{
	[ "$(peer_of room 8 files) $(peer_of room 8 short)" = "2 2" ]
}

# A full disk.
if [ -n "${OWN_MOUNTS:-}" ]; then
	ring full "2 4 5 8" "data $W/disks"
	mkdir -p "$W/disks/8"
	mount -t tmpfs -o size=4m tmpfs "$W/disks/8"
	does "up with a small disk for 8" ringctl up full.conf
	content 0007 8000000
	does "8 owns it and is full: stored on the others" \
	    ringctl exec 4 store 0007
	does "request" ringctl exec 8 request 0007 got
	holds "the same bytes" cmp 0007 got
	tried_again()
	{
		[ "$(ringctl events 8 --kind disk | wc -l)" -ge 2 ]
	}
	eventually "it is tried again, and is as full" 5 tried_again
	holds "whole" poll 5 is_whole full
	down full
	umount "$W/disks/8"
	rm -rf "$W/disks"
	# Who could take another copy is full.
	ring room "2 4 5 8 9" "data $W/disks"
	mkdir -p "$W/disks/4" "$W/disks/5"
	mount -t tmpfs -o size=1m tmpfs "$W/disks/4"
	mount -t tmpfs -o size=1m tmpfs "$W/disks/5"
	does "up" ringctl up room.conf
	content 0006 2000000
	cp 0006 0007
	does "stored at 8, 9, 2" ringctl exec 8 store 0006
	does "and another" ringctl exec 8 store 0007
	does "kill" ringctl kill 9 --json
	same "copies lost, and short" \
	    "$(json 'my $v = $_; join " ", map { $v->{$_} // "-" } qw(lost_copy short)' \
	    <"$W/out" 2>/dev/null)" "2 2"
	exits "not ready" 1 ringctl wait ready --timeout 9
	says "why" 'short of a copy: too few peers can write'
	same "short in all" "$(status_of room \
	    'my $n = 0; $n += $_->{short} for @{$_->{peers}}; $n')" 2
	same "the fault" "$(peer_of room 4 faults |
	    grep -c ARRAY)$(ringctl status | grep -c 'read-only$')" 12
	exits "check" 1 ringctl check
	says "which file" '0006: at 2 of 3 copies .*write: 4, 5'
	does "kill" ringctl kill 2
	says "again" '2 files lost a copy; 2 files short'
	eventually "the last holder reports both" 5 last_has_both
	does "kill" ringctl kill 8
	says "the last holder" '2 files without a live holder'
	does "start" ringctl start 2,8,9
	does "all can hold them again" ringctl wait ready
	does "check" ringctl check
	down room
	umount "$W/disks/4" "$W/disks/5"
	rm -rf "$W/disks"
	mkdir "$W/disks"
	mount -t tmpfs -o size=24m tmpfs "$W/disks"
	does "up with a small disk for all" ringctl up full.conf
	content 0100 1000
	content 0200 30000000
	does "a small file" ringctl exec 4 store 0100
	exits "a file for which there is no room" 1 \
	    ringctl exec 4 store 0200
	says "says so" 'disk failure: peer [0-9]+: No space left on device$'
	room()
	{
		[ "$(du -sk --exclude='journal.*' "$W/disks" | cut -f1)" -lt 1000 ]
	}
	eventually "nothing half done is left" 5 room
	does "the small file is there" ringctl exec 5 request 0100
	exits "the large one is not" 1 ringctl exec 5 request 0200
	does "another small file" ringctl exec 4 store 0100
	holds "whole" poll 5 is_whole full
	# The asker's own disk.
	mkdir "$W/small"
	mount -t tmpfs -o size=64k tmpfs "$W/small"
	content 0300 100000
	does "store" ringctl exec 4 store 0300
	exits "request onto a full disk" 1 \
	    ringctl exec 4 request 0300 "$W/small/got"
	says "it is named" 'small/got'
	same "nothing half done is left" "$(ls -A "$W/small")" ""
	down full
	umount "$W/small" "$W/disks"
else
	skip "a full disk" "mounting a small one needs root"
fi

# Folders that may not be written, for whom that means something.
lowly=(env)
if [ "$(id -u)" = 0 ]; then
	chmod 711 "$W" "$W/here"
	mkdir "$W/lowly"
	chown 65534:65534 "$W/lowly"
	cd "$W/lowly" || exit 1
	export RINGCTL_DIR=$W/lowly/run XDG_STATE_HOME=$W/lowly/state
	lowly=(setpriv --reuid 65534 --regid 65534 --clear-groups)
fi
"${lowly[@]}" mkdir -m 755 data
ring ro "2 4 5 8" "data $PWD/data"
chmod 555 data
exits "a read-only data folder: up" 1 "${lowly[@]}" ringctl up ro.conf
says "is named" "$PWD/data"
exits "nothing is up" 3 "${lowly[@]}" ringctl -c ro status
chmod 755 data
does "up when it may be written" "${lowly[@]}" ringctl up ro.conf
content 0007 1000
does "store" "${lowly[@]}" ringctl exec 4 store 0007
find data/8 -type d -exec chmod 555 {} +
content 0008 20000
does "8 can't write: others do" "${lowly[@]}" ringctl exec 4 store 0008
"${lowly[@]}" ringctl exec 4 store 0007 >/dev/null 2>&1 </dev/null
"${lowly[@]}" mkdir mine
does "request" "${lowly[@]}" ringctl exec 2 request 0008 mine/got
holds "the same bytes" cmp 0008 mine/got
does "reads go on at 8" "${lowly[@]}" ringctl exec 8 request 0007 mine/got
find data -type d -exec chmod 555 {} +
exits "nobody can write" 1 "${lowly[@]}" ringctl exec 4 store 0009 0008
says "says so" 'write|read-only|permission|disk'
does "reads go on" "${lowly[@]}" ringctl exec 4 request 0007 mine/got2
find data -type d -exec chmod 755 {} +
"${lowly[@]}" mkdir -m 555 locked
exits "a target folder that may not be written" 1 \
    "${lowly[@]}" ringctl exec 4 request 0007 locked/got
says "is named" 'locked/got'
holds "whole" "${lowly[@]}" ringctl wait whole
does "down" "${lowly[@]}" ringctl down
does "up" "${lowly[@]}" ringctl up ro.conf
does "files are there" "${lowly[@]}" ringctl exec 5 request 0007 mine/got3
does "down" "${lowly[@]}" ringctl down

# Where it prints is full; something is said before that is found.
does "up" "${lowly[@]}" ringctl up ro.conf
"${lowly[@]}" ringctl exec 5,99 files >/dev/full 2>"$W/err"
same "no room for what it prints" $? 1
: >"$W/out"
COMMAND="exec >/dev/full" says "why" 'standard output: No space left on device$'
does "down" "${lowly[@]}" ringctl down

# The runtime folder.
mkdir -m 777 "$W/open"
chmod 777 "$W/open"
RINGCTL_DIR=$W/open exits "a runtime folder open to others" 1 \
    ringctl up ro.conf
says "is named" "$W/open"
eventually "no process is left" 5 no_leftovers
finish
