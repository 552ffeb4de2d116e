#include <errno.h>
#include <unistd.h>

#include "peer/drive.h"
#include "peer/fileop.h"

/* What is asked of the peer's own disk, on a helper. */

static void
own_fail(struct file_op *op, enum file_kind kind, int err)
{
	if (err != 0)
		fileop_fail(op, file_error(kind, err), NULL, err);
}

void
run_open_stored(struct file_op *op, uint8_t *buffer)
{
	struct open_file *f = op->file;
	struct disk_content content;
	int rc =
	    disk_read(&op->driver->disk, op->key, &f->record, buffer, &content);

	f->fd = content.fd;
	f->content = content.small;
	op->damaged = rc == EBADMSG;
	op->gone = rc == ENOENT &&
		   damage_gone(&op->driver->disk, op->key, &f->record.name);
	own_fail(op, FILE_STORED, rc);
}

void
run_create_temp(struct file_op *op, uint8_t *buffer)
{
	(void)buffer;
	op->file->fd = disk_temp(&op->driver->disk, op->handle);
	if (op->file->fd == -1)
		own_fail(op, FILE_TEMP, errno);
	else
		op->file->leftover = true;
}

void
run_commit(struct file_op *op, uint8_t *buffer)
{
	struct disk *disk = &op->driver->disk;
	const uint8_t *content = op->file == NULL ? NULL : op->file->content;
	int rc;

	(void)buffer;
	/* A temporary file of that number may hold its beginning. */
	if (op->file != NULL && op->file->fd != -1)
		rc = disk_commit(disk, op->temp, op->file->fd, op->key,
		    &op->record, &op->placed);
	else
		rc = disk_commit_content(
		    disk, op->temp, content, op->key, &op->record, &op->placed);
	own_fail(op, FILE_TEMP, rc);
	if (op->file != NULL && op->placed)
		op->file->leftover = false;
}

void
run_commit_alone(struct file_op *op)
{
	run_commit(op, NULL);
}

void
run_mark(struct file_op *op, uint8_t *buffer)
{
	(void)buffer;
	disk_mark(&op->driver->disk, op->key, &op->record);
}

/* The next part of it. */
void
run_verify(struct file_op *op, uint8_t *buffer)
{
	int rc = verify_step(&op->driver->disk, op->key, &op->record,
	    &op->verify, buffer, FILE_COPY_BYTES);

	op->more = rc == EAGAIN;
	op->damaged = rc == EBADMSG;
	op->gone = rc == ENOENT &&
		   damage_gone(&op->driver->disk, op->key, &op->record.name);
	if (!op->more)
		verify_end(&op->driver->disk, &op->verify);
}

void
run_drop(struct file_op *op, uint8_t *buffer)
{
	(void)buffer;
	disk_drop(&op->driver->disk, op->key, &op->record);
}

void
run_persist(struct file_op *op, uint8_t *buffer)
{
	(void)buffer;
	own_fail(op, FILE_TEMP,
	    disk_write_incarnation(&op->driver->disk, op->incarnation));
}

void
run_view(struct file_op *op, uint8_t *buffer)
{
	(void)buffer;
	disk_write_view(&op->driver->disk, op->data, op->len);
}

void
run_release(struct file_op *op, uint8_t *buffer)
{
	struct open_file *f = op->file;

	(void)buffer;
	/* To close what was unlinked frees its blocks: that takes time. */
	if (f->leftover && f->kind == FILE_TEMP)
		disk_temp_remove(&f->driver->disk, f->handle.id);
	else if (f->leftover && f->temp != NULL)
		unlink(f->temp);
	file_close(f);
}

void
run_room(struct file_op *op, uint8_t *buffer)
{
	(void)buffer;
	disk_make_room(&op->driver->disk, op->key, &op->record);
}
