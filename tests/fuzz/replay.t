#!/bin/bash
# Every parser reads its corpus, and each property that a fuzzer holds it to
# holds.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=0

for source in tests/fuzz/*.c; do
	name=$(basename "$source" .c)
	[ "$name" = replay ] && continue
	n=$((n + 1))
	if out=$("${BUILD:-build}/tests/fuzz/$name-replay" \
	    "tests/fuzz/corpus/$name" 2>&1); then
		echo "ok $n - $name: $out"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' <<<"$out" >&2
	fi
done
echo "1..$n"
