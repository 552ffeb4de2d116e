#!/bin/bash
# Names, identifiers, files and configs that are wrong, and what they get.
LIMIT=300
. "$(dirname "$0")/lib.sh"

long=$(printf '%0300d' 7)

# Names, in a ring of four-digit names.
up digits "2 4 5 8 9 14 19"
content source 100
for name in a912 32134 -1 '' "$long" a/b 1/23 123 '12 4' ' 123' 0x12 +123; do
	short=$(head -c 20 <<<"$name")
	for command in store request remove owner; do
		exits "$command '$short'" 2 ringctl exec 8 $command "$name"
		says "the rule is quoted" 'four|4 (decimal )?digits'
	done
	exits "short form: store '$short'" 2 ringctl store "$name"
done
exits "store, no name" 2 ringctl exec 8 store
exits "store, too many words" 2 ringctl exec 8 store 2067 source more
exits "a command that does not exist" 2 ringctl exec 8 stroe 2067
says "suggests the nearest" 'store'
exits "a verb that does not exist" 2 ringctl stor 2067
says "suggests the nearest" 'store'
exits "an option that does not exist" 2 ringctl --nope status

# Identifiers.
for id in 256 -1 x 99999999999999999999 1e3 4.5 '' 4- 5-4 4,,5; do
	exits "exec '$id' ring" 2 ringctl exec "$id" ring
done
for id in 256 -1 x ''; do
	exits "join '$id' 4" 2 ringctl join "$id" 4
	exits "join 30 '$id'" 2 ringctl join 30 "$id"
	exits "kill '$id'" 2 ringctl kill "$id"
done
exits "join 30 4 with a bad interval" 2 ringctl join 30 4 never
exits "join 30 4 with no interval at all" 2 ringctl join 30 4 0

# Sources and targets.
exits "a missing file" 1 ringctl exec 8 store 2067 nowhere
says "is named" 'nowhere'
exits "a missing file by its name only" 1 ringctl exec 8 store 2067
says "is named" '2067'
mkdir folder
exits "a folder" 1 ringctl exec 8 store 2067 folder
says "is named" 'folder'
mkfifo fifo
exits "a FIFO" 1 ringctl exec 8 store 2067 fifo
says "is named" 'fifo'
exits "a device" 1 ringctl exec 8 store 2067 /dev/zero
says "is named" '/dev/zero'
does "store to have something" ringctl exec 8 store 1000 source
exits "a target that is a folder" 1 ringctl exec 8 request 1000 folder
says "is named" 'folder'
exits "a target in no folder" 1 ringctl exec 8 request 1000 no/where
says "is named" 'no/where'
same "nothing half done is left" "$(ls -A | grep -v '^\(source\|folder\|fifo\|digits.conf\)$')" ""

# A file that nobody has.
for id in 2 4 5 8 9 14 19; do
	start=$(now_ms)
	exits "request of a missing file at $id" 1 \
	    ringctl exec $id request 4242
	took=$(($(now_ms) - start))
	says "says so" 'no such file'
	holds "quickly: $took ms" [ $took -lt $((1000 * SLOW)) ]
done

# Peers that are not there.
exits "exec at an unknown peer" 4 ringctl exec 77 ring
says "is named" '77'
does "kill 9" ringctl kill 9
exits "exec at a killed peer" 4 ringctl exec 9 ring
says "is named" '\b9\b'
exits "request at a killed peer" 4 ringctl exec 9 request 1000
run ringctl exec 8,9 ring
same "one of several is down: the others are done" "$STATUS" 4
says "and answer" 'successor'
does "pause 14" ringctl pause 14
exits "exec at a paused peer" 5 ringctl --timeout 1 exec 14 ring
says "says that it is paused" 'paused'
exits "store at a paused peer" 5 ringctl --timeout 1 exec 14 store 1001 source
says "says that it is paused" 'paused'
does "resume 14" ringctl resume 14

# A file that changes while it is stored: one whole version, or refused.
content base 67108864
cp base 3000
(for ((i = 0; i < 200; i++)); do echo more; sleep 0.002; done >>3000) &
grower=$!
run ringctl exec 4 store 3000
wait $grower
if [ "$STATUS" = 0 ]; then
	does "a file that grows: stored" ringctl exec 8 request 3000 got
	size=$(stat -c %s got)
	holds "as one whole version" cmp -n "$size" got 3000
	holds "that it was" [ "$size" -ge 67108864 ]
else
	same "a file that grows: refused" "$STATUS" 1
	says "saying why" 'chang'
fi
cp base 3001
(sleep 0.01; truncate -s 1000 3001) &
run ringctl exec 4 store 3001
wait $!
if [ "$STATUS" = 0 ]; then
	does "a file that shrinks: stored" ringctl exec 8 request 3001 got
	cmp -s got base || cmp -s got 3001 &&
	    pass "as one whole version" || fail "as one whole version"
else
	same "a file that shrinks: refused" "$STATUS" 1
	says "saying why, once, and which" \
	    'store 3001: file changed while it was read: [^:]*/3001$'
fi
holds "the ring is unharmed" is_whole digits
down digits

