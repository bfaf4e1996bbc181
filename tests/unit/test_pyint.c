/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers of both layouts of int, to the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/pyint.h"
#include "tests/unit/fake_python.h"

static uint64_t fake_int(struct fake *fake, bool negative, const uint32_t *digits, size_t n)
{
	const struct py_objects *o = fake->reader.objects;
	uint64_t object = fake_new(fake, 64 + 4 * n);

	if (o->long_tag != PY_NONE)
		fake_u64(fake, object, o->long_tag, n << 3 | (!n ? 1 : negative ? 2 : 0));
	else
		fake_u64(fake, object, o->long_size, negative ? -(uint64_t)n : n);
	if (n)
		fake_put(fake, object, o->long_digits, digits, 4 * n);
	return object;
}

static void expect(struct fake *fake, uint64_t object, const char *decimal, int r, uint64_t value)
{
	struct text text = {0};
	uint64_t got = 0;

	assert_int_equal(pyint_add(&fake->reader, object, &text), 0);
	assert_string_equal(text.data, decimal);
	text_done(&text);
	assert_int_equal(pyint_u64(&fake->reader, object, &got), r);
	assert_int_equal(got, value);
}

static void check_numbers(struct fake *fake)
{
	static const uint32_t seven[] = {7}, large[] = {0x3fffffff, 0x3fffffff, 0xf},
			      over[] = {0, 0, 16};
	static const uint32_t billion[] = {1000000000}, long_one[] = {0, 0, 0, 1};

	expect(fake, fake_int(fake, false, NULL, 0), "0", 0, 0);
	expect(fake, fake_int(fake, false, seven, 1), "7", 0, 7);
	expect(fake, fake_int(fake, true, seven, 1), "-7", -ERANGE, 0);
	expect(fake, fake_int(fake, false, billion, 1), "1000000000", 0, 1000000000);
	expect(fake, fake_int(fake, false, large, 3), "18446744073709551615", 0, UINT64_MAX);
	expect(fake, fake_int(fake, false, over, 3), "18446744073709551616", -ERANGE, 0);
	expect(fake, fake_int(fake, true, long_one, 4), "-1237940039285380274899124224", -ERANGE,
	       0);
}

static void test_every_layout(void **state)
{
	(void)state;
	for (size_t row = 0; row < pylayout_table_size; row++) {
		struct fake fake;

		fake_open(&fake, row);
		check_numbers(&fake);
		fake_close(&fake);
	}
}

static void test_hostile(void **state)
{
	uint32_t ones[64], bad[] = {0xffffffff};
	struct text text = {0};
	struct fake fake;
	uint64_t object, value;

	(void)state;
	memset(ones, 0, sizeof(ones));
	for (size_t i = 0; i < ARRAY_SIZE(ones); i++)
		ones[i] = 0x3fffffff;
	fake_open(&fake, fake_row(12, false));
	assert_int_equal(pyint_add(&fake.reader, fake_int(&fake, false, ones, 64), &text), 0);
	assert_int_equal(text.size, 578); /* 2**1920 - 1 has 578 digits */
	text_done(&text);
	assert_int_equal(pyint_add(&fake.reader, fake_int(&fake, false, bad, 1), &text), -EBADMSG);
	assert_int_equal(text.size, 0);
	object = fake_int(&fake, false, ones, 1);
	fake_u64(&fake, object, fake.reader.objects->long_tag, 5000ull << 3);
	assert_int_equal(pyint_add(&fake.reader, object, &text), 0);
	assert_string_equal(text.data, "<int of about 150000 bits>");
	assert_int_equal(pyint_u64(&fake.reader, object, &value), -ERANGE);
	assert_int_equal(pyint_u64(&fake.reader, 0, &value), -EFAULT);
	text_done(&text);
	fake_close(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_layout),
	    cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
