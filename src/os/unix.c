#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/types.h"
#include "os/unix.h"

enum { BACKLOG = 128 };

bool
unix_is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return false;
	return peer.uid == geteuid() || peer.uid == 0;
}

/*
 * Fills in the address. A path that is too long is reached through its
 * folder's descriptor, *folder, to be closed by the caller (-1: none).
 */
static int
address(struct sockaddr_un *un, const char *path, int *folder)
{
	char copy[PATH_LEN_MAX + 1];
	const char *base = strrchr(path, '/');
	int n;

	*folder = -1;
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	if (strlen(path) < sizeof(un->sun_path)) {
		memcpy(un->sun_path, path, strlen(path));
		return 0;
	}
	if (strlen(path) >= sizeof(copy) || base == NULL) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(copy, path, (size_t)(base - path));
	copy[base - path] = '\0';
	*folder = open(copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*folder == -1)
		return -1;
	n = snprintf(un->sun_path, sizeof(un->sun_path), "/proc/self/fd/%d%s",
	    *folder, base);
	if (n < 0 || (size_t)n >= sizeof(un->sun_path)) {
		close(*folder);
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static void
close_keeping_errno(int fd)
{
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
}

/* 0 for none; of what connect and writes may take. */
static int
set_patience(int fd, uint32_t ms)
{
	struct timeval time = {
	    .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

/* 0, or -1 with errno. */
static int
connect_within(int fd, const struct sockaddr_un *un, uint32_t timeout_ms)
{
	if (set_patience(fd, timeout_ms) == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) == -1) {
		if (errno == EAGAIN)
			errno = ETIMEDOUT;
		return -1;
	}
	return set_patience(fd, 0);
}

int
unix_connect(const char *path, uint32_t timeout_ms)
{
	struct sockaddr_un un;
	int folder, fd;

	if (address(&un, path, &folder) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect_within(fd, &un, timeout_ms) == -1) {
		close_keeping_errno(fd);
		fd = -1;
	}
	close_keeping_errno(folder);
	if (fd != -1 && !unix_is_ours(fd)) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	return fd;
}

int
unix_listen(const char *path)
{
	struct sockaddr_un un;
	int folder, fd, rc = -1;
	mode_t mask;

	if (address(&un, path, &folder) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1) {
		mask = umask(0177);
		rc = bind(fd, (struct sockaddr *)&un, sizeof(un));
		umask(mask);
		if (rc == 0)
			rc = listen(fd, BACKLOG);
	}
	close_keeping_errno(folder);
	if (rc == -1) {
		close_keeping_errno(fd);
		return -1;
	}
	return fd;
}
