#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * tamper PID HEX: in the memory that the process can write, the last bit of
 * each occurrence of these bytes becomes another. So a peer comes to say what
 * is not so, and no repair finds it. Exit status 0: there were some; 1: none,
 * or the system does not allow it.
 */
enum { PATTERN_MAX = 64, LINE_LEN = 512 };

static unsigned char pattern[PATTERN_MAX];
static size_t pattern_len;

static int
parse(const char *hex)
{
	unsigned byte;

	for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
		char two[3] = {hex[0], hex[1], '\0'}, *end;

		byte = (unsigned)strtoul(two, &end, 16);
		if (*end != '\0' || pattern_len == PATTERN_MAX)
			return -1;
		pattern[pattern_len++] = (unsigned char)byte;
	}
	return pattern_len > 0 && hex[0] == '\0' ? 0 : -1;
}

static unsigned
change(int fd, uint64_t from, uint64_t to)
{
	size_t len = (size_t)(to - from);
	unsigned char *data = malloc(len), *at;
	unsigned n = 0;

	if (data == NULL || pread(fd, data, len, (off_t)from) != (ssize_t)len) {
		free(data);
		return 0;
	}
	at = data;
	while ((at = memmem(at, len - (size_t)(at - data), pattern,
		    pattern_len)) != NULL) {
		unsigned char last = pattern[pattern_len - 1] ^ 1;
		uint64_t where = from + (uint64_t)(at - data) + pattern_len - 1;

		n += pwrite(fd, &last, 1, (off_t)where) == 1;
		at += pattern_len;
	}
	free(data);
	return n;
}

int
main(int argc, char **argv)
{
	char path[64], line[LINE_LEN], mode[8];
	uint64_t from, to;
	unsigned n = 0;
	FILE *maps;
	int fd;

	if (argc != 3 || parse(argv[2]) != 0)
		return 2;
	snprintf(path, sizeof(path), "/proc/%.20s/mem", argv[1]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%.20s/maps", argv[1]);
	maps = fopen(path, "re");
	if (fd == -1 || maps == NULL) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to,
			mode) == 3 &&
		    strcmp(mode, "rw-p") == 0)
			n += change(fd, from, to);
	fclose(maps);
	close(fd);
	printf("%u\n", n);
	return n > 0 ? 0 : 1;
}
