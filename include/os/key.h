#ifndef OS_KEY_H
#define OS_KEY_H

#include <stdint.h>

#include "os/why.h"

enum { KEY_LEN = 32, KEY_FILE_MAX = 4096 };

/*
 * The key that peers prove to know. file NULL or empty: the file key-PORT of
 * the runtime folder, made with random bytes by whoever comes first. Else a
 * file of 16 to KEY_FILE_MAX bytes of any kind, readable by nobody else; the
 * key is a digest of them. 0, or -1 with why.
 */
int key_load(
    uint8_t key[KEY_LEN], const char *file, uint16_t port, struct why *);

#endif
