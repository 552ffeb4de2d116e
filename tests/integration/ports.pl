# ports.pl CLAIMS OWNER: prints the first of 256 ports that are free and that
# no other test has claimed; the claim is OWNER's until that process is gone.
use strict;
use warnings;
use Socket;

my ($claims, $owner) = @ARGV;
my @bases = map { 10240 + 256 * $_ } 0 .. 86;

sub claimed
{
	my ($base) = @_;
	open my $file, '<', "$claims/$base" or return 0;
	my $pid = <$file>;
	return defined $pid && $pid =~ /^(\d+)/ && -d "/proc/$1";
}

sub bindable
{
	my ($port, $type) = @_;
	socket my $s, PF_INET, $type, 0 or die "socket: $!";
	setsockopt $s, SOL_SOCKET, SO_REUSEADDR, 1 if $type == SOCK_STREAM;
	return bind $s, sockaddr_in($port, INADDR_ANY);
}

my $turn = $owner % @bases;
for my $base (@bases[$turn .. $#bases], @bases[0 .. $turn - 1]) {
	next if claimed $base;
	next if grep { !bindable($_, SOCK_STREAM) ||
	    !bindable($_, SOCK_DGRAM) } $base .. $base + 255;
	open my $file, '>', "$claims/$base" or die "$claims/$base: $!";
	print $file "$owner\n";
	close $file;
	print "$base\n";
	exit 0;
}
exit 1;
