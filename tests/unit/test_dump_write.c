/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The `dump` document, name by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/target/dump.h"

static struct dump_frame frames[] = {
    {.function = (char *)"Pool.wait",
     .module = (char *)"pool",
     .file = (char *)"/srv/pool.py",
     .line = 7,
     .locals = (char *)"{\"n\":\"1\"}"},
    {.function = (char *)"f\"\n\xff",
     .file = (char *)"<x>",
     .function_truncated = true,
     .file_truncated = true},
};

static void expect(const struct dump_thread *thread, const char *expected)
{
	struct dump dump = {.threads = (struct dump_thread *)thread, .nthreads = 1};
	struct text text = {0};
	struct json json;

	dump.python.pid = 12;
	dump.python.image.version = 0x030b02f0;
	strcpy(dump.python.executable, "/usr/bin/python3.11");
	json_init(&json, &text);
	dump_write(&dump, &json);
	assert_false(text.failed);
	assert_int_equal(json.depth, 0);
	assert_string_equal(text.data, expected);
	text_done(&text);
}

#define HEAD                                                                                       \
	"{\"pid\":12,\"python\":{\"version\":\"3.11.2\",\"build\":\"gil\","                        \
	"\"executable\":\"/usr/bin/python3.11\",\"library\":null},\"threads\":[{"

static void test_a_thread(void **state)
{
	const struct dump_thread thread = {
	    .tid = 13,
	    .ident = 140000000000000,
	    .name = "worker",
	    .python_name = (char *)"Thread-1",
	    .state = "waiting",
	    .syscall = "futex",
	    .wait_cause = "gil",
	    .gil = "wanted",
	    .frames = frames,
	    .nframes = 2,
	};

	(void)state;
	expect(
	    &thread, HEAD
	    "\"tid\":13,\"ident\":140000000000000,\"name\":\"worker\",\"python_name\":\"Thread-1\","
	    "\"state\":\"waiting\",\"syscall\":\"futex\",\"wait_cause\":\"gil\",\"gil\":\"wanted\","
	    "\"frames\":["
	    "{\"function\":\"Pool.wait\",\"module\":\"pool\",\"file\":\"/srv/pool.py\",\"line\":7,"
	    "\"kind\":\"python\",\"locals\":{\"n\":\"1\"}},"
	    "{\"function\":\"f\\\"\\u000a\xef\xbf\xbd\",\"function_truncated\":true,\"module\":"
	    "null,"
	    "\"file\":\"<x>\",\"file_truncated\":true,\"line\":null,\"kind\":\"python\"}"
	    "],\"truncated\":false,\"error\":null}]}");
}

static void test_what_is_not_known_is_null(void **state)
{
	const struct dump_thread thread = {.ident = 5, .truncated = true, .error = "why"};

	(void)state;
	expect(&thread,
	       HEAD "\"tid\":null,\"ident\":5,\"name\":null,\"python_name\":null,\"state\":null,"
		    "\"syscall\":null,\"wait_cause\":null,\"gil\":null,\"frames\":[],"
		    "\"truncated\":true,\"error\":\"why\"}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_thread),
	    cmocka_unit_test(test_what_is_not_known_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
