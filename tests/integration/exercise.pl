# exercise.pl HOW PORT 'IDS' [NAME=VALUE ...] <STEPS
#
# Plays steps of the textbook exercise on a ring of these peers, HOW being
# `supervised' or `terminals', and compares every line that every peer prints,
# in order, with what a model expects that knows identifiers alone. After each
# step it waits for the lines that are due; at the end there may be no others.
# Ping lines, if any, are held against each other. Steps:
#
#     join ID KNOWN     quit ID     kill ID[,ID ...]     start ID
#     store NAME ID     request NAME ID     pings COUNT
#
# A last word `now' goes on before copies are complete again.
# Names of options: ping (interval), log (1: ping lines), busy (processes that
# do nothing but run), slow (a factor to deadlines). Exits 1, saying where it
# went wrong, at the first line that is not as it should be.
use strict;
use warnings;
use POSIX qw(mkfifo);
use Time::HiRes qw(time sleep clock_gettime CLOCK_MONOTONIC);

my ($how, $port, $ids, @options) = @ARGV;
my %option = (ping => "200ms", log => 0, busy => 0, slow => 1,
    map { split /=/, $_, 2 } @options);
my $space = 256;
my $deadline = 20 * $option{slow};
my $files = $how eq "terminals" ? "exercise" : "ex$port";

# The model: members, the files there are, and the lines that each peer owes.
my (%member, %stored, %owed, @everybody);

sub owe
{
	my ($id, @lines) = @_;
	push @{$owed{$id}}, @lines;
}

# Members clockwise from one identifier on, itself last.
sub after
{
	my ($id) = @_;
	return sort { ($a - $id - 1) % $space <=> ($b - $id - 1) % $space }
	    keys %member;
}

# First and second successor; alone or in pairs it comes round to oneself.
sub successors
{
	my ($id) = @_;
	my @others = grep { $_ != $id } after($id);
	return (@others, $id, $id)[0, 1];
}

sub new_successors
{
	my ($first, $second) = successors($_[0]);
	return ("My new first successor is Peer $first",
	    "My new second successor is Peer $second");
}

sub owner
{
	return (after($_[0] - 1))[0];
}

sub predecessor
{
	my ($id) = @_;
	my @others = grep { $_ != $id } after($id);
	return @others ? $others[-1] : $id;
}

sub key
{
	return $_[0] % $space;
}

# The peers from one on up to another, clockwise, that one left out.
sub way
{
	my ($from, $to) = @_;
	my @way;
	while ($from != $to) {
		push @way, $from;
		$from = (successors($from))[0];
	}
	return @way;
}

sub expect_join
{
	my ($id, $known) = @_;
	my $near = predecessor($id);
	owe($_, "Peer $id Join request forwarded to my successor")
	    for way($known, $near);
	$member{$id} = 1;
	owe($near, "Peer $id Join request received", new_successors($near));
	my $far = predecessor($near);
	owe($far, "Successor Change request received", new_successors($far))
	    if $far != $id;
	my ($first, $second) = successors($id);
	owe($id, "Join request has been accepted",
	    "My first successor is Peer $first",
	    "My second successor is Peer $second");
}

# Several at once: each peer tells of them clockwise from itself.
sub expect_gone
{
	my ($words, @gone) = @_;
	my %before = %member;
	my %left = %before;
	delete @left{@gone};
	for my $id (keys %left) {
		%member = %before;
		for my $one (sort { ($a - $id) % $space <=> ($b - $id) % $space
		    } @gone) {
			my $near = grep { $_ == $one } successors($id);
			delete $member{$one};
			owe($id, "Peer $one $words", new_successors($id))
			    if $near;
		}
	}
	%member = %left;
}

sub expect_store
{
	my ($name, $id) = @_;
	my $owner = owner(key($name));
	owe($_, "Store $name request forwarded to my successor")
	    for way($id, $owner);
	owe($owner, "Store $name request accepted");
	$stored{$name} = 1;
}

sub expect_request
{
	my ($name, $id) = @_;
	my $owner = owner(key($name));
	my ($first, @hops) = way($id, $owner);
	owe($id, "File request for $name has been sent to my successor")
	    if defined $first;
	owe($_, "Request for File $name has been received, " .
	    "but the file is not stored here") for @hops;
	if (!$stored{$name}) {
		owe($owner, "File $name: no such file");
		owe($id, "File $name: no such file") if $id != $owner;
	} elsif ($id == $owner) {
		owe($id, "File $name is stored here", "File $name received");
	} else {
		owe($owner, "File $name is stored here",
		    "Sending file $name to Peer $id", "The file has been sent");
		owe($id, "Peer $owner had File $name",
		    "Receiving File $name from Peer $owner",
		    "File $name received");
	}
}

