#!/bin/bash
# One peer in a terminal: on pseudo-terminals and on pipes.
LIMIT=400
. "$(dirname "$0")/lib.sh"

TERMINAL=$BUILD/tests/integration/terminal
declare -A PID FIFO

# conf NAME [DIRECTIVE ...]: NAME.conf of a ring for terminals.
conf()
{
	local name=$1
	shift
	port_claim
	{
		printf '%s\n' "ring $name" "port $PORT" "route successor" "$@"
	} >"$name.conf"
}

# A FIFO that is held open keeps what is written, whoever reads when.
fifo()
{
	local fd
	mkfifo "in.$1"
	exec {fd}<>"in.$1"
	FIFO[$1]=$fd
}

# open_ CONF ARG...: `ringctl peer` on a terminal; LOG.ID is what it printed.
open_()
{
	local conf=$1 id=$3
	shift
	fifo "$id"
	"$TERMINAL" "log.$id" "in.$id" ringctl peer -f "$conf" "$@" &
	PID[$id]=$!
}

# piped CONF ARG...: the same with pipes and files.
piped()
{
	local conf=$1 id=$3
	shift
	fifo "$id"
	ringctl peer -f "$conf" "$@" <"in.$id" >"log.$id" 2>"err.$id" &
	PID[$id]=$!
}

# types ID TEXT
types()
{
	printf "$2" >&"${FIFO[$1]}"
}

# ends ID: sets STATUS to its exit status.
ends()
{
	wait "${PID[$1]}"
	STATUS=$?
	unset "PID[$1]"
	close_fifo "$1"
}

close_fifo()
{
	local fd=${FIFO[$1]:-}
	[ -z "$fd" ] || exec {fd}>&-
	unset "FIFO[$1]"
	rm -f "in.$1"
}

said()
{
	grep -Eq -- "$2" "log.$1" "err.$1" 2>/dev/null
}

# prints WORDS ID REGEX
prints()
{
	eventually "$1" 20 said "$2" "$3" || diag "$(tail -n 20 "log.$2")"
}

# ring_is ID TEXT: asks it again and again for its neighbours.
ring_is()
{
	types "$1" 'ring\n'
	sleep 0.1
	[ "$(grep '^first successor' "log.$1" | tail -n 1)" = "$2" ]
}

# settles WORDS ID FIRST SECOND PRED
settles()
{
	eventually "$1" 60 ring_is "$2" \
	    "first successor $3, second successor $4, predecessor $5" ||
	    diag "$(tail -n 5 "log.$2")"
}

hang_up()
{
	local id
	for id in "${!PID[@]}"; do
		kill "${PID[$id]}"
	done
	for id in "${!PID[@]}"; do
		wait "${PID[$id]}" 2>/dev/null
		unset "PID[$id]"
		close_fifo "$id"
	done
	rm -f log.* err.*
}

# Wrong usage.
exits "peer alone" 2 ringctl peer
says "says its usage" "usage: ringctl peer"
exits "neither init nor join" 2 ringctl peer start 2 4 5
exits "too few identifiers" 2 ringctl peer init 2 4
exits "too many arguments" 2 ringctl peer init 2 4 5 30 6
exits "join: too many" 2 ringctl peer join 2 4 30 7
exits "an identifier outside the space" 2 ringctl peer init 2 4 256
says "says what is right" "not in 0..255"
exits "an interval outside its bounds" 2 ringctl peer init 2 4 5 2h
says "says what is right" "1ms..1h"
exits "join through itself" 2 ringctl peer join 4 4
exits "a config that is not there" 2 ringctl peer -f nowhere.conf init 2 4 5
exits "no value for -f" 2 ringctl peer -f
exits "-c that contradicts -f" 2 sh -c "echo ring x >x.conf
    ringctl -c y peer -f x.conf init 2 2 2"
holds "nothing was made of all that" test ! -e "$XDG_STATE_HOME/ringctl"

