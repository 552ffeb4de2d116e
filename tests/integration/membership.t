#!/bin/bash
# Peers that join, quit, are killed, started, paused and resumed.
LIMIT=300
. "$(dirname "$0")/lib.sh"

# neighbours RING ID: first, second, predecessor.
neighbours()
{
	status_of "$1" "join ' ', map { \$_ // 'none' } map { @{\$_}{qw(
	    first_successor second_successor predecessor)} }
	    grep { \$_->{id} == $2 } @{\$_->{peers}}"
}

state_is()
{
	[ "$(peer_of "$1" "$2" state)" = "$3" ]
}

up lab "2 4 5 8 9 14 19"
for row in "2 4 5 19" "4 5 8 2" "5 8 9 4" "8 9 14 5" "9 14 19 8" \
    "14 19 2 9" "19 2 4 14"; do
	same "neighbours of ${row%% *}" "$(neighbours lab ${row%% *})" \
	    "${row#* }"
done
for n in 0001 0017 0024 0025 0100 2067; do
	content $n 20000
	does "store $n" ringctl store $n
done
all_come_back()
{
	local n bad=0
	for n in 0001 0017 0024 0025 0100 2067; do
		run ringctl request $n
		[ "$STATUS" = 0 ] && cmp -s $n received_$n ||
		    { bad=$((bad + 1)); details; }
	done
	same "every file comes back" $bad 0
}

# Join.
does "join 25 through 4" ringctl join 25 4
holds "serving when join returns" state_is lab 25 up
does "whole" ringctl wait
same "its neighbours" "$(neighbours lab 25)" "2 4 19"
same "its predecessor's" "$(neighbours lab 19)" "25 2 14"
same "its successor's" "$(neighbours lab 2)" "4 5 25"
does "it owns its range" ringctl owner 0025
says "25 does" '\b25\b'
all_come_back
does "join with an interval" ringctl join 40 25 30
does "join with an interval and a unit" ringctl join 41 25 50ms
does "whole" ringctl wait
all_come_back
before=$(status_of lab 'join " ", map { "$_->{id}:$_->{pid}" } @{$_->{peers}}')
exits "join of a live identifier" 1 ringctl join 8 4
says "is named" '\b8\b'
exits "join through an unknown peer" 4 ringctl join 50 77
says "is named" '77'
does "kill 41" ringctl kill 41
exits "join through a dead peer" 4 ringctl join 50 41
says "is named" '41'
exits "join through itself" 2 ringctl join 50 50
same "no peer 50 is left behind" "$(peer_of lab 50 state)" null
holds "the ring is unharmed" is_whole lab

# Quit.
pid=$(peer_of lab 9 pid)
does "quit 9" ringctl quit 9
holds "the process is gone" test ! -d "/proc/$pid"
holds "it left" state_is lab 9 left
same "no pid" "$(peer_of lab 9 pid)" null
holds "whole at once" poll 5 is_whole lab
same "the ring closed over it" "$(neighbours lab 8)" "14 19 5"
all_come_back
exits "quit of one who left" 4 ringctl quit 9
does "a peer's own command" ringctl exec 40 quit
eventually "it left" 10 state_is lab 40 left
all_come_back

# Kill.
pid=$(peer_of lab 14 pid)
does "kill 14" ringctl kill 14
says "what it did" 'killed 14'
holds "the process is gone" test ! -d "/proc/$pid"
holds "killed" state_is lab 14 killed
holds "whole when kill returns" is_whole lab
same "the ring closed over it" "$(neighbours lab 8)" "19 25 5"
exits "kill of a dead one" 4 ringctl kill 14
says "is named" '14'
all_come_back

# Start.
was=$(peer_of lab 19 incarnation)
does "start 14" ringctl start 14
holds "serving when start returns" state_is lab 14 up
does "start 9, which left" ringctl start 9
does "whole" ringctl wait
same "back in its place" "$(neighbours lab 8)" "9 14 5"
pid=$(peer_of lab 14 pid)
incarnation=$(peer_of lab 14 incarnation)
run ringctl start 14
holds "start of a live one is an error: $STATUS" [ "$STATUS" != 0 ]
says "is named" '14'
same "and leaves it alone" "$(peer_of lab 14 pid)" "$pid"
exits "start of one that never was" 4 ringctl start 99
does "kill and start" ringctl kill 14
does "again" ringctl start 14
now=$(peer_of lab 14 incarnation)
holds "the incarnation is raised" [ "$now" -gt "$incarnation" ]
all_come_back

# Two adjacent ones at once; a peer killed from outside.
does "kill 4 and 5" ringctl kill 4,5
does "whole" ringctl wait
same "the ring closed over both" "$(neighbours lab 2)" "8 9 25"
all_come_back
does "start both" ringctl start 4,5
does "ready" ringctl wait ready
kill -9 "$(peer_of lab 8 pid)"
eventually "a peer that died on its own has failed" 5 state_is lab 8 failed
does "whole without it" ringctl wait
all_come_back
exits "status then tells" 1 ringctl status
does "start 8" ringctl start 8
does "status: all wanted peers are up" ringctl status

