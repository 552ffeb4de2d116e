/*
 * What each name has been through, and whether that can be. Every store has a
 * content of its own, so this is exact (Gibbons and Korach, "Testing Shared
 * Memories", 1997): a content's zone lies between the first end and the last
 * begin of the operations that show it. Where an end comes first, the content
 * was the current one all that time: no two such zones may overlap, and into
 * none may fall all of something else: another content, a remove that was
 * acknowledged, or a "no such file".
 *
 * A store or remove whose outcome is unknown may take effect at any time after
 * it began, or never: it counts from when a request shows it. But its version
 * was assigned by the next rest: nothing that is stored after that can lose
 * against it.
 */
#include <assert.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

struct history {
	struct op *ops;
	size_t count, room;
	uint32_t numbers; /* given out */
	uint32_t settled;
};

/* low > high: the current content from high to low at least. */
struct zone {
	uint64_t high; /* the first end */
	uint64_t low; /* the last begin */
	uint64_t begin; /* of the store */
	uint32_t number; /* 0: a remove, or a "no such file" */
	bool shown; /* it did take effect */
};

static struct history histories[NAMES_MAX];

uint32_t
history_number(unsigned name)
{
	return ++histories[name].numbers;
}

bool
history_has(unsigned name, unsigned long number)
{
	return number > 0 && number <= histories[name].numbers;
}

uint32_t
history_settled(unsigned name)
{
	return histories[name].settled;
}

void
history_init(unsigned name)
{
	/* At first there is nothing. */
	struct op op = {.command = COMMAND_REMOVE, .outcome = OUTCOME_ACKED};

	history_add(name, &op);
}

void
history_add(unsigned name, const struct op *op)
{
	struct history *h = &histories[name];

	if (h->count == h->room) {
		h->room = h->room ? 2 * h->room : 64;
		h->ops = reallocarray(h->ops, h->room, sizeof(*h->ops));
		if (h->ops == NULL)
			err(1, "memory");
	}
	h->ops[h->count++] = *op;
}

void
history_print(unsigned name, FILE *out)
{
	static const char *const outcomes[] = {
	    "acknowledged", "unknown", "found", "no such file"};
	const struct history *h = &histories[name];

	for (size_t i = 0; i < h->count; i++) {
		const struct op *op = &h->ops[i];

		(void)fprintf(out, "%.6f %.6f %s at %d: %s %u\n",
		    (double)op->begin_us / 1e6, (double)op->end_us / 1e6,
		    command_info(op->command)->word,
		    op->peer == NOBODY ? -1 : op->peer, outcomes[op->outcome],
		    op->number);
	}
}

static void
wrong(unsigned name, const struct zone *a, const struct zone *b)
{
	violation(&tally.wrong,
	    "name %04u: content %u was current from %.6f to %.6f, but %s %u "
	    "was so at a time from %.6f to %.6f",
	    names[name], a->number, (double)a->high / 1e6, (double)a->low / 1e6,
	    b->number ? "content" : "nothing,", b->number,
	    (double)(b->low < b->high ? b->low : b->high) / 1e6,
	    (double)(b->low < b->high ? b->high : b->low) / 1e6);
}

static void
extend(struct zone *z, uint64_t begin, uint64_t end)
{
	if (begin > z->low)
		z->low = begin;
	if (end < z->high)
		z->high = end;
}

/* The zone of each content at its number, then one of each absence. */
static size_t
zones_make(unsigned name, struct zone *zones)
{
	const struct history *h = &histories[name];
	size_t n = h->numbers + 1;

	for (size_t i = 0; i < n; i++)
		zones[i] = (struct zone){.high = UINT64_MAX};
	for (size_t i = 0; i < h->count; i++) {
		const struct op *op = &h->ops[i];
		struct zone *z = &zones[op->number];
		uint64_t end = op->end_us;

		if (op->number == 0) {
			if (op->outcome == OUTCOME_UNKNOWN)
				continue;
			z = &zones[n++];
			*z = (struct zone){.high = UINT64_MAX, .shown = true};
		}
		if (op->outcome == OUTCOME_UNKNOWN)
			end = UINT64_MAX;
		else
			z->shown = true;
		if (op->command == COMMAND_STORE) {
			z->number = op->number;
			z->begin = op->begin_us;
		}
		extend(z, op->begin_us, end);
	}
	return n;
}

/* From when on all that a request finds was begun after a time; or never. */
static uint64_t
overwritten_us(
    const struct history *h, const struct zone *zones, uint64_t after)
{
	uint64_t over = UINT64_MAX;

	for (size_t i = 0; i < h->count; i++) {
		const struct op *op = &h->ops[i];
		const struct zone *z = &zones[op->number];

		if (op->command == COMMAND_STORE && z->shown &&
		    z->begin > after && z->high < over)
			over = z->high;
	}
	return over;
}

/* Of a late one that a request returned. */
static void
check_late(unsigned name, const struct op *found, const struct zone *zones)
{
	const struct history *h = &histories[name];

	for (size_t i = 0; i < h->count; i++) {
		const struct op *op = &h->ops[i];

		if (op->number != found->number || !op->carried)
			continue;
		tally.late++;
		if (overwritten_us(h, zones, op->end_us) < found->begin_us)
			violation(&tally.wrong,
			    "name %04u: content %u, of an old store that "
			    "failed, was returned at %.6f instead of newer",
			    names[name], op->number,
			    (double)found->end_us / 1e6);
	}
}

