#!/bin/bash
# PROTOCOL.md's scenarios 21 to 26 on real processes: versions, disks, sizes.
# The table of all is in scenarios.t.
LIMIT=240

# As root, in a mount namespace of its own, for a small disk.
if [ "$(id -u)" = 0 ] && [ -z "${OWN_MOUNTS:-}" ] &&
    unshare -m --propagation private true 2>/dev/null; then
	OWN_MOUNTS=1 exec unshare -m --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
. "$HERE/scenes.sh"

RING=ten
ten="3 20 50 80 110 130 150 180 210 240"
up ten "$ten"
content old 200000000
content new 120000
pid_of()
{
	peer_of ten "$1" pid
}

scene 21 "a delayed duplicate of an older store"
victim=$(pid_of 110)
for try in 1 2 3 4 5; do
	background ringctl --timeout 30 exec 110 store 0180 old
	poll 10 begun "$(data 180 tmp)"
	kill -STOP "$victim"
	kill -0 $BG 2>/dev/null && break
	kill -CONT "$victim"
	wait_for
done
S_holds "a store is stopped in the middle of it" kill -0 $BG
S_does "a newer one" ringctl exec 20 store 0180 new
kill -CONT "$victim"
wait_for
note "the older one: exit $STATUS: $OUT $ERR"
# Nothing of it was kept yet: it may have come after the newer one, unless it
# was told that it is older. Whichever it is, it stays.
older=$STATUS
winner=new
S_does "request" ringctl exec 20 request 0180 "$W/got"
[ $older != 0 ] || ! cmp -s "$W/got" old || winner=old
comes_everywhere "$winner is what there is" 0180 $winner
ready
comes_everywhere "also when all is done" 0180 $winner
S_eventually "on the disks too" 10 on_disk 0180 $winner "180 210 240"
# Sent again after all of it was kept: a kill of the owner has it tried again.
for try in 1 2 3; do
	content twice$try 30000000
	background ringctl exec 110 store 0180 twice$try
	poll 10 begun "$(data 180 tmp)"
	kill -9 "$(pid_of 180)"
	ends "the owner is killed: stored by another try" 0
	S_does "a newer one" ringctl exec 20 store 0180 new
	starts 180
	comes_everywhere "the newer stays" 0180 new
	ready
	comes_everywhere "also when 180 is back" 0180 new
done
rm old

scene 22 "ten peers store one name at once"
for round in 1 2 3; do
	for id in $ten; do
		content from$id $((id * 1000))
	done
	jobs=
	for id in $ten; do
		ringctl exec $id store 0100 from$id >"$W/$id.out" 2>&1 \
		    </dev/null &
		jobs="$jobs $!"
	done
	good=0
	for job in $jobs; do
		wait $job && good=$((good + 1))
	done
	S_holds "$good stores end well" [ $good -ge 1 ]
	S_does "request" ringctl exec 20 request 0100 "$W/got"
	winner=
	for id in $ten; do
		cmp -s "$W/got" from$id && winner=$id
	done
	S_holds "one of them won" [ -n "$winner" ]
	comes_everywhere "it is peer $winner's everywhere" 0100 from$winner
	S_eventually "on the disks too" 10 \
	    on_disk 0100 from$winner "110 130 150"
done

# Numbers are stored one after another, while owners come and go; a reader
# notes what was acknowledged before it asks, and never sees less than that
# or than it saw before.
scene 23 "store, remove and request race while the owner changes"
echo 0 >"$W/acked"
writer()
{
	local i
	for ((i = 1; ; i++)); do
		[ ! -e "$W/enough" ] || break
		echo $i >"$W/source"
		[ $((i % 7)) != 0 ] ||
		    ringctl remove 0205 >/dev/null 2>&1 </dev/null
		ringctl store 0205 "$W/source" >/dev/null 2>&1 </dev/null &&
		    echo $i >"$W/acked.new" && mv "$W/acked.new" "$W/acked"
	done
}
reader()
{
	local least last=0 n
	until [ -e "$W/enough" ]; do
		least=$(<"$W/acked")
		[ "$least" -gt $last ] && last=$least
		rm -f "$W/read$1"
		ringctl exec $1 request 0205 "$W/read$1" >"$W/said$1" 2>&1 \
		    </dev/null || continue
		n=$(<"$W/read$1")
		[ "$n" -ge $last ] || echo "peer $1: $n after $last"
		last=$n
		echo . >>"$W/reads"
	done
}
writer &
writing=$!
reading=
for id in 3 80 210; do
	reader $id >>"$W/backwards" &
	reading="$reading $!"
