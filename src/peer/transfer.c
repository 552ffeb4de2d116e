#include <sys/sendfile.h>
#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "peer/conn.h"
#include "peer/drive.h"
#include "peer/transfer.h"

/* The next bytes of the stream: 0: none now, see blocked and hangup. */
static size_t
take_bytes(struct transfer *t, uint8_t *buffer, size_t want)
{
	ssize_t n;

	if (t->early_len > 0) {
		if (want > t->early_len)
			want = t->early_len;
		memcpy(buffer, t->early, want);
		t->early += want;
		t->early_len -= want;
		return want;
	}
	do
		n = recv(t->fd, buffer, want, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		t->blocked = true;
	else if (n <= 0)
		t->hangup = true;
	return n > 0 ? (size_t)n : 0;
}

static size_t
part(const struct transfer *t, uint64_t end, size_t max)
{
	uint64_t left = end - t->offset;

	return left < max ? (size_t)left : max;
}

/* Out of the page cache; false: it failed. */
static bool
hash_up_to(struct transfer *t, uint8_t *buffer, uint64_t end)
{
	struct open_file *f = t->file;

	while (f->hashed < end) {
		uint64_t at = f->hashed, left = end - at;
		size_t want =
		    left < HELPER_BUFFER ? (size_t)left : HELPER_BUFFER;
		ssize_t n = pread(f->fd, buffer, want, (off_t)at);

		if (n <= 0) {
			t->file_error = n == -1                  ? errno
					: f->kind == FILE_SOURCE ? ESTALE
								 : EIO;
			return false;
		}
		file_hash(f, buffer, (size_t)n, at);
	}
	return true;
}

/*
 * The hash goes on where the bytes go on. After another beginning, what lies
 * before is read again; false: not all of it yet, or it failed.
 */
static bool
hash_catch_up(struct transfer *t, uint8_t *buffer)
{
	struct open_file *f = t->file;
	uint64_t most;

	if (f->hashed > t->offset)
		file_rehash(f);
	most = f->hashed + TRANSFER_BYTES * 4;
	return hash_up_to(t, buffer, most < t->offset ? most : t->offset) &&
	       f->hashed == t->offset;
}

/* A disk that is told early has less to do when all must be on it. */
static void
start_writeback(struct transfer *t)
{
	uint64_t len = t->offset - t->flushed;

	if (len < WRITEBACK_BYTES || t->file->kind != FILE_TEMP ||
	    !t->file->driver->disk.sync)
		return;
	sync_file_range(
	    t->file->fd, (off_t)t->flushed, (off_t)len, SYNC_FILE_RANGE_WRITE);
	t->flushed = t->offset;
}

static void
close_pipe(struct transfer *t)
{
	for (int i = 0; i < 2; i++) {
		if (t->pipe[i] != -1)
			close(t->pipe[i]);
		t->pipe[i] = -1;
	}
}

static bool
has_pipe(struct transfer *t)
{
	if (t->copies || t->early_len > 0)
		return false;
	if (t->pipe[0] != -1)
		return true;
	if (t->end - t->offset < TRANSFER_SPLICE_MIN)
		return false;
	t->copies = pipe2(t->pipe, O_CLOEXEC) == -1;
	if (t->copies)
		return false;
	/* Beyond what a user may have it stays small, and works. */
	fcntl(t->pipe[1], F_SETPIPE_SZ, TRANSFER_PIPE);
	return true;
}

/* What is in the pipe goes to the file, all of it. */
static void
empty_pipe(struct transfer *t, uint8_t *buffer, size_t len)
{
	off_t at = (off_t)t->offset;

	while (len > 0) {
		ssize_t n = t->copies
				? read(t->pipe[0], buffer,
				      len < HELPER_BUFFER ? len : HELPER_BUFFER)
				: splice(t->pipe[0], NULL, t->file->fd, &at,
				      len, SPLICE_F_MOVE);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EINVAL && !t->copies) {
			t->copies = true;
			continue;
		}
		if (n > 0 && t->copies) {
			t->file_error = volume_write(&volume_system,
			    t->file->fd, buffer, (size_t)n, (uint64_t)at);
			at += n;
		} else if (n <= 0) {
			t->file_error = n == 0 ? EIO : errno;
		}
		if (t->file_error != 0)
			return;
		len -= (size_t)n;
	}
}

