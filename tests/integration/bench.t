#!/bin/bash
# The bench still measures all that it should, and leaves nothing behind.
LIMIT=300
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
	join " ", sort keys %seen')" \
    "exec files first hops idle kill small small-nosync up"
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

# Each store has its rows where its program is, and a note of its version;
# where it is not, a note of that.
named()
{
	of_bench "
		my \$rows = grep { \$_->{what} =~ /^(put|get) $1.* clients?\$/ }
		    @{\$_->{rows}};
		my \$notes = grep { /^$1 $2/ } @{\$_->{notes}};
		\"\$rows rows, \$notes notes\""
}
for store in redis:redis-server etcd:etcd; do
	if command -v ${store#*:} >/dev/null; then
		same "${store%:*} is measured" \
		    "$(named ${store%:*} '[0-9.]+:')" "8 rows, 2 notes"
	else
		same "${store%:*} is skipped" \
		    "$(named ${store%:*} 'is not')" "0 rows, 2 notes"
	fi
done
same "each operation is counted" "$(of_bench '
	join ", ", map { $_->{what} } grep {
		$_->{what} =~ /^(put|get) .* clients?$/ && !$_->{per_second}
	} @{$_->{rows}}')" ""
REDIS_SERVER=$W/none ETCD=$W/none does "a bench without other stores" \
    "$bench" --quick --json "$W/bench.json" small-nosync
same "redis is skipped" "$(named redis 'is not installed')" "0 rows, 1 notes"
same "etcd is skipped" "$(named etcd 'is not installed')" "0 rows, 1 notes"
same "the ring is measured" "$(named '[37] peers' '')" "16 rows, 0 notes"

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
all_are_up()
{
	ring_is_up && { ! command -v redis-server >/dev/null ||
	    [ -S "$(echo "$TMPDIR"/*/here/redis0/sock)" ]; }
}
for signal in INT TERM; do
	# With job control, or else the shell makes it deaf for SIGINT.
	set -m
	[ $signal = INT ] && section=small || section=kill
	"$bench" --rounds 1000 $section >"$W/out" 2>&1 </dev/null &
	set +m
	[ $signal = INT ] && up=all_are_up || up=ring_is_up
	eventually "$section: what it measures is up" 20 $up
	kill -$signal $!
	wait $!
	STATUS=$?
	holds "ended by SIG$signal" [ $STATUS -gt 128 ]
	eventually "nothing is left" 10 nothing_left
done
finish
