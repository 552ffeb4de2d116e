#!/bin/bash
# Strangers at the ports: counted, dropped, bounded memory, nobody dead.
LIMIT=240
. "$(dirname "$0")/lib.sh"

peers="2 4 5 8 9 14 19"
up lab "$peers" "ping 50ms"
port=$PORT
content 2067 100000
does "store" ringctl exec 4 store 2067
incarnations()
{
	status_of lab 'join " ", map { "$_->{id}:$_->{pid}:$_->{incarnation}" }
	    @{$_->{peers}}'
}
resident()
{
	local pid sum=0 kb
	for pid in $(supervisor_of lab) $(pids_of lab); do
		kb=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' \
		    "/proc/$pid/status")
		sum=$((sum + kb))
	done
	echo $sum
}
open_files()
{
	local pid
	for pid in $(supervisor_of lab) $(pids_of lab); do
		ls "/proc/$pid/fd"
	done | wc -l
}
deaths()
{
	ringctl events --kind dead 2>/dev/null </dev/null | grep -c .
	ringctl events --kind suspect 2>/dev/null </dev/null | grep -c .
}
dropped()
{
	status_of lab 'my $n = 0; $n += $_->{dropped} // 0
	    for @{$_->{peers}}; $n'
}
before=$(incarnations)
memory=$(resident)
files=$(open_files)

# attacked KIND: while it lasts, the ring serves.
attacked()
{
	local kind=$1 attacker bad=0 i
	perl "$HERE/hostile.pl" "$kind" "$port" $peers >"$W/sent" &
	attacker=$!
	for ((i = 0; i < 10; i++)); do
		run ringctl exec 14 request 2067
		[ "$STATUS" = 0 ] && cmp -s 2067 received_2067 ||
		    { bad=$((bad + 1)); details; }
	done
	same "$kind: requests go on" $bad 0
	eventually "$kind: sent" 60 grep -q sent "$W/sent"
	run ringctl exec 2 store 2067
	same "$kind: store goes on" "$STATUS" 0
	kill -9 $attacker 2>/dev/null
	wait $attacker 2>/dev/null
}
for kind in udp_garbage udp_sizes udp_versions tcp_garbage tcp_half \
    tcp_claim tcp_silent tcp_leave; do
	attacked $kind
done

# Another ring, told that ours are its peers: another key, same port range.
mkdir -m 700 "$W/run2"
printf 'ring foreign\nport %d\nnames digits\npeer 100 101\n' $port \
    >foreign.conf
RINGCTL_DIR=$W/run2 does "another ring in the same range of ports" \
    ringctl up foreign.conf
sleep_until_probed()
{
	[ $(($(now_ms) - start)) -gt 3000 ]
}
start=$(now_ms)
poll 10 sleep_until_probed
holds "it stays another ring" \
    [ "$(RINGCTL_DIR=$W/run2 status_of foreign 'scalar @{$_->{peers}}')" = 2 ]
same "and is no member of ours" \
    "$(status_of lab 'scalar @{$_->{peers}}')" 7
RINGCTL_DIR=$W/run2 does "it goes down" ringctl -c foreign down

holds "whole" is_whole lab
same "no peer was restarted or fenced" "$(incarnations)" "$before"
same "nobody was thought dead" "$(ringctl events --kind dead \
    2>/dev/null </dev/null | grep -c .)" 0
after=$(resident)
if [ -n "${SAN:-}" ]; then
	skip "memory is bounded" "sanitizers take memory of their own"
else
	holds "memory is bounded: $memory KiB, then $after KiB" \
	    [ $after -lt $((memory + 7 * 4096)) ]
fi
base_again()
{
	[ "$(open_files)" -le $((files + 14)) ]
}
eventually "descriptors are back at their base" 10 base_again
run ringctl status --json
holds "it is counted" grep -Eq '"dropped": *[1-9]' "$W/out"
down lab
eventually "no process is left" 5 no_leftovers
finish