/* Without a copy through here; as take_bytes(), and into the file. */
static size_t
splice_bytes(struct transfer *t, uint8_t *buffer, size_t want)
{
	ssize_t n;

	do
		n = splice(t->fd, NULL, t->pipe[1], NULL, want,
		    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		t->blocked = true;
	else if (n <= 0)
		t->hangup = true;
	if (n <= 0)
		return 0;
	empty_pipe(t, buffer, (size_t)n);
	if (t->file_error == 0 &&
	    hash_up_to(t, buffer, t->offset + (uint64_t)n))
		return (size_t)n;
	close_pipe(t);
	return 0;
}

static size_t
copy_bytes(struct transfer *t, uint8_t *buffer, size_t want)
{
	size_t n = take_bytes(t, buffer, want);

	if (n > 0)
		t->file_error = volume_write(
		    &volume_system, t->file->fd, buffer, n, t->offset);
	if (t->file_error != 0)
		return 0;
	file_hash(t->file, buffer, n, t->offset);
	return n;
}

static void
run_receive(struct job *job, uint8_t *buffer)
{
	struct transfer *t = CONTAINER(job, struct transfer, job);

	if (t->file->hashed != t->offset && !hash_catch_up(t, buffer))
		return;
	while (t->offset < t->end && t->moved < TRANSFER_BYTES) {
		size_t n = has_pipe(t) ? splice_bytes(t, buffer,
					     part(t, t->end, TRANSFER_PIPE))
				       : copy_bytes(t, buffer,
					     part(t, t->end, HELPER_BUFFER));

		if (n == 0)
			return;
		t->offset += n;
		t->moved += n;
		start_writeback(t);
	}
}

static ssize_t
send_copy(struct transfer *t, uint8_t *buffer)
{
	ssize_t n = pread(t->file->fd, buffer, part(t, t->limit, HELPER_BUFFER),
	    (off_t)t->offset);

	if (n > 0)
		return send(
		    t->fd, buffer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	t->file_error = n == 0 ? ESTALE : errno;
	return 0;
}

static ssize_t
send_content(struct transfer *t)
{
	const uint8_t *from = t->file->content + t->offset;
	ssize_t n = send(t->fd, from, part(t, t->limit, HELPER_BUFFER),
	    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0 && t->file->kind == FILE_SOURCE)
		file_hash(t->file, from, (size_t)n, t->offset);
	return n;
}

/*
 * A source is hashed as it is sent; what is ours was hashed when it came. If a
 * source changes between the two, the receiver's digest differs.
 */
static ssize_t
send_part(struct transfer *t, uint8_t *buffer)
{
	off_t at = (off_t)t->offset;
	ssize_t sent = -1;

	if (t->file->content != NULL)
		return send_content(t);
	if (!t->copies) {
		sent = sendfile(
		    t->fd, t->file->fd, &at, part(t, t->limit, HELPER_BUFFER));
		if (sent == -1 && (errno == EINVAL || errno == ENOSYS))
			t->copies = true;
		else if (sent == -1 && errno == EIO)
			t->file_error = EIO;
		else if (sent == 0)
			t->file_error = ESTALE;
	}
	if (t->copies)
		sent = send_copy(t, buffer);
	if (sent > 0 && t->file->kind == FILE_SOURCE &&
	    !hash_up_to(t, buffer, t->offset + (uint64_t)sent))
		return 0;
	return sent;
}

static void
run_send(struct job *job, uint8_t *buffer)
{
	struct transfer *t = CONTAINER(job, struct transfer, job);

	while (t->offset < t->limit && t->moved < TRANSFER_BYTES) {
		ssize_t n = send_part(t, buffer);

		if (n > 0) {
			t->offset += (uint64_t)n;
			t->moved += (uint64_t)n;
			continue;
		}
		if (t->file_error != 0)
			return;
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			t->blocked = true;
		else
			t->hangup = true;
		return;
	}
}

static void
run(struct job *job, uint8_t *buffer)
{
	struct transfer *t = CONTAINER(job, struct transfer, job);

	if (t->sends)
		run_send(job, buffer);
	else
		run_receive(job, buffer);
}

static void
done(struct job *job)
{
	struct transfer *t = CONTAINER(job, struct transfer, job);
	struct open_file *f = t->file;

	assert(t->state == TRANSFER_RUNNING);
	t->state = t->blocked ? TRANSFER_SOCKET : TRANSFER_READY;
	if (t->file_error != 0) {
		t->state = TRANSFER_STUCK;
		file_trouble(f, t->file_error);
	}
	if (!t->sends && t->offset > f->size) {
		f->size = t->offset;
		file_changed(f);
	}
	tcp_transferred(t);
}

void
transfer_init(struct transfer *t, struct tcp_conn *c, bool sends)
{
	*t = (struct transfer){.conn = c,
	    .sends = sends,
	    .fd = -1,
	    .pipe = {-1, -1},
	    .job = {.run = run, .done = done}};
}

void
transfer_begin(
    struct transfer *t, struct open_file *f, uint64_t offset, uint64_t size)
{
	assert(t->state == TRANSFER_IDLE);
	t->file = f;
	file_ref(f);
	t->offset = t->flushed = offset;
	t->end = offset + size;
	t->early = NULL;
	t->early_len = 0;
	t->copies = false;
	t->state = TRANSFER_READY;
	if (!t->sends && f->size > offset)
		f->size = offset;
}

static void
wait_for_file(struct transfer *t)
{
	t->state = TRANSFER_FILE;
	LIST_INSERT_HEAD(&t->file->waiting, t, waits);
}

void
transfer_go(struct transfer *t)
{
	struct open_file *f = t->file;

	if (t->state != TRANSFER_READY)
		return;
	if (f->failed) {
		t->state = TRANSFER_STUCK;
		return;
	}
	t->limit = f->size < t->end ? f->size : t->end;
	if (!f->ready || (t->sends && t->offset == t->limit)) {
		wait_for_file(t);
		return;
	}
	t->blocked = t->hangup = false;
	t->file_error = 0;
	t->moved = 0;
	t->state = TRANSFER_RUNNING;
	workers_submit(&f->driver->workers, &t->job);
}

bool
transfer_complete(const struct transfer *t)
{
	return t->state != TRANSFER_STUCK && t->offset == t->end &&
	       (t->sends || t->file->hashed == t->end);
}

void
transfer_wake(struct transfer *t)
{
	assert(t->state == TRANSFER_FILE);
	LIST_REMOVE(t, waits);
	t->state = TRANSFER_READY;
	tcp_touch(t->conn);
}

void
transfer_end(struct transfer *t)
{
	struct open_file *f = t->file;

	assert(t->state != TRANSFER_RUNNING);
	if (t->state == TRANSFER_IDLE)
		return;
	if (t->state == TRANSFER_FILE)
		LIST_REMOVE(t, waits);
	close_pipe(t);
	t->state = TRANSFER_IDLE;
	t->file = NULL;
	file_unref(f);
}
