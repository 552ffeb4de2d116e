#!/bin/bash
# Plans that once broke the core, as --shrink left them: each with many throws
# of the network's dice.
set -u
cd "$(dirname "$0")/../.." || exit 1
sim=${BUILD:-build}/ringctl-sim
seeds=200
[ -n "${SAN:-}" ] && seeds=40
n=0

for plan in tests/sim/plans/*.plan; do
	n=$((n + 1))
	what=$(sed -n '1s/^# //p' "$plan")
	if out=$(timeout 120 "$sim" --play "$plan" --seeds $seeds \
	    --stop-after 1 2>&1); then
		echo "ok $n - $(basename "$plan" .plan): $what"
	else
		echo "not ok $n - $(basename "$plan" .plan): $what"
		sed 's/^/# /' <<<"$out" >&2
	fi
done
echo "1..$n"
