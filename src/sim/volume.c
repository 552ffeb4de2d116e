#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/vnodes.h"

static struct virtual_volume *
self(struct volume *v)
{
	return (struct virtual_volume *)(void *)v;
}

bool
virtual_coin(struct virtual_volume *v)
{
	return random_below(&v->random, 2) == 0;
}

/* Whether the process lives and this call of its works; else errno. */
static bool
alive(struct virtual_volume *v, bool writes)
{
	if (!v->dead && v->cut_at != 0 && v->calls >= v->cut_at)
		v->dead = true;
	v->calls++;
	if (v->dead) {
		errno = EIO;
		return false;
	}
	if (v->fail_at != 0 && v->calls >= v->fail_at &&
	    (writes || v->fail_errno != ENOSPC)) {
		v->fail_at = 0;
		errno = v->fail_errno;
		return false;
	}
	return true;
}

static int
node_of_fd(const struct virtual_volume *v, int fd)
{
	if (fd == VOLUME_ROOT_FD)
		return VOLUME_ROOT;
	assert(fd >= 0 && fd < VFDS_MAX && v->fds[fd] != -1);
	return v->fds[fd];
}

/*
 * The folder that a path's last part is in, and that part. False: a folder on
 * the way is missing.
 */
static bool
walk(const struct virtual_volume *v, int at, const char *path, int *folder,
    const char **last)
{
	const char *slash;
	char part[VNAME_LEN];
	int i;

	*folder = node_of_fd(v, at);
	while ((slash = strchr(path, '/')) != NULL) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		i = vnames_find(&v->now, *folder, part);
		if (i == -1)
			return false;
		*folder = v->now.at[i].node;
		path = slash + 1;
	}
	*last = path;
	return true;
}

int
vlookup(const struct virtual_volume *v, int at, const char *path)
{
	const char *last;
	int folder, i;

	if (strcmp(path, "..") == 0)
		return VOLUME_ROOT;
	if (strcmp(path, ".") == 0)
		return node_of_fd(v, at);
	if (!walk(v, at, path, &folder, &last))
		return -1;
	i = vnames_find(&v->now, folder, last);
	return i == -1 ? -1 : v->now.at[i].node;
}

static int
new_node(struct virtual_volume *v, bool folder)
{
	for (int i = 0; i < VNODES_MAX; i++) {
		if (v->nodes[i].used)
			continue;
		v->nodes[i] = (struct vnode){.used = true, .folder = folder};
		return i;
	}
	/* More than a run needs. */
	abort();
}

static void
grow(struct vnode *n, size_t len)
{
	size_t max = (len + 4095) / 4096 * 4096, sectors = max / SECTOR_LEN;

	if (len <= n->max)
		return;
	n->now = realloc(n->now, max);
	n->safe = realloc(n->safe, max);
	n->dirty = realloc(n->dirty, sectors * sizeof(*n->dirty));
	if (n->now == NULL || n->safe == NULL || n->dirty == NULL)
		abort();
	memset(n->now + n->max, 0, max - n->max);
	memset(n->safe + n->max, 0, max - n->max);
	memset(
	    n->dirty + n->max / SECTOR_LEN, 0, sectors - n->max / SECTOR_LEN);
	n->max = max;
}

static void
resize(struct vnode *n, size_t len)
{
	grow(n, len);
	if (len < n->len) {
		memset(n->now + len, 0, n->len - len);
		for (size_t i = len / SECTOR_LEN; i < n->max / SECTOR_LEN; i++)
			n->dirty[i] = true;
	}
	n->len = len;
}

static int
vopen(struct volume *volume, int at, const char *path, int flags)
{
	struct virtual_volume *v = self(volume);
	bool creates = (flags & O_CREAT) != 0;
	const char *last;
	int node, folder, fd = 0;

	if (!alive(v, creates))
		return -1;
	while (fd < VFDS_MAX && v->fds[fd] != -1)
		fd++;
	assert(fd < VFDS_MAX);
	node = vlookup(v, at, path);
	if (node != -1 && creates && (flags & O_EXCL) != 0) {
		errno = EEXIST;
		return -1;
	}
	if (node == -1 && (!creates || !walk(v, at, path, &folder, &last))) {
		errno = ENOENT;
		return -1;
	}
	if (node == -1 && v->full && virtual_coin(v)) {
		errno = ENOSPC;
		return -1;
	}
	if (node == -1) {
		node = new_node(v, false);
		vnames_change(v, v->change_number++, folder, last, node);
	}
	if ((flags & O_TRUNC) != 0)
		resize(&v->nodes[node], 0);
	v->fds[fd] = node;
	return fd;
}

