#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench.h"

/*
 * A closed loop against any of the stores: each client has a connection of
 * its own and one operation under way. All clients are one process, as each
 * store serves them: so what the client costs is the same for all.
 */
enum {
	CLIENTS_MAX = 50,
	VALUE_LEN = 4096,
	NAMES = 300, /* that are written, again and again */
	VALUES = NAMES + 1, /* so a name gets another value each time */
	NAME_ROOM = 8,
	LANE_ROOM = 40960, /* bytes of any answer, and of any request */
};

struct operation {
	bool put;
	char name[NAME_ROOM]; /* four digits */
	unsigned number; /* the name's digits as a number */
	unsigned value; /* which one is put */
};

struct target;

struct lane {
	const struct target *target;
	int fd;
	struct operation op;
	double began_ms;
	bool refused; /* this try */
	size_t len; /* of in */
	uint8_t in[LANE_ROOM];
	/* etcd's */
	uint32_t stream;
	size_t got; /* bytes of content in this answer */
};

struct target {
	const char *name;
	/* A blocking socket. */
	int (*open)(const struct target *);
	/* Writes the request for lane->op to out: its length. */
	size_t (*encode)(struct lane *, uint8_t out[LANE_ROOM]);
	/*
	 * Takes from lane->in: bytes taken, 0 when more are needed. Sets done
	 * at the end of the answer, and lane->refused when it has to be asked
	 * again; what can't be mended so ends this process.
	 */
	size_t (*decode)(struct lane *, bool *done);
	const struct ring *ring; /* ringctl's */
	bool random; /* at a random peer, not at the name's owner */
	const char *path; /* redis's socket */
	uint16_t port; /* etcd's leader */
	struct lane *lanes[CLIENTS_MAX];
	unsigned puts, gets; /* so far */
	unsigned refusals; /* each asked again, its time running on */
};

/* What is stored: VALUES of VALUE_LEN bytes, no two alike. */
extern uint8_t load_values[VALUES][VALUE_LEN];
void load_init(void);

void load_open(struct target *);
void load_close(struct target *);

/* Writes each name once. */
void load_fill(struct target *);

/* For so long, or so many operations: adds what each took, returns how many
 * were done in a second. */
double load_run(struct target *, unsigned clients, bool put, double slice_ms,
    unsigned ops_max, struct series *ms);

/* Sends all of it, or ends this process. */
void load_send(int fd, const void *, size_t len);

/* relay.c: through the supervisor of a ring. Sources and targets are files
 * of 4 KiB in folders here. */
void ring_target_init(
    struct target *, const char *name, const struct ring *, bool random);
/* The peer that a number's key belongs to: its place among ring->ids. */
unsigned ring_owner(const struct ring *, unsigned number);

/* service.c */
enum { SERVICE_COPIES = 3 };

/* Of processes that are no ring's; each in a folder of its own. */
struct service {
	const char *name, *program;
	char version[24];
	pid_t pids[SERVICE_COPIES];
};

/* Is the program here? Else says that its rows are skipped. */
bool service_find(struct service *, const char *name, const char *program);
/* One of them, in the folder NAMEi, with these words. */
void service_start(struct service *, unsigned i, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Ends this process when one of them has ended; else sleeps a little. */
void service_wait(const struct service *);
void service_stop(struct service *);

/* Start it and fill in the target; false: the program isn't here. */
bool redis_start(struct service *, struct target *, bool always);
bool etcd_start(struct service *, struct target *);

/* disk.c: floors. Each adds so many samples. */
void floor_flush(struct series *ms, unsigned processes, unsigned rounds);
void floor_round_trip(struct series *ms, unsigned rounds);

#endif
