/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Strings of every kind become UTF-8; what is no string is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/target/pystring.h"
#include "tests/unit/fake_python.h"

static void expect(struct fake *fake, uint64_t string, size_t max, int cut, const char *text)
{
	char *got = NULL;

	assert_int_equal(pystring_read(&fake->reader, string, max, &got), cut);
	assert_string_equal(got, text);
	free(got);
}

static void check_kinds(struct fake *fake)
{
	static const uint16_t two[] = {'x', 0x65e5, 0xd800, 0x00e9};
	static const uint32_t four[] = {0x1d4cd, 'y', 0x110000, 0};
	char long_text[5000];

	expect(fake, fake_ascii(fake, ""), 10, 0, "");
	expect(fake, fake_ascii(fake, "plain"), 10, 0, "plain");
	expect(fake, fake_ascii(fake, "plain"), 5, 0, "plain");
	expect(fake, fake_ascii(fake, "plain"), 4, 1, "plai…");
	expect(fake, fake_string(fake, "\xe9t\xe9", 3, 1, false), 10, 0, "\xc3\xa9t\xc3\xa9");
	expect(fake, fake_string(fake, two, 4, 2, false), 10, 0,
	       "x\xe6\x97\xa5\xef\xbf\xbd\xc3\xa9");
	expect(fake, fake_string(fake, four, 4, 4, false), 10, 0,
	       "\xf0\x9d\x93\x8dy\xef\xbf\xbd\xef\xbf\xbd");
	memset(long_text, 'z', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	expect(fake, fake_ascii(fake, long_text), sizeof(long_text), 0, long_text);
}

static void test_kinds_in_every_layout(void **state)
{
	(void)state;
	for (size_t row = 0; row < pylayout_table_size; row++) {
		struct fake fake;

		fake_open(&fake, row);
		check_kinds(&fake);
		fake_close(&fake);
	}
}

static void test_data_elsewhere(void **state)
{
	struct fake fake;
	uint64_t string, data;
	const struct py_layout *l;

	(void)state;
	fake_open(&fake, fake_row(8, false));
	l = fake.reader.layout;
	string = fake_string(&fake, "", 0, 1, false);
	data = fake_new(&fake, 16);
	fake_put(&fake, data, 0, "away", 4);
	fake_u32(&fake, string, l->str_state, 1u << __builtin_ctz(l->str_kind_mask));
	fake_u64(&fake, string, l->str_length, 4);
	fake_u64(&fake, string, l->str_compact, data);
	expect(&fake, string, 10, 0, "away");
	fake_u64(&fake, string, l->str_compact, 8);
	assert_int_equal(pystring_read(&fake.reader, string, 10, &(char *){NULL}), -EFAULT);
	fake_close(&fake);
}

static void test_no_strings(void **state)
{
	struct fake fake;
	uint64_t string;
	char *none = (char *)1;

	(void)state;
	fake_open(&fake, fake_row(12, false));
	string = fake_ascii(&fake, "x");
	fake_u64(&fake, string, fake.reader.layout->str_length, UINT64_MAX);
	assert_int_equal(pystring_read(&fake.reader, string, 10, &none), -EBADMSG);
	string = fake_string(&fake, "xxxx", 1, 3, false);
	assert_int_equal(pystring_read(&fake.reader, string, 10, &none), -EBADMSG);
	assert_int_equal(pystring_read(&fake.reader, 0, 10, &none), -EFAULT);
	string = fake_ascii(&fake, "x");
	fake_u64(&fake, string, fake.reader.layout->str_length, FAKE_SIZE * 4ull);
	assert_int_equal(pystring_read(&fake.reader, string, SIZE_MAX, &none), -EFAULT);
	assert_ptr_equal(none, (char *)1);
	fake_close(&fake);
}

static void test_equals(void **state)
{
	struct fake fake;

	(void)state;
	fake_open(&fake, fake_row(13, false));
	assert_true(pystring_equals(&fake.reader, fake_ascii(&fake, "threading"), "threading"));
	assert_false(pystring_equals(&fake.reader, fake_ascii(&fake, "threadinG"), "threading"));
	assert_false(pystring_equals(&fake.reader, fake_ascii(&fake, "threading2"), "threading"));
	assert_false(pystring_equals(&fake.reader, fake_ascii(&fake, ""), "threading"));
	assert_false(pystring_equals(&fake.reader, 16, "threading"));
	fake_close(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kinds_in_every_layout),
	    cmocka_unit_test(test_data_elsewhere),
	    cmocka_unit_test(test_no_strings),
	    cmocka_unit_test(test_equals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
