#ifndef FOLDER_H
#define FOLDER_H

#include <sys/stat.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A temporary folder for one test, and its end. */
struct folder {
	char path[256];
};

static inline int
folder_make(struct folder *f)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(f->path, sizeof(f->path), "%.200s/ringctl-unit-XXXXXX",
	    tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	return mkdtemp(f->path) == NULL ? -1 : 0;
}

static inline int
folder_remove_one(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int
folder_remove(struct folder *f)
{
	return nftw(f->path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
