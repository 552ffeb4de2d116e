#!/bin/bash
# How soon a death is seen and repaired, by the ring's own events.
LIMIT=180
. "$(dirname "$0")/lib.sh"

peers=(2 4 5 8 9 14 19)
up lab "${peers[*]}"

# measure KILLED VICTIM PRED ...: microseconds from the time KILLED to the
# last of the predecessors' new successors; fails: not all known yet.
measure()
{
	ringctl events --json </dev/null 2>/dev/null >"$W/events"
	perl -MJSON::PP -e '
		my ($path, $killed, $victim, @preds) = @ARGV;
		open my $file, "<", $path or exit 1;
		my @events = map { decode_json $_ } <$file>;
		my $last = 0;
		for my $pred (@preds) {
			my ($t) = map { $_->{t} } grep {
			    $_->{event} eq "successors" &&
			    $_->{peer} == $pred && $_->{t} > $killed &&
			    $_->{about} != $victim &&
			    ($_->{other} // -1) != $victim } @events;
			exit 1 unless defined $t;
			$last = $t if $t > $last;
		}
		printf "%d\n", ($last - $killed) * 1e6;' "$W/events" "$@"
}

# Kills a process; prints when, by the clock that events have.
kill_now()
{
	perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e '
		my $t = clock_gettime(CLOCK_MONOTONIC);
		kill 9, $ARGV[0] or exit 1;
		printf "%.6f\n", $t;' "$1"
}

times=()
for i in 0 1 2 3 4 5 6 0 2 4 6; do
	victim=${peers[i]}
	near=${peers[(i + 6) % 7]}
	far=${peers[(i + 5) % 7]}
	killed=$(kill_now "$(peer_of lab "$victim" pid)")
	took=
	seen()
	{
		took=$(measure "$killed" "$victim" "$near" "$far")
	}
	poll 5 seen && times+=("$took") ||
	    fail "events of the death of $victim at $near and $far"
	run ringctl start "$victim"
	[ "$STATUS" = 0 ] || { fail "start $victim"; details; }
	ringctl wait >/dev/null 2>&1 </dev/null
done
same "kills measured" "${#times[@]}" 11
median=$(printf '%s\n' "${times[@]}" | sort -n | sed -n 6p)
note "kill to both predecessors repaired, microseconds: ${times[*]}"
note "median: ${median:-none}"
holds "kill to both predecessors repaired: median ${median:-none} us" \
    [ "${median:-999999}" -le $((50000 * SLOW)) ]

# A silent peer.
paused_to_dead()
{
	ringctl events --json </dev/null 2>/dev/null >"$W/events"
	perl -MJSON::PP -e '
		my ($path, $victim) = @ARGV;
		open my $file, "<", $path or exit 1;
		my @events = map { decode_json $_ } <$file>;
		my ($paused) = map { $_->{t} } grep {
		    $_->{event} eq "paused" && $_->{peer} == $victim }
		    reverse @events;
		my ($dead) = map { $_->{t} } grep {
		    $_->{event} eq "dead" && ($_->{about} // -1) == $victim
		    && $_->{t} > ($paused // 9e99) } @events;
		exit 1 unless defined $dead;
		printf "%d\n", ($dead - $paused) * 1000;' "$W/events" "$1"
}
for victim in 8 19 5; do
	does "pause $victim" ringctl pause $victim
	took=
	seen()
	{
		took=$(paused_to_dead $victim)
	}
	if poll 10 seen; then
		pass "pause to dead: $took ms"
		holds "not too soon, not too late" \
		    [ "$took" -ge 250 -a "$took" -le $((1600 * SLOW)) ]
	else
		fail "pause to dead: not in 10 s"
	fi
	was=$(peer_of lab $victim incarnation)
	does "resume $victim" ringctl resume $victim
	does "whole again" ringctl wait
	raised()
	{
		[ "$(peer_of lab $victim incarnation)" -gt "$was" ]
	}
	eventually "it was fenced, and came back above that" 5 raised
done

# A peer paused while it is asked something does not hold a store for long.
content 0100 100000
does "store" ringctl exec 4 store 0100
down lab
up slow "2 4 5 8 9 14 19" "ping 30s"
content 0008 100000
does "pause the owner" ringctl pause 8
start=$(now_ms)
does "with a ping of 30 s, a store still ends" ringctl exec 4 store 0008
took=$(($(now_ms) - start))
holds "soon: $took ms" [ $took -lt $((5000 * SLOW)) ]
does "resume" ringctl resume 8
does "whole" ringctl wait
down slow

# Quiet: nobody accuses anybody.
up quiet "2 4 5 8 9 14 19"
for n in 0001 0050 0100 0150 0200; do
	content $n 2000000
	does "store $n" ringctl store $n
done
does "ready" ringctl wait ready
same "nobody was thought dead" \
    "$(ringctl events --kind dead </dev/null 2>/dev/null | grep -c .)" 0
down quiet
eventually "no process is left" 5 no_leftovers
finish
