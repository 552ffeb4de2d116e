#include <string.h>

#include "super/check.h"

/* The records of all witnesses, merged by key and name. */

static struct holding holdings[SPACE_MAX]; /* of one name */

static int
compare(const struct witness *a, const struct witness *b)
{
	const struct name *x = &a->page.at[a->at].name;
	const struct name *y = &b->page.at[b->at].name;
	int cmp;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	cmp = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
	return cmp != 0 ? cmp : x->len - y->len;
}

/* The witness with the first name; NULL: nobody has more. *wait: too early. */
static struct witness *
first(struct check *k, bool *wait)
{
	struct witness *best = NULL;

	*wait = false;
	for (unsigned i = 0; i < k->count; i++) {
		struct witness *w = k->all[i];

		*wait |= w->asked;
		if (!w->over && !w->asked &&
		    (best == NULL || compare(w, best) < 0))
			best = w;
	}
	return best;
}

static void
judge(struct check *k, const struct witness *best)
{
	struct witness *has[SPACE_MAX];
	unsigned key = best->key, copies;
	size_t n = 0;

	for (unsigned i = 0; i < k->count; i++) {
		struct witness *w = k->all[i];

		if (w->over || compare(w, best) != 0)
			continue;
		has[n] = w;
		holdings[n++] =
		    (struct holding){w->id, w->down, &w->page.at[w->at]};
	}
	copies = verify_file(&k->situation, key, holdings, n, &k->found);
	k->files += copies > 0;
	k->copies += copies;
	for (size_t i = 0; i < n; i++)
		has[i]->at++;
}

/* Those whose page is used up are asked for the next. */
static void
turn_pages(struct check *k)
{
	for (unsigned i = 0; i < k->count && k->phase == CHECK_FILES; i++) {
		struct witness *w = k->all[i];

		if (!w->over && !w->asked && w->at == w->page.count)
			witness_ask_records(w);
	}
}

static void
merge(struct check *k)
{
	const struct witness *best;
	bool wait;

	while (k->phase == CHECK_FILES) {
		best = first(k, &wait);
		if (wait)
			return;
		if (best == NULL) {
			check_passed(k);
			return;
		}
		judge(k, best);
		turn_pages(k);
	}
}

void
files_begin(struct check *k)
{
	k->phase = CHECK_FILES;
	k->files = k->copies = 0;
	for (unsigned i = 0; i < k->count; i++) {
		struct witness *w = k->all[i];

		w->over = idset_has(&k->unread, w->id);
		w->asked = false;
		w->key = 0;
		w->at = w->page.count = 0;
	}
	turn_pages(k);
	merge(k);
}

void
files_records(struct witness *w, const struct msg_records *m)
{
	struct check *k = w->check;

	if (k->phase != CHECK_FILES || !w->asked || w->op != m->op)
		return;
	w->asked = false;
	if (!w->down && m->hash != w->hash) {
		check_again(k, "the view of peer %u changes", w->id);
		return;
	}
	w->key = m->key;
	w->page = m->list;
	w->over = m->list.count == 0;
	check_await(k);
	merge(k);
}
