#ifndef OS_WORKER_H
#define OS_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/loop.h"

/*
 * Helper threads for whatever may wait for a disk. They start at first use,
 * end when idle for a while, and report through an eventfd of the loop. Jobs
 * are embedded in their owners, which bound how many there are.
 */
enum {
	HELPERS_MAX = 2,
	HELPER_STACK = 256 * 1024, /* bytes, of which few are touched */
	HELPER_BUFFER = 256 * 1024, /* bytes lent to each job */
	HELPER_IDLE_MS = 2000,
};

struct job {
	void (*run)(struct job *, uint8_t *buffer); /* on a helper thread */
	void (*done)(struct job *); /* on the loop; may free the owner */
	struct job *next;
};

struct job_list {
	struct job *head, *last;
};

struct workers {
	struct loop *loop;
	struct source source; /* the eventfd */
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake, gone;
	struct job_list waiting, finished;
	unsigned threads, idle, queued;
	bool stopping;
	size_t pending; /* submitted and not reported; the loop's alone */
};

/* 0, or -1 with errno. Starts no thread. */
int workers_init(struct workers *, struct loop *);

/* Waits for the jobs under way; what they would report is dropped. */
void workers_free(struct workers *);

/*
 * Hands j, whose run and done are set, to a helper. It must stay where it is
 * until done was called. Jobs start in this order but may end in another.
 */
void workers_submit(struct workers *, struct job *j);

#endif