static int
vclose(struct volume *volume, int fd)
{
	struct virtual_volume *v = self(volume);

	if (fd != VOLUME_ROOT_FD) {
		node_of_fd(v, fd);
		v->fds[fd] = -1;
	}
	return 0;
}

static int
vstat(struct volume *volume, int fd, struct volume_stat *out)
{
	struct virtual_volume *v = self(volume);
	const struct vnode *n = &v->nodes[node_of_fd(v, fd)];

	if (!alive(v, false))
		return -1;
	*out = (struct volume_stat){.size = n->len,
	    .inode = (uint64_t)(n - v->nodes),
	    .regular = !n->folder};
	return 0;
}

static ssize_t
vread(struct volume *volume, int fd, void *data, size_t len, uint64_t offset)
{
	struct virtual_volume *v = self(volume);
	const struct vnode *n = &v->nodes[node_of_fd(v, fd)];

	if (!alive(v, false))
		return -1;
	if (offset >= n->len)
		return 0;
	if (len > n->len - offset)
		len = n->len - (size_t)offset;
	memcpy(data, n->now + offset, len);
	return (ssize_t)len;
}

static ssize_t
vwrite(struct volume *volume, int fd, const void *data, size_t len,
    uint64_t offset)
{
	struct virtual_volume *v = self(volume);
	struct vnode *n = &v->nodes[node_of_fd(v, fd)];
	bool works = alive(v, true);
	size_t end;

	if (v->dead && v->calls > v->cut_at + 1)
		return -1;
	if (works && v->full && offset + len > n->len) {
		errno = ENOSPC;
		works = false;
	}
	/* What fails, or is cut, may have begun: some sectors are written. */
	if (!works) {
		end = (size_t)offset + random_below(&v->random, len + 1);
		end -= end % SECTOR_LEN;
		len = end > offset ? end - (size_t)offset : 0;
	}
	if (len == 0)
		return -1;
	end = (size_t)offset + len;
	if (end > n->len)
		resize(n, end);
	memcpy(n->now + offset, data, len);
	for (size_t i = offset / SECTOR_LEN; i * SECTOR_LEN < end; i++)
		n->dirty[i] = true;
	return works ? (ssize_t)len : -1;
}

static int
vtruncate(struct volume *volume, int fd, uint64_t size)
{
	struct virtual_volume *v = self(volume);

	if (!alive(v, true))
		return -1;
	resize(&v->nodes[node_of_fd(v, fd)], size);
	return 0;
}

void
vnode_save(struct vnode *n, size_t i)
{
	memcpy(n->safe + i * SECTOR_LEN, n->now + i * SECTOR_LEN, SECTOR_LEN);
	n->dirty[i] = false;
}

static void
flush_node(struct vnode *n)
{
	for (size_t i = 0; i < n->max / SECTOR_LEN; i++)
		if (n->dirty[i])
			vnode_save(n, i);
	n->safe_len = n->len;
}

/*
 * A flush that fails leaves some of it on the disk, and the system takes the
 * rest for clean: it may show it or not, and never writes it.
 */
static void
fail_flush(struct virtual_volume *v, struct vnode *n)
{
	bool shown = virtual_coin(v);

	v->flush_failed = true;
	for (size_t i = 0; i < n->max / SECTOR_LEN; i++) {
		if (!n->dirty[i])
			continue;
		if (virtual_coin(v))
			vnode_save(n, i);
		n->dirty[i] = false;
		if (!shown)
			memcpy(n->now + i * SECTOR_LEN,
			    n->safe + i * SECTOR_LEN, SECTOR_LEN);
	}
	n->safe_len = n->len;
}

