#!/bin/bash
# Rules broken on purpose: the simulator finds a violation for each, and says
# how many seeds that took. Only this build knows of them.
set -u
cd "$(dirname "$0")/../.." || exit 1
sim=${BUILD:-build}/ringctl-sim-mutants
seeds_max=${MUTANT_SEEDS:-6000}
n=0

# The mutant, and a check that must see it (-: any).
while read -r mutant checks; do
	n=$((n + 1))
	[ "$checks" = - ] && checks=
	out=$(timeout 300 "$sim" --mutant "$mutant" \
	    ${checks:+--checks "$checks"} --seeds "$seeds_max" \
	    --stop-after 1 2>&1)
	status=$?
	took=$(sed -n 's/^seeds \([0-9]*\),.*/\1/p' <<<"$out")
	name="$mutant${checks:+ ($checks)}"
	if [ $status -eq 1 ] && grep -q '^violation: ' <<<"$out"; then
		printf 'ok %d - %-32s seeds %6s  %s\n' $n "$name" "$took" \
		    "$(sed -n 's/^violation: //p' <<<"$out" | tr -d '#')"
	else
		echo "not ok $n - $name is found in $seeds_max seeds"
		sed 's/^/# /' <<<"$out" >&2
	fi
done <<'END'
no-probe -
no-probe rest
same-incarnation -
same-incarnation lineage
move-on-suspicion -
move-on-suspicion list
drop-strays files
two-of-three files
no-fence fence
no-write-back files
new-version files
drop-tombstones files
END

# And the ordinary build knows none of them.
n=$((n + 1))
if "${BUILD:-build}/ringctl-sim" --mutant drop-strays --seeds 1 \
    >/dev/null 2>&1; then
	echo "not ok $n - the ordinary build has no mutants"
else
	echo "ok $n - the ordinary build has no mutants"
fi
echo "1..$n"
