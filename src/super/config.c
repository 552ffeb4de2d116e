#include <sys/stat.h>

#include <assert.h>
#include <bsd/libutil.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/paths.h"
#include "super/config.h"
#include "super/parse.h"
#include "super/set.h"

enum {
	SHOWN_MAX = 60, /* bytes of a bad value that an error repeats */
	EDITS_MAX = 2, /* to the nearest directive */
	WORD_MAX = 12, /* bytes of a directive that may be near another */
};

void
config_init(struct config *c)
{
	memset(c, 0, sizeof(*c));
	strlcpy(c->ring, "ring", sizeof(c->ring));
	c->port = PORT_DEFAULT;
	c->bits = BITS_DEFAULT;
	c->copies = COPIES_DEFAULT;
	c->route = ROUTE_DIRECT;
	c->restart = RESTART_NEVER;
	c->sync = true;
	c->scrub = SCRUB_DEFAULT;
}

/* What a terminal would act on is not repeated to it. */
static void
show(char out[SHOWN_MAX + 4], struct word w)
{
	size_t n = w.len < SHOWN_MAX ? w.len : SHOWN_MAX;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)w.text[i];

		out[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	strlcpy(out + n, w.len > n ? "..." : "", 4);
}

void
parse_error(struct parser *p, const char *what, struct word value,
    const char *format, ...)
{
	char text[TEXT_LEN_MAX + 1], shown[SHOWN_MAX + 4], why[256];
	va_list args;

	if (p->errors++ >= CONFIG_ERRORS_MAX)
		return;
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	show(shown, value);
	snprintf(text, sizeof(text), "%.128s:%u: %s%s%s%s%s", p->name, p->line,
	    what, what[0] && shown[0] ? " " : "", shown,
	    what[0] || shown[0] ? ": " : "", why);
	p->sink->error(p->sink, text);
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct word
parse_word(struct word *rest)
{
	struct word w;

	while (rest->len > 0 && blank(rest->text[0])) {
		rest->text++;
		rest->len--;
	}
	w.text = rest->text;
	w.len = 0;
	while (w.len < rest->len && !blank(w.text[w.len]))
		w.len++;
	rest->text += w.len;
	rest->len -= w.len;
	return w;
}

static struct word
trim(struct word w)
{
	while (w.len > 0 && blank(w.text[0])) {
		w.text++;
		w.len--;
	}
	while (w.len > 0 && blank(w.text[w.len - 1]))
		w.len--;
	return w;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, by one row of his matrix. */
static size_t
edits(struct word w, const char *other)
{
	size_t row[WORD_MAX + 1], len = strlen(other);

	assert(w.len <= WORD_MAX && len <= WORD_MAX);
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; i <= w.len; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t above = row[j];

			row[j] = least(least(row[j - 1], above) + 1,
			    corner + (w.text[i - 1] != other[j - 1]));
			corner = above;
		}
	}
	return row[len];
}

static void
unknown(struct parser *p, struct word word)
{
	const struct directive *d, *near = NULL;
	size_t fewest = EDITS_MAX + 1;

	for (d = config_directives; d->word && word.len <= WORD_MAX; d++) {
		size_t n = edits(word, d->word);

		if (n < fewest && n < word.len) {
			fewest = n;
			near = d;
		}
	}
	if (near != NULL)
		parse_error(p, "", word, "no such directive; did you mean %s?",
		    near->word);
	else
		parse_error(p, "", word, "no such directive");
}

static void
directive(struct parser *p, struct word word, struct word value)
{
	const struct directive *d = config_directives;
	unsigned *said;

	while (d->word && (strlen(d->word) != word.len ||
			      memcmp(d->word, word.text, word.len) != 0))
		d++;
	if (!d->word) {
		unknown(p, word);
		return;
	}
	said = &p->said[d - config_directives];
	if (*said != 0 && !d->repeated) {
		parse_error(p, d->word, (struct word){"", 0},
		    "said before, in line %u", *said);
		return;
	}
	*said = p->line;
	if (value.len == 0)
		parse_error(p, d->word, value, "needs a value: %s %s", d->word,
		    d->syntax);
	else
		d->set(p, value);
}

/* Peers are checked against bits, which may be said after them. */
static void
find_bits(struct parser *p, struct word word, struct word value)
{
	uint64_t bits;

	if (word.len == 4 && memcmp(word.text, "bits", 4) == 0 &&
	    number_parse(&bits, value, BITS_MAX) == 0 && bits > 0)
		p->bits = (unsigned)bits;
}

static void
each_line(struct parser *p, char *text, size_t len,
    void (*apply)(struct parser *, struct word, struct word))
{
	const char delimiters[3] = {'\\', '\\', '#'};
	FILE *f = fmemopen(text, len, "r");
	size_t lines = 0, size;
	char *line;

	if (f == NULL)
		return;
	while (p->errors < CONFIG_ERRORS_MAX &&
	       (line = fparseln(f, &size, &lines, delimiters,
		    FPARSELN_UNESCESC | FPARSELN_UNESCCOMM)) != NULL) {
		struct word rest = {line, strlen(line)}, word;

		p->line = (unsigned)lines;
		word = parse_word(&rest);
		if (word.len > 0)
			apply(p, word, trim(rest));
		free(line);
	}
	fclose(f);
}

