#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

/*
 * What the sections share. Each runs in a process of its own: whatever can't
 * be measured ends it, by err(), and with it the processes that it started.
 */
enum {
	SAMPLES_MAX = 16384,
	BENCH_PEERS_MAX = 256,
	WHAT_LEN_MAX = 48,
	NOTE_LEN_MAX = 128,
	WAIT_SECONDS = 120, /* that any one thing may take */
};

struct bench_options {
	bool quick; /* few rounds, small files, rings of seven */
	unsigned rounds; /* of everything; 0: as each section thinks */
	uint16_t port; /* this one and BENCH_PEERS_MAX - 1 more are free */
};

extern struct bench_options bench;

/* How often something is measured: as asked for, few if quick, or many. */
unsigned bench_rounds(unsigned many, unsigned few);

/* main.c holds the table of these. */
void bench_up(void);
void bench_exec(void);
void bench_kill(void);
void bench_files(void);
void bench_idle(void);
void bench_hops(void);
void bench_small(void);
void bench_small_nosync(void);
void bench_first(void);

/* report.c */

enum unit { UNIT_MS, UNIT_KIB, UNIT_PERCENT, UNIT_HOPS, UNIT_PER_SECOND };

struct series {
	size_t n;
	double v[SAMPLES_MAX];
};

struct summary {
	size_t n; /* 0: not measured, and all else is 0 */
	double median, mean, min, max, p99;
};

struct row {
	const char *section;
	char what[WHAT_LEN_MAX];
	enum unit unit;
	bool by_mean; /* the mean counts, not the median */
	uint64_t bytes; /* moved in that time; 0: none */
	double per_second; /* operations that it allowed; 0: not counted */
	double ratio_max, value_max, speed_min; /* goals; 0: none. The last
						   in % of the floor's speed */
	char also[WHAT_LEN_MAX]; /* for whoever reads the table */
	struct summary measured, floor;
};

void series_add(struct series *, double);
struct summary series_summary(const struct series *);

/* Memory for the rows, which this process and its children share. */
void report_init(void);
/* The head of the table, or of one section's part of it. */
void report_head(const char *section);
/* Prints a row, completed by the numbers; floor may be NULL. Keeps it. */
void report_row(
    struct row *, const struct series *measured, const struct series *floor);
/* A line for whoever reads the table; kept, too. */
void report_note(const char *);
/* All rows as JSON: main.c says how. */
void report_write(const char *path, const char *const *failed, size_t count);

/* process.c */

double now_ms(void); /* CLOCK_MONOTONIC */
void sleep_ms(unsigned);

/* Ends this process, saying what it was at, unless called again in time. */
void deadline(const char *doing);

/* fork; the child dies with its parent. */
pid_t child_fork(void);
void child_end(pid_t);

/* Waits for and takes one byte. */
void byte_await(int fd);

/* A TCP socket that listens on loopback; and one connected to it. */
int loopback_listen(uint16_t *port);
int loopback_connect(uint16_t port);

/*
 * Runs a command, its words separated by blanks, to its end, which must be
 * good: milliseconds from before it was spawned.
 */
double command_ms(const char *command, const char *out);
double ringctl_ms(const char *, ...) __attribute__((format(printf, 1, 2)));

/* An array of what ringctl printed, one element for each line. */
json_t *ringctl_json(const char *, ...) __attribute__((format(printf, 1, 2)));

/* kill.c: SIGKILL to a process until its TCP connection hangs up. */
double kill_floor_ms(void);

/* ring.c */

/* A ring of our own. Most sections have one up at a time. */
struct ring {
	char name[WHAT_LEN_MAX], conf[2 * WHAT_LEN_MAX];
	unsigned n;
	uint16_t ids[BENCH_PEERS_MAX];
	pid_t pids[BENCH_PEERS_MAX]; /* as ring_look() saw them */
	pid_t supervisor;
};

/* The textbook's seven, or n evenly spread; with these lines of config. */
void ring_init(struct ring *, unsigned n, const char *directives);
double ring_up(const struct ring *);
double ring_down(const struct ring *);
/* All that are up in this folder of ours. */
void rings_down(void);
void ring_wipe(const struct ring *);
void ring_look(struct ring *);

#endif
