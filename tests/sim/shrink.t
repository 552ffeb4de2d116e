#!/bin/bash
# A seed that fails is cut down to a few steps, which fail in the same way when
# they are played.
set -u
cd "$(dirname "$0")/../.." || exit 1
sim=${BUILD:-build}/ringctl-sim-mutants
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n=0

report() { # NAME STATUS FILE
	n=$((n + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$3" >&2
	fi
}

for mutant in two-of-three move-on-suspicion; do
	"$sim" --mutant $mutant --seeds 400 --stop-after 1 >"$work/found"
	seed=$(sed -n 's/.*--seed \([0-9]*\).*/\1/p' "$work/found" | head -1)
	check=$(sed -n 's/^violation: \([^:]*\):.*/\1/p' "$work/found")
	"$sim" --mutant $mutant --seed "$seed" --print >"$work/large"
	timeout 60 "$sim" --mutant $mutant --seed "$seed" --shrink=10 \
	    >"$work/small"
	large=$(grep -c '^at' "$work/large")
	small=$(grep -c '^at' "$work/small")
	echo "# seed $seed: $large steps, then $small"
	[ "$small" -lt "$large" ] && [ "$small" -le 8 ]
	report "a plan that $mutant breaks gets small" $? "$work/small"
	"$sim" --mutant $mutant --play "$work/small" >"$work/played"
	[ $? -eq 1 ] && grep -q "^violation: $check:" "$work/played"
	report "and fails in the same way" $? "$work/played"
done

# What is no plan is said to be none, with its line.
printf 'up 2 4\nat 1s explode 4\n' >"$work/wrong"
out=$("$sim" --play "$work/wrong" 2>&1)
[ $? -eq 2 ] && grep -q ':2: explode: not a verb' <<<"$out"
report "a wrong verb is refused, with its line" $? "$work/wrong"
echo "1..$n"