# Pause and resume.
does "pause 5" ringctl pause 5
holds "paused" state_is lab 5 paused
says_paused=$(ps -o stat= -p "$(peer_of lab 5 pid)" 2>/dev/null ||
    sed -n 's/^State:[[:space:]]*//p' "/proc/$(peer_of lab 5 pid)/status")
same "the process is stopped" "${says_paused:0:1}" T
passed_by()
{
	[ "$(neighbours lab 4)" = "8 9 2" ]
}
eventually "its predecessor passed it by" 5 passed_by
eventually "the others are whole without it" 5 is_whole lab
all_come_back
does "resume 5" ringctl resume 5
does "whole" ringctl wait
holds "up again" poll 5 state_is lab 5 up
same "back in its place" "$(neighbours lab 4)" "5 8 2"
all_come_back
does "pause is brief" ringctl pause 5
does "resume" ringctl resume 5
does "resume again" ringctl resume 5
says "it was not" "peer 5 is not paused"
does "kill a paused one" ringctl pause 5
does "kill" ringctl kill 5
does "start" ringctl start 5
exits "pause of an unknown one" 4 ringctl pause 99
does "a range means those that there are" ringctl exec 3-6 ring
same "two of them" "$(grep -c successor "$W/out")" 2
exits "there must be some" 4 ringctl exec 100-120 ring
exits "resume of an unknown one" 4 ringctl resume 99

# What joined stays, what was told to go stays away.
down lab
does "up again" ringctl up lab.conf
same "who joined is back" "$(peer_of lab 25 state)" up
same "who quit for good is not" \
    "$(peer_of lab 40 state | grep -x up)" ""
all_come_back

# All but one.
others=$(status_of lab 'join ",", grep { $_ != 2 } map { $_->{id} } grep {
    $_->{state} eq "up" } @{$_->{peers}}')
does "all but one quit" ringctl quit "$others"
same "alone, it is its own neighbour" "$(neighbours lab 2)" "2 none 2"
all_come_back
does "join" ringctl join 100 2
does "whole" ringctl wait
same "two: no second" "$(neighbours lab 2)" "100 none 100"
all_come_back
down lab

# All holders leave at once: whoever still has it serves it meanwhile.
up leavers "2 4 5 8 9 14 19"
content 0020 30000000
echo small >0021
does "store a large file" ringctl exec 4 store 0020
does "and a small one" ringctl exec 4 store 0021
ringctl quit 2,4,5 >"$W/quit.out" 2>&1 </dev/null &
quitting=$!
refused=0
while kill -0 $quitting 2>/dev/null; do
	ringctl exec 9 request 0021 got >/dev/null 2>&1 </dev/null ||
	    refused=$((refused + 1))
	ringctl exec 9 request 0020 got >/dev/null 2>&1 </dev/null ||
	    refused=$((refused + 1))
done
wait $quitting
same "all three have left" $? 0
same "meanwhile both were there" $refused 0
does "request" ringctl exec 9 request 0020 got
holds "the same bytes" cmp 0020 got
down leavers

# Who comes back finds the others, though its old neighbours are gone.
up lone "2 4 5 8 9 14 19"
echo old >old
echo new >new
does "store" ringctl exec 4 store 0008 old
for id in 8 9 14 2; do
	does "quit $id" ringctl quit $id
done
does "store anew" ringctl exec 4 store 0008 new
does "start 8" ringctl start 8
does "request there" ringctl exec 8 request 0008 got
holds "it is the new one" cmp new got
down lone

# Everything killed: who comes back first knows what it does not know.
up killed "2 4 5 8 9 14 19"
content 2067 5000
does "store" ringctl exec 4 store 2067
does "kill all" ringctl kill all
for id in 14 9; do
	does "start $id" ringctl start $id
	exits "request at $id" 1 ringctl exec $id request 2067
	says "it may be at those that are down" "unavailable: peers 19, 2, 4"
done
does "start the others" ringctl start 2,4,5,8,19
does "request" ringctl exec 14 request 2067
holds "the same bytes" cmp 2067 received_2067
exits "what nobody has is not there" 1 ringctl exec 14 request 0001
says "says so" "no such file"
down killed

# Fewer peers than copies: each kill takes one of every file.
up few "2 4 5" "copies 5"
content 0005 100
does "store" ringctl exec 2 store 0005
few_after()
{
	same "what $1 lost" "$(json 'my $v = $_; join " ", map { $v->{$_} // "-" }
	    qw(lost_copy too_few copies_ms no_holder)' <"$W/out")" "$2"
}
does "kill the first" ringctl kill 2 --json
few_after "the first kill" "1 1 - 0"
does "kill the second" ringctl kill 4
says "in words" '; 1 file at 1 of 5 copies: too few peers'
does "kill the last" ringctl kill 5
says "its files are gone with it" 'no peer is left; 1 file without a live holder'
down few
eventually "no process is left" 5 no_leftovers
finish
