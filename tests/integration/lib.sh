# Sourced by each test: TAP, rings of its own, and nothing left behind.
#
# A test has its own process group, a folder W with RINGCTL_DIR and
# XDG_STATE_HOME in it, and port ranges that no other test has. It waits for
# conditions with a deadline. LIMIT: seconds for all of it, set before.
# Globals that commands set: STATUS, OUT, ERR (run and what calls it).

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
SLOW=${SLOW:-${SAN:+5}}
SLOW=${SLOW:-1}
export LC_ALL=C NO_COLOR=1
unset CDPATH XDG_RUNTIME_DIR RINGCTL_DIR XDG_STATE_HOME MAKEFLAGS MAKELEVEL

if [ -z "${RINGCTL_TEST:-}" ]; then
	RINGCTL_TEST=$(mktemp -d "${TMPDIR:-/tmp}/ringctl-test.XXXXXX") ||
	    exit 1
	export RINGCTL_TEST
	trap 'rm -rf "$RINGCTL_TEST"' EXIT
	# The keeper is told of signals, and waited for: it ends what runs.
	trap 'kill $KEEPER 2>/dev/null' INT TERM HUP
	"$BUILD/tests/integration/keeper" $((${LIMIT:-240} * SLOW)) \
	    bash "$0" "$@" </dev/null &
	KEEPER=$!
	while :; do
		wait $KEEPER
		STATUS=$?
		kill -0 $KEEPER 2>/dev/null || exit $STATUS
	done
fi

W=$RINGCTL_TEST
KEEPER=$PPID
unset RINGCTL_TEST
export RINGCTL_DIR=$W/run XDG_STATE_HOME=$W/state
mkdir -m 700 "$W/run" "$W/state" "$W/here"
cd "$W/here" || exit 1
cp "$BUILD/ringctl" "$W/ringctl" || exit 1
PATH=$W:$PATH
CASES=0
FAILED=0

# TAP.

pass()
{
	CASES=$((CASES + 1))
	echo "ok $CASES - $*"
}

fail()
{
	CASES=$((CASES + 1))
	FAILED=$((FAILED + 1))
	echo "not ok $CASES - $*"
	diag "failed: $CASES - $*"
}

note()
{
	sed 's/^/# /' <<<"$*"
}

# For whoever reads a failure: harnesses show what comes on standard error.
diag()
{
	note "$*" >&2
}

skip()
{
	CASES=$((CASES + 1))
	echo "ok $CASES - $1 # SKIP $2"
}

finish()
{
	echo "1..$CASES"
	exit $((FAILED > 0))
}

# Running commands.

run()
{
	COMMAND="$*"
	timeout -k 5 $((120 * SLOW)) "$@" >"$W/out" 2>"$W/err" </dev/null
	STATUS=$?
	OUT=$(tr -d '\0' <"$W/out")
	ERR=$(tr -d '\0' <"$W/err")
}

# What run saw, for whoever reads the failure.
details()
{
	diag "command: $COMMAND"
	diag "status: $STATUS"
	[ -z "$OUT" ] || diag "stdout: $(head -c 2000 <<<"$OUT")"
	[ -z "$ERR" ] || diag "stderr: $(head -c 2000 <<<"$ERR")"
}

# exits WORDS STATUS COMMAND...
exits()
{
	local words=$1 wanted=$2
	shift 2
	run "$@"
	if [ "$STATUS" = "$wanted" ]; then
		pass "$words"
	else
		fail "$words: exit $STATUS, not $wanted"
		details
		return 1
	fi
}

# done_ WORDS COMMAND...: exits 0.
does()
{
	local words=$1
	shift
	exits "$words" 0 "$@"
}

# says WORDS REGEX: what the last command printed, on either stream.
says()
{
	if grep -Eqi -- "$2" "$W/out" "$W/err"; then
		pass "$1"
	else
		fail "$1: nothing like /$2/"
		details
		return 1
	fi
}

# true_ WORDS COMMAND...: a shell condition.
holds()
{
	local words=$1
	shift
	if "$@" >/dev/null; then
		pass "$words"
	else
		fail "$words"
		diag "not true: $*"
		return 1
	fi
}

