/*
 * terminal LOG FIFO COMMAND [ARG ...]
 *
 * Runs a command on a pseudo-terminal of its own, as its session's leader in
 * the foreground. Whatever is written into FIFO (made if missing; any number
 * of writers, one after the other) is typed there: \003 is Ctrl-C, \004
 * Ctrl-D, \023 and \021 are Ctrl-S and Ctrl-Q. Whatever the command prints is
 * appended to LOG, which is made empty first. Nothing is echoed, and line
 * ends stay as they are, so that LOG is what the command wrote. Killing the
 * terminal hangs up. Exits as the command did, with 128 + its signal if it
 * was killed.
 */
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

struct terminal {
	int master, log, fifo;
	char typed[4096]; /* from the FIFO, not yet in the terminal */
	size_t start, end;
};

/* A shell's jobs in the background ignore what a terminal sends. */
static void
reset_signals(void)
{
	const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE,
	    SIGTSTP, SIGTTIN, SIGTTOU};
	sigset_t none;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
become(char **command, int master)
{
	const char *name = ptsname(master);
	int slave;

	reset_signals();
	if (setsid() == -1)
		err(127, "setsid");
	slave = name != NULL ? open(name, O_RDWR) : -1;
	if (slave == -1 || ioctl(slave, TIOCSCTTY, 0) == -1)
		err(127, "pseudo-terminal");
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(slave, fd);
	if (slave > 2)
		(void)close(slave);
	execvp(command[0], command);
	err(127, "%s", command[0]);
}

static void
keep(int log, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(log, data, len);

		if (n == -1)
			err(1, "log");
		data += n;
		len -= (size_t)n;
	}
}

/* False: there is nothing more, now or ever. */
static bool
print(const struct terminal *t)
{
	char data[4096];
	ssize_t n = read(t->master, data, sizeof(data));

	if (n > 0)
		keep(t->log, data, (size_t)n);
	return n > 0;
}

static void
type(struct terminal *t)
{
	ssize_t n = write(t->master, t->typed + t->start, t->end - t->start);

	if (n > 0)
		t->start += (size_t)n;
}

static void
take(struct terminal *t)
{
	ssize_t n = read(t->fifo, t->typed, sizeof(t->typed));

	t->start = 0;
	t->end = n > 0 ? (size_t)n : 0;
}

/* Until the command has ended. */
static void
serve(struct terminal *t, int ended)
{
	struct pollfd p[] = {{.fd = ended, .events = POLLIN}, {.fd = t->master},
	    {.fd = t->fifo, .events = POLLIN}};

	while (p[0].revents == 0) {
		bool typing = t->start < t->end;

		p[1].events = (short)(POLLIN | (typing ? POLLOUT : 0));
		p[2].fd = typing ? -1 : t->fifo;
		if (poll(p, 3, -1) == -1 && errno != EINTR)
			err(1, "poll");
		/* Closed for a while is no end. */
		if ((p[1].revents & POLLHUP) != 0 && !print(t))
			(void)poll(p, 1, 20);
		else if ((p[1].revents & POLLIN) != 0)
			(void)print(t);
		if ((p[1].revents & POLLOUT) != 0)
			type(t);
		if (!typing && (p[2].revents & POLLIN) != 0)
			take(t);
	}
	while (print(t))
		;
}

/* As it shall be, before anybody can type. */
static void
open_master(struct terminal *t)
{
	struct termios settings;

	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (t->master == -1 || grantpt(t->master) == -1 ||
	    unlockpt(t->master) == -1 || tcgetattr(t->master, &settings) == -1)
		err(1, "pseudo-terminal");
	settings.c_lflag &= ~(tcflag_t)ECHO;
	/* Ctrl-C must not cost what was printed before it. */
	settings.c_lflag |= NOFLSH;
	settings.c_oflag &= ~(tcflag_t)ONLCR;
	if (tcsetattr(t->master, TCSANOW, &settings) == -1)
		err(1, "pseudo-terminal");
}

static void
open_files(struct terminal *t, const char *log, const char *fifo)
{
	t->log = open(
	    log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (t->log == -1)
		err(1, "%s", log);
	if (mkfifo(fifo, 0600) == -1 && errno != EEXIST)
		err(1, "%s", fifo);
	/* To be its writer as well: it never ends. */
	t->fifo = open(fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fifo == -1)
		err(1, "%s", fifo);
}

int
main(int argc, char **argv)
{
	struct terminal t = {.master = -1};
	int status, ended;
	pid_t pid;

	if (argc < 4)
		errx(2, "usage: terminal LOG FIFO COMMAND [ARG ...]");
	open_master(&t);
	open_files(&t, argv[1], argv[2]);
	pid = fork();
	if (pid == -1)
		err(1, "fork");
	if (pid == 0)
		become(argv + 3, t.master);
	ended = pidfd_open(pid, 0);
	if (ended == -1)
		err(1, "pidfd");
	serve(&t, ended);
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
