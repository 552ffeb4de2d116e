#!/bin/bash
# A few hundred seeds of the simulator; `make sim SEEDS=20000` runs more.
set -u
cd "$(dirname "$0")/../.." || exit 1
sim=${BUILD:-build}/ringctl-sim
seeds=${SIM_SEEDS:-500}
[ -n "${SAN:-}" ] && seeds=$((seeds / 5))

if out=$("$sim" --seeds "$seeds" --stop-after 3 2>&1); then
	echo "ok 1 - $seeds seeds without a violation"
else
	echo "not ok 1 - $seeds seeds without a violation"
	sed 's/^/# /' <<<"$out" >&2
fi
sed 's/^/# /' <<<"$out"
echo 1..1
