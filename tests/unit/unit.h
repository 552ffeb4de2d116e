#ifndef UNIT_H
#define UNIT_H

/* What every unit test includes: cmocka and what it needs, TAP as output. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define UNIT_MAIN(...)                                                         \
	int main(void)                                                         \
	{                                                                      \
		const struct CMUnitTest tests[] = {__VA_ARGS__};               \
                                                                               \
		cmocka_set_message_output(CM_OUTPUT_TAP);                      \
		return cmocka_run_group_tests(tests, NULL, NULL);              \
	}

#define TEST(function) cmocka_unit_test(function)

#endif
