# hostile.pl KIND FIRST ID ...: traffic that nobody wants, to the ports of
# peers (FIRST + ID). Prints a line when it is sent, then, for kinds that
# hold connections, stays until killed.
use strict;
use warnings;
use Socket;
$| = 1;
$SIG{PIPE} = 'IGNORE';
srand 1;

my ($kind, $first, @ids) = @ARGV;
my @ports = map { $first + $_ } @ids;
my @held;

sub bytes
{
	my ($n) = @_;
	return join '', map { chr int CORE::rand 256 } 1 .. $n;
}

sub address
{
	return sockaddr_in($_[0], INADDR_LOOPBACK);
}

sub dial
{
	my ($port) = @_;
	socket my $s, PF_INET, SOCK_STREAM, 0 or die "socket: $!";
	connect $s, address($port) or return;
	return $s;
}

sub every_port
{
	my ($n, $send) = @_;
	for (1 .. $n) {
		for my $port (@ports) {
			my $s = dial($port) or next;
			$send->($s);
			push @held, $s if @held < 900;
		}
	}
}

sub datagrams
{
	my ($sizes, $payload) = @_;
	socket my $s, PF_INET, SOCK_DGRAM, 0 or die "socket: $!";
	for my $n (@$sizes) {
		send $s, $payload->($n), 0, address($_) for @ports;
	}
}

my %kinds = (
	udp_garbage => sub { datagrams([map { 40 + $_ % 200 } 1 .. 2000],
	    \&bytes) },
	udp_sizes => sub { datagrams([0 .. 1500, 2000, 9000, 30000, 65507],
	    \&bytes) },
	udp_versions => sub { datagrams([1 .. 300],
	    sub { "\1" . ("\0" x $_[0]) }) },
	tcp_garbage => sub { every_port(20, sub {
	    syswrite $_[0], bytes(5000) }) },
	tcp_half => sub { every_port(20, sub {
	    syswrite $_[0], "\0\0\0\x30\x14\1\0" }) },
	tcp_claim => sub { every_port(20, sub {
	    syswrite $_[0], "\xff\xff\xff\xff" . bytes(2000) }) },
	tcp_silent => sub { every_port(1000 / @ports, sub { }) },
	tcp_leave => sub { every_port(100, sub { @held = () }) },
);
die "hostile.pl: $kind: none of ", join(' ', sort keys %kinds), "\n"
    unless $kinds{$kind};
$kinds{$kind}->();
print "sent\n";
sleep 1000 if @held;
