#ifndef SIM_VNODES_H
#define SIM_VNODES_H

#include "sim/volume.h"

/* The inside of the virtual volume. */

/* Where that name is, or -1. */
int vnames_find(const struct vnames *, int folder, const char *name);

/* Now, and safe when its folder is flushed. node: -1: no name any more. */
void vnames_change(struct virtual_volume *, unsigned number, int folder,
    const char *name, int node);

/* Makes the changes of that number safe, and forgets earlier ones of theirs. */
void vnames_save(struct virtual_volume *, unsigned number);

/* Those of one folder, or (-1) all, in their order. */
void vnames_flush(struct virtual_volume *, int folder);

/* The node of a path, or -1. */
int vlookup(const struct virtual_volume *, int at, const char *path);

/* One sector is on the disk. */
void vnode_save(struct vnode *, size_t sector);
void vnode_free(struct vnode *);

bool virtual_coin(struct virtual_volume *);

#endif
