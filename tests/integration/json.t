#!/bin/bash
# Every --json output parses, and has the fields that it should have.
LIMIT=120
. "$(dirname "$0")/lib.sh"

# fields WORDS EXPRESSION: of each object, a line each, that was printed.
# In it: num, str, bool, null, list and has(KEY ...), of $_.
fields()
{
	local words=$1 problem
	shift
	if problem=$(perl -MJSON::PP -MB -e '
		my ($path, $test) = @ARGV;
		sub num { defined $_[0] && !ref $_[0] && B::svref_2object(
		    \$_[0])->FLAGS & (B::SVf_IOK | B::SVf_NOK) }
		sub str { defined $_[0] && !ref $_[0] && !num($_[0]) }
		sub bool { JSON::PP::is_bool($_[0]) }
		sub list { ref $_[0] eq "ARRAY" }
		sub has { my $o = $_; for (@_) {
		    die "no $_\n" unless exists $o->{$_} } 1 }
		open my $file, "<", $path or die;
		my @lines = <$file>;
		die "nothing printed\n" unless @lines;
		for my $line (@lines) {
			local $_ = eval { decode_json $line };
			die "no JSON object: $line" unless ref eq "HASH";
			my $fine = eval $test;
			die $@ if $@;
			die "not so: $test: $line" unless $fine;
		}' "$W/out" "$1" 2>&1); then
		pass "$words"
	else
		fail "$words: $problem"
		details
	fi
}

ring lab "2 4 5 8 9 14 19"
does "up --json" ringctl up lab.conf --json
[ ! -s "$W/out" ] || fields "up: an object" '1'
does "status --json" ringctl status --json
fields "status: the ring" 'has(qw(ring pid whole ready route copies peers)) &&
    $_->{ring} eq "lab" && num($_->{pid}) && bool($_->{whole}) &&
    bool($_->{ready}) && $_->{route} eq "direct" && $_->{copies} == 3 &&
    @{$_->{peers}} == 7'
fields "status: its peers" 'my $all = 1; for (@{$_->{peers}}) {
    has(qw(id state pid port incarnation first_successor second_successor
	predecessor files bytes short restarts faults));
    $all &&= num($_->{id}) && $_->{state} eq "up" && num($_->{pid}) &&
	num($_->{port}) && num($_->{incarnation}) &&
	num($_->{first_successor}) && num($_->{second_successor}) &&
	num($_->{predecessor}) && num($_->{files}) && num($_->{bytes}) &&
	num($_->{short}) && num($_->{restarts}) && list($_->{faults}) &&
	kill(0, $_->{pid}) } $all'
does "options before the word" ringctl --json -c lab status 8
fields "status of one" 'ref eq "HASH"'
does "list --json" ringctl list --json
fields "list" '$_->{ring} eq "lab"'

content 2067.pdf 4096
does "store --json" ringctl exec 4 store 2067 --json
fields "store" 'has(qw(peer command name ok holders wanted ms)) &&
    $_->{peer} == 4 && $_->{command} eq "store" && $_->{name} eq "2067" &&
    str($_->{name}) && bool($_->{ok}) && $_->{ok} &&
    "@{$_->{holders}}" eq "19 2 4" && $_->{wanted} == 3 && num($_->{ms})'
does "request --json" ringctl --json exec 5 request 2067
fields "request" 'has(qw(peer command name ok route holder size digest file
    ms)) && $_->{peer} == 5 && $_->{command} eq "request" && $_->{ok} &&
    list($_->{route}) && $_->{route}[0] == 5 && num($_->{holder}) &&
    $_->{size} == 4096 && $_->{digest} =~ /^[0-9a-f]{32}$/ &&
    $_->{file} eq "received_2067.pdf" && num($_->{ms})'
exits "request of a missing file --json" 1 ringctl exec 5 request 4242 --json
fields "a refusal" 'bool($_->{ok}) && !$_->{ok} &&
    $_->{error} eq "no such file" && $_->{name} eq "4242"'
exits "store of a missing file --json" 1 \
    ringctl exec 5 store 4242 nowhere --json