# A ring with any names.
up any "2 100 200" "names any"
for name in "$long" '' a/b . ..; do
	short=$(head -c 20 <<<"$name")
	exits "any names: store '$short'" 2 ringctl exec 2 store "$name" source
	exits "any names: request '$short'" 2 ringctl exec 2 request "$name"
done
for name in "$(printf '%0255d' 7)" 'a b' -x ünï '*' '-'; do
	does "any names: store '$(head -c 20 <<<"$name")'" \
	    ringctl exec 2 store "$name" source
	does "and request" ringctl exec 100 request "$name" got
	holds "the same bytes" cmp source got
done
down any

# Configs. bad WORDS LINE REGEX TEXT: LINE in error, and up does not start.
bad()
{
	local words=$1 line=$2 re=$3
	printf "$4" >bad.conf
	exits "config: $words" 2 ringctl up -n bad.conf
	says "names file and line" "bad\.conf:$line: .*$re"
	exits "up refuses it" 2 ringctl up bad.conf
	exits "nothing is up" 3 ringctl -c x status
}
bad "identifier 256" 2 256 'ring x\npeer 2 256\n'
bad "identifier -1" 2 -1 'ring x\npeer -1\n'
bad "identifier x" 2 x 'ring x\npeer x\n'
bad "one twice" 3 4 'ring x\npeer 2 4\npeer 4 5\n'
bad "one twice in a line" 2 4 'ring x\npeer 2 4 4\n'
bad "port range past 65535" 2 65500 'ring x\nport 65500\npeer 1\n'
bad "port 0" 2 0 'ring x\nport 0\npeer 1\n'
bad "port 70000" 2 70000 'ring x\nport 70000\npeer 1\n'
bad "an unknown directive" 2 prot 'ring x\nprot 12000\npeer 1\n'
bad "a directive twice" 3 copies 'ring x\ncopies 1\ncopies 2\npeer 1\n'
bad "copies 0" 2 0 'ring x\ncopies 0\npeer 1\n'
bad "copies 17" 2 17 'ring x\ncopies 17\npeer 1\n'
bad "ping without a unit" 2 30 'ring x\nping 30\npeer 1\n'
bad "ping too long" 2 2h 'ring x\nping 2h\npeer 1\n'
bad "sync maybe" 2 maybe 'ring x\nsync maybe\npeer 1\n'
bad "a ring's name with a slash" 1 'a/b' 'ring a/b\npeer 1\n'
bad "a NUL byte" 2 'NUL' 'ring x\npeer 1\0 2\n'
bad "no peer" '[0-9]*' peer 'ring x\n'
printf 'ring x\nport 0\ncopies 0\npeer x\n' >bad.conf
run ringctl up -n bad.conf
same "every error is reported" "$(grep -c 'bad.conf:' "$W/err")" 3
for file in nowhere.conf folder; do
	exits "config: $file" 2 ringctl up $file
	says "is named" "$file"
done
printf 'ring y\nport 20000\npeer 2 4-6,9 # some\n' >good.conf
does "up -n prints the canonical form" ringctl up -n good.conf
cp "$W/out" canon.conf
does "which reads back" ringctl up -n canon.conf
holds "as itself" cmp canon.conf "$W/out"

# No ring.
for verb in status down 'wait' 'exec 8 ring' 'store 2067' 'kill 8' \
    'join 25 4' 'quit 8' 'start 8' 'pause 8' 'resume 8' files; do
	exits "$verb without a ring" 3 ringctl $verb
done
exits "no ring of that name" 3 ringctl -c nope status
does "list without a ring" ringctl list
does "help" ringctl help
does "version" ringctl --version
run ringctl
says "ringctl alone prints a short help" 'up'

# A file that may not be read needs a user who may not.
if [ "$(id -u)" = 0 ]; then
	chmod 711 "$W" "$W/here"
	mkdir -m 777 "$W/nobody"
	content "$W/nobody/secret" 10
	chmod 600 "$W/nobody/secret"
	port_claim
	printf 'ring lowly\nport %d\npeer 1 2 3\n' $PORT >"$W/nobody/l.conf"
	nobody()
	{
		(cd "$W/nobody" && setpriv --reuid 65534 --regid 65534 \
		    --clear-groups env RINGCTL_DIR="$W/nobody/run" \
		    XDG_STATE_HOME="$W/nobody/state" "$W/ringctl" "$@")
	}
	nobody up l.conf </dev/null >"$W/out" 2>"$W/err"
	same "an unprivileged user runs a ring" $? 0
	nobody exec 2 store 2067 secret </dev/null >"$W/out" 2>"$W/err"
	same "an unreadable file" $? 1
	grep -q secret "$W/err" "$W/out" && pass "is named" ||
	    fail "is named"
	nobody down </dev/null >"$W/out" 2>"$W/err"
	same "down" $? 0
else
	up mine "1 2 3"
	content secret 10
	chmod 000 secret
	exits "an unreadable file" 1 ringctl exec 2 store 2067 secret
	says "is named" secret
	down mine
fi
eventually "no process is left" 5 no_leftovers
finish
