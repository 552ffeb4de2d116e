#ifndef SIM_DRAW_H
#define SIM_DRAW_H

#include "base/random.h"
#include "sim/plan.h"

/* A plan as it is drawn. Peers are named by their position in ids. */
struct draft {
	struct plan *plan;
	struct random random;
	bool with_files;
	uint64_t at_us;
	uint32_t unwanted; /* bits of kinds */
	uint16_t ids[NODES_MAX];
	uint64_t back_us[NODES_MAX]; /* down until then; 0: up */
	unsigned count, commands;
};

#define DOWN_FOREVER UINT64_MAX

/* draw.c: the dice, both ends included; 1 of n */
uint64_t draw_from(struct draft *, uint64_t low, uint64_t high);
bool draw_one_in(struct draft *, unsigned n);
/* From a few milliseconds to some seconds, every order as likely. */
uint64_t draw_time_us(struct draft *);
/* Steps at any time: they are sorted at the end. */
struct step *draw_add(struct draft *, enum verb, uint64_t at_us);
struct step *draw_add_to(
    struct draft *, enum verb, uint64_t at_us, unsigned at);
/* The first from an identifier or key on that should be up; none: nobody is. */
unsigned draw_first(const struct draft *, unsigned from, unsigned none);
unsigned draw_next(const struct draft *, unsigned at);
void draw_start(struct draft *, unsigned at, uint64_t after_us);
void draw_take_down(struct draft *, enum verb, unsigned at);
/* With a name of the plan's; NULL: a plan without files. */
struct step *draw_command(struct draft *, enum verb, unsigned at);

/* draw_set.c */
void draw_set(struct draft *);

#endif