fields "a refusal" '!$_->{ok} && str($_->{error})'
for command in files ring "owner 2067" "ping 2"; do
	does "$command --json" ringctl exec 4 $command --json
	fields "$command" 'has(qw(peer command ok)) && $_->{peer} == 4 &&
	    $_->{ok}'
	does "all: $command --json" ringctl exec 4,5,8,9,19 $command --json
	same "a line each" "$(grep -c . "$W/out")" 5
	fields "all: $command" '$_->{ok}'
done
does "owner NAME --json" ringctl owner 2067 --json
fields "owner" 'grep { defined && $_ eq 19 } values %$_'
does "remove --json" ringctl remove 2067 --json
fields "remove" '$_->{ok} && $_->{command} eq "remove"'
for verb in "join 25 4" "pause 8" "resume 8" wait "kill 25" "start 25" \
    "quit 25" "wait ready" "kill 9"; do
	does "$verb --json" ringctl $verb --json
	[ ! -s "$W/out" ] || fields "$verb: an object" '1'
	[ "$verb" != "join 25 4" ] ||
	    fields "$verb: its route" '"@{$_->{route}}" eq "4 2"'
	[ "${verb% *}" != kill ] ||
	    fields "$verb: its cost" 'has(qw(whole_ms copies_ms lost_copy short
		too_few no_holder)) && num($_->{whole_ms}) &&
		num($_->{copies_ms}) && num($_->{lost_copy}) &&
		num($_->{short}) && num($_->{too_few}) &&
		num($_->{no_holder})'
done
a_death_is_told()
{
	ringctl events --json --kind dead </dev/null 2>/dev/null | grep -q .
}
eventually "a death is told" 5 a_death_is_told
does "status --json" ringctl status 9 --json
run ringctl status --json
fields "a dead peer has no pid and no successors" 'my ($p) = grep {
    $_->{id} == 9 } @{$_->{peers}}; $p->{state} eq "killed" &&
    !defined $p->{pid} && exists $p->{pid} &&
    !defined $p->{first_successor}'
does "check --json" ringctl check --json
fields "check of a right ring" 'has(qw(ring verb ok exit asked disks files
    copies violations unknown text ms)) && $_->{verb} eq "check" &&
    bool($_->{ok}) && $_->{ok} && $_->{exit} == 0 &&
    num($_->{asked}) &&
    num($_->{disks}) && num($_->{files}) && num($_->{copies}) &&
    num($_->{violations}) && num($_->{unknown}) && str($_->{text}) &&
    num($_->{ms})'
does "pause 4" ringctl pause 4
exits "check of a paused peer" 2 ringctl check --json
fields "who could not be asked" 'exists $_->{verb} || (num($_->{peer}) &&
    str($_->{unknown}))'
does "resume 4" ringctl resume 4
content 2067.pdf 4096
does "store" ringctl exec 4 store 2067
does "kill all holders" ringctl kill 19,2,4
exits "check of a lost file" 1 ringctl check --json
fields "violations" 'exists $_->{verb} ? !$_->{ok} && str($_->{error}) :
    str($_->{violation}) && str($_->{name}) && list($_->{peers}) &&
    list($_->{holders}) && str($_->{text})'
does "events --json" ringctl events --json
fields "events" 'has(qw(t wall peer event)) && num($_->{t}) &&
    $_->{wall} =~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/ &&
    exists $_->{peer} && str($_->{event})'
does "events of one kind" ringctl events --json --kind dead
fields "dead" '$_->{event} eq "dead" && num($_->{about}) &&
    $_->{about} != $_->{peer}'
does "events of some peers" ringctl events --json 4,5
fields "theirs" '$_->{peer} == 4 || $_->{peer} == 5'
does "logs --json" ringctl logs 8 --json
[ ! -s "$W/out" ] || fields "logs: objects" '1'
exits "an error --json" 4 ringctl exec 77 ring --json
[ ! -s "$W/out" ] || fields "an error: an object" '1'
does "down --json" ringctl down --json
[ ! -s "$W/out" ] || fields "down: an object" '1'
does "events of a ring that is down" ringctl -c lab events --json
fields "events" 'has(qw(t wall peer event))'

up two "2 4"
run ringctl status --json
fields "two: the second successor is null" '
    !grep { defined $_->{second_successor} } @{$_->{peers}}'
down two
up one "7"
run ringctl status --json
fields "alone: its own neighbour" '$_->{peers}[0]{first_successor} == 7 &&
    $_->{peers}[0]{predecessor} == 7'
down one
finish
