#include <sys/file.h>
#include <sys/stat.h>

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "super/up.h"
#include "super/wipe.h"

enum level {
	LEVEL_NONE, /* a file */
	LEVEL_RING,
	LEVEL_JOURNAL,
	LEVEL_PEER,
	LEVEL_FILES,
	LEVEL_BUCKET,
	LEVEL_SCRATCH,
};

/* All that a ring makes; anything else belongs to somebody else. */
static const struct {
	enum level in;
	const char *pattern;
	enum level inside; /* LEVEL_NONE: a regular file, else a folder */
} known[] = {
    {LEVEL_RING, "ring", LEVEL_NONE},
    {LEVEL_RING, "peers", LEVEL_NONE},
    {LEVEL_RING, "peers.tmp", LEVEL_NONE},
    {LEVEL_RING, "journal", LEVEL_JOURNAL},
    {LEVEL_RING, "[0-9]", LEVEL_PEER},
    {LEVEL_RING, "[0-9][0-9]", LEVEL_PEER},
    {LEVEL_RING, "[0-9][0-9][0-9]", LEVEL_PEER},
    {LEVEL_RING, "[0-9][0-9][0-9][0-9]", LEVEL_PEER},
    {LEVEL_JOURNAL, "events.[0-9]*", LEVEL_NONE},
    {LEVEL_JOURNAL, "lines.[0-9]*", LEVEL_NONE},
    {LEVEL_JOURNAL, "stderr", LEVEL_NONE},
    {LEVEL_PEER, "incarnation", LEVEL_NONE},
    {LEVEL_PEER, "incarnation.new", LEVEL_NONE},
    {LEVEL_PEER, "view", LEVEL_NONE},
    {LEVEL_PEER, "view.new", LEVEL_NONE},
    {LEVEL_PEER, "journal.[0-9]", LEVEL_NONE},
    {LEVEL_PEER, "files", LEVEL_FILES},
    {LEVEL_PEER, "tmp", LEVEL_SCRATCH},
    {LEVEL_PEER, "damaged", LEVEL_SCRATCH},
    {LEVEL_FILES, "[0-9a-f][0-9a-f]", LEVEL_BUCKET},
    {LEVEL_BUCKET, "*", LEVEL_NONE},
    {LEVEL_SCRATCH, "*", LEVEL_NONE},
};

struct walk {
	bool really;
	uint64_t files, bytes;
	struct why *why;
};

static int walk_folder(
    struct walk *, int at, const char *name, const char *path, enum level);

static int
walk_file(struct walk *w, int at, const char *name, const char *path,
    enum level in, const struct stat *st)
{
	if (in == LEVEL_BUCKET) {
		w->files++;
		w->bytes += (uint64_t)st->st_size;
	}
	if (w->really && unlinkat(at, name, 0) == -1)
		return why_set(w->why, "%s: %s", path, strerror(errno));
	return 0;
}

static int
walk_entry(
    struct walk *w, int at, const char *name, const char *path, enum level in)
{
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return why_set(w->why, "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		enum level inside = known[i].inside;

		if (known[i].in != in ||
		    fnmatch(known[i].pattern, name, 0) != 0)
			continue;
		if (inside == LEVEL_NONE && S_ISREG(st.st_mode))
			return walk_file(w, at, name, path, in, &st);
		if (inside != LEVEL_NONE && S_ISDIR(st.st_mode))
			return walk_folder(w, at, name, path, inside);
	}
	return why_set(w->why,
	    "%s: no ring makes that; nothing was removed. Move it away first",
	    path);
}

static int
walk_entries(struct walk *w, DIR *dir, const char *path, enum level in)
{
	char inner[PATH_LEN_MAX + 1];
	struct dirent *e;

	while ((e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof(inner), "%.3800s/%s", path, e->d_name);
		if (walk_entry(w, dirfd(dir), e->d_name, inner, in) == -1)
			return -1;
	}
	return 0;
}

static int
walk_folder(struct walk *w, int at, const char *name, const char *path,
    enum level inside)
{
	int fd =
	    openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	int rc;

	if (dir == NULL) {
		why_set(w->why, "%s: %s", path, strerror(errno));
		if (fd != -1)
			close(fd);
		return -1;
	}
	/* A peer that runs by itself may hold it. */
	if (inside == LEVEL_PEER && flock(fd, LOCK_EX | LOCK_NB) == -1)
		rc = why_set(w->why, "%s: a peer is using it", path);
	else
		rc = walk_entries(w, dir, path, inside);
	closedir(dir);
	if (rc == 0 && w->really && unlinkat(at, name, AT_REMOVEDIR) == -1)
		rc = why_set(w->why, "%s: %s", path, strerror(errno));
	return rc;
}

/* Looks at everything before the first thing is removed. */
static int
wipe(struct walk *w, const char *folder, enum level level, bool really)
{
	w->really = false;
	if (walk_folder(w, AT_FDCWD, folder, folder, level) == -1)
		return -1;
	if (!really)
		return 0;
	w->really = true;
	w->files = w->bytes = 0;
	return walk_folder(w, AT_FDCWD, folder, folder, level);
}

int
wipe_peer(const char *folder, struct why *why)
{
	struct walk w = {.why = why};

	if (access(folder, F_OK) == -1 && errno == ENOENT)
		return 0;
	return wipe(&w, folder, LEVEL_PEER, true);
}

int
super_wipe(const char *data, bool really, uint64_t *files, uint64_t *bytes,
    struct why *why)
{
	struct walk w = {.why = why};
	char mark[PATH_LEN_MAX + 8];
	int fd, rc;

	assert(data[0] == '/');
	if (access(data, F_OK) == -1)
		return why_set(why, "%s: %s", data, strerror(errno));
	snprintf(mark, sizeof(mark), "%s/ring", data);
	/* Held until it is gone, so that no `up` comes between. */
	fd = open(mark, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == -1) {
		close(fd);
		return why_set(why,
		    "%s: the ring is up; take it down first (ringctl down)",
		    data);
	}
	rc = wipe(&w, data, LEVEL_RING, really);
	if (fd != -1)
		close(fd);
	if (files != NULL)
		*files = w.files;
	if (bytes != NULL)
		*bytes = w.bytes;
	return rc;
}
