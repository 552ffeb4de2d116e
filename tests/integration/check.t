#!/bin/bash
# `check`: 0 for a right ring, 1 with a line for each thing that is wrong, 2
# when it can't tell. Copies of what is stored come from the stores' answers.
LIMIT=300
. "$(dirname "$0")/lib.sh"

# stored NAME [BYTES]: stores it; HOLDERS{NAME} are those of the answer.
declare -A HOLDERS
stored()
{
	content "$1" "${2:-20000}"
	run ringctl store "$1" --json
	[ "$STATUS" = 0 ] || { fail "store $1"; details; return; }
	HOLDERS[$1]=$(json 'join " ", @{$_->{holders}}' <"$W/out")
}

# lost_of IDS: the stored names whose holders are all among these.
lost_of()
{
	local name id
	for name in "${!HOLDERS[@]}"; do
		for id in ${HOLDERS[$name]}; do
			[[ " $1 " = *" $id "* ]] || continue 2
		done
		echo "$name"
	done | sort
}

# objects EXPRESSION: of each line printed, a line if it is not undefined.
objects()
{
	perl -MJSON::PP -e 'my $test = shift; while (<STDIN>) {
		local $_ = decode_json $_;
		my $value = eval $test;
		die $@ if $@;
		print "$value\n" if defined $value }' "$1" <"$W/out"
}

data_of()
{
	echo "$XDG_STATE_HOME/ringctl/$1/$2/files"
}

up lab "2 4 5 8 9 14 19"
does "an empty ring is right" ringctl check
says "in a line" '^ring lab: right: 7 peers in one cycle, 0 files, 0 copies$'
for name in 2067 2063 2060 0008 0009 1234; do
	stored $name
done
run ringctl -q remove 1234
does "with files" ringctl check
says "they are counted" \
    '^ring lab: right: 7 peers in one cycle, 5 files, 15 copies$'
holds "it keeps to 80 columns" [ "$(wc -L <"$W/out")" -le 80 ]
does "--json" ringctl check --json
same "one object" "$(objects '$_->{verb} eq "check" && $_->{ok} &&
    "@$_{qw(exit asked disks files copies violations unknown)}"')" \
    "0 7 0 5 15 0 0"
does "-q" ringctl -q check
same "says nothing" "$OUT$ERR" ""

does "pause 5" ringctl pause 5
exits "a paused peer can't be asked" 2 ringctl check
says "that is said" "^ringctl: ring lab: can't tell: peer 5 is paused$"
exits "--json" 2 ringctl check --json
same "who and why" "$(objects '$_->{verb} ? $_->{exit} :
    "$_->{peer}: $_->{unknown}"')" "5: peer 5 is paused
2"
does "resume 5" ringctl resume 5
does "then it can" ringctl check

# Something wrong that nothing heals: a peer says another digest.
run ringctl exec 4 files --json
digest=$(json '(grep { $_->{name} eq "2067" } @{$_->{files}})[0]{digest}' \
    <"$W/out")
pid=$(peer_of lab 4 pid)
if "$BUILD/tests/integration/tamper" "$pid" "$digest" >/dev/null 2>&1; then
	exits "a digest that differs" 1 ringctl --timeout 2 check
	same "is a line" "$OUT" \
	    "2067: digest or size differs at 4 from that at 19, 2"
	says "and counted" "^ringctl: ring lab: 1 violation$"
	exits "--json" 1 ringctl --timeout 2 check --json
	same "the kind, who is wrong, who is not" "$(objects '
	    $_->{violation} && "$_->{violation} $_->{name} @{$_->{peers}}: " .
	    "@{$_->{holders}}"')" "digest 2067 4: 19 2"
	does "kill 4" ringctl kill 4
	does "start 4" ringctl start 4
	does "its disk knows better" ringctl check
else
	skip "a digest that differs" "the memory of peers can't be written"
fi

# Files that only disks of dead peers have.
does "kill 19, 2 and 4" ringctl kill 19,2,4
exits "files without a live holder" 1 ringctl check
same "are named" "$OUT" "\
2063: no live holder; on the disks of 19, 2, 4, which are down
2067: no live holder; on the disks of 19, 2, 4, which are down"
same "as it follows from where they were" "$(cut -d: -f1 "$W/out")" \
    "$(lost_of "19 2 4")"
