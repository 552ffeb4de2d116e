#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "peer/drive.h"

static uint64_t
budget(const struct scrub *s)
{
	return s->driver->setup->scrub * SCRUB_SLICE_US / 1000000 + 1;
}

static void
begin_slice(struct scrub *s)
{
	s->bytes = 0;
	s->left = budget(s);
	workers_submit(&s->driver->workers, &s->job);
}

/* The records to read next; false: the pass is over. */
static bool
gather(struct scrub *s)
{
	uint64_t bytes = 0;

	s->count = s->at = s->damaged = s->gone = 0;
	while (s->count < SCRUB_ITEMS_MAX && bytes < budget(s)) {
		struct record *r = &s->items[s->count];

		if (!catalog_after(&s->driver->catalog, s->key, &s->name, r))
			break;
		s->key = (uint16_t)catalog_key(&s->driver->catalog, &r->name);
		s->name = r->name;
		bytes += r->size + TRAILER_LEN;
		s->count++;
	}
	return s->count > 0;
}

/* Reads what the slice's budget allows; a large file takes several. */
static void
run(struct job *job, uint8_t *buffer)
{
	struct scrub *s = CONTAINER(job, struct scrub, job);
	struct disk *disk = &s->driver->disk;

	while (s->at < s->count && s->left > 0) {
		struct record *r = &s->items[s->at];
		unsigned key =
		    (unsigned)catalog_key(&s->driver->catalog, &r->name);
		uint64_t before = s->verify.offset, read;
		int rc = verify_step(disk, key, r, &s->verify, buffer, s->left);

		read = rc == EAGAIN ? s->verify.offset - before
				    : r->size - before + TRAILER_LEN;
		s->bytes += read;
		s->left -= read < s->left ? read : s->left;
		if (rc == EAGAIN)
			continue;
		if (rc == EBADMSG)
			s->damaged |= 1u << s->at;
		if (rc == ENOENT && damage_gone(disk, key, &r->name))
			s->gone |= 1u << s->at;
		verify_end(disk, &s->verify);
		s->at++;
	}
}

static void
rest(struct scrub *s, uint64_t us)
{
	struct loop *loop = &s->driver->loop;

	timer_start(loop, &s->timer, loop->now_us + us);
}

static void
done(struct job *job)
{
	struct scrub *s = CONTAINER(job, struct scrub, job);
	uint64_t us = s->bytes * 1000000 / s->driver->setup->scrub;

	for (unsigned i = 0; i < s->count; i++) {
		if ((s->damaged & 1u << i) != 0)
			files_damaged_here(s->driver, &s->items[i]);
		if ((s->gone & 1u << i) != 0)
			files_gone_here(s->driver, &s->items[i]);
	}
	s->damaged = s->gone = 0;
	if (!s->driver->exiting)
		rest(s, us > SCRUB_SLICE_US ? us : SCRUB_SLICE_US);
}

static void
fire(struct timer *t)
{
	struct scrub *s = CONTAINER(t, struct scrub, timer);

	/* Whatever else there is to do goes first, but not for ever. */
	if (s->driver->workers.pending > 0 && s->yields++ < SCRUB_YIELDS_MAX) {
		rest(s, SCRUB_SLICE_US);
		return;
	}
	s->yields = 0;
	if (s->items == NULL)
		s->items = calloc(SCRUB_ITEMS_MAX, sizeof(*s->items));
	if (s->items == NULL)
		abort();
	if (s->at < s->count || gather(s)) {
		begin_slice(s);
		return;
	}
	free(s->items);
	s->items = NULL;
	s->key = 0;
	s->name.len = 0;
	rest(s, SCRUB_PAUSE_US);
}

void
scrub_init(struct driver *d)
{
	d->scrub =
	    (struct scrub){.driver = d, .job = {.run = run, .done = done}};
	timer_init(&d->scrub.timer, fire);
}

void
scrub_start(struct driver *d)
{
	if (d->setup->scrub > 0)
		rest(&d->scrub, SCRUB_FIRST_US);
}

void
scrub_stop(struct driver *d)
{
	timer_stop(&d->loop, &d->scrub.timer);
	if (d->workers.pending > 0)
		return;
	verify_end(&d->disk, &d->scrub.verify);
	free(d->scrub.items);
	d->scrub.items = NULL;
}
