/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hand-made tables; every table of the standard libraries is tests/live/test_linetable.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/symbol/linetable.h"

#define V36 0x03060ff0u
#define V39 0x030912f0u
#define V310 0x030a0df0u
#define V311 0x030b07f0u
#define V315 0x030f02f0u
#define LINE(version, table, first, lasti)                                                         \
	linetable_line(version, table, sizeof(table), first, lasti)

static void lnotab_steps(void **state)
{
	/* line 10 at 0, 11 at 6, back to 9 at 56 */
	static const uint8_t table[] = {6, 1, 50, 0xfe};

	(void)state;
	for (uint32_t lasti = 0; lasti < 100; lasti += 2) {
		int line = lasti < 6 ? 10 : lasti < 56 ? 11 : 9;

		assert_int_equal(LINE(V36, table, 10, lasti), line);
		assert_int_equal(LINE(V39, table, 10, lasti), line);
	}
}

static void lnotab_long_gaps(void **state)
{
	/* 300 bytes and 200 lines take several pairs each (Objects/lnotab_notes.txt) */
	static const uint8_t table[] = {255, 0, 45, 127, 0, 73, 4, 0x81, 0, 0xff};

	(void)state;
	assert_int_equal(LINE(V39, table, 1, 298), 1);
	assert_int_equal(LINE(V39, table, 1, 300), 201);
	assert_int_equal(LINE(V39, table, 1, 304), 201 - 128);
}

static void lnotab_empty_and_odd(void **state)
{
	static const uint8_t odd[] = {2, 1, 2};

	(void)state;
	assert_int_equal(linetable_line(V39, NULL, 0, 7, 0), 7);
	assert_int_equal(LINE(V39, odd, 7, 1000), 8);
}

static void pairs(void **state)
{
	/* [0,4) line 5, [4,6) none, [6,6) +3 empty, [6,16) line 8 - 2 */
	static const uint8_t table[] = {4, 0, 2, 0x80, 0, 3, 10, 0xfe};

	(void)state;
	assert_int_equal(LINE(V310, table, 5, 0), 5);
	assert_int_equal(LINE(V310, table, 5, 2), 5);
	assert_int_equal(LINE(V310, table, 5, 4), 0);
	assert_int_equal(LINE(V310, table, 5, 6), 6);
	assert_int_equal(LINE(V310, table, 5, 14), 6);
	assert_int_equal(LINE(V310, table, 5, 16), 0);
	assert_int_equal(linetable_line(V310, NULL, 0, 5, 0), 0);
}

/* One entry of each code of the location table. */
static const uint8_t locations[] = {
    0xf8 | 0,                                /* [0,2) none */
    0xe8 | 1, 0x02,                          /* [2,6) +1 */
    0x80 | 0, 0x11,                          /* [6,8) same line, short form */
    0xd0 | 0, 0x04,        0x05,             /* [8,10) +0 */
    0xe0 | 0, 0x04,        0x05,             /* [10,12) +2 */
    0xf0 | 7, 0x03,        0x02, 0x01, 0x01, /* [12,28) -1, long form */
    0xe8 | 0, 0x40 | 0x00, 0x40, 0x01        /* [28,30) + (1 << 12 >> 1) */
};

static void location_codes(void **state)
{
	static const struct {
		uint32_t lasti;
		int line;
	} want[] = {{0, 0},    {2, 101},  {4, 101},  {6, 101},   {8, 101},
		    {10, 103}, {12, 102}, {26, 102}, {28, 2150}, {30, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(LINE(V311, locations, 100, want[i].lasti), want[i].line);
		assert_int_equal(LINE(V315, locations, 100, want[i].lasti), want[i].line);
	}
}

static void hostile(void **state)
{
	uint8_t table[64];

	(void)state;
	memset(table, 0xff, sizeof(table)); /* no entry ever has a line */
	assert_int_equal(LINE(V311, table, 1, 0), 0);
	memset(table, 0x7f, sizeof(table)); /* no entry starts */
	assert_int_equal(LINE(V311, table, 1, 0), 0);
	table[0] = 0xe8; /* a varint of 63 bytes */
	(void)LINE(V311, table, 1, 0);
	assert_int_equal(LINE(V311, table, 1, 2), 0);
	memset(table, 0x80, sizeof(table)); /* line goes below zero */
	assert_int_equal(LINE(V39, table, 1, UINT32_MAX), 0);
	(void)LINE(V39, table, INT32_MIN, UINT32_MAX); /* wraps, without undefined behaviour */
	assert_int_equal(LINE(V310, table, INT32_MAX, 0), 0);
}

static void covered(void **state)
{
	static const uint8_t table[] = {4, 0, 2, 0x80, 10, 1};

	(void)state;
	assert_int_equal(linetable_covered(V39, table, sizeof(table)), 16);
	assert_int_equal(linetable_covered(V310, table, sizeof(table)), 16);
	assert_int_equal(linetable_covered(V311, locations, sizeof(locations)), 30);
	assert_int_equal(linetable_covered(V311, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lnotab_steps),
	    cmocka_unit_test(lnotab_long_gaps),
	    cmocka_unit_test(lnotab_empty_and_odd),
	    cmocka_unit_test(pairs),
	    cmocka_unit_test(location_codes),
	    cmocka_unit_test(hostile),
	    cmocka_unit_test(covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
