/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/text.h"

#include <fcntl.h>

static void grows(void **state)
{
	struct text text = {0};

	(void)state;
	assert_null(text.data);
	text_puts(&text, "");
	assert_string_equal(text.data, "");
	text_puts(&text, "abc");
	text_putc(&text, '-');
	text_printf(&text, "%d %s", 42, "x");
	text_add(&text, "y\0z", 3);
	assert_int_equal(text.size, 11);
	assert_memory_equal(text.data, "abc-42 xy\0z", 12);
	for (int i = 0; i < 100000; i++)
		text_putc(&text, 'a');
	assert_int_equal(text.size, 100011);
	assert_true(text.room > text.size);
	assert_int_equal(strlen(text.data + 11), 100000);
	assert_false(text.failed);
	text_done(&text);
	assert_null(text.data);
	assert_int_equal(text.size, 0);
}

static void long_format(void **state)
{
	_cleanup_(text_done) struct text text = {0};

	(void)state;
	text_printf(&text, "%*d", 5000, 7);
	assert_int_equal(text.size, 5000);
	assert_int_equal(text.data[4999], '7');
}

static void failure_keeps_what_was(void **state)
{
	struct text text = {0};

	(void)state;
	text_puts(&text, "kept");
	text.failed = true; /* as after a failed allocation */
	text_puts(&text, " lost");
	text_printf(&text, "%d", 1);
	assert_string_equal(text.data, "kept");
	text_done(&text);
	assert_false(text.failed);
}

static void cleanups(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), taken;

	(void)state;
	{
		_cleanup_close_ int scoped = fd;
		_cleanup_close_ int none = -1;
		_cleanup_free_ char *nothing = NULL;
		_cleanup_fclose_ FILE *file = NULL;

		assert_true(scoped >= 0);
	}
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	{
		_cleanup_close_ int scoped = fd;

		taken = TAKE_FD(scoped);
	}
	assert_int_equal(fcntl(taken, F_GETFD), FD_CLOEXEC);
	close(taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grows),
	    cmocka_unit_test(long_format),
	    cmocka_unit_test(failure_keeps_what_was),
	    cmocka_unit_test(cleanups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
