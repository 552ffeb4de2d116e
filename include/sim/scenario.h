#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

struct sim;
struct node;

/* Named runs, each of one story; the seed only moves the times a little. */

/* Runs that one; false: there is none of that name. */
bool scenario_run(struct sim *, const char *name);
void scenario_list(void);

/* What they are made of: scenario.c. */

/* A space of 1 << bits, no ring yet, and three names to store. */
void scenario_begin(struct sim *, unsigned bits, unsigned copies);
/* Peers of these identifiers, which know each other's addresses; started. */
void scenario_nodes(struct sim *, const unsigned *ids, unsigned count);
void scenario_ring(struct sim *, const unsigned *ids, unsigned count);
/* The ring of the exercise, at rest: 2 4 5 8 9 14 19, 8 bits, 3 copies. */
void scenario_exercise(struct sim *);
/* Until the ring is at rest; a violation if that takes too long. */
void scenario_settle(struct sim *);
/* A violation unless it holds. */
void scenario_expect(struct sim *, bool holds, const char *what);
/* Every name, through peer id: all stores are acknowledged. */
void scenario_store_all(struct sim *, unsigned id);
/* Until every command has its reply, or 15 s. */
void scenario_finish_commands(struct sim *);
/* The view of peer id: its state of about. */
unsigned scenario_state(struct sim *, unsigned id, unsigned about);

/* The error of a request, or ERROR_timeout if there is no reply. */
unsigned scenario_request(struct sim *, unsigned id, unsigned name);
struct node *scenario_join(struct sim *, unsigned id, unsigned through);

/* scenario_kill.c */
void scenario_kill_two_adjacent(struct sim *);
void scenario_kill_in_a_store(struct sim *);
void scenario_kill_owner_in_upload(struct sim *);
void scenario_kill_owner_in_download(struct sim *);
void scenario_kill_joiner_in_import(struct sim *);
void scenario_kill_admitter_in_import(struct sim *);
void scenario_old_disk(struct sim *);
void scenario_kill_all_holders(struct sim *);
void scenario_kill_everything(struct sim *);
void scenario_kill_in_a_leave(struct sim *);
void scenario_race_of_owners(struct sim *);
void scenario_kill_half(struct sim *);
void scenario_kill_half_of_starved(struct sim *);

/* scenario_disk.c */
void scenario_stop_a_replica(struct sim *);
void scenario_delayed_duplicate(struct sim *);
void scenario_ten_at_once(struct sim *);
void scenario_bad_disk(struct sim *);
void scenario_flipped_bits(struct sim *);
void scenario_sizes(struct sim *);
void scenario_power_off(struct sim *);

/* scenario_start.c */
void scenario_new_ring(struct sim *);
void scenario_new_ring_of_some(struct sim *);
void scenario_wipe_at_start(struct sim *);
void scenario_quit_at_start(struct sim *);
void scenario_disk_lost_at_start(struct sim *);

/* scenario_files.c */
void scenario_kills_one_by_one(struct sim *);
void scenario_heal_with_strays(struct sim *);
void scenario_resume_overwritten(struct sim *);
void scenario_quit_of_all_holders(struct sim *);

/* scenario_repair.c */
void scenario_resume_download(struct sim *);
void scenario_stored_on_both_sides(struct sim *);
void scenario_many_files(struct sim *);

#endif
