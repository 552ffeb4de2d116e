#!/bin/bash
# The textbook exercise, every printed line of every peer in order: rings of
# many shapes, supervised and in terminals. EXERCISE_LONG=1 adds pings of 30 s
# and every ring under load.
LIMIT=${EXERCISE_LONG:+3000}
LIMIT=${LIMIT:-400}
. "$(dirname "$0")/lib.sh"

# plays WORDS HOW 'IDS' STEPS [OPTION ...]: on a ring of its own.
plays()
{
	local words=$1 how=$2 ids=$3 steps=$4
	shift 4
	port_claim
	if BUILD=$BUILD perl "$HERE/exercise.pl" "$how" "$PORT" "$ids" slow=$SLOW "$@" \
	    <<<"$steps"; then
		pass "$words: $how ${ids// /-} $*"
	else
		fail "$words: $how ${ids// /-} $*"
		ringctl -c "ex$PORT" down </dev/null >/dev/null 2>&1
	fi
}

# Through a far peer, the newcomer's predecessor, the one before that, its
# successor; as the smallest and the largest; then all go.
joins='join 15 4
join 18 15
join 16 14
join 17 18
join 0 8
join 1 2
join 255 0
quit 0
quit 15
quit 18
quit 255
quit 16
quit 1
quit 17'

# At the owner, its successor, far away; replaced; missing; the owner gone.
files='store 2067 8
store 4103 2
store 0007 8
store 0019 2
request 2067 8
request 2067 19
request 2067 2
request 4103 9
request 4103 2
request 0007 14
store 2067 4
request 2067 5
request 1111 2
request 1111 5
request 1110 4
quit 19
request 2067 8
kill 8 now
request 4103 2
kill 2 now
request 2067 14'

# One, two side by side, also where the circle closes; and back again.
deaths='quit 9
kill 14
kill 4,5
start 4
start 5
start 14
join 9 19
kill 19,2
start 2
kill 9,14
start 19
kill 8,19'

textbook="2 4 5 8 9 14 19"
twelve="3 10 20 40 60 80 120 140 200 220 240 250"

growing='store 0001 7
request 0001 7
request 0002 7
join 200 7
request 0001 200
join 3 200
request 0001 3
join 100 3
store 0099 200
quit 7
kill 3
request 0001 200
request 0099 100
kill 200
request 0099 100
join 5 100
join 101 100
kill 5,101
store 0004 100
request 0004 100'

odd='join 254 0
join 1 255
store 0255 31
store 0000 77
request 0255 0
request 0000 200
kill 255,0
request 0255 77
start 0
quit 1
join 255 254
kill 77,200
request 0000 31
quit 31'

three='store 0130 1
request 0130 128
join 0 1
kill 0,1
request 0130 129
join 64 129
quit 128
kill 64
request 0130 129'

dozen='join 99 250
store 0100 3
store 0098 99
kill 60,80,99
request 0001 3
start 80
quit 250
join 250 3
kill 140,200
store 0150 20
request 0150 10
start 140
kill 3,250'

plays joins supervised "$textbook" "$joins"
plays joins terminals "$textbook" "$joins"
plays files supervised "$textbook" "$files"
plays files terminals "$textbook" "$files"
plays deaths supervised "$textbook" "$deaths"
plays deaths terminals "$textbook" "$deaths"
plays growing supervised "7" "$growing"
plays growing terminals "7" "$growing"
plays odd supervised "0 31 77 200 255" "$odd"
plays three terminals "1 128 129" "$three"
plays dozen supervised "$twelve" "$dozen"
plays pings supervised "$textbook" "pings 20"$'\n'"$deaths" ping=10ms log=1
plays pings terminals "4 200 9" "pings 20" ping=10ms log=1
plays pings supervised "0 255" "pings 3" ping=1s log=1
plays load supervised "$textbook" "$deaths" busy=16
[ -n "${EXERCISE_LONG:-}" ] || finish

plays odd terminals "0 31 77 200 255" "$odd"
plays three supervised "1 128 129" "$three"
plays dozen terminals "$twelve" "$dozen"
for how in supervised terminals; do
	for ping in 10ms 1s 30s; do
		for steps in "$joins" "$files" "$deaths"; do
			plays exercise $how "$textbook" "pings 2
$steps" ping=$ping log=1
			plays exercise $how "$textbook" "$steps" ping=$ping \
			    log=1 busy=16
		done
	done
done
finish
