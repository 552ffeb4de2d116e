#!/bin/bash
# README's transcript is what a newcomer sees, word for word: only process
# numbers, times, the home folder and the column that a number takes differ.
LIMIT=60
. "$(dirname "$0")/lib.sh"

port_claim
mkdir conf
sed "s/^port .*/port $PORT/" "$ROOT/conf/ring.conf" >conf/ring.conf
head -c 81920 /dev/urandom >2067.pdf
awk '/^    \$ ringctl up/ { on = 1 } on && !/^    / { exit }
    on { sub(/^    /, ""); print }' "$ROOT/README.md" >"$W/transcript"

# What may differ, on both sides.
plain()
{
	sed -E -e 's/[0-9.]+ m?s([^a-z]|$)/TIME\1/g' -e 's/under TIME/TIME/' \
	    -e 's/^( +[0-9]+  up +)[0-9]+ /\1PID /' \
	    -e 's/stay in .*/stay in FOLDER/' -e 's/ +/ /g'
}

# The lines that the transcript shows for the command at line $1.
shown()
{
	tail -n +$(($1 + 1)) "$W/transcript" | awk '/^\$ / { exit } { print }'
}

# The last line that the transcript shows is there; copies are complete.
logged()
{
	ringctl logs 5 | grep -qxF "$1"
}
complete()
{
	! ringctl status --json | grep -q '"short":[1-9]'
}

grep -n '^\$ ' "$W/transcript" >"$W/commands"
holds "there is a transcript" [ "$(wc -l <"$W/commands")" -ge 10 ]
while IFS=: read -r line command; do
	command=${command#\$ }
	case $command in
	"ringctl logs"*)
		poll 5 logged "$(shown "$line" | tail -n 1)" ;;
	"ringctl status"*)
		poll 5 complete ;;
	esac
	run bash -c "$command"
	same "$command" "$(cat "$W/out" "$W/err" | plain)" \
	    "$(shown "$line" | plain)"
done <"$W/commands"
finish
