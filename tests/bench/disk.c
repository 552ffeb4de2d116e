/* What this machine's disk and scheduler can do at all. */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <assert.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "load.h"

enum {
	RECORD = 4608, /* 4 KiB and what a journal says of it */
	FILE_LEN = 1 << 20,
	PROCESSES_MAX = 3,
	ROUNDS_MAX = 64,
	WORDS = 256,
};

/* Zeros, all of it on the disk: so a flush has no block to find. */
static int
journal_open(unsigned i)
{
	static const uint8_t zeros[FILE_LEN];
	char path[WHAT_LEN_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "floor%u", i);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || pwrite(fd, zeros, FILE_LEN, 0) != FILE_LEN ||
	    fsync(fd) != 0 || unlink(path) != 0)
		err(1, "%s", path);
	return fd;
}

static void
flush_often(int fd, unsigned rounds, double *ms)
{
	static const uint8_t record[RECORD] = {1};

	for (unsigned i = 0; i < rounds; i++) {
		off_t at = (off_t)i * RECORD % (FILE_LEN - RECORD);
		double began = now_ms();

		if (pwrite(fd, record, RECORD, at) != RECORD ||
		    fdatasync(fd) != 0)
			err(1, "fdatasync");
		ms[i] = now_ms() - began;
	}
}

void
floor_flush(struct series *ms, unsigned processes, unsigned rounds)
{
	size_t size = PROCESSES_MAX * ROUNDS_MAX * sizeof(double);
	double *took = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[PROCESSES_MAX];
	int files[PROCESSES_MAX];

	assert(processes <= PROCESSES_MAX && rounds <= ROUNDS_MAX);
	deadline("the floor of put");
	if (took == MAP_FAILED)
		err(1, "mmap");
	for (unsigned i = 0; i < processes; i++)
		files[i] = journal_open(i);
	for (unsigned i = 0; i < processes; i++) {
		pids[i] = child_fork();
		if (pids[i] == 0) {
			flush_often(files[i], rounds, took + i * ROUNDS_MAX);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < processes; i++) {
		int status;

		if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
			errx(1, "the floor of put");
		(void)close(files[i]);
		for (unsigned k = 0; k < rounds; k++)
			series_add(ms, took[i * ROUNDS_MAX + k]);
	}
	(void)munmap(took, size);
}

void
floor_round_trip(struct series *ms, unsigned rounds)
{
	uint8_t words[WORDS] = {0};
	int ends[2];
	pid_t pid;

	deadline("the floor of get");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		err(1, "socketpair");
	pid = child_fork();
	if (pid == 0) {
		while (read(ends[1], words, sizeof(words)) > 0 &&
		       write(ends[1], words, sizeof(words)) > 0)
			continue;
		_exit(0);
	}
	for (unsigned i = 0; i < rounds; i++) {
		double began = now_ms();

		if (write(ends[0], words, sizeof(words)) < 0 ||
		    read(ends[0], words, sizeof(words)) <= 0)
			err(1, "the floor of get");
		series_add(ms, now_ms() - began);
	}
	child_end(pid);
	(void)close(ends[0]);
	(void)close(ends[1]);
}
