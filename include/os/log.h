#ifndef OS_LOG_H
#define OS_LOG_H

/*
 * Four verbs, one line each on standard error. log_warn and fatal add
 * strerror(errno); errno is kept. fatal exits with 1 (by _exit in a process
 * that was forked since log_init).
 */
enum log_level { LOG_LEVEL_WARN, LOG_LEVEL_INFO };

/* name goes before each line; it must outlive the process. */
void log_init(const char *name, enum log_level);

/* From now on each line begins with the time and the process. */
void log_stamps(void);

void log_warn(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *, ...) __attribute__((format(printf, 1, 2)));
void fatal(const char *, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
