#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/files.h"
#include "cli/say.h"

enum { REMOVE_TRIES = 50, REMOVE_PAUSE_MS = 10 };

static int
passage_open(struct passage *p)
{
	const char *dirs[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};

	for (size_t i = 0; i < 3; i++) {
		if (!dirs[i] || dirs[i][0] != '/')
			continue;
		snprintf(
		    p->dir, sizeof(p->dir), "%s/ringctl.XXXXXXXX", dirs[i]);
		if (mkdtemp(p->dir)) {
			snprintf(p->file, sizeof(p->file), "%.*s/file",
			    PATH_LEN_MAX - 5, p->dir);
			return EXIT_DONE;
		}
	}
	complain("standard output: no folder for temporary files: %s; set "
		 "TMPDIR",
	    strerror(errno));
	p->dir[0] = '\0';
	return EXIT_FAILED;
}

int
target_resolve(struct command_line *line, struct passage *p)
{
	struct stat st;
	size_t len = line->path.len;

	p->dir[0] = '\0';
	if (strcmp(line->path.text, "-") == 0) {
		if (passage_open(p) != EXIT_DONE)
			return EXIT_FAILED;
		path_set(&line->path, p->file);
		return EXIT_DONE;
	}
	if (len > 0 && line->path.text[len - 1] != '/' &&
	    stat(line->path.text, &st) == 0 && S_ISDIR(st.st_mode)) {
		complain("request %s: %s: it is a folder; with a / at its end "
			 "the file goes into it",
		    line->name.text, line->path.text);
		return EXIT_FAILED;
	}
	/* Nothing given leaves this folder and a slash. */
	return path_absolute(line);
}

void
target_done(const char *path)
{
	mode_t mask = umask(077);
	struct stat st;
	int fd;

	umask(mask);
	fd = open(
	    path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid())
		fchmod(fd, 0666 & ~mask);
	close(fd);
}

static int
copy_out(int fd)
{
	static char buffer[1 << 16];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		if (fwrite(buffer, 1, (size_t)n, stdout) != (size_t)n)
			break;
	}
	if (n < 0) {
		complain("the file that came: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return output_flush() == 0 ? EXIT_DONE : EXIT_FAILED;
}

int
passage_deliver(struct passage *p)
{
	int fd = open(p->file, O_RDONLY | O_CLOEXEC), status;

	if (fd == -1) {
		complain(
		    "the file that came: %s: %s", p->file, strerror(errno));
		return EXIT_FAILED;
	}
	/* Whatever becomes of standard output, nothing is left behind. */
	passage_close(p);
	client_signals_end();
	status = copy_out(fd);
	close(fd);
	return status;
}

static void
empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
}

void
passage_close(struct passage *p)
{
	struct timespec pause = {.tv_nsec = REMOVE_PAUSE_MS * 1000000L};

	/* A peer may be about to create its file there. */
	for (int i = 0; p->dir[0] && i < REMOVE_TRIES; i++) {
		empty(p->dir);
		if (rmdir(p->dir) == 0 || errno == ENOENT)
			break;
		nanosleep(&pause, NULL);
	}
	p->dir[0] = '\0';
}
