#!/bin/bash
# All services on real files, in rings of several sizes.
LIMIT=600
. "$(dirname "$0")/lib.sh"

# fetched WORDS RING NAME FILE [ID]: the file comes back as it was stored.
fetched()
{
	local words=$1 ring=$2 name=$3 file=$4 id=${5:-random}
	local got=received_$name
	[ "${file#*.}" = "$file" ] || got=$got.${file#*.}
	rm -f "$got"
	run ringctl -c "$ring" exec "$id" request "$name"
	if [ "$STATUS" = 0 ] && cmp -s "$file" "$got"; then
		pass "$words"
	else
		fail "$words"
		details
		ls -l "$file" "$got" 2>&1 | sed 's/^/# /'
	fi
}

# The walk of the README, in the textbook's ring.
port_claim
sed "s/^port .*/port $PORT/" "$ROOT/conf/ring.conf" >lab.conf
does "up conf/ring.conf" ringctl up lab.conf
holds "up returns when the ring is whole" is_whole lab
content 2067.pdf 81920
does "store at 8" ringctl exec 8 store 2067
says "the answer names holders and route" \
    '^stored 2067 at 19, 2, 4 \(route 8 > 19, [0-9.]+ ms\)$'
does "request at 4" ringctl exec 4 request 2067
says "the answer names file, holder, route, size" '^received_2067\.pdf from (19|2|4) \(route 4( > (19|2))?, 81920 bytes, [0-9.]+ ms\)$'
holds "the bytes are the same" cmp 2067.pdf received_2067.pdf
does "kill 8" ringctl kill 8
does "wait" ringctl wait
fetched "request after the kill" lab 2067 2067.pdf 4
does "start 8" ringctl start 8

# Sizes, names, streams.
n=100
for size in 0 1 511 512 513 65535 65536 65537 1048576 5000001; do
	content "0$n" $size
	does "store $size bytes" ringctl exec 5 store "0$n"
	fetched "request $size bytes" lab "0$n" "0$n" 14
	n=$((n + 1))
done
for name in 0000 9999 0255 0256; do
	content $name.txt 1234
	does "store $name" ringctl store $name
	fetched "request $name" lab $name $name.txt
done

content stream 70000
OUT=$(ringctl exec 9 store 4103 - <stream 2>"$W/err")
same "store from standard input" "$?" 0
ringctl exec 2 request 4103 - >"$W/out" 2>"$W/err" </dev/null
same "request to standard output" "$?" 0
holds "nothing but the file's bytes on it" cmp stream "$W/out"
ringctl exec 9 store 4105 - <&- >"$W/out" 2>"$W/err"
same "a standard input that is closed is no empty file" "$?" 1
says "it says so" 'standard input: Bad file descriptor'
content other 5000
does "store NAME FILE" ringctl exec 9 store 4104 other
does "request NAME FILE" ringctl exec 19 request 4104 mine
holds "into that file" cmp other mine
does "a path with a folder" ringctl exec 19 request 4104 "$W/here/deep.x"
holds "the bytes are the same" cmp other deep.x

echo old >received_4104
does "request where an old one lies" ringctl exec 4 request 4104
holds "it is replaced" cmp other received_4104

content 5001.a 10
content 5001.b 20
exits "several files of a name" 1 ringctl exec 4 store 5001
says "lists them" '5001\.a'
says "all of them" '5001\.b'

content 5002.c 3000
does "commands in any case" ringctl exec 4 STORE 5002
does "also short forms pick a peer and name it" ringctl request 5002
says "named" '5002'
content 5002.c 4000
does "store again" ringctl exec 8 store 5002
fetched "the newer version comes back" lab 5002 5002.c 2

does "owner" ringctl owner 2067
says "is the closest successor of the key" '\b19\b'
does "files" ringctl files
says "lists what is stored" '2067'
does "files of some peers" ringctl files 2,4-5
does "ring of all peers" ringctl exec all ring
does "ping" ringctl exec 4 ping 19
does "remove" ringctl exec 14 remove 5002
exits "then there is no such file" 1 ringctl exec 4 request 5002
says "and it says so" 'no such file'
does "it can be stored again" ringctl exec 4 store 5002
fetched "and comes back" lab 5002 5002.c 9

does "wait ready" ringctl wait ready
down lab
does "up again" ringctl up lab.conf
fetched "files outlive down and up" lab 2067 2067.pdf 5
fetched "the latest version" lab 5002 5002.c 5
down lab

# life NAME 'IDS' KILLED JOINS QUITS [COUNT]
life()
{
	local name=$1 ids=$2 victim=$3 joins=$4 quits=$5 n=${6:-100}
	local known bad=0 i file
	up "$name" "$ids"
	mkdir "$name"
	cd "$name" || return
	for ((i = 0; i < n; i++)); do
		printf -v file %04d $((i * 97))
		content "$file" $((i * 1009 + i % 3))
		run ringctl -c "$name" store "$file"
		[ "$STATUS" = 0 ] || { bad=$((bad + 1)); details; }
	done
	same "$name: $n files stored" $bad 0
	does "$name: kill $victim" ringctl -c "$name" kill "$victim"
	[ "$ids" != "$victim" ] ||
	    does "$name: start $victim" ringctl -c "$name" start "$victim"
	known=$(status_of "$name" \
	    '(map { $_->{id} } grep { $_->{state} eq "up" } @{$_->{peers}})[0]')
	does "$name: join $joins" ringctl -c "$name" join "$joins" "$known"
	does "$name: quit $quits" ringctl -c "$name" quit "$quits"
	bad=0
	for ((i = 0; i < n; i++)); do
		printf -v file %04d $((i * 97))
		run ringctl -c "$name" request "$file"
		[ "$STATUS" = 0 ] && cmp -s "$file" "received_$file" ||
		    { bad=$((bad + 1)); details; }
	done
	same "$name: $n files requested and the same" $bad 0
	does "$name: ready" ringctl -c "$name" wait ready
	cd ..
	down "$name"
	rm -r "$name"
}

life one "7" 7 99 7
life two "2 200" 200 100 2
life three "0 128 255" 128 60 0
life seven "2 4 5 8 9 14 19" 8 25 4
life others "11 13 17 190 251 252 255" 251 12 255

# The largest space: few peers in it cost no more than in a small one.
up wide "0 100 200" "bits 12"
does "wide: store" ringctl store 2067 2067.pdf
does "wide: kill" ringctl kill 100
fetched "wide: request" wide 2067 2067.pdf 0
does "wide: start" ringctl start 100
exits "nobody to ask" 4 sh -c "ringctl kill all; ringctl store 2067 2067.pdf"
says "says so" "no peer of ring wide is up"
down wide
eventually "no process is left" 5 no_leftovers
finish
