#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/input.h"
#include "unit.h"

/* Standard input is a pipe here. */
static struct input in;
static int writer;

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	if (pipe(fds) == -1 || dup2(fds[0], STDIN_FILENO) == -1)
		return -1;
	close(fds[0]);
	writer = fds[1];
	input_open(&in);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	input_close(&in);
	if (writer != -1)
		close(writer);
	return 0;
}

static void
typed(const char *text, size_t len)
{
	assert_int_equal(write(writer, text, len), len);
	input_fill(&in, 0);
}

static void
ended(void)
{
	close(writer);
	writer = -1;
	input_fill(&in, 0);
	assert_int_equal(in.fd, -1);
}

static void
line_is(const char *want)
{
	const char *line;
	size_t len;

	assert_int_equal(input_next(&in, &line, &len), 1);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(line, want, len);
}

static void
none_is_left(void)
{
	const char *line;
	size_t len;

	assert_int_equal(input_next(&in, &line, &len), 0);
}

static void
lines_come_in_pieces(void **state)
{
	(void)state;
	none_is_left();
	typed("ri", 2);
	none_is_left();
	typed("ng\nstore 2067\r\n\nqu", 18);
	line_is("ring");
	line_is("store 2067");
	line_is("");
	none_is_left();
	/* Nothing is there: it does not wait, and has not ended. */
	input_fill(&in, 0);
	assert_int_not_equal(in.fd, -1);
	typed("it", 2);
	none_is_left();
	ended();
	line_is("quit");
	none_is_left();
}

static void
the_other_end_stays_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
	assert_false(in.terminal);
	ended();
	none_is_left();
}

static void
long_lines_are_left_out(void **state)
{
	static char data[INPUT_LINE_MAX];
	const char *line;
	size_t len;

	(void)state;
	memset(data, 'a', sizeof(data));
	typed(data, sizeof(data));
	assert_int_equal(input_next(&in, &line, &len), -1);
	none_is_left();
	typed(data, sizeof(data));
	none_is_left();
	typed("a\nring\n", 7);
	line_is("ring");
	none_is_left();
	data[sizeof(data) - 1] = '\n';
	typed(data, sizeof(data));
	assert_int_equal(input_next(&in, &line, &len), 1);
	assert_int_equal(len, sizeof(data) - 1);
	none_is_left();
}

#define INPUT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_MAIN(INPUT_TEST(lines_come_in_pieces),
    INPUT_TEST(the_other_end_stays_as_it_is),
    INPUT_TEST(long_lines_are_left_out))
