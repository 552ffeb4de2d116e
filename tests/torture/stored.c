/* What lies on the disks after `down`: every file of every peer. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/trailer.h"
#include "history.h"
#include "ring.h"

/* What was found of a name. */
struct found {
	unsigned live, removed;
	struct record record; /* of the first live one */
};

static struct found found[NAMES_MAX];

/* Whether id is among the holders of a key: of those that are up. */
static bool
holds(unsigned id, unsigned key)
{
	unsigned left = COPIES;

	for (unsigned i = 0; i < PEERS_MAX && left > 0; i++) {
		unsigned at = (key + i) % PEERS_MAX;

		if (!seen[at].known || seen[at].state != PEER_UP)
			continue;
		if (at == id)
			return true;
		left--;
	}
	return false;
}

static int
index_of(const char *text)
{
	unsigned long name = strtoul(text, NULL, 10);

	for (unsigned i = 0; i < settings.names; i++)
		if (names[i] == name)
			return (int)i;
	return -1;
}

static void
check_live(unsigned id, unsigned name, const char *path, const struct record *r)
{
	struct found *f = &found[name];
	unsigned long number = strtoul(r->suffix.text + 1, NULL, 10);
	char why[WHY_TEXT];

	if (number != history_settled(name))
		violation(&tally.wrong,
		    "name %04u: peer %u holds content %lu, not %u", names[name],
		    id, number, history_settled(name));
	if (!content_check(path, name, (uint32_t)number, TRAILER_LEN, why))
		violation(&tally.wrong, "%s: %s", path, why);
	if (f->live++ == 0)
		f->record = *r;
	else if (version_cmp(&f->record.version, &r->version) != 0 ||
		 memcmp(&f->record.digest, &r->digest, sizeof(r->digest)) != 0)
		violation(&tally.wrong,
		    "name %04u: peer %u has another version", names[name], id);
}

static void
check_file(unsigned id, const char *folder, const char *text)
{
	char path[2 * PATH_TEXT];
	struct record r = {.size = 0};
	int fd, rc, name = index_of(text);

	(void)snprintf(path, sizeof(path), "%s/%s", folder, text);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	rc = fd == -1 ? errno : trailer_read(&volume_system, fd, &r);
	if (fd != -1)
		(void)close(fd);
	if (rc != 0 || name < 0) {
		violation(&tally.wrong, "%s: %s", path,
		    name < 0 ? "nobody stored that" : strerror(rc));
		return;
	}
	if (!holds(id, names[name] % PEERS_MAX))
		violation(&tally.other, "%s: peer %u should not hold %s", path,
		    id, r.deleted ? "its tombstone" : "it");
	if (r.deleted)
		found[name].removed++;
	else
		check_live(id, (unsigned)name, path, &r);
}

/* Each entry of a folder that there need not be. */
static void
each_entry(unsigned id, const char *folder,
    void (*each)(unsigned id, const char *folder, const char *name))
{
	DIR *dir = opendir(folder);
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			each(id, folder, e->d_name);
	if (dir != NULL)
		(void)closedir(dir);
}

static void
check_bucket(unsigned id, const char *folder, const char *name)
{
	char path[2 * PATH_TEXT];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	each_entry(id, path, check_file);
}

static void
must_not_be(unsigned id, const char *folder, const char *name)
{
	violation(&tally.other, "peer %u: %s/%s is left", id, folder, name);
}

static void
check_name(unsigned name, unsigned copies)
{
	const struct found *f = &found[name];

	if (history_settled(name) == 0 && f->live > 0)
		violation(&tally.wrong, "name %04u: %u hold it, it is removed",
		    names[name], f->live);
	if (history_settled(name) != 0 && f->live == 0)
		violation(
		    &tally.lost, "name %04u: nobody holds it", names[name]);
	else if (history_settled(name) != 0 && f->live != copies)
		violation(&tally.other, "name %04u: %u copies, not %u",
		    names[name], f->live, copies);
	if (f->live > 0 && f->removed > 0)
		violation(&tally.wrong,
		    "name %04u: %u have it, %u have it as removed", names[name],
		    f->live, f->removed);
	if (f->removed > 0 && f->removed != copies)
		violation(&tally.other,
		    "name %04u: %u have it as removed, not %u", names[name],
		    f->removed, copies);
}

void
stored_check(void)
{
	unsigned up = ring_count(PEER_UP);
	char folder[PATH_TEXT];

	for (unsigned id = 0; id < PEERS_MAX; id++) {
		if (!seen[id].known || seen[id].state != PEER_UP)
			continue;
		ring_folder(folder, id, "/files");
		each_entry(id, folder, check_bucket);
		ring_folder(folder, id, "/tmp");
		each_entry(id, folder, must_not_be);
		ring_folder(folder, id, "/damaged");
		each_entry(id, folder, must_not_be);
	}
	for (unsigned name = 0; name < settings.names; name++)
		check_name(name, up < COPIES ? up : COPIES);
}
