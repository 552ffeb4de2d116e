#include <sys/types.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/rings.h"
#include "cli/say.h"
#include "os/paths.h"
#include "super/up.h"

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
names_add(struct names *names, const char *name, size_t len)
{
	char(*at)[64] = realloc(names->at, (names->count + 1) * sizeof(*at));

	if (!at)
		return -1;
	names->at = at;
	memcpy(at[names->count], name, len);
	at[names->count++][len] = '\0';
	return 0;
}

int
rings_find(struct names *names, struct why *why)
{
	struct path_buf folder;
	struct dirent *entry;
	DIR *dir;

	*names = (struct names){0};
	if (paths_runtime(&folder, why) != 0)
		return -1;
	dir = opendir(folder.text);
	if (!dir)
		return why_set(why, "%s: %s", folder.text, strerror(errno));
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (len <= 5 || len - 5 >= sizeof(names->at[0]) ||
		    strcmp(entry->d_name + len - 5, ".sock") != 0)
			continue;
		if (names_add(names, entry->d_name, len - 5) != 0) {
			closedir(dir);
			names_free(names);
			return why_set(why, "out of memory");
		}
	}
	closedir(dir);
	if (names->count)
		qsort(names->at, names->count, sizeof(*names->at), compare);
	return 0;
}

void
names_free(struct names *names)
{
	free(names->at);
	*names = (struct names){0};
}

bool
ring_is_down(int error)
{
	return error == ENOENT || error == ECONNREFUSED || error == ENOTDIR;
}

uint32_t
verb_timeout_ms(const struct options *o)
{
	if (o->timeout_ms)
		return o->timeout_ms;
	if (o->verb->verb == VERB_UP)
		return UP_TIMEOUT_MS;
	if (o->verb->verb == VERB_DOWN || o->verb->verb == VERB_WAIT)
		return DOWN_TIMEOUT_MS;
	return CALL_TIMEOUT_MS;
}

static int
open_failed(const char *ring, const struct why *why)
{
	if (ring_is_down(errno))
		return EXIT_NO_RING;
	complain("ring %s: %s", ring, why->text);
	return errno == ETIMEDOUT ? EXIT_TIMEOUT : EXIT_FAILED;
}

/* Connects to each that is up; more than one: all are named. */
static int
open_only(struct client *c, const struct names *names, const struct options *o)
{
	uint32_t timeout_ms = verb_timeout_ms(o);
	char list[1024] = "";
	size_t up = 0, used = 0;
	struct client other;
	struct why why;

	for (size_t i = 0; i < names->count; i++) {
		struct client *to = up ? &other : c;

		if (client_open(to, names->at[i], timeout_ms, &why) != 0) {
			if (ring_is_down(errno))
				continue;
			return open_failed(names->at[i], &why);
		}
		if (up++)
			client_close(&other);
		if (used < sizeof(list))
			used +=
			    (size_t)snprintf(list + used, sizeof(list) - used,
				"%s%s", used ? ", " : "", names->at[i]);
	}
	if (up == 1)
		return EXIT_DONE;
	if (up == 0)
		return EXIT_NO_RING;
	client_close(c);
	complain("several rings are up: %s; choose with -c NAME", list);
	return EXIT_USAGE;
}

int
ring_open_if_up(struct client *c, const struct options *o)
{
	struct names names;
	struct why why;
	int status;

	c->fd = -1;
	if (o->ring) {
		if (ring_name_check(o->ring, &why) != 0) {
			complain("-c %s: %s", o->ring, why.text);
			return EXIT_USAGE;
		}
		if (client_open(c, o->ring, verb_timeout_ms(o), &why) == 0)
			return EXIT_DONE;
		return open_failed(o->ring, &why);
	}
	if (rings_find(&names, &why) != 0) {
		complain("%s", why.text);
		return EXIT_FAILED;
	}
	status = open_only(c, &names, o);
	names_free(&names);
	return status;
}

int
ring_open(struct client *c, const struct options *o)
{
	int status = ring_open_if_up(c, o);

	if (status == EXIT_NO_RING && o->ring)
		complain("ring %s is not up; `ringctl up FILE` starts a ring, "
			 "`ringctl list` shows those that are up",
		    o->ring);
	else if (status == EXIT_NO_RING)
		complain("no ring is up; `ringctl up FILE` starts one");
	return status;
}
