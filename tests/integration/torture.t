#!/bin/bash
# A short torture, a rolling restart, and half of a large ring killed at once;
# and that the torture sees what is wrong. `make torture` goes on for longer.
LIMIT=400
. "$(dirname "$0")/lib.sh"

export BUILD TMPDIR=$W/tmp
mkdir "$TMPDIR"
torture=$ROOT/tests/torture/run

nothing_left()
{
	no_leftovers && [ -z "$(ls -A "$TMPDIR")" ]
}

does "the check of histories sees what is wrong" "$torture" --selftest 1
for peers in 3 7; do
	does "torture of $peers peers" \
	    "$torture" --seconds 12 --seed 1 --peers $peers
	note "$OUT"
	says "nothing is lost or wrong" 'lost 0, wrong 0, other violations 0'
	says "stores were acknowledged" 'store: [1-9][0-9]{2,} done'
done
exits "an unknown option" 2 "$torture" --pears 7
does "rolling restarts" "$torture" --rolling 3 --seed 2
says "of each peer" 'kills 21,'
does "half of 256 killed" "$torture" --half 1 --seed 3
says "what has lost all holders is unavailable" \
    '[1-9][0-9]* of 300 files have lost all holders'
holds "nothing is left" nothing_left

finish
