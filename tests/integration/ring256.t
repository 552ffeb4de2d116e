#!/bin/bash
# A ring of 256 peers: every identifier there is.
LIMIT=400
. "$(dirname "$0")/lib.sh"

ids=0-255
[ -z "${SAN:-}" ] || ids=0-47
up full "$ids"
bad=0
for ((i = 0; i < 100; i++)); do
	printf -v file %04d $((i * 97))
	content "$file" $((i * 1009))
	run ringctl store "$file"
	[ "$STATUS" = 0 ] || { bad=$((bad + 1)); details; }
done
same "100 files stored" $bad 0
does "kill 19" ringctl kill 19
does "quit 40" ringctl quit 40
does "join 40 through 3" ringctl join 40 3
bad=0
for ((i = 0; i < 100; i++)); do
	printf -v file %04d $((i * 97))
	run ringctl request "$file"
	[ "$STATUS" = 0 ] && cmp -s "$file" "received_$file" ||
	    { bad=$((bad + 1)); details; }
done
same "100 files requested and the same" $bad 0
does "start 19" ringctl start 19
does "whole" ringctl wait
does "down" ringctl down
eventually "no process is left" 5 no_leftovers
finish