# A ring of one, from a pipe: commands in any case, each after the other.
conf solo
content 2067.pdf 4000
run sh -c "printf 'Store 2067\nREQUEST 2067\n\n   \nfIlEs\r\nQuit' |
    ringctl peer -f solo.conf init 2 2 2"
same "a script of commands: exit 0 after Quit" "$STATUS" 0
says "stored, as exec says it" \
    '^stored 2067 at 2 \(1 copy of 3 wanted, route 2, [0-9.]+ ms\)$'
says "requested" '^received_2067.pdf from 2 \(.*4000 bytes, [0-9.]+ ms\)$'
says "listed" '^2067.pdf  4000 bytes$'
says "left" '^left the ring$'
holds "the bytes are the same" cmp 2067.pdf received_2067.pdf
same "nothing on standard error" "$ERR" ""
same "the key is its user's alone" \
    "$(stat -c %a "$RINGCTL_DIR/key-$PORT")" 600
same "so is the ring's folder" \
    "$(stat -c %a "$XDG_STATE_HOME/ringctl/solo")" 700

# Lines that are no commands cost the peer nothing.
long=$(head -c 20000 /dev/zero | tr '\0' a)
run sh -c "{ echo frobnicate; echo store; echo store 99; echo request 2067 -
    printf 'ring\0\n'; echo store 1234; echo $long; echo ring; echo Quit; } |
    ringctl peer -f solo.conf init 2 2 2"
same "bad lines: the peer stays, and leaves when told" "$STATUS" 0
says "no such command" "'frobnicate': no such command"
says "usage of a command" "usage: store NAME"
says "a bad name" "exactly four decimal digits"
says "no standard output for files" "request 2067 -: standard input and output"
says "a NUL byte" "NUL byte"
says "no file to store" "no file 1234"
says "a line too long" "8191 bytes at most"
same "the good line behind them was heard" \
    "$(grep -c '^first successor 2' "$W/out")" 1

# --json, -q.
run sh -c "printf 'ring\nrequest 4000\nfiles\nquit\n' |
    ringctl --json peer -f solo.conf init 2 2 2"
same "--json: exit 0" "$STATUS" 0
holds "every line is an object" perl -MJSON::PP -ne 'decode_json($_)' "$W/out"
says "a refusal too" '"ok":false,"error":"no such file"'
says "and the printed lines" '"line":"File 4000: no such file"'
run sh -c "printf 'store 2067\nring\nquit\n' |
    ringctl -q peer -f solo.conf init 2 2 2"
same "-q: what happens and what was asked for is said" "$OUT" \
    "Store 2067 request accepted"$'\n'"first successor 2, predecessor 2"

# Who can't start.
piped solo.conf init 2 2 2
types 2 'ring\n'
prints "a peer serves" 2 '^first successor 2'
exits "the same identifier again" 1 ringctl peer -f solo.conf init 2 2 2
says "names its folder" "solo/2: in use by another peer"
sed "/^ring/d; s,^port.*,&\ndata $W/other," solo.conf >other.conf
exits "its port taken" 1 ringctl peer -f other.conf init 2 2 2
says "names the port" "port $((PORT + 2)) .*in use"
sed 's/^port.*/&\nbits 7/' solo.conf >seven.conf
exits "a folder of another kind of ring" 1 \
    ringctl peer -f seven.conf init 3 3 3
says "names it" "holds the files of another ring"
does "the supervised ring of such files is no other" ringctl wipe --yes \
    other.conf
exits "wipe, with a peer in its terminal" 1 ringctl wipe --yes solo.conf
says "says who uses it" "a peer is using it"

# Joins that fail leave nothing.
exits "join through nobody" 1 ringctl peer -f solo.conf join 25 9
says "says why" "peer 25 did not join: peer 9 is not there"
exits "join through a silent one" 1 sh -c \
    "kill -STOP ${PID[2]}; ringctl peer -f solo.conf join 25 2"
