/*
 * The valgrind of Debian 12 knows no pidfds. As a program, `pidfds SOCKET`
 * makes them for others; as a shared library, preloaded under valgrind, it
 * has them made there, at $PIDFDS.
 */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int pidfd_open(pid_t pid, unsigned int flags);
int pidfd_send_signal(int fd, int sig, siginfo_t *info, unsigned int flags);

union space {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int
socket_at(const char *path, struct sockaddr_un *at)
{
	memset(at, 0, sizeof(*at));
	at->sun_family = AF_UNIX;
	(void)snprintf(at->sun_path, sizeof(at->sun_path), "%s", path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void
message_init(
    struct msghdr *m, struct iovec *iov, pid_t *pid, union space *space)
{
	*iov = (struct iovec){.iov_base = pid, .iov_len = sizeof(*pid)};
	memset(space, 0, sizeof(*space));
	memset(m, 0, sizeof(*m));
	m->msg_iov = iov;
	m->msg_iovlen = 1;
	m->msg_control = space->bytes;
	m->msg_controllen = sizeof(space->bytes);
}

int
pidfd_open(pid_t pid, unsigned int flags)
{
	const char *path = getenv("PIDFDS");
	struct sockaddr_un at;
	union space space;
	struct msghdr m;
	struct iovec iov;
	int fd = -1, s;

	(void)flags;
	if (path == NULL)
		path = "";
	s = socket_at(path, &at);
	if (s == -1)
		return -1;
	message_init(&m, &iov, &pid, &space);
	if (connect(s, (const struct sockaddr *)&at, sizeof(at)) == 0 &&
	    write(s, &pid, sizeof(pid)) == sizeof(pid) &&
	    recvmsg(s, &m, MSG_CMSG_CLOEXEC) > 0 && CMSG_FIRSTHDR(&m) != NULL)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	close(s);
	if (fd == -1)
		errno = ESRCH;
	return fd;
}

int
pidfd_send_signal(int fd, int sig, siginfo_t *info, unsigned int flags)
{
	char path[64], line[256];
	long pid = -1;
	FILE *file;

	(void)info;
	(void)flags;
	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "Pid:", 4) == 0)
			pid = strtol(line + 4, NULL, 10);
	(void)fclose(file);
	if (pid > 0)
		return kill((pid_t)pid, sig);
	errno = ESRCH;
	return -1;
}

static void
serve(int s)
{
	struct cmsghdr *c;
	union space space;
	struct msghdr m;
	struct iovec iov;
	pid_t pid;
	int fd;

	if (read(s, &pid, sizeof(pid)) != sizeof(pid))
		return;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	message_init(&m, &iov, &pid, &space);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (fd == -1)
		m.msg_controllen = 0;
	if (sendmsg(s, &m, 0) == -1)
		warn("sendmsg");
	close(fd);
}

int
main(int argc, char **argv)
{
	struct sockaddr_un at;
	int listener, s;

	if (argc != 2)
		errx(2, "usage: pidfds SOCKET");
	listener = socket_at(argv[1], &at);
	if (listener == -1 ||
	    bind(listener, (const struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(listener, 64) == -1)
		err(1, "%s", argv[1]);
	while ((s = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1) {
		serve(s);
		close(s);
	}
	err(1, "accept");
}
