#!/bin/bash
# The textbook exercise's lines, in logs of a ring with route successor.
LIMIT=120
. "$(dirname "$0")/lib.sh"

# printed ID LINE...: the peer's log has these lines, in this order.
printed()
{
	local id=$1 line want=
	shift
	for line; do want+="$line"$'\n'; done
	ringctl logs "$id" </dev/null 2>/dev/null | awk -v want="$want" '
		BEGIN { n = split(want, lines, "\n") - 1; at = 1 }
		$0 == lines[at] { at++ }
		END { exit !(at > n) }'
}

prints()
{
	local id=$1
	eventually "peer $id prints: $2${3:+ ...}" 5 printed "$@" ||
	    diag "$(ringctl logs "$id" </dev/null 2>&1 | tail -30)"
}

up lab "2 4 5 8 9 14 19" "route successor" "log pings" "ping 200ms"
prints 2 "Ping requests sent to Peers 4 and 5"
prints 4 "Ping request message received from Peer 2"
prints 5 "Ping request message received from Peer 2"
prints 2 "Ping response received from Peer 4"
prints 2 "Ping response received from Peer 5"

does "join 15 through 4" ringctl join 15 4
for id in 4 5 8 9; do
	prints $id "Peer 15 Join request forwarded to my successor"
done
prints 14 "Peer 15 Join request received" \
    "My new first successor is Peer 15" "My new second successor is Peer 19"
prints 9 "Successor Change request received" \
    "My new first successor is Peer 14" "My new second successor is Peer 15"
prints 15 "Join request has been accepted" \
    "My first successor is Peer 19" "My second successor is Peer 2"

does "quit 15" ringctl quit 15
does "quit 9" ringctl quit 9
prints 8 "Peer 9 will depart from the network" \
    "My new first successor is Peer 14" "My new second successor is Peer 19"
prints 5 "Peer 9 will depart from the network" \
    "My new first successor is Peer 8" "My new second successor is Peer 14"
does "start 9" ringctl start 9
does "whole" ringctl wait

does "kill 14" ringctl kill 14
prints 9 "Peer 14 is no longer alive" \
    "My new first successor is Peer 19" "My new second successor is Peer 2"
prints 8 "Peer 14 is no longer alive" \
    "My new first successor is Peer 9" "My new second successor is Peer 19"

content 2067.pdf 5000
does "store 2067 at 2" ringctl exec 2 store 2067
for id in 4 5 8 9; do
	prints $id "Store 2067 request forwarded to my successor"
done
prints 19 "Store 2067 request accepted"
content 4103 5000
does "store 4103" ringctl exec 2 store 4103

# 4103 mod 256 is 7: at 8 and its successors. 2 asks; 4 and 5 pass it on.
does "request 4103 at 2" ringctl exec 2 request 4103
prints 2 "File request for 4103 has been sent to my successor" \
    "Peer 8 had File 4103" "Receiving File 4103 from Peer 8" \
    "File 4103 received"
for id in 4 5; do
	prints $id "Request for File 4103 has been received, but the file is not stored here"
done
prints 8 "File 4103 is stored here" "Sending file 4103 to Peer 2" \
    "The file has been sent"
exits "request of a missing file" 1 ringctl exec 4 request 4242
prints 4 "File 4242: no such file"
does "logs of several" ringctl logs 8,9
says "with the peer before each line" '^ *8\| '
down lab
does "logs of a ring that is down" ringctl -c lab logs 8
says "all that is stored" 'File 4103 is stored here'
up quiet "2 4 5" "ping 50ms"
does "wait for some pings" ringctl wait ready
run ringctl logs all
same "no ping lines unless asked for" "$(grep -c Ping "$W/out")" 0
down quiet
finish
