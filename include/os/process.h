#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "os/why.h"

/* How a process ended, or that it stopped or went on. */
enum process_end {
	PROCESS_RUNNING, /* nothing new */
	PROCESS_EXITED, /* value: exit status */
	PROCESS_KILLED, /* value: signal */
};

struct process_status {
	enum process_end end;
	int value;
};

/*
 * Raises the limit of open descriptors to the hard one, and checks that it
 * holds `needed`. 0, or -1 with why, which names the limit.
 */
int process_limit_files(unsigned long needed, struct why *);

/*
 * What a child does first after fork: dies with its parent (pid), keeps only
 * standard input, output and error and the descriptors of keep, which become
 * 3, 4, ... in that order, has all signals as they were at the start of the
 * world, and a process group of its own. Exits if anything of that fails.
 */
void process_child(pid_t parent, const int *keep, size_t count);

/* Standard input and output, and error if told so, become /dev/null. */
int process_stdio_null(bool error_too);

/* A descriptor for a child, or -1 with errno. */
int process_open(pid_t);

/* 0, or -1 with errno. The child must not have been reaped. */
int process_signal(int pidfd, int signal);

/* Ends a child that nobody has seen, and reaps it. */
void process_discard(pid_t);

/* Reaps a child that has ended; never waits. */
struct process_status process_reap(int pidfd);

/*
 * The next child that was stopped (1) or continued (0) since the last call,
 * in *stopped. false: no more. Nobody is reaped.
 */
bool process_stopped(pid_t *pid, bool *stopped);

#endif