done
for round in 1 2 3; do
	S_does "207 joins, and is the owner" ringctl --timeout 30 join 207 3
	S_does "it leaves" ringctl --timeout 30 quit 207
	S_does "its disk is forgotten" rm -r "$(data 207)"
	S_does "the owner is killed" ringctl --timeout 30 kill 210
	S_does "and comes back" ringctl --timeout 30 start 210
	ringctl --timeout 30 wait >"$W/out" 2>&1 </dev/null
done
touch "$W/enough"
wait $writing $reading
S_same "no read went backwards" "$(<"$W/backwards")" ""
S_holds "there were some: $(wc -l <"$W/reads"), $(<"$W/acked") stores" \
    [ "$(wc -l <"$W/reads")" -gt 10 ]
ready

scene 25 "a bit flipped at rest, a truncated file, one that is gone"
content sound 300000
damage()
{
	case $1 in
	flip)
		perl -e 'open my $f, "+<", shift or die; seek $f, 150000, 0;
		    read $f, my $c, 1; seek $f, 150000, 0;
		    print $f $c ^ "\x10"' "$2"
		;;
	cut)
		truncate -s 100000 "$2"
		;;
	gone)
		rm "$2"
		;;
	esac
}
# A replica is asked when it is the owner: when the one before it is dead.
for how in flip cut gone; do
	for at in 50:none 80:50; do
		holder=${at%:*}
		before=${at#*:}
		S_does "store" ringctl exec 20 store 0040 sound
		ready
		S_eventually "on the disks" 10 on_disk 0040 sound "50 80 110"
		damage $how "$(stored_path $holder 0040)"
		[ $before = none ] ||
		    S_does "kill $before" ringctl kill $before
		comes_everywhere "$how at $holder: never served" 0040 sound
		[ $before = none ] ||
		    starts $before
		S_eventually "$how at $holder: fetched again" 15 \
		    on_disk 0040 sound "50 80 110"
	done
done

scene 26 "sizes, names and keys at the edges"
for size in 0 1 16383 16384 16385 65535 65536 65537; do
	content size$size $size
	S_does "store $size bytes" ringctl store 0077 size$size
	comes_everywhere "$size bytes" 0077 size$size
	S_eventually "on the disks too" 10 on_disk 0077 size$size "80 110 130"
done
for name in 0000 9999 0255 0256; do
	content $name 1000
	S_does "store $name" ringctl store $name
	comes_everywhere "$name" $name $name
done
S_does "owner of key 0" ringctl exec 50 owner 0256
S_says "is the first peer" '\b3\b'
S_does "owner of key 255" ringctl exec 50 owner 0255
S_says "is the first peer too" '\b3\b'
S_eventually "key 255 on the disks" 10 on_disk 0255 0255 "3 20 50"
if [ -n "${BIG:-}" ]; then
	S_holds "room for it" truncate -s 5G 5g
	S_does "store 5 GB" ringctl --timeout 120 store 0150 5g
	comes "5 GB" 20 0150 5g
	rm -f 5g
else
	note "5 GB only with BIG=1"
fi
down ten

scene 24 "no space at one replica"
if [ -n "${OWN_MOUNTS:-}" ]; then
	RING=small
	ring small "$textbook"
	mkdir -p "$(data 9)"
	mount -t tmpfs -o size=4m tmpfs "$(data 9)"
	S_does "up with a small disk for 9" ringctl up small.conf
	content large 8000000
	for n in 0005 0006 0008; do
		S_does "store $n, of which 9 is a holder" \
		    ringctl exec 2 store $n large
		S_says "not counted at 9, and in full elsewhere" \
		    'at ((5|8|14|19|2), ){2}(14|19|2) '
	done
	comes_everywhere "it is there" 0005 large
	same "24: 9 holds none" "$(holders 0005 | grep -w 9)" ""
	S_does "whole" ringctl wait
	down small
	umount "$(data 9)"
else
	skip "24: no space at one replica" "mounting a small disk needs root"
fi
eventually "no process is left" 5 no_leftovers
finish
