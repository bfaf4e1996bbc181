/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Figures, widths and tables as they are printed. */
#include "cli/format.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/table.h"
#include "daemon/base/cleanup.h"

#define CHECK(function, ...)                                                                       \
	do {                                                                                       \
		static const struct {                                                              \
			double value;                                                              \
			const char *text;                                                          \
		} cases[] = {__VA_ARGS__};                                                         \
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {                                   \
			char out[FORMAT_SIZE];                                                     \
			function(out, cases[i].value);                                             \
			assert_string_equal(out, cases[i].text);                                   \
		}                                                                                  \
	} while (0)

static void count(char out[FORMAT_SIZE], double value)
{
	format_count(out, (uint64_t)value);
}

static void test_figures(void **state)
{
	(void)state;
	CHECK(format_bytes, {0, "0B"}, {999, "999B"}, {1000, "1.0K"}, {1024, "1.0K"},
	      {612 << 20, "612M"}, {1400.0 * (1 << 20), "1.4G"}, {1 << 20, "1.0M"});
	CHECK(format_ns, {0, "0 ns"}, {999, "999 ns"}, {1000, "1.00 us"}, {45600000, "45.6 ms"},
	      {1.5e9, "1.50 s"}, {123e9, "123 s"});
	CHECK(format_age, {-1, "0s"}, {59, "59s"}, {250, "4m10s"}, {7380, "2h03m"},
	      {5.1 * 86400, "5d02h"});
	CHECK(format_percent, {0, "0.0"}, {71.34, "71.3"}, {99.96, "100"}, {812.5, "812"});
	CHECK(count, {0, "0"}, {999, "999"}, {1000, "1,000"}, {12345678, "12,345,678"});
}

static void test_widths(void **state)
{
	(void)state;
	assert_int_equal(format_width("abc"), 3);
	assert_int_equal(format_width("漢字"), 4);
	assert_int_equal(format_width("e\xcc\x81"), 1);
	assert_int_equal(format_fit("漢字", 3), 3);
	assert_int_equal(format_fit("abc", 5), 3);
	assert_int_equal(format_fit("abc", 0), 0);
	assert_int_equal(format_width("\xff\xfe"), 2);
	assert_string_equal(format_base("/a/b.py"), "b.py");
	assert_string_equal(format_base("b.py"), "b.py");
	assert_string_equal(format_base("/a/"), "/a/");
}

static char *printed(struct table *table, size_t width, bool colored)
{
	char *bytes = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&bytes, &size);

	assert_int_equal(table_print(table, out, width, colored), 0);
	fclose(out);
	return bytes;
}

static void test_table(void **state)
{
	static const struct table_column columns[] = {
	    {"N", true, 0}, {"NAME", false, 5}, {"REST", false, 0}};
	_cleanup_table_ struct table *table = table_new(columns, ARRAY_SIZE(columns));
	_cleanup_free_ char *wide = NULL, *narrow = NULL, *bold = NULL;

	(void)state;
	table_printf(table, "%d", 7);
	table_cell(table, "漢字漢字");
	table_cell(table, "x\033[31my\nz");
	table_line(table, "  a note");
	table_cell(table, "12");
	table_cell(table, NULL);
	table_cell(table, "");
	assert_int_equal(table_rows(table), 2);
	wide = printed(table, 0, false);
	assert_string_equal(wide, " N  NAME      REST\n 7  漢字漢字  x\ufffd[31my\ufffdz\n"
				  "  a note\n12  -\n");
	narrow = printed(table, 14, false);
	assert_string_equal(narrow, " N  NAME   RES\n 7  漢字…  x\ufffd[\n  a note\n12  -\n");
	bold = printed(table, 4, true);
	assert_string_equal(bold, "\033[1m N\033[0m\n 7\n  a\n12\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_figures),
	    cmocka_unit_test(test_widths),
	    cmocka_unit_test(test_table),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
