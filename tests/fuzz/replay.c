#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

/*
 * replay PATH ...: what a fuzzer does with each file, or with each file of a
 * folder, without a fuzzer. Fails when there is none.
 */
static unsigned inputs;

static void
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *data;

	if (f == NULL || fstat(fileno(f), &st) == -1)
		err(1, "%s", path);
	/* Exactly its size, so that reading past it is found. */
	data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	if (data == NULL)
		err(1, "malloc");
	if (fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		errx(1, "%s: can't be read", path);
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	free(data);
	inputs++;
}

static void
replay_folder(const char *path)
{
	char file[PATH_MAX];
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);

	if (n == -1)
		err(1, "%s", path);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s/%s", path,
			    names[i]->d_name);
			replay_file(file);
		}
		free(names[i]);
	}
	free(names);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == -1)
			err(1, "%s", argv[i]);
		if (S_ISDIR(st.st_mode))
			replay_folder(argv[i]);
		else
			replay_file(argv[i]);
	}
	if (inputs == 0)
		errx(1, "usage: replay FILE|FOLDER ...: no inputs");
	printf("%u inputs\n", inputs);
	return 0;
}
