#ifndef SUPER_STREAM_H
#define SUPER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

/* Frames over descriptors that never block. Memory only while there is work. */
struct inlet {
	uint8_t *data;
	size_t start, end, size;
};

struct outlet {
	uint8_t *data;
	size_t start, end, size;
	size_t max; /* bytes queued at most */
};

/* One read: 1, 0 at end of file, -1 with errno (EAGAIN: nothing there). */
int inlet_fill(struct inlet *, int fd);

/* The next whole message: 1; 0: none yet; -1: what came is no frame. */
int inlet_next(struct inlet *, struct message *);
void inlet_free(struct inlet *);

void outlet_init(struct outlet *, size_t max);

/* Queues a message: 0, or -1 when the queue is full. */
int outlet_put(struct outlet *, const struct message *);

/* Writes what the descriptor takes now. 0, or -1 with errno: it is gone. */
int outlet_write(struct outlet *, int fd);
size_t outlet_used(const struct outlet *);
void outlet_free(struct outlet *);

#endif
