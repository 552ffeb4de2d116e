#!/bin/bash
# PROTOCOL.md's scenarios 1 to 15 and 29 on real processes: deaths, joins,
# departures, pauses. Where each scenario is tested on real processes:
#
#   1-15, 29   here                  1, 10-12  also membership.t, torture
#   16-18      only in the simulator (no link can be cut here yet)
#   19         only in the simulator (one virtual hour)
#   20         exercise.t, "busy=16"
#   21-26      scenarios_files.t     24  also faults.t; 26  also bigfile.t
#   27         hostile.t             28  faults.t
#   29         also supervisor.t, torture
LIMIT=240
. "$(dirname "$0")/lib.sh"
. "$HERE/scenes.sh"

RING=lab
up lab "$textbook" "sync no"
content old 100000
content new 120000
content big 40000000
pid_of()
{
	peer_of lab "$1" pid
}

scene 1 "kill any two adjacent peers at once"
for n in 0001 0003 0005 0007 0009 0012 0017; do
	content $n 30000
	S_does "store $n" ringctl store $n
done
set -- $textbook
for i in 0 1 2 3 4 5 6; do
	a=${!#} b=$1
	S_does "kill $a and $b" ringctl kill $a,$b
	for n in 0001 0003 0005 0007 0009 0012 0017; do
		run ringctl request $n "$W/got"
		[ "$STATUS" = 0 ] && cmp -s $n "$W/got" || {
			fail "1: $n with $a and $b killed"
			details
		}
	done
	S_does "start both" ringctl start $a,$b
	ready "the ring heals"
	set -- "${@:2}" $b
done

scene 2 "kill after each replica's acknowledgement"
for victim in 19 2 4; do
	S_does "store the old one" ringctl exec 9 store 2067 old
	ready
	inode=$(stat -c %i "$(stored_path $victim 2067)")
	background ringctl exec 9 store 2067 new
	placed()
	{
		[ "$(stat -c %i "$(stored_path $victim 2067)")" != "$inode" ]
	}
	poll 10 placed
	kill -9 "$(pid_of $victim)"
	wait_for
	wanted=new
	if [ "$STATUS" != 0 ]; then
		note "not acknowledged: exit $STATUS"
		run ringctl exec 9 request 2067 "$W/got"
		cmp -s "$W/got" new || wanted=old
	fi
	for id in 5 8 9 14; do
		comes "$victim killed when it had it: whole at $id" \
		    $id 2067 $wanted
	done
	starts $victim
	ready
	comes_everywhere "the same everywhere" 2067 $wanted
done

scene 3 "kill the owner in mid-upload"
content huge 300000000
for try in 1 2 3 4 5; do
	S_does "remove" ringctl exec 9 remove 2067
	background ringctl exec 9 store 2067 huge
	poll 10 begun "$(data 19 tmp)"
	kill -9 "$(pid_of 19)"
	begun "$(data 19 tmp)"
	caught=$?
	ends "the client succeeds by retry" 0
	starts 19
	ready
	[ $caught != 0 ] || break
done
S_same "it was caught in the act" $caught 0
comes_everywhere "one version" 2067 huge
S_eventually "at its holders, byte for byte" 10 on_disk 2067 huge "2 4 19"
rm huge

scene 15 "a replica is stopped during a store"
replica=$(pid_of 4)
kill -STOP $replica
S_does "it completes" ringctl exec 9 store 2067 big
S_says "on the next successor" 'at 19, 2, 5'
S_holds "which has it" cmp -s -n 40000000 "$(stored_path 5 2067)" big
S_holds "as do the others" cmp -s -n 40000000 "$(stored_path 2 2067)" big
kill -CONT $replica
ready
S_eventually "at its holders, byte for byte" 10 on_disk 2067 big "2 4 19"

# The holder is stopped as soon as the first bytes are there.
scene 4 "kill the owner in mid-download"
mkdir "$W/target"
for try in 1 2 3 4 5; do
	rm -f "$W/target"/* "$W/target"/.[!.]*
	victim=$(pid_of 19)
	perl -e 'my ($folder, $pid) = @ARGV;
	    for (1 .. 20000) {
		opendir my $d, $folder or die;
		if (my @f = grep { -f "$folder/$_" && -s _ } readdir $d) {
			kill 9, $pid;
			exit -s "$folder/$f[0]" < 40000000 ? 0 : 1;
		}
		select undef, undef, undef, 0.0005;
	    }' "$W/target" "$victim" &
	watcher=$!
	background ringctl exec 9 request 2067 "$W/target/got"
	wait $watcher
	caught=$?
	ends "19 is killed while it sends: request" 0
	S_holds "the same bytes" cmp "$W/target/got" big
	starts 19
	ready
	[ $caught != 0 ] || break
done
S_same "it was caught in the act" $caught 0

scene 5 "kill a joiner in its import"
ringctl exec 9 store 2067 big >"$W/out" 2>&1
for try in 1 2 3 4 5; do
	background ringctl --timeout 20 join 20 4
	importing()
	{
		begun "$(data 20 tmp)" || ! kill -0 $BG 2>/dev/null
	}
	poll 10 importing
	victim=$(pid_of 20)
	begun "$(data 20 tmp)"
	caught=$?
	[ "$victim" = null ] || kill -9 "$victim"
	wait_for
	S_eventually "ring as before" 10 is_whole lab
	comes "nothing is lost" 9 2067 big
	[ $caught != 0 ] || break
	ringctl start 20 >"$W/out" 2>&1
	ringctl quit 20 >"$W/out" 2>&1
	rm -rf "$(data 20)"
done
note "the joiner was caught importing: $caught (0: yes), exit $STATUS"

scene 8 "join with a live duplicate identifier"
before=$(status_of lab 'join " ", map { "$_->{id}:$_->{pid}:$_->{incarnation}"
    } grep { $_->{state} eq "up" } @{$_->{peers}}')
S_exits "refused" 1 ringctl join 8 4
S_same "the ring is undisturbed" "$(status_of lab 'join " ", map {
    "$_->{id}:$_->{pid}:$_->{incarnation}" } grep { $_->{state} eq "up" }
    @{$_->{peers}}')" "$before"

scene 6 "kill the admitting owner during an import"
background ringctl --timeout 20 join 17 4
admitted()
{
	[ "$(peer_of lab 17 state)" = syncing ] || ! kill -0 $BG 2>/dev/null
}
poll 10 admitted
kill -9 "$(pid_of 19)"
wait_for
if [ "$STATUS" = 0 ]; then
	pass "6: the joiner finishes from replicas"
else
	# Told nothing yet, it may have failed; then nothing is left of it.
	S_holds "or fails at once, and is no member: $ERR" \
	    [ "$(peer_of lab 17 state)" != up ]
fi
starts 19
S_does "whole" ringctl wait
comes_everywhere "nothing is lost" 2067 big

scene 7 "two simultaneous joins into one gap"
ringctl join 100 4 >"$W/a" 2>&1 </dev/null &
first=$!
ringctl join 101 9 >"$W/b" 2>&1 </dev/null &
second=$!
wait $first
S_same "one is a member" $? 0
wait $second
S_same "so is the other" $? 0
S_does "whole" ringctl wait
S_does "owner of a name between them" ringctl exec 2 owner 0101
S_says "is the second" '\b101\b'
S_does "owner of a name before" ringctl exec 2 owner 0100
S_says "is the first" '\b100\b'
S_does "both leave" ringctl quit 100,101
ready

scene 9 "restart of an old disk after an overwrite and a remove"
S_does "store" ringctl exec 9 store 0008 old
S_does "store another" ringctl exec 9 store 0264 old
ready
S_does "kill the owner" ringctl kill 8
S_does "overwrite" ringctl exec 4 store 0008 new
S_does "remove the other" ringctl exec 4 remove 0264
S_does "start the owner" ringctl start 8
comes_everywhere "the new one everywhere" 0008 new
ready
comes_everywhere "and it stays" 0008 new
for id in $(ids_up); do
	S_exits "what was removed stays so at $id" 1 \
	    ringctl exec $id request 0264 "$W/got"
	S_says "no such file" 'no such file'
done

scene 10 "kill all holders"
S_does "store" ringctl exec 9 store 2067 new
S_does "kill them" ringctl kill 19,2,4
for id in 5 8 9 14; do
	S_exits "request at $id" 1 ringctl exec $id request 2067 "$W/got"
	S_says "unavailable" unavailable
done
S_does "start them" ringctl start 19,2,4
comes_everywhere "the file is back" 2067 new

scene 11 "kill everything, start in random order"
S_does "kill all" ringctl kill all
for id in $(ls "$(data "")" | grep -E '^[0-9]+$' | shuf); do
	case " $textbook " in
	*" $id "*) starts $id ;;
	esac
done
ready "one ring"
comes_everywhere "the large file" 2067 new
for n in 0001 0003 0005 0007 0009 0012 0017; do
	run ringctl request $n "$W/got"
	[ "$STATUS" = 0 ] && cmp -s $n "$W/got" && pass "11: $n" ||
	    { fail "11: $n"; details; }
done

scene 13 "SIGKILL in mid-leave"
S_does "a large file" ringctl exec 9 store 2067 big
background ringctl quit 19
leaving()
{
	[ "$(peer_of lab 19 state)" = leaving ] || ! kill -0 $BG 2>/dev/null
}
victim=$(pid_of 19)
poll 10 leaving
kill -9 "$victim" 2>/dev/null
wait_for
note "quit: exit $STATUS: $OUT $ERR"
S_does "whole" ringctl wait
comes_everywhere "nothing is lost" 2067 big
starts 19
ready

scene 14 "SIGSTOP an owner, overwrite, SIGCONT"
S_does "store" ringctl exec 9 store 0008 old
ready
S_does "pause the owner" ringctl pause 8
S_does "overwrite" ringctl exec 4 store 0008 new
fenced()
{
	ringctl events --kind dead </dev/null | grep -q ' 8'
}
S_eventually "it is fenced" 10 fenced
S_does "resume" ringctl resume 8
for i in 1 2 3 4 5; do
	run ringctl exec 8 request 0008 "$W/got"
	[ "$STATUS" != 0 ] || cmp -s "$W/got" new ||
	    fail "14: the stale owner serves the old one"
done
S_does "whole" ringctl wait
comes_everywhere "the new one everywhere" 0008 new

scene 29 "the supervisor killed by SIGKILL"
pids=$(pids_of lab)
kill -9 "$(supervisor_of lab)"
nobody()
{
	local pid
	for pid in $pids; do
		! alive "$pid" || return 1
	done
}
S_eventually "no peer is left behind" 5 nobody
S_does "up" ringctl up lab.conf
comes_everywhere "everything is back" 2067 big
comes_everywhere "and the newest" 0008 new

scene 12 "all but one leave at once"
for n in 0001 0003 0005 0007 0009 0012 0017; do
	run ringctl request $n "$W/got"
	[ "$STATUS" = 0 ] || { fail "12: $n before"; details; }
done
S_does "all but 5" ringctl --timeout 30 quit 2,4,8,9,14,19
for n in 0001 0003 0005 0007 0009 0012 0017; do
	comes "the survivor has $n" 5 $n $n
done
comes "and the large one" 5 2067 big
down lab
eventually "no process is left" 5 no_leftovers
finish
