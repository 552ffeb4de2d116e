#!/bin/bash
# The scenarios that the simulator has by name: of PROTOCOL.md, and of bugs that
# the core once had.
set -u
cd "$(dirname "$0")/../.." || exit 1
sim=${BUILD:-build}/ringctl-sim
n=0

while read -r name words; do
	n=$((n + 1))
	seeds=5
	[ "$name" = one-hour-of-loss ] && seeds=1
	[ "$name" = stored-on-both-sides ] && seeds=6
	if out=$("$sim" --scenario "$name" --seeds "$seeds" 2>&1); then
		echo "ok $n - $name ($words)"
	else
		echo "not ok $n - $name ($words)"
		sed 's/^/# /' <<<"$out" >&2
	fi
done < <("$sim" --list)
echo "1..$n"
