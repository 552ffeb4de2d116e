#ifndef OS_UNIX_H
#define OS_UNIX_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Unix stream sockets by path, also by paths longer than sun_path takes.
 * Descriptors are close-on-exec. -1 with errno.
 */

/*
 * Blocking. Fails unless the other end runs as this user, and with ETIMEDOUT
 * when it does not take the connection in time.
 */
int unix_connect(const char *path, uint32_t timeout_ms);

/* Bound with mode 0600, listening, non-blocking. path must not exist. */
int unix_listen(const char *path);

/* Is the process at the other end this user's? */
bool unix_is_ours(int fd);

#endif
