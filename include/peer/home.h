#ifndef PEER_HOME_H
#define PEER_HOME_H

#include "disk/disk.h"

/*
 * Makes the peer's folder if it is missing, locks it for this process, and
 * opens the disk in it. 0, or -1 with what went wrong in error.
 */
int home_open(struct disk *, const char *path, bool sync, struct text *error);

#endif
