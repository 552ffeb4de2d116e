#!/bin/bash
# The bench still measures all that it should, and leaves nothing behind.
LIMIT=240
. "$(dirname "$0")/lib.sh"

export BUILD TMPDIR=$W/tmp
mkdir "$TMPDIR"
bench=$ROOT/tests/bench/run

# Its own ports, keeper and folder are in here; afterwards there are none.
nothing_left()
{
	no_leftovers && [ -z "$(ls -A "$TMPDIR")" ]
}

of_bench()
{
	json "$1" <"$W/bench.json"
}

does "a quick bench" "$bench" --quick --json "$W/bench.json"
says "its table has a ratio" '^  up, 7 peers +[0-9.]+ ms +[0-9.]+ ms +[0-9.]'
same "all sections are in the JSON" "$(of_bench '
	my %seen = map { $_->{section} => 1 } @{$_->{rows}};
	join " ", sort keys %seen')" "exec files hops idle kill up"
same "nothing failed" "$(of_bench 'scalar @{$_->{failed}}')" 0
same "all numbers are there, and above 0" "$(of_bench '
	join ", ", map { $_->{what} } grep {
		my $row = $_;
		my $n = $row->{"measured_$row->{unit}"};
		my $floor = $row->{"floor_$row->{unit}"};
		!$n || !$n->{rounds} || $n->{max} < $n->{min} ||
		    ($row->{what} !~ /supervisor/ && $n->{mean} <= 0) ||
		    ($floor && ($floor->{mean} <= 0 || $row->{ratio} <= 0))
	} @{$_->{rows}}')" ""
holds "nothing is left" nothing_left

exits "an unknown section" 2 "$bench" uo
says "it is named" 'uo: no such section'
does "a list of sections" "$bench" --list
says "kill is one" '^kill +SIGKILL'

# What can't be measured is said, and the rest is measured.
mkdir "$W/broken"
cp -r "$BUILD/tests" "$W/broken"
cp "$BUILD/ringctl" "$W/broken"
printf '#!/bin/sh\nexit 1\n' >"$W/broken/tests/bench/echo_client"
BUILD=$W/broken exits "a floor that fails" 1 "$bench" --quick exec up
says "the section is named" 'exec: could not be measured'
same "and in the JSON" "$(json '"@{$_->{failed}}"' <"$W/broken/bench.json")" \
    exec
says "others are measured" '^  down, 7 peers'
holds "nothing is left" nothing_left

# Ended in the middle of something.
ring_is_up()
{
	local sock
	for sock in "$TMPDIR"/*/run/*.sock; do
		[ -S "$sock" ] && return 0
	done
	return 1
}
for signal in INT TERM; do
	# With job control, or else the shell makes it deaf for SIGINT.
	set -m
	"$bench" --rounds 1000 kill >"$W/out" 2>&1 </dev/null &
	set +m
	eventually "a ring is up" 20 ring_is_up
	kill -$signal $!
	wait $!
	STATUS=$?
	holds "ended by SIG$signal" [ $STATUS -gt 128 ]
	eventually "nothing is left" 10 nothing_left
done
finish
