#include <assert.h>
#include <bsd/libutil.h>
#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/log.h"
#include "os/loop.h"
#include "super/roster.h"

enum {
	LOCK_WAIT_US = 5000000, /* for killed processes to be gone */
	LOCK_STEP_NS = 5000000,
	MARK_MAX = 256, /* bytes of the file `ring` */
};

static int
lock_folder(const char *path)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_NS};
	uint64_t end = clock_us() + LOCK_WAIT_US;
	int fd;

	do {
		fd = flopen(
		    path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
		if (fd != -1 || errno != EWOULDBLOCK)
			return fd;
		nanosleep(&step, NULL);
	} while (clock_us() < end);
	errno = EWOULDBLOCK;
	return -1;
}

/* Bits and names decide where files lie: they can't change later. */
static int
check_mark(int fd, const char *data, const struct config *c, struct why *why)
{
	char want[MARK_MAX], have[MARK_MAX];
	size_t len =
	    (size_t)snprintf(want, sizeof(want), "ring %s\nbits %u\nnames %s\n",
		c->ring, c->bits, c->any_names ? "any" : "digits");
	ssize_t n = pread(fd, have, sizeof(have) - 1, 0);

	if (n == -1)
		return why_set(why, "%s/ring: %s", data, strerror(errno));
	if (n == 0) {
		if (pwrite(fd, want, len, 0) == (ssize_t)len && fsync(fd) == 0)
			return 0;
		return why_set(why, "%s/ring: %s", data, strerror(errno));
	}
	have[n] = '\0';
	if ((size_t)n == len && memcmp(have, want, len) == 0)
		return 0;
	for (char *p = have; *p != '\0'; p++)
		if (*p == '\n')
			*p = p[1] != '\0' ? ',' : '\0';
	return why_set(why,
	    "%s holds the files of another ring (%.100s): choose another "
	    "`data`, or wipe it",
	    data, have);
}

static void
read_line(struct roster *r, char *line)
{
	const char *bad_id, *bad_ping;
	char *space = strchr(line, ' ');
	long long id, ping_ms;

	if (space == NULL) {
		log_warnx("%s: bad line skipped", r->path.text);
		return;
	}
	*space = '\0';
	id = strtonum(line, 0, SPACE_MAX - 1, &bad_id);
	ping_ms = strtonum(space + 1, 0, PING_MS_MAX, &bad_ping);
	if (bad_id != NULL || bad_ping != NULL) {
		log_warnx("%s: bad line skipped", r->path.text);
		return;
	}
	idset_add(&r->joined, (unsigned)id);
	r->ping_ms[id] = (uint32_t)ping_ms;
}

static int
read_list(struct roster *r, struct why *why)
{
	char line[64];
	int rc;
	FILE *f = fopen(r->path.text, "re");

	if (f == NULL && errno == ENOENT)
		return 0;
	if (f == NULL)
		return why_set(why, "%s: %s", r->path.text, strerror(errno));
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		read_line(r, line);
	}
	rc = ferror(f) ? why_set(why, "%s: %s", r->path.text, strerror(errno))
		       : 0;
	fclose(f);
	return rc;
}

int
roster_open(
    struct roster *r, const char *data, const struct config *c, struct why *why)
{
	struct path_buf mark;

	memset(r, 0, sizeof(*r));
	r->lock_fd = -1;
	if (paths_make(data, why) == -1 ||
	    paths_join(&mark, data, "ring", why) == -1 ||
	    paths_join(&r->path, data, "peers", why) == -1)
		return -1;
	r->lock_fd = lock_folder(mark.text);
	if (r->lock_fd == -1 && errno == EWOULDBLOCK)
		return why_set(
		    why, "%s: in use by processes of a ring that is up", data);
	if (r->lock_fd == -1)
		return why_set(why, "%s: %s", mark.text, strerror(errno));
	if (check_mark(r->lock_fd, data, c, why) == -1 ||
	    read_list(r, why) == -1) {
		roster_close(r);
		return -1;
	}
	return 0;
}

/* Who finds nothing written locks it, and writes; 0, or -1 with errno. */
static int
await_mark(int fd)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_NS};
	uint64_t end = clock_us() + LOCK_WAIT_US;
	struct stat st;

	while (clock_us() < end) {
		if (fstat(fd, &st) == -1)
			return -1;
		if (st.st_size > 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		nanosleep(&step, NULL);
	}
	errno = EWOULDBLOCK;
	return -1;
}

int
roster_visit(const char *data, const struct config *c, struct why *why)
{
	struct path_buf mark;
	int fd, rc;

	if (paths_make(data, why) == -1 ||
	    paths_join(&mark, data, "ring", why) == -1)
		return -1;
	fd = open(mark.text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || await_mark(fd) == -1)
		rc = why_set(why, "%s: %s", mark.text, strerror(errno));
	else
		rc = check_mark(fd, data, c, why);
	if (fd != -1)
		close(fd);
	return rc;
}

void
roster_close(struct roster *r)
{
	if (r->lock_fd != -1)
		close(r->lock_fd);
	r->lock_fd = -1;
}

static int
save(const struct roster *r, struct why *why)
{
	size_t size = SPACE_MAX * 20, used = 0;
	char *text = malloc(size);
	int id, rc;

	if (text == NULL)
		abort();
	for (id = idset_next(&r->joined, 0); id != -1;
	     id = idset_next(&r->joined, (unsigned)id + 1))
		used += (size_t)snprintf(
		    text + used, size - used, "%d %u\n", id, r->ping_ms[id]);
	assert(used < size);
	rc = paths_replace(r->path.text, text, used, why);
	free(text);
	return rc;
}

int
roster_add(struct roster *r, unsigned id, uint32_t ping_ms, struct why *why)
{
	idset_add(&r->joined, id);
	r->ping_ms[id] = ping_ms;
	return save(r, why);
}

int
roster_del(struct roster *r, unsigned id, struct why *why)
{
	if (!idset_has(&r->joined, id))
		return 0;
	idset_del(&r->joined, id);
	return save(r, why);
}
