#ifndef SUPER_WIPE_H
#define SUPER_WIPE_H

#include "os/why.h"

/* Removes one peer's folder, by super_wipe's rules; none there: done. */
int wipe_peer(const char *folder, struct why *);

#endif
