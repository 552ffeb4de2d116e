#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "cli/client.h"
#include "cli/options.h"
#include "cli/print.h"

/* Each verb's function returns the exit status, having said all there is. */
int verb_up(const struct options *);
int verb_wipe(const struct options *);
int verb_list(const struct options *);
int verb_exec(const struct options *);
int verb_wait(const struct options *);
int verb_journal(const struct options *); /* events, logs */
int verb_help(const struct options *);
int verb_peer(const struct options *);
int verb_plain(const struct options *); /* all that is one call */

/* Finds the verb's function, having checked how many arguments there are. */
int verb_run(const struct options *);

/* The short help, on standard error. */
void help_short(void);

/* How the verb is used, on standard error: EXIT_USAGE. */
int usage(const struct options *);

/* An identifier, a ping interval. 0, or -1: it was said. */
int arg_id(uint16_t *, const char *, unsigned bits);
int arg_ping(uint32_t *ping_ms, const char *);

/*
 * Reads a config, which must be of the ring that -c names if any is; resolved:
 * with paths made absolute; peerless: it need not name peers. Returns the exit
 * status, having said what is wrong.
 */
struct config;
int config_read(struct config *, const struct options *, const char *file,
    bool resolved, bool peerless);

/* PEERS of argument i into a call, if it is there. 0, or -1: it was said. */
int call_peers(struct msg_call *, const struct options *, int i, unsigned bits);

/* A call of this verb with nothing but its timeout. */
void call_init(struct msg_call *, const struct options *);

/*
 * Sends a call and prints the answer; the replies name their peers unless the
 * caller named one. line: of exec, or NULL. to_stdout: standard output is for
 * a file's bytes. Returns the exit status.
 */
int call_run(struct client *, const struct options *, const struct msg_call *,
    const struct command_line *line, bool to_stdout);

/* Prints a result that ringctl itself found. */
void result_print(
    const struct options *, const char *ring, const struct msg_result *);

/* Has the call more than one peer, or one that nobody named? */
bool call_names_peers(const struct msg_call *);

#endif
