#!/bin/bash
# What `kill` says that it cost: which files lost a copy is computed from the
# answers of their stores.
LIMIT=240
. "$(dirname "$0")/lib.sh"

declare -A HOLDERS
stored()
{
	content "$1" "${2:-20000}"
	run ringctl store "$1" --json
	[ "$STATUS" = 0 ] || { fail "store $1"; details; return; }
	HOLDERS[$1]=$(json 'join " ", @{$_->{holders}}' <"$W/out")
}

# held_by IDS: how many of the stored names any of these hold.
held_by()
{
	local name id count=0
	for name in "${!HOLDERS[@]}"; do
		for id in $1; do
			[[ " ${HOLDERS[$name]} " = *" $id "* ]] || continue
			count=$((count + 1))
			break
		done
	done
	echo $count
}

# All copies are where their stores put them: none too few, none too many.
settled()
{
	[ "$(ringctl status --json | json '
	    my $n = 0; $n += $_->{files} // 0 for @{$_->{peers}}; $n')" = \
	    $((3 * ${#HOLDERS[@]})) ]
}

# cost FIELD: of the first object that the last command printed.
cost()
{
	head -n 1 "$W/out" | json "my \$x = \$_->{$1}; defined \$x ? \$x : '-'"
}

# plausible: 0 < whole_ms <= copies_ms <= total_ms < 10 s.
plausible()
{
	head -n 1 "$W/out" | json '0 < $_->{whole_ms} &&
	    $_->{whole_ms} <= $_->{copies_ms} &&
	    $_->{copies_ms} <= $_->{total_ms} && $_->{total_ms} < 10000
	    ? "yes" : "no"' | grep -qx yes
}

IDS="2 4 5 8 9 14 19 40 77 130 200 250"
up lab "$IDS"
does "kill where nothing is stored" ringctl kill 5
says "costs no copy" \
    '^killed 5 \(SIGKILL\): whole again in [0-9.]+ ms; no file lost a copy$'
does "start 5" ringctl start 5
for ((i = 0; i < 60; i++)); do
	stored "$(printf %04d $((i * 163 + 7)))" $((i * 400))
done
does "a removed file has no copies to lose" ringctl -q remove 0007
unset "HOLDERS[0007]"
for id in 8 40 250; do
	does "kill $id" ringctl kill $id --json
	same "it held so many" "$(cost lost_copy) $(cost short)" \
	    "$(held_by $id) 0"
	holds "its times make sense" plausible
	does "all copies are back" ringctl check
	does "start $id" ringctl start $id
	does "as it was" ringctl --timeout 30 wait ready
	does "check" ringctl check
done
n=$(held_by 77)
does "kill 77" ringctl kill 77
says "in words" "^killed 77 \(SIGKILL\): whole again in [0-9.]+ ms; $n files \
back to 3 copies in [0-9.]+ m?s$"
does "the event" ringctl events --kind copies --json
same "says as many" "$(tail -n 1 "$W/out" | json \
    '"$_->{files} " . (defined $_->{peer} ? 1 : 0)')" "$n 0"
says "and when" '"reason":"all have their copies, in [0-9.]+ m?s"'
does "start 77" ringctl start 77
does "ready" ringctl wait ready
does "two at once" ringctl kill 130,9 --json
same "two objects, one cost" "$(perl -MJSON::PP -ne '$_ = decode_json $_;
    print "$_->{peer} $_->{lost_copy} "' "$W/out")" \
    "9 $(held_by "130 9") 130 $(held_by "130 9") "
does "start 130,9" ringctl start 130,9
does "ready" ringctl wait ready
holds "all in place" poll 20 settled
does "two neighbours" ringctl kill 130,200 --json
same "files of either, once each" "$(cost lost_copy)" "$(held_by "130 200")"
does "check" ringctl check
nothing_short()
{
	[ "$(status_of lab '
	    join " ", "of", grep { $_ } map { $_->{short} } @{$_->{peers}}
	')" = of ]
}
# One that is late for a moment is suspected, and its copies are counted anew.
eventually "nothing is short" 5 nothing_short

# Three in a row: files of which they were all holders, and others.
only_by()
{
	local name id count=0
	for name in "${!HOLDERS[@]}"; do
		for id in ${HOLDERS[$name]}; do
			[[ " $1 " = *" $id "* ]] || continue 2
		done
		count=$((count + 1))
	done
	echo $count
}
does "start 130,200" ringctl start 130,200
does "ready" ringctl --timeout 30 wait ready
holds "no strays" poll 20 settled
orphans=$(only_by "40 77 130")
holds "three hold some alone" [ "$orphans" -gt 0 ]
does "all three" ringctl kill 40,77,130 --json
same "files of any, and those without a holder" \
    "$(cost lost_copy) $(cost no_holder)" "$(held_by "40 77 130") $orphans"
run ringctl check
says "check names as many" "$orphans violation"
does "start them" ringctl start 40,77,130
does "ready again" ringctl --timeout 30 wait ready
holds "no strays again" poll 20 settled
does "nothing is lost" ringctl check
does "all three, in words" ringctl kill 40,77,130
says "so many" "; $orphans files? without a live holder\$"
does "start them" ringctl start 40,77,130
does "ready" ringctl --timeout 30 wait ready
down lab

# Copies that take longer than one waits.
unset HOLDERS
declare -A HOLDERS
up slow "10 20 30 40"
content 0011 $((256 << 20))
run ringctl --timeout 60 store 0011
exits "no time for the copies" 5 ringctl --timeout 0.04 kill 20
says "is said" '^ringctl: killed 20 \(SIGKILL\): (whole again in [0-9.]+ ms; 1 file still short after [0-9.]+ ms|not whole after)'
does "they come" ringctl --timeout 60 wait ready
does "check" ringctl --timeout 30 check
down slow

# Fewer peers than copies.
up few "10 20 30"
content 0005 5000
content 0015 5000
run ringctl store 0005
run ringctl store 0015
does "kill 20" ringctl kill 20
says "too few" '^killed 20 \(SIGKILL\): whole again in [0-9.]+ ms; 2 files at 2 of 3 copies: too few peers$'
does "ready all the same" ringctl wait ready
does "and right" ringctl check
says "with two copies" ' 2 files, 4 copies'
does "kill 30 --json" ringctl kill 30 --json
same "the same in JSON" "$(cost lost_copy) $(cost short) $(cost too_few)" \
    "2 0 2"
does "the last one" ringctl kill 10
says "leaves nobody" 'killed 10 \(SIGKILL\): no peer is left; 2 files without a live holder'
asked=$(now_ms)
exits "there is nobody to ask" 2 ringctl --timeout 30 check
says "which is said" "can't tell: no peer is up"
holds "at once" [ $(($(now_ms) - asked)) -lt 15000 ]
down few
eventually "no process is left" 5 no_leftovers
finish
