/*
 * echo_client SOCKET WORDS
 *
 * The least that a client can be: sends a line, prints the answer. Linked
 * with the C library alone.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char line[256];
	ssize_t n;
	int fd;

	if (argc != 3 || strlen(argv[1]) >= sizeof(to.sun_path))
		errx(2, "usage: echo_client SOCKET WORDS");
	memcpy(to.sun_path, argv[1], strlen(argv[1]));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		err(1, "%s", argv[1]);
	n = snprintf(line, sizeof(line), "%s\n", argv[2]);
	if (n < 0 || (size_t)n >= sizeof(line) ||
	    write(fd, line, (size_t)n) != n)
		err(1, "write");
	n = read(fd, line, sizeof(line));
	if (n <= 0 || write(STDOUT_FILENO, line, (size_t)n) != n)
		err(1, "no answer");
	return 0;
}
