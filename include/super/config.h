#ifndef SUPER_CONFIG_H
#define SUPER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/types.h"
#include "os/paths.h"
#include "os/why.h"
#include "wire/message.h"

enum {
	RING_NAME_MAX = 63, /* bytes */
	CONFIG_LINE_MAX = 8300, /* bytes: any path, escaped */
	CONFIG_SIZE_MAX = 1 << 20, /* bytes of a file */
	CONFIG_ERRORS_MAX = 100, /* reported; then parsing ends */
	PING_MS_MAX = 3600 * 1000,
	PORT_DEFAULT = 12000,
	COPIES_DEFAULT = 3,
	SCRUB_DEFAULT = 4 << 20, /* bytes a second */
	SCRUB_MIN = 64 << 10,
	SCRUB_MAX = 1 << 30,
};

enum restart {
	RESTART_NEVER,
	RESTART_ON_FAILURE,
};

/* A ring as its file says; see ring.conf(5). */
struct config {
	char ring[RING_NAME_MAX + 1];
	uint16_t port; /* base */
	uint8_t bits, copies;
	uint8_t route; /* enum route */
	uint8_t restart; /* enum restart */
	bool any_names, sync, log_pings;
	uint32_t ping_ms; /* 0: auto */
	uint32_t scrub; /* bytes a second of files at rest; 0: none */
	char data[PATH_LEN_MAX + 1]; /* as written; empty: the default */
	char key[PATH_LEN_MAX + 1]; /* as written; empty: the default */
	struct idset peers;
	struct idset own_ping; /* peers with one of their own */
	uint32_t peer_ping_ms[SPACE_MAX]; /* of those */
};

/* Where errors go; embedded in whatever its owner needs. */
struct config_sink {
	void (*error)(struct config_sink *, const char *text);
	bool peerless; /* that no peer is named is no error */
};

/* All defaults, no peers. */
void config_init(struct config *);

/*
 * Reads a config. Every error is handed to the sink, one line each without
 * newline, as `name:LINE: what: why`; then -1. config_load opens the file
 * itself, which must be a regular one.
 */
int config_parse(
    FILE *, const char *name, struct config *, struct config_sink *);
int config_load(const char *path, struct config *, struct config_sink *);

/*
 * Makes data and key absolute: relative ones are meant beside the config.
 * file: its path. 0, or -1 with why.
 */
int config_resolve(struct config *, const char *file, struct why *);

/*
 * Where the ring's files lie: the config's data, or the default for its name.
 * Not made. 0, or -1 with why.
 */
int config_data(const struct config *, struct path_buf *, struct why *);

/* The canonical form, which config_parse reads as the same config. */
void config_print(const struct config *, FILE *);

/* 0, or -1 with why: 1..63 of letters, digits, `-_.`, no dot first. */
int ring_name_check(const char *name, struct why *);

/* The ping interval of a peer. */
uint32_t config_ping(const struct config *, unsigned id);

#endif
