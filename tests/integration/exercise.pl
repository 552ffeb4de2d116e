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
use POSIX ();
use Time::HiRes qw(time sleep clock_gettime CLOCK_MONOTONIC);

my ($how, $port, $ids, @options) = @ARGV;
my %option = (ping => "200ms", log => 0, busy => 0, slow => 1,
    map { split /=/, $_, 2 } @options);
my $space = 256;
my $deadline = 20 * $option{slow};
my $files = "ex$port";

# The model: members, the files there are, and the lines that each peer owes.
my (%member, %stored, %owed);
my @route; # of the request at hand, if it shows one

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
	my @way = way($known, $near);
	@route = (@way, $near, owner($id));
	pop @route if keys %member == 1;
	owe($_, "Peer $id Join request forwarded to my successor") for @way;
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
	@route = (way($id, $owner), $owner);
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
	@route = (way($id, $owner), $owner) if $stored{$name};
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
my (%got, %ping_lines, %answers, $what);
my $said = ""; # by the last command
my $answer = qr/^(?:stored|received_|first[ ]successor|joined|left|ringctl:)/x;

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
	} elsif ($line =~ $answer) {
		push @{$answers{$id}}, $line;
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
	$said = slurp($out);
	fail("@command: exit $status, not $wanted: $said")
	    if $status != $wanted;
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

sub slurp
{
	open my $file, "<", $_[0] or fail("$_[0]: $!");
	local $/;
	return <$file>;
}

sub check_file
{
	my ($name) = @_;
	fail("received_$name: another content")
	    if slurp("received_$name") ne content($name, $version{$name});
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

# One signal after the other is no instant, but who is stopped meanwhile
# neither sees nor says anything.
sub stop
{
	kill "STOP", $_ or fail("process $_: $!") for @_;
}

sub write_conf
{
	open my $conf, ">", "$files.conf" or die;
	print $conf "ring $files\nport $port\nroute successor\n",
	    "ping $option{ping}\n", $option{log} ? "log pings\n" : "", @_;
	close $conf;
}

sub supervised_up
{
	write_conf("peer @_\n");
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
	kill => sub {
		ring("status", "--json");
		stop(map { $said =~ /"id":$_,[^{}]*?"pid":(\d+)/ } @_)
		    if @_ > 1;
		ring("kill", join ",", @_);
	},
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

# In terminals: a log and a FIFO for each peer; what it answers to commands
# stands between its lines.
my (%terminal, %seen);

sub open_terminal
{
	my ($id, @args) = @_;
	unlink "$files.$id.fifo";
	$terminal{$id} = spawn(sub {
		exec "$ENV{BUILD}/tests/integration/terminal",
		    "$files.$id.log", "$files.$id.fifo", "ringctl", "peer",
		    "-f", "$files.conf", @args;
	});
	$seen{$id} = 0;
	poll("a terminal", sub { -p "$files.$id.fifo" });
}

sub type
{
	my ($id, $text) = @_;
	open my $fifo, ">", "$files.$id.fifo" or fail("FIFO: $!");
	syswrite $fifo, $text;
	close $fifo;
}

sub read_terminals
{
	my $now = clock_gettime(CLOCK_MONOTONIC);
	for my $id (keys %seen) {
		open my $log, "<", "$files.$id.log" or next;
		seek $log, $seen{$id}, 0;
		while (my $line = <$log>) {
			last if $line !~ s/\n$//;
			$seen{$id} += 1 + length $line;
			take($id, $now, $line);
		}
	}
	return 1;
}

sub close_terminal
{
	my ($id) = @_;
	my $pid = delete $terminal{$id};
	poll("terminal of peer $id ends", sub { waitpid($pid, 1) == $pid });
	my $status = $?;
	@children = grep { $_ != $pid } @children;
	read_terminals();
	delete $seen{$id};
	return $status >> 8;
}

# By answers that come after all lines before: neighbours are right.
sub settle_terminals
{
	my %due;
	for my $id (keys %member) {
		my ($first, $second) = successors($id);
		my $pred = predecessor($id);
		$due{$id} = "first successor $first, " . ($first == $pred ? ""
		    : "second successor $second, ") . "predecessor $pred";
		@{$answers{$id}} = ();
		type($id, "Ring\n");
	}
	my $again = time + 0.2;
	poll("neighbours are right", sub {
		my $late = time > $again;
		$again = time + 0.2 if $late;
		read_terminals();
		paid();
		for my $id (keys %due) {
			my @said = grep { /^first/ } @{$answers{$id} // []};
			if (@said && $said[-1] eq $due{$id}) {
				delete $due{$id};
			} elsif ($late) {
				type($id, "ring\n");
			}
		}
		return !%due;
	});
	poll("files are where they belong", \&files_are_held);
}

sub files_are_held
{
	for my $name (keys %stored) {
		my $owner = owner(key($name));
		my ($next, $third) = successors($owner);
		for my $id ($owner, $next, $third) {
			my $data = "$ENV{XDG_STATE_HOME}/ringctl/$files/$id";
			my $want = content($name, $version{$name});
			# What it is follows after the content; a small one
			# may still be in the journal.
			return 0 if !grep { index(slurp($_), $want) >= 0 }
			    glob("$data/files/*/$name $data/journal.?");
		}
	}
	return 1;
}

sub terminals_up
{
	write_conf();
	for my $id (@_) {
		open_terminal($id, "init", $id, successors($id));
	}
	settle_terminals();
}

# What the command was answered is no line of the exercise.
sub answered
{
	my ($id, $text, $answer) = @_;
	@{$answers{$id}} = ();
	type($id, "$text\n");
	poll("an answer to $text", sub {
		read_terminals();
		paid();
		($said) = grep { $_ =~ $answer } @{$answers{$id}};
	});
}

sub peer_of_terminal
{
	my ($id) = @_;
	my $pid = $terminal{$id};
	open my $file, "<", "/proc/$pid/task/$pid/children" or
	    fail("peer $id: $!");
	return (split " ", <$file>)[0];
}

# One by Ctrl-C, several by signals at once.
sub kill_terminals
{
	if (@_ == 1) {
		type($_[0], "\003");
	} else {
		my @pids = map { peer_of_terminal($_) } @_;
		stop(@pids);
		kill "KILL", @pids;
	}
	close_terminal($_) > 128 or fail("peer $_ was not killed") for @_;
}

my %terminals = (
	up => \&terminals_up,
	read => \&read_terminals,
	join => sub {
		my ($id) = @_;
		@{$answers{$id}} = ();
		open_terminal($id, "join", @_);
		poll("it joins", sub {
			read_terminals();
			($said) = grep { /^joined/ } @{$answers{$id}};
		});
	},
	start => sub {
		open_terminal($_[0], "init", $_[0], successors($_[0]));
	},
	quit => sub {
		type($_[0], "QUIT\n");
		fail("peer $_[0] failed") if close_terminal($_[0]) != 0;
	},
	kill => \&kill_terminals,
	store => sub { answered($_[1], "Store $_[0]", qr/^stored $_[0] at /) },
	request => sub {
		answered($_[1], "request $_[0]", $stored{$_[0]} ?
		    qr/^received_$_[0] from / : qr/$_[0]: no such file$/);
	},
	settle => \&settle_terminals,
	down => sub {
		settle_terminals();
		# What they print of each other's end is nobody's concern.
		%seen = ();
		kill "TERM", $terminal{$_} for keys %terminal;
		close_terminal($_) for keys %terminal;
	},
);
my $player = $how eq "terminals" ? \%terminals : \%supervised;

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
	@route = ();
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
	my $words = "route " . join " > ", @route;
	fail("not `$words': $said")
	    if @route && $said !~ /[( ]\Q$words\E[,)]/;
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