kill -CONT "${PID[2]}"
says "says why" "peer 25 did not join: peer 2 gave no answer for 2 s"
holds "nothing is left of them" \
    test ! -e "$XDG_STATE_HOME/ringctl/solo/25"

# End of input.
ringctl peer -f solo.conf join 4 2 1s </dev/null >log.4 2>err.4 &
PID[4]=$!
prints "a peer without input joins" 4 '^Join request has been accepted$'
eventually "and stays" 20 ring_is 2 "first successor 4, predecessor 4"
hang_up

# Three on terminals, by hand.
conf three "log pings" "ping 300ms"
open_ three.conf init 4 5 2
open_ three.conf init 2 4 5
open_ three.conf init 5 2 4 300ms
settles "three find each other" 2 4 5 5
prints "pings are printed" 2 '^Ping requests sent to Peers 4 and 5$'
prints "by the pinged too" 4 '^Ping request message received from Peer 2$'
prints "and the answers" 2 '^Ping response received from Peer 4$'
types 2 'STORE 2067\n'
prints "a file is stored" 2 '^stored 2067 at '
types 5 '\004Request 2067\n'
prints "after Ctrl-D commands are still heard" 5 '^received_2067.pdf from '
types 4 '\003'
ends 4
same "Ctrl-C ends it by the signal" "$STATUS" 130
prints "the others see it dead" 2 '^Peer 4 is no longer alive$'
eventually "and go on without it" 20 ring_is 2 \
    "first successor 5, predecessor 5"
open_ three.conf init 4 2 5
settles "it comes back on its disk" 4 5 2 2
types 5 'qUiT\n'
ends 5
same "Quit: exit 0" "$STATUS" 0
holds "it says that it left" said 5 '^left the ring$'
prints "the others hear of it before" 4 '^Peer 5 will depart from the network$'
holds "nobody takes it for dead" sh -c '! grep "Peer 5 is no longer" log.*'
kill "${PID[2]}"
wait "${PID[2]}" 2>/dev/null
unset "PID[2]"
close_fifo 2
prints "a terminal that is closed is an abrupt departure" 4 \
    '^Peer 2 is no longer alive$'
hang_up

# A terminal that takes nothing more (Ctrl-S), and a stopped reader.
conf slow "log pings" "ping 5ms"
open_ slow.conf init 2 4 5
open_ slow.conf init 4 5 2
piped slow.conf init 5 2 4
settles "a ring of three that prints much" 5 2 4 4
types 2 '\023'
kill -STOP "${PID[4]}"
grown()
{
	[ "$(wc -c <log.5)" -gt $1 ]
}
eventually "the third goes on printing" 60 grown $(($(wc -c <log.5) + 200000))
types 5 'store 2067\n'
prints "who can't print still serves" 5 '^stored 2067 at .*5.*\(route'
holds "nobody takes them for dead" sh -c '! grep "no longer alive" log.5'
kill -CONT "${PID[4]}"
types 2 '\021ring\n'
prints "and prints again when it can" 2 '^first successor 4'
hang_up

# Seven whose successors contradict each other.
conf seven
open_ seven.conf init 2 9 4
open_ seven.conf init 4 2 2
open_ seven.conf init 5 19 4
open_ seven.conf init 8 2 14
open_ seven.conf init 9 19 9
open_ seven.conf init 14 9 8
piped seven.conf init 19 14 14
settles "contradictions settle: 2" 2 4 5 19
settles "4" 4 5 8 2
settles "5" 5 8 9 4
settles "8" 8 9 14 5
settles "9" 9 14 19 8
settles "14" 14 19 2 9
settles "19" 19 2 4 14
types 8 'store 2067\n'
prints "a file goes where it belongs" 8 \
    '^stored 2067 at 19, 2, 4 \(route 8 > 9 > 14 > 19, '
