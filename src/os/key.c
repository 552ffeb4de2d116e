#include <sys/stat.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/key.h"
#include "os/paths.h"

enum { KEY_FILE_MIN = 16 };

/* Reads all of it, checked; bytes, or -1. */
static ssize_t
read_secret(const char *path, uint8_t *out, size_t size, struct why *why)
{
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd == -1)
		return why_set(why, "key %s: %s", path, strerror(errno));
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return why_set(why, "key %s: not a regular file", path);
	}
	if ((st.st_mode & 077) != 0) {
		close(fd);
		return why_set(why,
		    "key %s: others can read it; chmod 600 it first", path);
	}
	n = read(fd, out, size);
	if (n == -1)
		why_set(why, "key %s: %s", path, strerror(errno));
	close(fd);
	return n;
}

static int
derive(uint8_t key[KEY_LEN], const char *path, struct why *why)
{
	uint8_t bytes[KEY_FILE_MAX + 1];
	ssize_t n = read_secret(path, bytes, sizeof(bytes), why);

	if (n == -1)
		return -1;
	if (n < KEY_FILE_MIN || n > KEY_FILE_MAX) {
		explicit_bzero(bytes, sizeof(bytes));
		return why_set(why, "key %s: must have %d to %d bytes", path,
		    KEY_FILE_MIN, KEY_FILE_MAX);
	}
	crypto_generichash(key, KEY_LEN, bytes, (size_t)n, NULL, 0);
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

/* A file without a name in the runtime folder, if its system has them. */
static int
open_unnamed(void)
{
	struct path_buf folder;
	struct why why;

	if (paths_runtime(&folder, &why) == -1)
		return -1;
	return open(folder.text, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* Complete before it has its name: nobody ever reads half a key. */
static int
make(const char *path, struct why *why)
{
	char temp[PATH_LEN_MAX + 32], unnamed[64];
	uint8_t bytes[KEY_LEN];
	int fd = open_unnamed(), rc = 0;
	bool named = fd == -1;

	snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
	if (named)
		fd = mkostemp(temp, O_CLOEXEC);
	if (fd == -1)
		return why_set(why, "key %s: %s", path, strerror(errno));
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	arc4random_buf(bytes, sizeof(bytes));
	if (write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes) ||
	    fsync(fd) == -1 ||
	    (linkat(AT_FDCWD, named ? temp : unnamed, AT_FDCWD, path,
		 AT_SYMLINK_FOLLOW) == -1 &&
		errno != EEXIST))
		rc = why_set(why, "key %s: %s", path, strerror(errno));
	explicit_bzero(bytes, sizeof(bytes));
	close(fd);
	if (named)
		unlink(temp);
	return rc;
}

int
key_load(uint8_t key[KEY_LEN], const char *file, uint16_t port, struct why *why)
{
	struct path_buf path;
	char name[32];

	if (sodium_init() == -1)
		return why_set(why, "key: libsodium does not start");
	if (file != NULL && file[0] != '\0')
		return derive(key, file, why);
	snprintf(name, sizeof(name), "key-%u", (unsigned)port);
	if (paths_runtime_file(&path, name, "", why) == -1)
		return -1;
	if (access(path.text, F_OK) == -1 && make(path.text, why) == -1)
		return -1;
	return derive(key, path.text, why);
}