/* What fparseln would pass over in silence. 0, or -1: unfit to be parsed. */
static int
check_bytes(struct parser *p, const char *text, size_t len)
{
	const struct word none = {"", 0};
	size_t start = 0;

	p->line = 1;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] != '\n')
			continue;
		if (memchr(text + start, '\0', i - start) != NULL)
			parse_error(p, "", none, "a NUL byte: not a text file");
		if (i - start > CONFIG_LINE_MAX)
			parse_error(p, "", none,
			    "line too long: %zu bytes, at most %d", i - start,
			    CONFIG_LINE_MAX);
		start = i + 1;
		p->line++;
	}
	return p->errors > 0 ? -1 : 0;
}

static void
parse_text(struct parser *p, char *text, size_t len)
{
	if (check_bytes(p, text, len) == -1)
		return;
	p->bits = BITS_DEFAULT;
	if (len > 0) {
		each_line(p, text, len, find_bits);
		each_line(p, text, len, directive);
	} else
		p->line = 1;
	if (p->errors == 0 && !p->sink->peerless &&
	    idset_count(&p->config->peers) == 0)
		parse_error(p, "", (struct word){"", 0},
		    "no peer: say which there are, as in: peer 2 4 5 8");
	if (p->errors > CONFIG_ERRORS_MAX) {
		p->errors = 0;
		parse_error(p, "", (struct word){"", 0},
		    "too many errors: the rest is not shown");
	}
}

int
config_parse(
    FILE *f, const char *name, struct config *c, struct config_sink *sink)
{
	struct parser *p = calloc(1, sizeof(*p));
	char *text = malloc(CONFIG_SIZE_MAX + 1);
	size_t len;
	int rc;

	assert(f != NULL && sink->error != NULL);
	if (p == NULL || text == NULL)
		abort();
	*p = (struct parser){.config = c, .sink = sink, .name = name};
	config_init(c);
	len = fread(text, 1, CONFIG_SIZE_MAX + 1, f);
	p->line = 1;
	if (ferror(f))
		parse_error(p, "", (struct word){"", 0}, "can't be read: %s",
		    strerror(errno));
	else if (len > CONFIG_SIZE_MAX)
		parse_error(p, "", (struct word){"", 0},
		    "file too large: at most %d bytes", CONFIG_SIZE_MAX);
	else
		parse_text(p, text, len);
	rc = p->errors > 0 ? -1 : 0;
	free(text);
	free(p);
	return rc;
}

static int
load_error(struct config_sink *sink, const char *path, const char *why)
{
	char text[TEXT_LEN_MAX + 1];

	snprintf(text, sizeof(text), "%.400s: %s", path, why);
	sink->error(sink, text);
	return -1;
}

int
config_load(const char *path, struct config *c, struct config_sink *sink)
{
	struct stat st;
	FILE *f;
	int rc, fd;

	config_init(c);
	/* A FIFO must not hang us, nor a terminal become ours. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return load_error(sink, path, strerror(errno));
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return load_error(sink, path,
		    S_ISDIR(st.st_mode) ? "is a folder, not a config file"
					: "not a regular file");
	}
	f = fdopen(fd, "r");
	if (f == NULL)
		abort();
	rc = config_parse(f, path, c, sink);
	fclose(f);
	return rc;
}

static int
resolve(char *path, const char *file, struct why *why)
{
	char dir[PATH_LEN_MAX + 1];
	const char *slash;
	struct path_buf out, base;

	if (path[0] == '\0' || path[0] == '/')
		return 0;
	if (getcwd(dir, sizeof(dir)) == NULL)
		return why_set(why, "this folder: %s", strerror(errno));
	if (paths_join(&base, dir, file, why) == -1)
		return -1;
	slash = strrchr(base.text, '/');
	base.text[slash - base.text] = '\0';
	if (paths_join(&out, base.text, path, why) == -1)
		return -1;
	strlcpy(path, out.text, PATH_LEN_MAX + 1);
	return 0;
}

int
config_resolve(struct config *c, const char *file, struct why *why)
{
	if (resolve(c->data, file, why) == -1)
		return -1;
	return resolve(c->key, file, why);
}

int
config_data(const struct config *c, struct path_buf *out, struct why *why)
{
	if (c->data[0] != '\0')
		return paths_join(out, "", c->data, why);
	return paths_data_default(out, c->ring, why);
}

uint32_t
config_ping(const struct config *c, unsigned id)
{
	assert(id < SPACE_MAX);
	return idset_has(&c->own_ping, id) ? c->peer_ping_ms[id] : c->ping_ms;
}
