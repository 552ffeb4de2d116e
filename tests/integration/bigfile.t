#!/bin/bash
# A file far larger than memory may be: 256 MiB, or 4 GiB with BIG=1.
LIMIT=${BIG:+900}
LIMIT=${LIMIT:-180}
. "$(dirname "$0")/lib.sh"

mib=256
[ -z "${BIG:-}" ] || mib=4096
free=$(df -Pm "$W" | awk 'NR == 2 { print $4 }')
if [ "$free" -lt $((mib * 6)) ]; then
	skip "a file of $mib MiB" "needs $((mib * 6)) MiB of disk, not $free"
	finish
fi

# Highest resident set so far, in KiB, of every process of the test's rings.
peak()
{
	local pid top=0 kb
	for pid in $(ps_children $KEEPER) $(pids_of lab) "$@"; do
		[ "$pid" != $$ ] || continue
		kb=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' \
		    "/proc/$pid/status" 2>/dev/null)
		[ "${kb:-0}" -le "$top" ] || top=$kb
	done
	echo "$top"
}

# watched WORDS COMMAND...: also samples the client's memory.
watched()
{
	local words=$1 client kb
	shift
	COMMAND="$*"
	"$@" >"$W/out" 2>"$W/err" </dev/null &
	client=$!
	while alive $client; do
		kb=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' \
		    "/proc/$client/status" 2>/dev/null)
		[ "${kb:-0}" -le "$CLIENT" ] || CLIENT=$kb
		sleep 0.02
	done
	wait $client
	STATUS=$?
	OUT=$(cat "$W/out")
	ERR=$(cat "$W/err")
	[ "$STATUS" = 0 ] && pass "$words" || { fail "$words"; details; }
}

CLIENT=0
up lab "2 4 5 8 9 14 19"
content block 1048577
perl -e 'open my $f, "<", "block"; local $/; my $b = <$f>;
    my $left = shift;
    while ($left > 0) {
	print substr $b, 0, $left;
	$left -= length $b;
    }' $((mib << 20)) >2067.bin
start=$(now_ms)
watched "store $mib MiB" ringctl --timeout 30 exec 8 store 2067
note "store: $(($(now_ms) - start)) ms"
start=$(now_ms)
watched "request it" ringctl --timeout 30 exec 5 request 2067
note "request: $(($(now_ms) - start)) ms"
holds "the same bytes" cmp 2067.bin received_2067.bin
rm -f received_2067.bin
"$W/ringctl" exec 5 store 2067 - <2067.bin >/dev/null 2>"$W/err"
same "store from standard input" $? 0
ringctl exec 9 request 2067 - </dev/null 2>"$W/err" | cmp - 2067.bin
same "request to standard output: the same bytes" "${PIPESTATUS[*]}" "0 0"
top=$(peak)
if [ -n "${SAN:-}" ]; then
	skip "no process above 32 MiB" "sanitizers take memory of their own"
else
	holds "no process above 32 MiB: $top KiB, client $CLIENT KiB" \
	    [ "$top" -lt 32768 -a "$CLIENT" -lt 32768 ]
fi

# A holder dies while it sends: the rest comes from another one.
holder=$(ringctl exec 5 request 2067 --json </dev/null 2>/dev/null |
    json '$_->{holder}')
rm -f received_2067.bin received_2067
ringctl --timeout 30 exec 5 request 2067 >"$W/out" 2>"$W/err" </dev/null &
client=$!
sleep 0.05
ringctl kill "$holder" >/dev/null 2>&1 </dev/null
wait $client
status=$?
same "the holder $holder is killed while it sends: request" $status 0
got=received_2067
[ -e $got ] || got=received_2067.bin
holds "the same bytes" cmp 2067.bin $got

# Not only when the journal moves, which may be never.
freed()
{
	[ "$(du -sm "$XDG_STATE_HOME" | cut -f1)" -lt "$mib" ]
}
does "the holder is back" ringctl start "$holder"
does "remove it" ringctl exec 5 remove 2067
eventually "its room is free" 10 freed
down lab
eventually "no process is left" 5 no_leftovers
finish