/* Every content that a request returned has been stored, and not too late. */
static void
check_known(unsigned name, const struct zone *zones)
{
	const struct history *h = &histories[name];

	for (size_t i = 0; i < h->count; i++) {
		const struct op *op = &h->ops[i];
		const struct zone *z = &zones[op->number];

		if (op->outcome != OUTCOME_FOUND)
			continue;
		if (z->number == 0)
			violation(&tally.wrong,
			    "name %04u: content %u was returned from %.6f to "
			    "%.6f, and had been overwritten long ago",
			    names[name], op->number, (double)op->begin_us / 1e6,
			    (double)op->end_us / 1e6);
		else if (op->end_us < z->begin)
			violation(&tally.wrong,
			    "name %04u: content %u was returned before it was "
			    "stored",
			    names[name], op->number);
		else
			check_late(name, op, zones);
	}
}

/*
 * For "no such file", a remove must account: one that began before, and after
 * which nothing was stored that must have been there already.
 */
static bool
accounted(unsigned name, const struct op *absent, const struct zone *zones)
{
	const struct history *h = &histories[name];

	for (size_t i = 0; i < h->count; i++) {
		const struct op *op = &h->ops[i];
		bool never = op->outcome == OUTCOME_UNKNOWN && !op->carried;
		uint64_t end = never ? UINT64_MAX : op->end_us;

		if (op->command == COMMAND_REMOVE &&
		    op->begin_us <= absent->end_us &&
		    op->outcome <= OUTCOME_UNKNOWN &&
		    overwritten_us(h, zones, end) >= absent->begin_us)
			return true;
	}
	return false;
}

static void
check_absent(unsigned name, const struct zone *zones)
{
	const struct history *h = &histories[name];

	for (size_t i = 0; i < h->count; i++) {
		const struct op *op = &h->ops[i];

		if (op->outcome != OUTCOME_ABSENT || accounted(name, op, zones))
			continue;
		violation(&tally.lost,
		    "name %04u: \"no such file\" from %.6f to %.6f, though "
		    "nothing removed it",
		    names[name], (double)op->begin_us / 1e6,
		    (double)op->end_us / 1e6);
	}
}

static int
by_start(const void *a, const void *b)
{
	const struct zone *x = a, *y = b;
	uint64_t p = x->low < x->high ? x->low : x->high;
	uint64_t q = y->low < y->high ? y->low : y->high;

	return p < q ? -1 : p > q;
}

/* Sorted by where they start: a scan finds what lies in another. */
static void
check_order(unsigned name, struct zone *zones, size_t n)
{
	const struct zone *current = NULL;
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (zones[i].shown)
			zones[used++] = zones[i];
	qsort(zones, used, sizeof(*zones), by_start);
	for (size_t i = 0; i < used; i++) {
		const struct zone *z = &zones[i];
		bool forward = z->high < z->low;

		if (current != NULL && forward && z->high < current->low)
			wrong(name, current, z);
		if (current != NULL && !forward && z->low > current->high &&
		    z->high < current->low)
			wrong(name, current, z);
		if (forward && (current == NULL || z->low > current->low))
			current = z;
	}
}

/* What was found last is the beginning of what comes. */
static void
settle(unsigned name, uint64_t now)
{
	struct history *h = &histories[name];
	struct op last = {.command = COMMAND_REMOVE};
	size_t kept = 1;
	bool *shown;

	assert(h->numbers < UINT32_MAX);
	shown = calloc((size_t)h->numbers + 1, sizeof(*shown));
	if (shown == NULL)
		err(1, "memory");
	for (size_t i = 0; i < h->count; i++) {
		const struct op *op = &h->ops[i];

		shown[op->number] |= op->outcome != OUTCOME_UNKNOWN;
		if (op->outcome >= OUTCOME_FOUND)
			last = *op;
	}
	h->settled = last.number;
	last.command = last.number ? COMMAND_STORE : COMMAND_REMOVE;
	last.outcome = OUTCOME_ACKED;
	/* Those of unknown outcome may still come. */
	for (size_t i = 0; i < h->count; i++)
		if (h->ops[i].outcome == OUTCOME_UNKNOWN &&
		    (h->ops[i].number == 0 || !shown[h->ops[i].number])) {
			struct op op = h->ops[i];

			if (!op.carried)
				op.end_us = now;
			op.carried = true;
			h->ops[kept++] = op;
		}
	h->ops[0] = last;
	h->count = kept;
	free(shown);
}

void
history_check(unsigned name, uint64_t now)
{
	struct history *h = &histories[name];
	struct zone *zones = calloc(h->numbers + h->count + 1, sizeof(*zones));
	size_t n;

	if (zones == NULL)
		err(1, "memory");
	n = zones_make(name, zones);
	check_known(name, zones);
	check_absent(name, zones);
	check_order(name, zones, n);
	free(zones);
	settle(name, now);
}
