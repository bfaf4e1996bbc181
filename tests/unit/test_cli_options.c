/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The option table and its parser; and the paths that selectors become. */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/query.h"
#include "cli/record_file.h"
#include "cli/verb.h"
#include "daemon/base/cleanup.h"

#define PARSE(options, verb, ...) parse(options, verb, (char *[]){verb, __VA_ARGS__, NULL})

static int parse(struct options *options, const char *verb, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	memset(options, 0, sizeof(*options));
	return options_parse(verb_find(verb), argc, argv, options);
}

/* A row left out of the table would be all zeroes; a letter twice in a verb would hide one. */
static void test_table(void **state)
{
	(void)state;
	for (int id = 0; id < OPTIONS_MAX; id++) {
		assert_non_null(option_table[id].name);
		assert_non_null(option_table[id].help);
		assert_true(!option_table[id].argument ==
			    (option_table[id].kind == OPTION_KIND_FLAG));
		assert_true(strlen(option_table[id].help) <= 52);
	}
	for (const struct verb *verb = verb_table; verb->name; verb++) {
		bool seen[128] = {};

		assert_ptr_equal(verb_find(verb->name), verb);
		for (int id = 0; id < OPTIONS_MAX; id++) {
			int letter = option_table[id].letter;

			if (!((verb->options | OPTIONS_GLOBAL) & 1ull << id) || !letter)
				continue;
			if (seen[letter])
				fail_msg("%s: -%c means two things", verb->name, letter);
			seen[letter] = true;
		}
	}
}

static void test_values(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(PARSE(&options, "record", "-p", "12,34", "--pid=12", "-p7", "-r", "999",
			       "--duration", "1.5m", "-gt", "--function"),
			 0);
	assert_int_equal(options.npids, 3);
	assert_int_equal(options.pids[0], 12);
	assert_int_equal(options.pids[2], 7);
	assert_int_equal(options.rate, 999);
	assert_true(options.duration == 90);
	assert_true(options.gil && options.threads && options.function && !options.nolineno);
	assert_true(options.given & OPTION_BIT(RATE));
	assert_false(options.given & OPTION_BIT(FORMAT));
	assert_int_equal(options.nrest, 0);
	options_done(&options);
}

static void test_seconds(void **state)
{
	static const struct {
		char *text;
		double seconds;
	} cases[] = {{"0.1", 0.1}, {"30", 30},   {"30s", 30},
		     {"5m", 300},  {"1h", 3600}, {"86400", 86400}};
	struct options options;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(PARSE(&options, "record", "-d", cases[i].text), 0);
		assert_true(options.duration == cases[i].seconds);
		options_done(&options);
	}
}

static void test_rest(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(PARSE(&options, "record", "-d", "5", "--", "python3", "-c", "x"), 0);
	assert_true(options.dashes);
	assert_int_equal(options.nrest, 3);
	assert_string_equal(options.rest[1], "-c");
	options_done(&options);
	assert_int_equal(PARSE(&options, "record", "-o", "--", "python3"), 0);
	assert_false(options.dashes);
	assert_string_equal(options.output, "--");
	options_done(&options);
	assert_int_equal(PARSE(&options, "functions", "fib", "-s", "own"), 0);
	assert_string_equal(options.rest[0], "fib");
	assert_string_equal(options.sort, "own");
	options_done(&options);
}

static void test_path(void **state)
{
	_cleanup_(text_done) struct text path = {}, words = {};
	struct options options;

	(void)state;
	assert_int_equal(
	    PARSE(&options, "ps", "-p", "1,2", "--unit", "a b&c=d/é", "--user", "bob", "-a"), 0);
	text_puts(&path, "/v1/processes");
	query_select(&path, &options);
	query_number(&path, "seconds", 0.25);
	assert_string_equal(path.data, "/v1/processes?pid=1&pid=2&unit=a%20b%26c%3Dd%2F%C3%A9"
				       "&user=bob&all=1&seconds=0.25");
	query_describe(&words, &options);
	assert_string_equal(words.data, "--pid 1,2 --unit a b&c=d/é --user bob --all");
	options_done(&options);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		int format;
	} cases[] = {{"a.folded", RECORD_FOLDED},
		     {"a.txt", RECORD_FOLDED},
		     {"a.json", RECORD_JSON},
		     {"a.speedscope.json", RECORD_SPEEDSCOPE},
		     {".json", RECORD_JSON},
		     {"json", -1},
		     {"a.svg", -1},
		     {"", -1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum record_format format = RECORD_JSON;
		bool known = record_file_by_name(cases[i].name, &format);

		assert_int_equal(known ? (int)format : -1, cases[i].format);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),   cmocka_unit_test(test_values),
	    cmocka_unit_test(test_seconds), cmocka_unit_test(test_rest),
	    cmocka_unit_test(test_path),    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
