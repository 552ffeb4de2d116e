# clients.pl RUNTIME RING COUNT READY: connects COUNT clients to a ring's
# control socket; a third say nothing, a third ask without ever reading, a
# third send half a frame. Makes the file READY, then stays, in a process group
# of its own, until that is killed.
use strict;
use warnings;
use Socket;

my ($runtime, $ring, $count, $ready) = @ARGV;
my ($path) = grep { -S } glob "$runtime/*$ring*";
die "no socket in $runtime\n" unless defined $path;
my @held;
setpgrp;
for my $i (1 .. $count) {
	socket my $s, PF_UNIX, SOCK_STREAM, 0 or die "socket: $!";
	connect $s, pack_sockaddr_un($path) or die "$path: $!";
	syswrite $s, "\0\0\1\0" . "half" if $i % 3 == 1;
	if ($i % 3 == 2) {
		my $pid = fork // die "fork: $!";
		if ($pid == 0) {
			open STDOUT, '>&', $s or die;
			close STDERR;
			exec 'ringctl', '-c', $ring, 'events', '-f';
			exit 1;
		}
		kill 'STOP', $pid;
		push @held, $pid;
	}
	push @held, $s;
}
open my $file, '>', $ready or die "$ready: $!";
close $file;
sleep 1000;
