# Sourced after lib.sh by scenarios*.t: PROTOCOL.md's scenarios on real
# processes, each a named subtest that begins with its number.

# scene NUMBER WORDS: what follows is that scenario.
scene()
{
	SCENE=$1
	note "scenario $1: $2"
}

# What lib.sh has, with the scenario's number before the words.
S_does() { local w=$1; shift; does "$SCENE: $w" "$@"; }
S_exits() { local w=$1; shift; exits "$SCENE: $w" "$@"; }
S_says() { says "$SCENE: $1" "$2"; }
S_holds() { local w=$1; shift; holds "$SCENE: $w" "$@"; }
S_same() { same "$SCENE: $1" "$2" "$3"; }
S_eventually() { local w=$1; shift; eventually "$SCENE: $w" "$@"; }

# data ID [PATH]: in a peer's data folder.
data()
{
	echo "$XDG_STATE_HOME/ringctl/$RING/$1${2:+/$2}"
}

# stored_path ID NAME: where a peer keeps a file, there or not.
stored_path()
{
	printf '%s/files/%02x/%s\n' "$(data "$1")" $((10#$2 % 256)) "$2"
}

# begun FOLDER: something was written into a file in it just now.
begun()
{
	[ -n "$(find "$1" -type f -size +0 2>/dev/null | head -1)" ]
}

# background COMMAND...: its pid in BG; wait_for sets STATUS.
background()
{
	COMMAND="$*"
	timeout -k 5 $((60 * SLOW)) "$@" >"$W/bg.out" 2>"$W/bg.err" </dev/null &
	BG=$!
}

wait_for()
{
	wait $BG
	STATUS=$?
	cp "$W/bg.out" "$W/out"
	cp "$W/bg.err" "$W/err"
	OUT=$(<"$W/out")
	ERR=$(<"$W/err")
}

# ends WORDS STATUS: what runs in the background does.
ends()
{
	wait_for
	if [ "$STATUS" = "$2" ]; then
		pass "$SCENE: $1"
	else
		fail "$SCENE: $1: exit $STATUS, not $2"
		details
		return 1
	fi
}

# comes WORDS ID NAME FILE: peer ID can request it, and these are its bytes.
comes()
{
	rm -f "$W/got"
	run ringctl exec "$2" request "$3" "$W/got"
	if [ "$STATUS" = 0 ] && cmp -s "$W/got" "$4"; then
		pass "$SCENE: $1"
	else
		fail "$SCENE: $1"
		details
		cmp "$W/got" "$4" 2>&1 | sed 's/^/# /' >&2
		return 1
	fi
}

# comes_everywhere WORDS NAME FILE: at every peer that is up.
comes_everywhere()
{
	local id bad=0
	for id in $(ids_up); do
		run ringctl exec $id request "$2" "$W/got"
		[ "$STATUS" = 0 ] && cmp -s "$W/got" "$3" || {
			bad=$((bad + 1))
			diag "at peer $id:"
			details
		}
	done
	S_same "$1" $bad 0
}

ids_up()
{
	status_of "$RING" 'join " ", map { $_->{id} } grep {
	    $_->{state} eq "up" } @{$_->{peers}}'
}

ready()
{
	S_does "${1:-ready}" ringctl --timeout 30 wait ready
}

# starts ID: when the supervisor has seen it die.
starts()
{
	local id=$1
	is_gone()
	{
		[ "$(peer_of "$RING" "$id" pid)" = null ]
	}
	poll 10 is_gone
	S_does "start $id" ringctl start "$id"
}

is_ready()
{
	[ "$(status_of "$RING" '$_->{ready} ? 1 : 0')" = 1 ]
}

# holders NAME: the peers on whose disks it is, and not as removed.
holders()
{
	local id path
	for id in $(ls "$(data "")"); do
		path=$(stored_path "$id" "$1")
		[ -f "$path" ] && [ "$(stat -c %s "$path")" -ge 512 ] &&
		    printf '%s ' "$id"
	done
}

# listing NAME: the peers that say that they have it.
listing()
{
	local id
	for id in $(ids_up); do
		ringctl exec $id files 2>/dev/null </dev/null |
		    grep -qw "^ *$1" && printf '%s ' "$id"
	done
}

# in_journal ID FILE: a small one may not have come farther.
in_journal()
{
	perl -0777 -e 'open my $f, "<", shift or die; my $want = <$f> // "";
	    for (@ARGV) { open my $f, "<", $_ or next; local $/;
	    exit 0 if index(<$f>, $want) >= 0 } exit 1' \
	    "$2" "$(data "$1")"/journal.?
}

# on_disk NAME FILE PEERS: just these hold it, byte for byte.
SMALL_MAX=16384
on_disk()
{
	local id path size
	size=$(stat -c %s "$2")
	if [ "$size" -le $SMALL_MAX ]; then
		[ "$(listing "$1" | xargs)" = "$3" ] || return 1
	else
		[ "$(holders "$1" | tr ' ' '\n' | sort -n | xargs)" = "$3" ] ||
		    return 1
	fi
	for id in $3; do
		path=$(stored_path "$id" "$1")
		[ "$size" -gt $SMALL_MAX ] || ! in_journal "$id" "$2" || continue
		[ "$(stat -c %s "$path")" = $((size + 512)) ] || return 1
		cmp -s -n "$size" "$path" "$2" || return 1
	done
}

textbook="2 4 5 8 9 14 19"
