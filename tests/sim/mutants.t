#!/bin/bash
# Rules broken on purpose: the simulator finds a violation for each.
set -u
cd "$(dirname "$0")/../.." || exit 1
sim=${BUILD:-build}/ringctl-sim
n=0

# The mutant, and a check that must see it (without: any).
while read -r mutant checks; do
	n=$((n + 1))
	out=$("$sim" --mutant "$mutant" ${checks:+--checks "$checks"} \
	    --seeds 500 --stop-after 1 2>&1)
	if [ $? -eq 1 ] && grep -q '^violation: ' <<<"$out"; then
		echo "ok $n - $mutant ${checks:+($checks) }is found"
		grep '^violation' <<<"$out" | sed 's/^/# /'
	else
		echo "not ok $n - $mutant ${checks:+($checks) }is found"
		sed 's/^/# /' <<<"$out"
	fi
done <<'END'
no-probe
no-probe rest
same-incarnation
same-incarnation lineage
move-on-suspicion
move-on-suspicion list
END
echo "1..$n"
