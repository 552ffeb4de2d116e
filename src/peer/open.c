#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "peer/drive.h"
#include "peer/fileop.h"

/* Small files that are opened and read on the loop, out of memory. */

void
open_here_init(struct driver *d)
{
	struct stat st;

	if (fstat(d->disk.dir_fd, &st) == 0)
		d->files.device = st.st_dev;
}

/*
 * Looks at a path without opening it: a regular, small file where this peer's
 * own are, so that it lies on a disk that is known. 0 or -1.
 */
static int
look_now(struct driver *d, const char *path)
{
	int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
	struct statx st = {.stx_mode = 0};
	int fd = volume_system.open_now(&volume_system, AT_FDCWD, path, O_PATH);
	bool fits;

	if (fd == -1)
		return -1;
	fits = statx(fd, "", flags, STATX_BASIC_STATS, &st) == 0 &&
	       S_ISREG(st.stx_mode) && st.stx_size <= SMALL_MAX &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == d->files.device;
	close(fd);
	return fits ? 0 : -1;
}

/* The same as load_source, of what is in the system's memory. */
static bool
load_now(struct file_op *op)
{
	struct open_file *f = op->file;
	struct volume *v = &volume_system;

	if (source_remember(f) != 0 || f->size > SMALL_MAX)
		return false;
	f->content = malloc(f->size + 1);
	if (f->content == NULL)
		abort();
	if (v->read_now(v, f->fd, f->content, f->size, 0) == (ssize_t)f->size) {
		source_again(op);
		if (op->error == ERROR_none)
			file_hash(f, f->content, f->size, 0);
		return true;
	}
	free(f->content);
	f->content = NULL;
	return false;
}

static bool
open_source_now(struct file_op *op)
{
	struct open_file *f = op->file;
	struct volume *v = &volume_system;
	bool done;

	if (look_now(op->driver, f->path) == -1)
		return false;
	f->fd =
	    v->open_now(v, AT_FDCWD, f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	done = f->fd != -1 && load_now(op);
	file_close(f);
	return done;
}

static bool
open_stored_now(struct file_op *op)
{
	struct driver *d = op->driver;
	struct disk_content content;

	if (disk_read_now(&d->disk, op->key, &op->file->record, d->here.buffer,
		&content) != 0)
		return false;
	op->file->content = content.small;
	return true;
}

bool
open_here(struct file_op *op)
{
	struct here *here = &op->driver->here;
	bool done = false;
	uint64_t began;

	if ((op->type != ACT_OPEN_STORED && op->type != ACT_OPEN_SOURCE) ||
	    (began = here_begin(here)) == 0)
		return false;
	if (op->type == ACT_OPEN_STORED)
		done = open_stored_now(op);
	else
		done = open_source_now(op);
	here_end(here, began);
	return done;
}
