#!/bin/bash
# How the tree reads: style, format, manual pages.
set -u
cd "$(dirname "$0")/.." || exit 1
make=${MAKE:-make}
n=0

try()
{
	local words=$1 out
	shift
	n=$((n + 1))
	if out=$("$@" 2>&1); then
		echo "ok $n - $words"
	else
		echo "not ok $n - $words"
		sed 's/^/# /' <<<"$out" >&2
	fi
}

target()
{
	"$make" --no-print-directory -s BUILD="${BUILD:-build}" \
	    CC="${CC:-gcc}" SAN="${SAN:-}" "$1"
}

try "style is kept, and each rule can fail" target tidy
try "format is that of .clang-format" target format-check
try "manual pages are well-formed" target man-lint
echo "1..$n"
