#!/bin/bash
# One seed, one run, byte for byte.
set -u
cd "$(dirname "$0")/../.." || exit 1
sim=${BUILD:-build}/ringctl-sim
n=0

for seed in 7 218 1495; do
	n=$((n + 1))
	one=$("$sim" --seed "$seed" --trace | sha256sum)
	again=$("$sim" --seed "$seed" --trace | sha256sum)
	# After other runs in the same memory, too.
	among=$("$sim" --start $((seed - 3)) --seeds 4 --trace-from "$seed" |
	    sha256sum)
	if [ "$one" = "$again" ] && [ "$one" = "$among" ]; then
		echo "ok $n - seed $seed is the same every time"
	else
		echo "not ok $n - seed $seed is the same every time"
	fi
	# And written down as a plan, and played.
	n=$((n + 1))
	played=$("$sim" --seed "$seed" --print | "$sim" --play - --trace |
	    sha256sum)
	if [ "$one" = "$played" ]; then
		echo "ok $n - the plan of seed $seed plays the same"
	else
		echo "not ok $n - the plan of seed $seed plays the same"
	fi
done
echo "1..$n"