prints "the owner prints it" 19 '^Store 2067 request accepted$'
sed "s,^port.*,&\ndata $W/second," seven.conf >second.conf
exits "an identifier that a live peer has" 1 \
    ringctl peer -f second.conf join 9 4
says "is refused" "port $((PORT + 9)) .*in use"
hang_up

# Supervised peers and one in a terminal are one ring.
up mixed "2 4 5" "ping 100ms" "route successor"
content 4103.txt 50000
does "a supervised ring stores" ringctl exec 4 store 4103
piped mixed.conf join 25 4 10
prints "a peer joins from a terminal" 25 '^My second successor is Peer 4$'
eventually "status has it as remote" 20 sh -c \
    'ringctl status --json | grep -q "\"id\":25,\"state\":\"remote\""'
types 25 'request 4103\n'
prints "a file comes to the terminal" 25 '^received_4103.txt from '
holds "byte for byte" cmp 4103.txt received_4103.txt
types 25 'store 2067\n'
prints "and one goes from there" 25 '^stored 2067 at '
rm received_2067.pdf
does "a supervised peer has it" ringctl exec 4 request 2067
holds "byte for byte" cmp 2067.pdf received_2067.pdf
does "logs of the one before it" ringctl logs 5
says "it saw the newcomer" '^Peer 25 Join request received$'
exits "its identifier can't join again" 1 ringctl join 25 2
types 25 'Quit\n'
ends 25
same "it leaves in good order" "$STATUS" 0
does "the ring is whole" ringctl wait whole
down mixed
does "and its data folder can be wiped" ringctl wipe --yes mixed.conf

# The exercise's own settings, and its seven terminals.
does "conf/exercise.conf is right" ringctl up -n "$ROOT/conf/exercise.conf"
mkdir -p "$W/copy/conf"
cp "$ROOT/conf/terminals" "$W/copy/conf"
export TMUX_TMPDIR=$W
unset DISPLAY TMUX
exits "conf/terminals: too many words" 2 "$W/copy/conf/terminals" tmux 30 5
exits "a config that is not there" 1 "$W/copy/conf/terminals" -f nowhere.conf
exits "windows without a display" 1 "$W/copy/conf/terminals" xterm
says "says so" 'no DISPLAY|xterm is not installed'

panes()
{
	tmux -L ringctl-exercise list-panes -s -F "$1"
}

pane_says()
{
	tmux -L ringctl-exercise capture-pane -pJ -t "exercise:.$1" |
	    grep -Eq -- "$2"
}

pane_finds()
{
	tmux -L ringctl-exercise send-keys -t exercise:.0 ring Enter
	sleep 0.2
	pane_says 0 '^first successor 4, second successor 5, predecessor 19'
}

in_panes()
{
	conf panes "log pings" "ping 30s"
	does "conf/terminals opens" "$W/copy/conf/terminals" -f panes.conf 1h
	same "a pane for each peer, and a shell" \
	    "$(panes '#{pane_title}' | tr '\n' ',')" \
	    "Peer 2,Peer 4,Peer 5,Peer 8,Peer 9,Peer 14,Peer 19,a shell,"
	exits "once" 1 "$W/copy/conf/terminals" -f panes.conf
	eventually "the peers find each other" 20 pane_finds
	tmux -L ringctl-exercise send-keys -t exercise:.0 'Store 2067' Enter
	eventually "a file is stored" 20 pane_says 0 '^stored 2067 at 19, 2, 4'
	tmux -L ringctl-exercise send-keys -t exercise:.3 C-c
	eventually "Ctrl-C is a death" 20 pane_says 2 'Peer 8 is no longer al'
	does "all is closed at once" tmux -L ringctl-exercise kill-server
}

if command -v tmux >/dev/null; then
	in_panes
else
	skip "conf/terminals in tmux" "tmux is not installed"
fi
eventually "no process is left" 5 no_leftovers
finish
