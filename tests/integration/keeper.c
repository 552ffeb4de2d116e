/*
 * keeper SECONDS COMMAND [ARG ...]
 *
 * Runs a test in a process group of its own and inherits whatever it leaves
 * behind, daemons too. When the test ends, or its time is over, or the keeper
 * is told to stop, all of that is killed. Exits as the test did; 124: time
 * was over.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void
on_signal(int signo)
{
	stopped = signo;
}

static pid_t
parent_of(const char *pid)
{
	char path[64], line[512];
	const char *after;
	size_t n;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	n = fread(line, 1, sizeof(line) - 1, file);
	(void)fclose(file);
	line[n] = '\0';
	after = strrchr(line, ')');
	if (after == NULL || strlen(after) < 4)
		return -1;
	return (pid_t)strtol(after + 4, NULL, 10);
}

/* Kills every child; grandchildren become children when those are reaped. */
static void
kill_children(void)
{
	const struct dirent *entry;
	DIR *proc = opendir("/proc");

	if (proc == NULL)
		err(1, "/proc");
	while ((entry = readdir(proc)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		if (parent_of(entry->d_name) == getpid())
			(void)kill(
			    (pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
	}
	(void)closedir(proc);
}

static void
clean_up(void)
{
	for (;;) {
		kill_children();
		if (waitpid(-1, NULL, 0) == -1 && errno == ECHILD)
			return;
	}
}

static int
wait_for(pid_t test)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, 0);
		if (pid == test)
			return WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
		if (pid == -1 && errno == EINTR && stopped != 0)
			return stopped == SIGALRM ? 124 : 128 + stopped;
		if (pid == -1 && errno != EINTR)
			err(1, "waitpid");
	}
}

static pid_t
start(char **command)
{
	pid_t test = fork();

	if (test == -1)
		err(1, "fork");
	if (test == 0) {
		(void)setpgid(0, 0);
		execvp(command[0], command);
		err(127, "%s", command[0]);
	}
	(void)setpgid(test, test);
	return test;
}

int
main(int argc, char **argv)
{
	const int signals[] = {SIGALRM, SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};
	int status;

	if (argc < 3)
		errx(2, "usage: keeper SECONDS COMMAND [ARG ...]");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		err(1, "prctl");
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
	(void)alarm((unsigned)strtoul(argv[1], NULL, 10));
	status = wait_for(start(argv + 2));
	(void)alarm(0);
	clean_up();
	if (status == 124)
		(void)printf("# %s: not done in %s s\n", argv[2], argv[1]);
	return status;
}
