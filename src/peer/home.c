#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/paths.h"
#include "peer/home.h"
#include "wire/words.h"

static int
fail(struct text *error, const char *path, const char *why)
{
	text_set(error, "data folder ");
	text_add(error, path);
	if (why != NULL) {
		text_add(error, ": ");
		text_add(error, why);
	}
	return -1;
}

static void
read_boot(char boot[BOOT_LEN + 1])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, boot, BOOT_LEN);

	boot[n == BOOT_LEN ? n : 0] = '\0';
	if (fd != -1)
		close(fd);
}

int
home_open(struct disk *d, const char *path, bool sync, struct text *error)
{
	struct why why;
	int fd, rc;

	disk_init(d);
	if (paths_make(path, &why) == -1)
		return fail(error, why.text, NULL);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return fail(error, path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		fail(error, path,
		    errno == EWOULDBLOCK ? "in use by another peer"
					 : strerror(errno));
		close(fd);
		return -1;
	}
	rc = disk_open(d, &volume_system, fd, path, sync);
	read_boot(d->boot);
	return rc == 0 ? 0 : fail(error, path, strerror(rc));
}
