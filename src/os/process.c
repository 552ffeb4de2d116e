#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <assert.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/process.h"

enum { KEEP_MAX = 8, KEEP_FIRST = 3 };

int
process_limit_files(unsigned long needed, struct why *why)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return why_set(why, "limit of open files: %s", strerror(errno));
	if (limit.rlim_max < needed)
		return why_set(why,
		    "the limit of open files (RLIMIT_NOFILE, ulimit -Hn) is "
		    "%lu, and this ring needs %lu",
		    (unsigned long)limit.rlim_max, needed);
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
			return why_set(
			    why, "limit of open files: %s", strerror(errno));
	}
	return 0;
}

/* Moves the kept ones out of the way first: they may lie in 3, 4, ... */
static void
keep_descriptors(const int *keep, size_t count)
{
	int high[KEEP_MAX];

	assert(count <= KEEP_MAX);
	for (size_t i = 0; i < count; i++) {
		high[i] =
		    fcntl(keep[i], F_DUPFD_CLOEXEC, KEEP_FIRST + KEEP_MAX);
		if (high[i] == -1)
			fatal("descriptors of a new process");
	}
	for (size_t i = 0; i < count; i++) {
		if (dup3(high[i], KEEP_FIRST + (int)i, O_CLOEXEC) == -1)
			fatal("descriptors of a new process");
	}
	closefrom(KEEP_FIRST + (int)count);
}

static void
reset_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	/* Fails for those that can't be caught, and for libc's own. */
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		fatal("signals of a new process");
}

void
process_child(pid_t parent, const int *keep, size_t count)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		fatal("parent-death signal");
	/* It may have died before we asked. */
	if (getppid() != parent)
		_exit(1);
	keep_descriptors(keep, count);
	reset_signals();
	/* A terminal's Ctrl-C is the supervisor's alone. */
	if (setpgid(0, 0) == -1)
		fatal("process group");
}

int
process_stdio_null(bool error_too)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd == -1)
		return -1;
	if (dup2(fd, STDIN_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1 ||
	    (error_too && dup2(fd, STDERR_FILENO) == -1)) {
		close(fd);
		return -1;
	}
	if (fd > STDERR_FILENO)
		close(fd);
	return 0;
}

int
process_open(pid_t pid)
{
	return pidfd_open(pid, 0);
}

int
process_signal(int pidfd, int signal)
{
	return pidfd_send_signal(pidfd, signal, NULL, 0);
}

void
process_discard(pid_t pid)
{
	assert(pid > 0);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

struct process_status
process_reap(int pidfd)
{
	struct process_status status = {.end = PROCESS_RUNNING};
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) == -1)
		fatal("waitid");
	if (info.si_pid == 0)
		return status;
	status.end =
	    info.si_code == CLD_EXITED ? PROCESS_EXITED : PROCESS_KILLED;
	status.value = info.si_status;
	return status;
}

bool
process_stopped(pid_t *pid, bool *stopped)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	if (waitid(P_ALL, 0, &info, WSTOPPED | WCONTINUED | WNOHANG) == -1)
		return false; /* no children */
	if (info.si_pid == 0)
		return false;
	*pid = info.si_pid;
	*stopped = info.si_code == CLD_STOPPED;
	return true;
}
