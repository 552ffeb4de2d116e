#ifndef SIM_EXERCISE_H
#define SIM_EXERCISE_H

/*
 * ringctl-sim --disk: the disk layer itself on a virtual volume. Random
 * commits, drops, marks and moves; calls that fail, bits that flip, and the
 * process or the power gone between any two calls; after each start, what
 * was acknowledged must be there. Returns the exit status.
 */
int exercise_main(int argc, char **argv);

#endif
