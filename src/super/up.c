#include <sys/socket.h>
#include <sys/wait.h>

#include <assert.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/process.h"
#include "super/client.h"

enum { PATIENCE_MS = 15000 /* for the supervisor, past its own deadline */ };

static volatile sig_atomic_t interrupted;

static void
interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* Pipes and sockets must never become standard input, output or error. */
static void
fill_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

static struct super *
super_new(const struct config *config, const struct up_options *options)
{
	struct super *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->config = *config;
	TAILQ_INIT(&s->unsent);
	s->start_fd = -1;
	s->foreground = options->foreground;
	s->start_us = clock_us();
	s->start_timeout_ms =
	    options->timeout_ms > 0 ? options->timeout_ms : UP_TIMEOUT_MS;
	return s;
}

/* All is free again before anybody is told that it is. */
static void
end(struct super *s)
{
	super_close(s);
	super_tell_starter(s);
	control_end(s);
	for (unsigned id = 0; id < SPACE_MAX; id++)
		if (s->children[id] != NULL)
			child_free(s->children[id]);
	loop_free(&s->loop);
}

static int
foreground(const struct config *config, const struct up_options *options,
    struct msg_result *result)
{
	struct super *s = super_new(config, options);
	char text[TEXT_LEN_MAX + 1];

	if (super_open(s, &s->outcome) == -1) {
		super_close(s);
	} else {
		super_run(s);
		end(s);
		if (s->outcome.exit == EXIT_DONE) {
			snprintf(text, sizeof(text),
			    "ring %s is down; its files stay in %.300s",
			    config->ring, s->data.text);
			text_set(&s->outcome.text, text);
		}
	}
	*result = s->outcome;
	free(s);
	return result->exit;
}

/* Never returns: the supervisor's process. */
static _Noreturn void
background(
    const struct config *config, const struct up_options *options, int start_fd)
{
	struct super *s = super_new(config, options);
	int high = fcntl(start_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (high == -1 || dup2(high, STDERR_FILENO + 1) == -1)
		_exit(1);
	closefrom(STDERR_FILENO + 2);
	s->start_fd = STDERR_FILENO + 1;
	if (process_stdio_null(true) == -1 || chdir("/") == -1 ||
	    fcntl(s->start_fd, F_SETFL, O_NONBLOCK) == -1)
		_exit(1);
	log_init("ringctl", LOG_LEVEL_INFO);
	setproctitle("supervisor [%s]", config->ring);
	if (super_open(s, &s->outcome) == -1) {
		super_close(s);
		super_tell_starter(s);
		_exit(s->outcome.exit);
	}
	super_run(s);
	end(s);
	_exit(s->outcome.exit);
}

/* Twice, so that it has no terminal, no session and no parent of ours. */
static int
daemonise(
    const struct config *config, const struct up_options *options, int pair[2])
{
	pid_t pid = fork();

	if (pid == -1)
		return -1;
	if (pid > 0) {
		close(pair[1]);
		pair[1] = -1;
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			;
		return 0;
	}
	close(pair[0]);
	if (setsid() == -1)
		_exit(1);
	pid = fork();
	if (pid != 0)
		_exit(pid == -1);
	background(config, options, pair[1]);
}

/* 1: the result is there; 0: more is needed; -1: none will come. */
static int
take(struct inlet *in, int fd, struct msg_result *result)
{
	static struct message m;
	int rc = inlet_fill(in, fd);

	if (rc != 1)
		return -1;
	while ((rc = inlet_next(in, &m)) == 1) {
		if (m.type == MSG_line)
			log_warnx("%s", m.line.text.text);
		if (m.type == MSG_result) {
			*result = m.result;
			return 1;
		}
	}
	return rc;
}

/* Signals come only while it waits, so none slips by in between. */
static int
wait_readable(int fd, uint64_t us, const sigset_t *mask)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct timespec left = {.tv_sec = (time_t)(us / 1000000),
	    .tv_nsec = (long)(us % 1000000) * 1000};

	return ppoll(&p, 1, &left, mask);
}

static void
await(int fd, uint32_t timeout_ms, const sigset_t *mask,
    struct msg_result *result)
{
	uint64_t now, end = clock_us() + (uint64_t)timeout_ms * 1000;
	struct inlet in = {0};
	bool told = false;
	int rc = 0;

	result->exit = EXIT_FAILED;
	text_set(&result->text,
	    "the supervisor died while it started; see journal/stderr in the "
	    "ring's data folder");
	while (rc == 0 && (now = clock_us()) < end) {
		/* It takes down what there is, and says when it has. */
		if (interrupted && !told) {
			told = true;
			shutdown(fd, SHUT_WR);
			signal(SIGINT, SIG_DFL);
			signal(SIGTERM, SIG_DFL);
		}
		if (wait_readable(fd, end - now, mask) == 1)
			rc = take(&in, fd, result);
	}
	if (rc == 0) {
		result->exit = EXIT_TIMEOUT;
		text_set(&result->text, "the supervisor does not answer");
	}
	inlet_free(&in);
}

static int
failed(struct msg_result *result, const char *what)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	result->exit = EXIT_FAILED;
	text_set(&result->text, text);
	return EXIT_FAILED;
}

int
super_up(const struct config *config, const struct up_options *options,
    struct msg_result *result)
{
	struct sigaction action = {.sa_handler = interrupt}, old[2];
	sigset_t block, mask;
	uint32_t timeout_ms =
	    options->timeout_ms > 0 ? options->timeout_ms : UP_TIMEOUT_MS;
	int pair[2], rc;

	assert(idset_count(&config->peers) > 0);
	memset(result, 0, sizeof(*result));
	fill_stdio();
	/* What the caller ignores is inherited; children are waited for. */
	signal(SIGCHLD, SIG_DFL);
	if (options->foreground)
		return foreground(config, options, result);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return failed(result, "socketpair");
	fflush(NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &mask);
	sigaction(SIGINT, &action, &old[0]);
	sigaction(SIGTERM, &action, &old[1]);
	rc = daemonise(config, options, pair);
	if (rc == 0)
		await(pair[0], timeout_ms + PATIENCE_MS, &mask, result);
	else
		failed(result, "fork");
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGINT, &old[0], NULL);
	sigaction(SIGTERM, &old[1], NULL);
	close(pair[0]);
	return result->exit;
}