# What was printed: lines of the exercise, and those of pings apart.
my (%got, %ping_lines, $what);
my $exercise = qr/^(?:Ping|My|Successor|Join|Store|File|Request|Sending|
	Receiving|The[ ]file|Peer[ ]\d+[ ](?:Join|will|is|had))[ ]/x;

sub fail
{
	print "# $how @ARGV[1 .. $#ARGV], $what: $_[0]\n";
	exit 1;
}

sub take
{
	my ($id, $t, $line) = @_;
	if ($line =~ /^Ping /) {
		push @{$ping_lines{$id}}, [$t, $line];
	} else {
		push @{$got{$id}}, $line;
	}
}

# Nothing but what is owed, in that order; true: all of it.
sub paid
{
	my $all = 1;
	for my $id (keys %{{%got, %owed}}) {
		my @lines = @{$got{$id} // []};
		my @due = @{$owed{$id} // []};
		for my $i (0 .. $#lines) {
			my $due = $due[$i] // "nothing";
			fail("peer $id, line $i: `$lines[$i]', not `$due'")
			    if $lines[$i] ne $due;
		}
		$all = 0 if @lines < @due;
	}
	return $all;
}

sub poll
{
	my ($words, $done) = @_;
	my $end = time + $deadline;
	until ($done->()) {
		if (time > $end) {
			for my $id (sort { $a <=> $b } keys %owed) {
				my $n = @{$got{$id} // []};
				my $line = $owed{$id}[$n] // next;
				print "# peer $id owes: $line\n";
			}
			fail("not in $deadline s: $words");
		}
		sleep 0.005;
	}
}

# What goes on beside, and ends with this process.
my @children;

sub spawn
{
	my ($code) = @_;
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		$SIG{$_} = "DEFAULT" for qw(TERM INT);
		@children = ();
		$code->();
		POSIX::_exit(127);
	}
	push @children, $pid;
	return $pid;
}

END {
	my $status = $?;
	kill "KILL", $_ for @children;
	waitpid $_, 0 for @children;
	$? = $status;
}
$SIG{$_} = sub { exit 1 } for qw(TERM INT);

sub run
{
	my ($wanted, @command) = @_;
	my $out = "out.$port";
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		open STDIN, "<", "/dev/null";
		open STDOUT, ">", $out;
		open STDERR, ">&", \*STDOUT;
		exec @command or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	my $status = $? >> 8;
	return if $status == $wanted;
	open my $file, "<", $out or die;
	fail("@command: exit $status, not $wanted: " . join "", <$file>);
}

sub ring
{
	run(0, "ringctl", "-c", $files, @_);
}

sub content
{
	my ($name, $version) = @_;
	return "$name, version $version\n" x 500;
}

my %version;

sub write_file
{
	my ($name) = @_;
	open my $file, ">", $name or die "$name: $!";
	print $file content($name, ++$version{$name});
	close $file or die "$name: $!";
}

sub check_file
{
	my ($name) = @_;
	open my $file, "<", "received_$name" or fail("received_$name: $!");
	local $/;
	fail("received_$name: another content")
	    if <$file> ne content($name, $version{$name});
	unlink "received_$name";
}

# Supervised: lines come in one stream, which ends with the ring.
my ($stream, $rest, $ended) = (undef, "", 0);

sub read_stream
{
	while (!$ended) {
		my $n = sysread $stream, $rest, 1 << 16, length $rest;
		$ended = 1 if defined $n && $n == 0;
		last if !$n;
	}
	take($2, $1, $3) while $rest =~
	    s/^\{"t":([\d.]+),"peer":(\d+),"line":"([^"\n]*)"\}\n//;
	return 1;
}

sub supervised_up
{
	open my $conf, ">", "$files.conf" or die;
	print $conf "ring $files\nport $port\nroute successor\n",
	    "ping $option{ping}\n", $option{log} ? "log pings\n" : "",
	    "peer @_\n";
	close $conf;
	run(0, "ringctl", "up", "$files.conf");
	my $pid = open($stream, "-|", "ringctl", "-c", $files, "logs", "-f",
	    "--json") // die "ringctl: $!";
	push @children, $pid;
	$stream->blocking(0);
	ring("wait", "ready");
}

my %supervised = (
	up => \&supervised_up,
	read => \&read_stream,
	join => sub { ring("join", @_) },
	quit => sub { ring("quit", @_) },
	kill => sub { ring("kill", join ",", @_) },
	start => sub { ring("start", @_) },
	store => sub { ring("exec", $_[1], "store", $_[0]) },
	request => sub {
		run($stored{$_[0]} ? 0 : 1, "ringctl", "-c", $files, "exec",
		    $_[1], "request", $_[0]);
	},
	settle => sub { ring("wait", "ready") },
	down => sub {
		ring("down");
		poll("the stream ends", sub { read_stream(); $ended });
	},
);
my $player = \%supervised;

# Pings. Each that was sent is received once, and answered once.
sub ping_faults
{
	my (%sent, %received, %answered, @faults);
	for my $id (keys %ping_lines) {
		for (map { $_->[1] } @{$ping_lines{$id}}) {
			if (/^Ping requests sent to Peers? (\d+)(?: and (\d+))?$/) {
				$sent{"$id $_"}++ for grep { defined } $1, $2;
			} elsif (/^Ping request message received from Peer (\d+)$/) {
				$received{"$1 $id"}++;
			} elsif (/^Ping response received from Peer (\d+)$/) {
				$answered{"$id $1"}++;
				push @faults, "peer $id: an answer before its ping"
				    if $answered{"$id $1"} >
				    ($sent{"$id $1"} // 0);
			} else {
				push @faults, "peer $id: $_";
			}
		}
	}
	for my $pair (keys %{{%sent, %received, %answered}}) {
		my ($n, @others) = map { $_->{$pair} // 0 } \%sent, \%received,
		    \%answered;
		push @faults, "$pair: sent $n, received and answered @others"
		    if grep { $_ != $n } @others;
	}
	return @faults;
}

# Lines of pings sent from then on are as successors are now; those from
# before, which may come late, are not.
sub ping_rounds
{
	my ($count, $from) = @_;
	for my $id (keys %member) {
		my ($first, $second) = successors($id);
		my $due = "Ping requests sent to " . ($second == $id
		    ? "Peer $first" : "Peers $first and $second");
		my @new = grep { $_->[0] > $from && $_->[1] =~ / sent / }
		    @{$ping_lines{$id} // []};
		for my $line (@new) {
			fail("peer $id: `$line->[1]', not `$due'")
			    if $line->[1] ne $due;
		}
		return 0 if @new < $count;
	}
	return 1;
}

sub play_pings
{
	my ($count) = @_;
	my $from = clock_gettime(CLOCK_MONOTONIC);
	my $end = $deadline;
	my ($n, $unit) = $option{ping} =~ /^(\d+)(ms|s)$/;
	$deadline += 2 * $count * ($unit eq "s" ? $n : $n / 1000);
	poll("$count rounds of pings", sub {
		$player->{read}();
		paid();
		ping_rounds($count, $from);
	});
	my @faults;
	poll("pings and answers agree", sub {
		$player->{read}();
		@faults = ping_faults();
		$what = "pings: $faults[0]" if @faults;
		return !@faults;
	});
	$deadline = $end;
}

# Steps.
sub play
{
	my ($verb, @args) = @_;
	my $now = $args[-1] eq "now" && pop @args;
	if ($verb eq "join") {
		expect_join(@args);
	} elsif ($verb eq "quit") {
		expect_gone("will depart from the network", @args);
	} elsif ($verb eq "kill") {
		@args = split /,/, $args[0];
		expect_gone("is no longer alive", @args);
	} elsif ($verb eq "start") {
		$member{$args[0]} = 1;
	} elsif ($verb eq "store") {
		write_file($args[0]);
		expect_store(@args);
	} elsif ($verb eq "request") {
		expect_request(@args);
	} elsif ($verb eq "pings") {
		return play_pings(@args);
	} else {
		die "$verb?\n";
	}
	$player->{$verb}(@args);
	poll("lines that are due", sub { $player->{read}(); paid() });
	check_file($args[0]) if $verb eq "request" && $stored{$args[0]};
	$player->{settle}() if !$now;
}

$what = "up";
spawn(sub { 1 while 1 }) for 1 .. $option{busy};
$member{$_} = 1 for split " ", $ids;
$player->{up}(split " ", $ids);
while (defined(my $step = <STDIN>)) {
	next if $step =~ /^\s*(#|$)/;
	chomp($what = $step);
	play(split " ", $step);
}
$what = "down";
$player->{down}();
fail("lines are missing") if !paid();
exit 0;
