#!/bin/bash
# Small stores go through a journal: killed in the midst of many, a peer has
# all that it acknowledged; after `down` all of it is files.
. "$(dirname "$0")/lib.sh"

CLIENTS=6
data=$XDG_STATE_HOME/ringctl/lone/7
stored=$W/stored

# Stores NAMEs of its own, each twice, until it is told to stop.
client()
{
	local i name
	for ((i = 0; ; i++)); do
		name=$(printf '%d%03d' "$1" $((i % 500)))
		printf '%s of %d ' "$name" "$i" >"$W/$name"
		ringctl exec 7 store "$name" "$W/$name" >/dev/null 2>&1 \
		    </dev/null || return
		cp "$W/$name" "$stored/$name"
	done
}

# Every acknowledged content, or the one that was under way.
all_there()
{
	local path name bad=0
	for path in "$stored"/*; do
		name=${path##*/}
		ringctl exec 7 request "$name" - >"$W/got" 2>/dev/null \
		    </dev/null
		cmp -s "$W/got" "$path" || cmp -s "$W/got" "$W/$name" ||
		    bad=$((bad + 1))
	done
	note "$(ls "$stored" | wc -l) names, $bad wrong"
	[ $bad = 0 ]
}

many_stored()
{
	[ "$(ls "$stored" | wc -l)" -ge $1 ]
}

mkdir "$stored"
up lone 7 "copies 1"
for round in 1 2 3; do
	for ((i = 0; i < CLIENTS; i++)); do
		client $i &
	done
	eventually "round $round: many are stored" 30 many_stored \
	    $((round * 60))
	does "killed in the midst of it" ringctl kill 7
	wait
	holds "they are in the journal" [ -s "$data/journal.0" ]
	does "started again" ringctl start 7
	holds "all that was acknowledged is there" all_there
done

does "removed" ringctl exec 7 remove 0000
rm "$stored/0000"
down lone
# And for the tombstone, and for what was under way when it was killed.
files=$(find "$data/files" -type f | wc -l)
holds "a file for each: $files" [ "$files" -gt "$(ls "$stored" | wc -l)" ]
holds "that is what they hold" cmp -n 8 "$data/files/e8/1000" "$stored/1000"
same "no temporary file" "$(ls "$data/tmp" | wc -l)" 0

# A bit of a stored file: found when it is read, never served.
file=$(find "$data/files" -name 1000)
perl -e 'open my $f, "+<", shift; read $f, my $b, 1; seek $f, 0, 0;
    print $f chr(ord($b) ^ 8)' "$file"
does "up again" ringctl up lone.conf
run ringctl exec 7 request 1000 -
holds "a damaged file is not served" [ "$STATUS" != 0 -a -z "$OUT" ]
holds "it is set aside" [ -e "$data/damaged/0.1000" ]
rm "$stored/1000"
holds "the others are there" all_there
down lone
does "wiped, with its journal" ringctl -c lone wipe --yes
eventually "no process is left" 5 no_leftovers
finish
