#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { COMMAND_LEN_MAX = 1024, WORDS_MAX = 16 };

static char doing[COMMAND_LEN_MAX];

double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void
sleep_ms(unsigned ms)
{
	struct timespec t = {
	    .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		continue;
}

static void
too_late(int number)
{
	static const char words[] = ": not done in time\n";

	(void)number;
	(void)!write(STDERR_FILENO, doing, strlen(doing));
	(void)!write(STDERR_FILENO, words, sizeof(words) - 1);
	_exit(1);
}

void
deadline(const char *what)
{
	(void)snprintf(doing, sizeof(doing), "%s", what);
	if (signal(SIGALRM, too_late) == SIG_ERR)
		err(1, "SIGALRM");
	(void)alarm(WAIT_SECONDS);
}

pid_t
child_fork(void)
{
	pid_t parent = getpid(), pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == -1)
		err(1, "fork");
	if (pid == 0 &&
	    (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
		_exit(1);
	return pid;
}

void
child_end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "waitpid");
}

void
byte_await(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		errx(1, "%s: it ended too soon", doing);
}

int
loopback_listen(uint16_t *port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(fd, SOMAXCONN) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		err(1, "a listening socket");
	*port = ntohs(at.sin_port);
	return fd;
}

int
loopback_connect(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		err(1, "a connection to ourselves");
	return fd;
}

double
command_ms(const char *command, const char *out)
{
	char line[COMMAND_LEN_MAX], *words[WORDS_MAX + 1] = {NULL};
	char *rest = line, *const none[] = {NULL};
	posix_spawn_file_actions_t actions;
	double began, took;
	int status, failed;
	pid_t pid;

	(void)snprintf(line, sizeof(line), "%s", command);
	for (size_t i = 0; i < WORDS_MAX && rest != NULL; i++)
		words[i] = strsep(&rest, " ");
	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out,
		O_WRONLY | O_CREAT | O_TRUNC, 0600) != 0)
		errx(1, "%s: no memory", command);
	deadline(command);
	began = now_ms();
	failed = posix_spawnp(&pid, words[0], &actions, NULL, words,
	    environ != NULL ? environ : none);
	if (failed != 0)
		errx(1, "%s: %s", words[0], strerror(failed));
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	took = now_ms() - began;
	(void)posix_spawn_file_actions_destroy(&actions);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "%s: %s %d", command,
		    WIFEXITED(status) ? "exit" : "signal",
		    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return took;
}

static double
ringctl_run(const char *format, va_list args, const char *out)
{
	char command[COMMAND_LEN_MAX] = "ringctl ";
	size_t used = strlen(command);
	int n;

	n = vsnprintf(command + used, sizeof(command) - used, format, args);
	if (n < 0 || (size_t)n >= sizeof(command) - used)
		errx(1, "%s: too long", format);
	return command_ms(command, out);
}

double
ringctl_ms(const char *format, ...)
{
	va_list args;
	double took;

	va_start(args, format);
	took = ringctl_run(format, args, "/dev/null");
	va_end(args);
	return took;
}

json_t *
ringctl_json(const char *format, ...)
{
	json_t *all = json_array(), *one;
	json_error_t error;
	va_list args;
	FILE *file;

	va_start(args, format);
	(void)ringctl_run(format, args, "out");
	va_end(args);
	file = fopen("out", "r");
	if (file == NULL)
		err(1, "out");
	while ((one = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error)) != NULL)
		(void)json_array_append_new(all, one);
	if (json_error_code(&error) != json_error_premature_end_of_input)
		errx(1, "%s: %s", format, error.text);
	(void)fclose(file);
	return all;
}