exits "--json" 1 ringctl check --json
same "an object each, and one for all" "$(objects '$_->{verb} ?
    "@$_{qw(exit asked disks files copies violations unknown)}" :
    "$_->{violation} $_->{name}: @{$_->{peers}}"')" "\
lost 2063: 19 2 4
lost 2067: 19 2 4
1 4 3 3 9 2 0"
rm "$(data_of lab 19)/13/2067"
cp -r "$(data_of lab 2)" "$W/files2"
echo no >>"$(data_of lab 2)/13/2067"
exits "a removed and a damaged copy" 1 ringctl check
same "are none" "$(grep 2067 "$W/out")" \
    "2067: no live holder; on the disk of 4, which is down"
holds "what is damaged is set aside, as by its peer" \
    ls "$XDG_STATE_HOME/ringctl/lab/2/damaged"
rm "$(data_of lab 4)/13/2067"
exits "nobody has it" 1 ringctl check
same "then nobody can know" "$(grep -c 2067 "$W/out")" 0
rm -rf "$(data_of lab 2)"
mv "$W/files2" "$(data_of lab 2)"
does "one has it" ringctl start 2
does "start all" ringctl start all
does "all is well again" ringctl check
says "with all copies" ' 5 files, 15 copies$'

# Checks and starts at the same moment: who reads a disk makes way.
bad=0
for ((i = 0; i < 10; i++)); do
	run ringctl kill 8
	ringctl check >/dev/null 2>&1 </dev/null &
	run ringctl start 8
	[ "$STATUS" = 0 ] || { bad=$((bad + 1)); details; }
	wait $!
	[ $? -le 2 ] || bad=$((bad + 1))
done
same "a check holds up no start" $bad 0

# Several at once, and stores under way.
(
	for ((i = 0; i < 60; i++)); do
		content busy $((i * 100))
		ringctl -q store $((3000 + i % 7)) busy </dev/null
	done
) >/dev/null 2>&1 &
writer=$!
bad=0
for ((i = 0; i < 5; i++)); do
	ringctl check >"$W/check.$i" 2>&1 </dev/null &
	checks[i]=$!
done
for ((i = 0; i < 5; i++)); do
	wait ${checks[i]} || { bad=$((bad + 1)); diag "$(cat "$W/check.$i")"; }
done
same "five checks during stores" $bad 0
wait $writer

# A disk that has something newer than the live ones.
does "kill 14" ringctl kill 14
cp "$(data_of lab 14)/09/0009" "$W/older"
does "start 14" ringctl start 14
does "down" ringctl down
find "$XDG_STATE_HOME/ringctl/lab" -name 0009 -delete
content 0009 999
does "up, without the file" ringctl up lab.conf
does "nobody misses it" ringctl check
stored 0009
does "kill 14" ringctl kill 14
does "older than what is stored: of no interest" ringctl check
does "kill 8" ringctl kill 8
holder=14
cp "$(data_of lab $holder)/09/0009" "$W/newest"
does "down" ringctl down
# All go back to what was there before, but for one disk.
for id in 9 19 2; do
	mkdir -p "$(data_of lab $id)/09"
	cp "$W/older" "$(data_of lab $id)/09/0009"
done
rm -f "$(data_of lab $holder)/09/0009"
does "up, with the version before" ringctl up lab.conf
does "that is right" ringctl check
does "kill $holder" ringctl kill $holder
mkdir -p "$(data_of lab $holder)/09"
cp "$W/newest" "$(data_of lab $holder)/09/0009"
exits "a newer version on a disk" 1 ringctl check
says "is named" "^0009: disk of $holder, which is down, is newer than what is at 9, 19, 2$"
does "start $holder" ringctl start $holder
does "and comes back with its peer" ringctl check
down lab

# Half of many at once.
up many "$(seq -s ' ' 3 4 255)"
unset HOLDERS
declare -A HOLDERS
for ((i = 0; i < 200; i++)); do
	stored "$(printf %04d $((i * 41)))" $((i * 100))
done
half=$(seq 3 4 255 | perl -MList::Util=shuffle -e '
	srand 7; print join " ", (shuffle map { 0 + $_ } <>)[0 .. 31]')
does "kill half of 64" ringctl --timeout 30 kill "${half// /,}"
exits "files were lost" 1 ringctl --timeout 30 check
same "those whose holders all died, and no other" \
    "$(cut -d: -f1 "$W/out" | sort)" "$(lost_of "$half")"
holds "some, but not all" [ "$(lost_of "$half" | grep -c .)" -gt 3 ]
same "each with three disks" "$(grep -Evc \
    'no live holder; on the disks of [0-9]+, [0-9]+, [0-9]+, which are down$' \
    "$W/out")" 0
does "start all" ringctl --timeout 60 start all
does "none is lost" ringctl --timeout 60 check
says "all copies are there" ' 64 peers in one cycle, 200 files, 600 copies'
does "down" ringctl -c many down
eventually "no process is left" 5 no_leftovers
finish