same()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		diag "got: $2"
		diag "not: $3"
		return 1
	fi
}

# eventually WORDS SECONDS COMMAND...: polls until the command succeeds.
poll()
{
	local end=$(($(now_ms) + $1 * 1000 * SLOW))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt $end ] || return 1
		sleep 0.02
	done
}

eventually()
{
	local words=$1
	shift
	if poll "$@"; then
		pass "$words"
	else
		fail "$words: not in $1 s"
		shift
		diag "never true: $*"
		return 1
	fi
}

now_ms()
{
	local t=${EPOCHREALTIME/./}
	echo $((t / 1000))
}

# Rings.

alive()
{
	[ -d "/proc/$1" ] && ! grep -q '^State:[[:space:]]*Z' \
	    "/proc/$1/status" 2>/dev/null
}

# port_claim: sets PORT to the first of 256 free ports below the range from
# which the system takes ports for outgoing connections.
port_claim()
{
	local claims="/tmp/ringctl-ports-$(id -u)" fd
	mkdir -p -m 700 "$claims"
	exec {fd}>"$claims/lock"
	flock $fd
	PORT=$(perl "$HERE/ports.pl" "$claims" $KEEPER)
	exec {fd}>&-
	[ -n "$PORT" ] || { fail "256 free ports"; finish; }
}

# ring NAME 'IDS' [DIRECTIVE ...]: writes NAME.conf.
ring()
{
	local name=$1 ids=$2
	shift 2
	port_claim
	{
		echo "ring $name"
		echo "port $PORT"
		[ $# -eq 0 ] || printf '%s\n' "$@"
		echo "peer $ids"
	} >"$name.conf"
}

# up NAME 'IDS' [DIRECTIVE ...]: the ring, started.
up()
{
	ring "$@"
	does "up $1: peers $(head -c 60 <<<"$2")" ringctl up "$1.conf"
}

down()
{
	does "down $1" ringctl -c "$1" down
}

# json EXPRESSION: of perl, with $_ the object read from standard input.
json()
{
	perl -MJSON::PP -e '
		local $/;
		$_ = decode_json(<STDIN>);
		my $value = eval shift;
		print defined $value ? $value : "null", "\n"' "$1"
}

# status_of RING EXPRESSION
status_of()
{
	ringctl -c "$1" status --json 2>/dev/null </dev/null | json "$2" \
	    2>/dev/null
}

supervisor_of()
{
	status_of "$1" '$_->{pid}'
}

# peer_of RING ID FIELD
peer_of()
{
	status_of "$1" \
	    "(grep { \$_->{id} == $2 } @{\$_->{peers}})[0]{$3}"
}

pids_of()
{
	status_of "$1" 'join " ", map { $_->{pid} // () } @{$_->{peers}}'
}

is_whole()
{
	[ "$(status_of "$1" '$_->{whole} ? 1 : 0')" = 1 ]
}

# Processes of this test other than its own shells: those the keeper has.
leftovers()
{
	ps_children $KEEPER | while read -r pid; do
		[ "$pid" = $$ ] || echo "$pid"
	done
}

ps_children()
{
	local stat fields
	for stat in /proc/[0-9]*/stat; do
		fields=$(cat "$stat" 2>/dev/null) || continue
		fields=${fields##*) }
		set -- "$1" $fields
		[ "$3" != "$1" ] || [ "$2" = Z ] || basename "${stat%/stat}"
	done
}

no_leftovers()
{
	[ -z "$(leftovers)" ]
}

# content FILE BYTES: unlike any other; the same for the same name.
content()
{
	head -c "$2" <(perl -e '
		my $x = 0;
		$x = ($x * 31 + ord $_) % 2147483647 for split //, shift;
		my $block = "";
		$block .= pack "N", $x = ($x * 48271 + 11) % 2147483647
		    for 1 .. 16384;
		my $n = 0;
		print pack("N", $n++), $block while $n < 1 << 20;
	' "$1") >"$1"
}
