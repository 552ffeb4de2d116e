#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/say.h"

static const char *
kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a folder";
	if (S_ISFIFO(mode))
		return "a FIFO";
	if (S_ISSOCK(mode))
		return "a socket";
	return "a device";
}

/* Can it be stored? O_NONBLOCK: a FIFO without a writer must not hold us. */
static int
source_check(const char *name, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int status = EXIT_FAILED;

	if (fd == -1 && errno != ENXIO) {
		complain("store %s: %s: %s", name, path, strerror(errno));
		return EXIT_FAILED;
	}
	if ((fd == -1 ? stat(path, &st) : fstat(fd, &st)) != 0)
		complain("store %s: %s: %s", name, path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		complain("store %s: %s: it is %s, and only regular files are "
			 "stored",
		    name, path, kind_of(st.st_mode));
	else
		status = EXIT_DONE;
	if (fd != -1)
		close(fd);
	return status;
}

static int
path_store(struct command_line *line, const char *path)
{
	size_t len = strlen(path);

	if (len > PATH_LEN_MAX) {
		complain("%s: path too long", path);
		return EXIT_FAILED;
	}
	line->path.len = (uint16_t)len;
	memcpy(line->path.text, path, len + 1);
	return EXIT_DONE;
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct matches {
	size_t count;
	char first[NAME_MAX + 1];
	char all[1024];
};

static void
match_add(struct matches *m, const char *file)
{
	size_t used = strlen(m->all);

	if (m->count++ == 0)
		snprintf(m->first, sizeof(m->first), "%s", file);
	snprintf(m->all + used, sizeof(m->all) - used, "%s%s", used ? ", " : "",
	    file);
}

/* NAME itself in this folder, or else the one file NAME.* */
static int
source_search(struct command_line *line)
{
	const char *name = line->name.text;
	struct matches found = {0};
	struct dirent **entries;
	struct stat st;
	int n;

	if (lstat(name, &st) == 0)
		return path_store(line, name);
	n = scandir(".", &entries, NULL, alphasort);
	if (n < 0) {
		complain("store %s: this folder: %s", name, strerror(errno));
		return EXIT_FAILED;
	}
	for (int i = 0; i < n; i++) {
		const char *file = entries[i]->d_name;

		if (strncmp(file, name, line->name.len) == 0 &&
		    file[line->name.len] == '.' && !is_folder(file))
			match_add(&found, file);
		free(entries[i]);
	}
	free(entries);
	if (found.count == 1)
		return path_store(line, found.first);
	if (found.count == 0)
		complain("store %s: no file %s or %s.* in this folder; name "
			 "one: store %s FILE",
		    name, name, name, name);
	else
		complain("store %s: several files are meant: %s; name one: "
			 "store %s FILE",
		    name, found.all, name);
	return EXIT_FAILED;
}

/* An unnamed file: nothing is left of it, whatever happens. -1: said why. */
static int
spool_open(void)
{
	const char *dirs[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
	char path[PATH_LEN_MAX + 1];

	for (size_t i = 0; i < 3; i++) {
		int fd;

		if (!dirs[i] || !dirs[i][0])
			continue;
		fd = open(dirs[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (fd != -1)
			return fd;
		snprintf(path, sizeof(path), "%s/ringctl.XXXXXXXX", dirs[i]);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd != -1) {
			unlink(path);
			return fd;
		}
	}
	complain("standard input: no folder for temporary files: %s; set "
		 "TMPDIR",
	    strerror(errno));
	return -1;
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int
spool_fill(int spool)
{
	static char buffer[1 << 16];

	for (;;) {
		ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

		if (n == 0)
			return EXIT_DONE;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			complain("standard input: %s", strerror(errno));
			return EXIT_FAILED;
		}
		if (write_all(spool, buffer, (size_t)n) != 0) {
			complain("standard input: its temporary file: %s",
			    strerror(errno));
			return EXIT_FAILED;
		}
	}
}

static int
source_spool(struct command_line *line, int *spool)
{
	char path[64];

	*spool = spool_open();
	if (*spool == -1)
		return EXIT_FAILED;
	if (spool_fill(*spool) != EXIT_DONE)
		return EXIT_FAILED;
	line->suffix.len = 0;
	line->suffix.text[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(), *spool);
	return path_store(line, path);
}

int
path_absolute(struct command_line *line)
{
	char here[PATH_LEN_MAX + 1], path[2 * PATH_LEN_MAX + 2];

	if (line->path.text[0] == '/')
		return EXIT_DONE;
	if (!getcwd(here, sizeof(here))) {
		complain("this folder: %s", strerror(errno));
		return EXIT_FAILED;
	}
	snprintf(path, sizeof(path), "%s%s%s", here, here[1] ? "/" : "",
	    line->path.text);
	return path_store(line, path);
}

int
source_resolve(struct command_line *line, int *spool)
{
	int status = EXIT_DONE;

	*spool = -1;
	if (strcmp(line->path.text, "-") == 0)
		return source_spool(line, spool);
	if (line->path.len == 0)
		status = source_search(line);
	if (status == EXIT_DONE)
		status = source_check(line->name.text, line->path.text);
	if (status != EXIT_DONE)
		return status;
	command_suffix(
	    &line->suffix, &line->name, line->path.text, line->path.len);
	return path_absolute(line);
}
