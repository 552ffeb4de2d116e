#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/recover.h"
#include "os/loop.h"
#include "peer/catalog.h"
#include "peer/home.h"
#include "peer/records.h"
#include "peer/run.h"
#include "wire/frame.h"
#include "wire/words.h"

/* All that is needed of a peer to say what lies on its disk. */
struct inventory {
	struct catalog catalog;
	struct disk disk;
	struct disk_scan scan;
	int in, out;
	size_t len; /* of what was read and not yet answered */
	uint8_t unread[2 * FRAME_LEN_MAX];
	uint8_t frame[FRAME_LEN_MAX];
};

void
records_answer(struct catalog *c, const struct msg_records_ask *ask,
    struct msg_records *out)
{
	struct index x = catalog_index(c);
	const struct name *after = ask->name.len > 0 ? &ask->name : NULL;

	memset(out, 0, sizeof(*out));
	out->op = ask->op;
	for (unsigned key = ask->key; key < 1u << c->bits; key++) {
		struct record *r = out->list.at;

		while (out->list.count < RECORDS_MAX &&
		       x.next(x.ctx, (uint16_t)key, after, r)) {
			out->list.count++;
			after = &r++->name;
		}
		after = NULL;
		out->key = (uint16_t)key;
		if (out->list.count > 0)
			return;
	}
}

static void
good(struct disk_scan *s, const struct record *r)
{
	struct inventory *v = CONTAINER(s, struct inventory, scan);

	if (catalog_key(&v->catalog, &r->name) >= 0 &&
	    catalog_put(&v->catalog, r) == -1)
		abort();
}

static unsigned
key_of(struct disk_scan *s, const struct name *name)
{
	struct inventory *v = CONTAINER(s, struct inventory, scan);

	return (unsigned)catalog_key(&v->catalog, name);
}

/* What is damaged is no copy. */
static void
bad(struct disk_scan *s, const char *name, const char *reason)
{
	(void)s;
	(void)name;
	(void)reason;
}

static void
lost(struct disk_scan *s, const struct record *r)
{
	(void)s;
	(void)r;
}

/* 0, or -1: nobody reads it any more. */
static int
say(struct inventory *v, const struct message *m)
{
	size_t len = frame_encode(m, v->frame, sizeof(v->frame)), sent = 0;

	while (sent < len) {
		ssize_t n = write(v->out, v->frame + sent, len - sent);

		if (n == -1 && errno != EINTR)
			return -1;
		sent += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int
answer(struct inventory *v, struct message *m)
{
	struct msg_records_ask ask = m->records_ask;

	if (m->type != MSG_records_ask)
		return -1;
	m->type = MSG_records;
	records_answer(&v->catalog, &ask, &m->records);
	return say(v, m);
}

/* One read, and what it asks for. 0, or -1: that was the last. */
static int
turn(struct inventory *v)
{
	static struct message m;
	ssize_t n = read(v->in, v->unread + v->len, sizeof(v->unread) - v->len);
	size_t at = 0;
	long used;

	if (n <= 0)
		return n == -1 && errno == EINTR ? 0 : -1;
	v->len += (size_t)n;
	while ((used = frame_decode(&m, v->unread + at, v->len - at)) > 0) {
		at += (size_t)used;
		if (answer(v, &m) == -1)
			return -1;
	}
	v->len -= at;
	memmove(v->unread, v->unread + at, v->len);
	return used < 0 ? -1 : 0;
}

static int
set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags == -1 ? -1 : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

int
inventory_run(const struct peer_setup *setup)
{
	struct inventory *v = calloc(1, sizeof(*v));
	struct message m = {.type = MSG_started};
	int rc;

	if (v == NULL ||
	    catalog_init(&v->catalog, setup->bits, setup->any_names) == -1)
		abort();
	v->in = setup->in;
	v->out = setup->out;
	v->scan = (struct disk_scan){
	    .key = key_of, .good = good, .bad = bad, .lost = lost};
	rc = home_open(&v->disk, setup->data, false, &m.started.text);
	if (rc == 0 && (rc = disk_scan(&v->disk, &v->scan)) != 0)
		text_set(&m.started.text, strerror(rc));
	m.started.error = rc == 0 ? ERROR_none : ERROR_system;
	if (set_blocking(v->in) == 0 && set_blocking(v->out) == 0 &&
	    say(v, &m) == 0 && rc == 0)
		while (turn(v) == 0)
			;
	disk_close(&v->disk);
	catalog_free(&v->catalog);
	free(v);
	return rc == 0 ? EXIT_DONE : EXIT_FAILED;
}
