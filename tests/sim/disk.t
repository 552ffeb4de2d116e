#!/bin/bash
# The disk layer where calls fail, bits flip and the power goes; `make sim
# SEEDS=n` runs more seeds. Rules broken on purpose are found, in a build that
# knows them.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
seeds=${DISK_SEEDS:-1000}
[ -n "${SAN:-}" ] && seeds=$((seeds / 5))

if out=$("$build/ringctl-sim" --disk --seeds "$seeds" --stop-after 3 2>&1); then
	echo "ok 1 - $seeds seeds without a violation"
else
	echo "not ok 1 - $seeds seeds without a violation"
	sed 's/^/# /' <<<"$out" >&2
fi
sed 's/^/# /' <<<"$out"

n=1
for mutant in keep-temps early-ack no-fsync; do
	n=$((n + 1))
	if [ ! -x "$build/ringctl-sim-mutants" ]; then
		echo "ok $n # SKIP no $build/ringctl-sim-mutants"
		continue
	fi
	out=$("$build/ringctl-sim-mutants" --disk --mutant "$mutant" \
	    --seeds 500 --stop-after 1 2>&1)
	if [ $? -eq 1 ] && grep -q '^violation: ' <<<"$out"; then
		echo "ok $n - $mutant is found"
	else
		echo "not ok $n - $mutant is found"
		sed 's/^/# /' <<<"$out" >&2
	fi
	sed 's/^/# /' <<<"$out"
done
echo "1..$n"