static int
vflush(struct volume *volume, int fd)
{
	struct virtual_volume *v = self(volume);
	int node = node_of_fd(v, fd);
	struct vnode *n = &v->nodes[node];
	bool works = alive(v, true);

	if (!works && !v->dead && !n->folder)
		fail_flush(v, n);
	if (!works)
		return -1;
	if (n->folder)
		vnames_flush(v, node);
	else
		flush_node(n);
	return 0;
}

static int
vflush_all(struct volume *volume, int fd)
{
	struct virtual_volume *v = self(volume);
	bool works = alive(v, true);

	(void)fd;
	for (int i = 0; i < VNODES_MAX && !v->dead; i++) {
		if (!v->nodes[i].used || v->nodes[i].folder)
			continue;
		if (works || virtual_coin(v))
			flush_node(&v->nodes[i]);
		else
			fail_flush(v, &v->nodes[i]);
	}
	if (works)
		vnames_flush(v, -1);
	return works ? 0 : -1;
}

static int
vmkdir(struct volume *volume, int at, const char *path)
{
	struct virtual_volume *v = self(volume);
	const char *last;
	int folder;

	if (!alive(v, true))
		return -1;
	if (vlookup(v, at, path) != -1) {
		errno = EEXIST;
		return -1;
	}
	if (!walk(v, at, path, &folder, &last)) {
		errno = ENOENT;
		return -1;
	}
	vnames_change(v, v->change_number++, folder, last, new_node(v, true));
	return 0;
}

static int
vrename(struct volume *volume, int at, const char *from, const char *to)
{
	struct virtual_volume *v = self(volume);
	const char *last, *old;
	int folder, source, node;

	if (!alive(v, true))
		return -1;
	node = vlookup(v, at, from);
	if (node == -1 || !walk(v, at, to, &folder, &last)) {
		errno = ENOENT;
		return -1;
	}
	walk(v, at, from, &source, &old);
	vnames_change(v, v->change_number, folder, last, node);
	vnames_change(v, v->change_number++, source, old, -1);
	return 0;
}

static int
vunlink(struct volume *volume, int at, const char *path)
{
	struct virtual_volume *v = self(volume);
	const char *last;
	int folder;

	if (!alive(v, true))
		return -1;
	if (vlookup(v, at, path) == -1) {
		errno = ENOENT;
		return -1;
	}
	walk(v, at, path, &folder, &last);
	vnames_change(v, v->change_number++, folder, last, -1);
	return 0;
}

static int
vlist(struct volume *volume, int at, const char *path, struct volume_list *list)
{
	struct virtual_volume *v = self(volume);
	int node = vlookup(v, at, path);

	if (!alive(v, false))
		return -1;
	if (node == -1) {
		errno = ENOENT;
		return -1;
	}
	/* From the end: who is told may remove the name. */
	for (unsigned i = v->now.count; i-- > 0;)
		if (i < v->now.count && v->now.at[i].folder == node) {
			char name[VNAME_LEN];

			memcpy(name, v->now.at[i].name, sizeof(name));
			list->entry(list, name, (uint64_t)v->now.at[i].node);
		}
	return 0;
}

static void
vforget(struct volume *volume, int fd, uint64_t offset, uint64_t len)
{
	(void)volume;
	(void)fd;
	(void)offset;
	(void)len;
}

struct virtual_volume *
virtual_new(void)
{
	struct virtual_volume *v = calloc(1, sizeof(*v));

	if (v == NULL)
		abort();
	v->volume = (struct volume){.open = vopen,
	    .close = vclose,
	    .stat = vstat,
	    .read = vread,
	    .write = vwrite,
	    .truncate = vtruncate,
	    .flush = vflush,
	    .flush_data = vflush,
	    .flush_all = vflush_all,
	    .mkdir = vmkdir,
	    .rename = vrename,
	    .unlink = vunlink,
	    .list = vlist,
	    .forget = vforget};
	virtual_reset(v, 1);
	return v;
}

void
virtual_free(struct virtual_volume *v)
{
	virtual_reset(v, 1);
	free(v);
}
