#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/paths.h"

static int __attribute__((format(printf, 3, 4)))
path_set_to(struct path_buf *path, struct why *why, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(path->text, sizeof(path->text), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(path->text))
		return why_set(why, "%.60s...: path too long", path->text);
	return 0;
}

int
paths_join(
    struct path_buf *out, const char *dir, const char *path, struct why *why)
{
	size_t len;

	if (path[0] == '/')
		dir = "";
	if (path_set_to(out, why, "%s%s%s", dir, dir[0] ? "/" : "", path) == -1)
		return -1;
	len = strlen(out->text);
	while (len > 1 && out->text[len - 1] == '/')
		out->text[--len] = '\0';
	return 0;
}

/* A relative one counts from the folder that we are in. */
static int
absolute(struct path_buf *path, struct why *why)
{
	struct path_buf given = *path;
	char cwd[PATH_LEN_MAX + 1];

	if (given.text[0] == '/')
		return paths_join(path, "", given.text, why);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return why_set(why, "this folder: %s", strerror(errno));
	return paths_join(path, cwd, given.text, why);
}

int
paths_make(const char *dir, struct why *why)
{
	char path[PATH_LEN_MAX + 1];
	size_t len = strlen(dir);
	struct stat st;
	bool made;

	if (len == 0 || len > PATH_LEN_MAX)
		return why_set(why, "%.60s: bad path", dir);
	memcpy(path, dir, len + 1);
	/* Mostly only the last one is missing. */
	made = mkdir(dir, 0700) == 0 || errno == EEXIST;
	for (size_t i = 1; !made && i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			return why_set(why, "%s: %s", path, strerror(errno));
		path[i] = dir[i];
	}
	if (stat(dir, &st) == -1)
		return why_set(why, "%s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return why_set(why, "%s: not a folder", dir);
	return 0;
}

static int
check_private(const char *dir, struct why *why)
{
	struct stat st;

	if (lstat(dir, &st) == -1)
		return why_set(why, "%s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return why_set(why, "%s: not a folder", dir);
	if (st.st_uid != geteuid())
		return why_set(why,
		    "%s: belongs to another user; set RINGCTL_DIR to a folder "
		    "of your own",
		    dir);
	if ((st.st_mode & 077) != 0)
		return why_set(
		    why, "%s: others can enter it; chmod 700 it first", dir);
	return 0;
}

int
paths_runtime(struct path_buf *out, struct why *why)
{
	const char *own = getenv("RINGCTL_DIR");
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	int rc;

	if (own != NULL && own[0] != '\0')
		rc = path_set_to(out, why, "%s", own);
	else if (xdg != NULL && xdg[0] == '/')
		rc = path_set_to(out, why, "%s/ringctl", xdg);
	else
		rc = path_set_to(
		    out, why, "/tmp/ringctl-%lu", (unsigned long)geteuid());
	if (rc == -1 || absolute(out, why) == -1 ||
	    paths_make(out->text, why) == -1)
		return -1;
	return check_private(out->text, why);
}

int
paths_runtime_file(
    struct path_buf *out, const char *name, const char *suffix, struct why *why)
{
	struct path_buf dir;

	if (paths_runtime(&dir, why) == -1)
		return -1;
	return path_set_to(out, why, "%s/%s%s", dir.text, name, suffix);
}

static int
state_folder(struct path_buf *out, struct why *why)
{
	const char *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	const struct passwd *user;

	if (xdg != NULL && xdg[0] == '/')
		return path_set_to(out, why, "%s/ringctl", xdg);
	if (home == NULL || home[0] != '/') {
		user = getpwuid(geteuid());
		home = user != NULL ? user->pw_dir : NULL;
	}
	if (home == NULL || home[0] != '/')
		return why_set(why,
		    "no home folder: set HOME, XDG_STATE_HOME or the config's "
		    "`data`");
	return path_set_to(out, why, "%s/.local/state/ringctl", home);
}

int
paths_data_default(struct path_buf *out, const char *ring, struct why *why)
{
	struct path_buf state;

	if (state_folder(&state, why) == -1)
		return -1;
	return path_set_to(out, why, "%s/%s", state.text, ring);
}

/* No ring's name begins with a dot, so .data is nobody's folder. */
static int
link_path(struct path_buf *out, const char *ring, struct why *why)
{
	struct path_buf state;

	if (state_folder(&state, why) == -1)
		return -1;
	return path_set_to(out, why, "%s/.data/%s", state.text, ring);
}

int
paths_data(struct path_buf *out, const char *ring, struct why *why)
{
	struct path_buf path;
	ssize_t n;

	if (link_path(&path, ring, why) == -1)
		return -1;
	n = readlink(path.text, out->text, sizeof(out->text) - 1);
	if (n <= 0)
		return paths_data_default(out, ring, why);
	out->text[n] = '\0';
	return 0;
}

int
paths_data_remember(const char *ring, const char *dir, struct why *why)
{
	struct path_buf path, folder;

	if (link_path(&path, ring, why) == -1)
		return -1;
	if (unlink(path.text) == -1 && errno != ENOENT)
		return why_set(why, "%s: %s", path.text, strerror(errno));
	if (dir == NULL)
		return 0;
	assert(dir[0] == '/');
	folder = path;
	*strrchr(folder.text, '/') = '\0';
	if (paths_make(folder.text, why) == -1)
		return -1;
	if (symlink(dir, path.text) == -1)
		return why_set(why, "%s: %s", path.text, strerror(errno));
	return 0;
}

static int
sync_folder_of(const char *path)
{
	char dir[PATH_LEN_MAX + 1];
	const char *slash = strrchr(path, '/');
	int fd, rc;

	assert(slash != NULL && slash != path);
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int
paths_replace(const char *path, const void *data, size_t len, struct why *why)
{
	char temp[PATH_LEN_MAX + 8];
	int fd, rc;

	snprintf(temp, sizeof(temp), "%s.tmp", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		return why_set(why, "%s: %s", temp, strerror(errno));
	errno = ENOSPC;
	rc = write(fd, data, len) == (ssize_t)len && fsync(fd) == 0 &&
		     rename(temp, path) == 0 && sync_folder_of(path) == 0
		 ? 0
		 : -1;
	if (rc == -1)
		why_set(why, "%s: %s", path, strerror(errno));
	close(fd);
	if (rc == -1)
		unlink(temp);
	return rc;
}
