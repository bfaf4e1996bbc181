/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options and settings: what is taken, what is refused, with which words and exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/api.h"
#include "daemon/base/text.h"
#include "daemon/config.h"
#include "daemon/options.h"

#define ARGS_MAX 8

/* Runs options_parse() on the words; the settings file is one that is not there unless named. */
static int parse(struct options *options, int *ret_exit, ...)
{
	char *argv[ARGS_MAX + 1] = {(char *)"pyprofd"};
	va_list args;
	int argc = 1;

	va_start(args, ret_exit);
	while (argc < ARGS_MAX && (argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	return options_parse(argc, argv, options, ret_exit);
}

static void test_defaults(void **state)
{
	struct options options;

	(void)state;
	options_defaults(&options);
	assert_string_equal(options.socket, API_SOCKET);
	assert_string_equal(options.config, OPTIONS_CONFIG);
	assert_int_equal(options.hz, 99);
	assert_int_equal(options.log_level, LOG_INFO);
	assert_true(options.budget_percent == 0.5);
	assert_int_equal(options.private_bytes, 64 << 20);
	assert_int_equal(options.map_bytes, 32 << 20);
	assert_false(options.foreground);
}

static void test_good_options(void **state)
{
	struct options options;
	int code = -1;

	(void)state;
	assert_int_equal(parse(&options, &code, "--socket=/tmp/s", "-r", "9999", "-f",
			       "--log-level", "debug", NULL),
			 0);
	assert_string_equal(options.socket, "/tmp/s");
	assert_int_equal(options.hz, 9999);
	assert_int_equal(options.log_level, LOG_DEBUG);
	assert_true(options.foreground);
	/* A second reading starts anew. */
	assert_int_equal(parse(&options, &code, "--hz", "1", NULL), 0);
	assert_int_equal(options.hz, 1);
	assert_false(options.foreground);
	assert_int_equal(code, -1);
}

static void test_bad_options(void **state)
{
	static const char *const bad[][2] = {
	    {"--hz", "0"},       {"--hz", "10000"},        {"--hz", "-1"},
	    {"--hz", "1e3"},     {"--hz", " 9"},           {"--hz", "9 "},
	    {"--hz", ""},        {"--hz", "+9"},           {"--hz", "18446744073709551617"},
	    {"--socket", "rel"}, {"--socket", ""},         {"--log-level", "loud"},
	    {"--nosuch", NULL},  {"extra", NULL},          {"--hz", NULL},
	    {"-x", NULL},        {"--foreground=1", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct options options = {.hz = 7};
		int code = -1;

		if (parse(&options, &code, bad[i][0], bad[i][1], NULL) != 1 || code != 64)
			fail_msg("%s %s: exit %d", bad[i][0], bad[i][1] ? bad[i][1] : "", code);
		assert_int_equal(options.hz, 7); /* untouched */
	}
}

static void test_long_socket(void **state)
{
	char path[200], why[256];
	struct options options;
	int code;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[OPTIONS_SOCKET_SIZE - 1] = '\0'; /* the longest that fits */
	assert_int_equal(parse(&options, &code, "--socket", path, NULL), 0);
	assert_string_equal(options.socket, path);
	path[OPTIONS_SOCKET_SIZE - 1] = 'a';
	path[OPTIONS_SOCKET_SIZE] = '\0';
	assert_int_equal(options_set(&options, "daemon.socket", path, why, sizeof(why)), -EINVAL);
}

static void test_help_and_version(void **state)
{
	struct options options;
	int code = -1;

	(void)state;
	assert_int_equal(parse(&options, &code, "--help", NULL), 1);
	assert_int_equal(code, 0);
	code = -1;
	assert_int_equal(parse(&options, &code, "-V", NULL), 1);
	assert_int_equal(code, 0);
}

static void collect(void *data, enum log_level level, const char *text)
{
	struct text *said = data;

	text_printf(said, "%d %s\n", level, text);
}

/* Reads the text as a settings file; what was said is in said. */
static int read_config(const char *config, struct options *options, struct text *said)
{
	FILE *file = fmemopen((void *)config, strlen(config), "r");
	int r;

	assert_non_null(file);
	options_defaults(options);
	r = config_read_stream(file, "c", options, collect, said);
	fclose(file);
	text_puts(said, "");
	return r;
}

static void test_config(void **state)
{
	struct options options;
	struct text said = {0};

	(void)state;
	assert_int_equal(read_config("# note\n[daemon]\nsocket = /run/x ; note\nlog_level=error\n\n"
				     "[sampling]\n hz = 199\n[budget]\npercent = 1.5\n"
				     "[memory]\nprivate = 128\nmaps=16\n",
				     &options, &said),
			 0);
	assert_int_equal(said.size, 0);
	assert_string_equal(options.socket, "/run/x");
	assert_int_equal(options.log_level, LOG_ERROR);
	assert_int_equal(options.hz, 199);
	assert_true(options.budget_percent == 1.5);
	assert_int_equal(options.private_bytes, 128 << 20);
	assert_int_equal(options.map_bytes, 16 << 20);
	text_done(&said);
}

static void expect_said(const char *config, int result, const char *expected)
{
	struct options options;
	struct text said = {0};

	assert_int_equal(read_config(config, &options, &said), result);
	assert_string_equal(said.data ? said.data : "", expected);
	text_done(&said);
}

static void test_config_findings(void **state)
{
	(void)state;
	expect_said("[sampling]\nhertz = 9\n", 0,
		    "4 c:2: unknown key, ignored: 'hertz' in section [sampling]\n");
	expect_said("hz = 9\n", 0, "4 c:1: unknown key, ignored: 'hz' in section []\n");
	expect_said("[sampling]\n\nhz = many\n", -EBADMSG,
		    "3 c:3: hz: not a number from 1 to 9999: 'many'\n");
	expect_said("[sampling]\nhz\n", -EBADMSG, "3 c:2: neither a [section] nor 'key = value'\n");
	expect_said("[budget]\npercent = 101\n[daemon]\nx = 1\nlog_level = no\n", -EBADMSG,
		    "3 c:2: percent: not a percentage from 0.01 to 100: '101'\n"
		    "4 c:4: unknown key, ignored: 'x' in section [daemon]\n"
		    "3 c:5: log_level: not one of error, warning, info, debug: 'no'\n");
	expect_said("[budget]\npercent = nan\n", -EBADMSG,
		    "3 c:2: percent: not a percentage from 0.01 to 100: 'nan'\n");
	expect_said("[memory]\nmaps = 7\n", -EBADMSG,
		    "3 c:2: maps: not a number of MiB from 8 to 65536: '7'\n");
}

static void test_config_long_line(void **state)
{
	char config[1200];
	size_t size = (size_t)snprintf(config, sizeof(config), "[daemon]\nsocket = /");

	(void)state;
	memset(config + size, 'a', 1000);
	snprintf(config + size + 1000, sizeof(config) - size - 1000, "\nlog_level = no\n");
	expect_said(config, -EBADMSG,
		    "3 c:2: line too long\n"
		    "3 c:3: log_level: not one of error, warning, info, debug: 'no'\n");
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_order(void **state)
{
	char path[] = "/tmp/pyprof-options-XXXXXX";
	struct options options;
	int code = -1, fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_file(path, "[sampling]\nhz = 50\n[daemon]\nlog_level = error\n");
	assert_int_equal(parse(&options, &code, "--config", path, "--hz", "60", NULL), 0);
	assert_int_equal(options.hz, 60);               /* the command line's */
	assert_int_equal(options.log_level, LOG_ERROR); /* the file's */
	assert_string_equal(options.config, path);
	assert_int_equal(parse(&options, &code, "--check-config", "--config", path, NULL), 1);
	assert_int_equal(code, 0);
	write_file(path, "[sampling]\nhz = 0\n");
	assert_int_equal(parse(&options, &code, "--config", path, NULL), 1);
	assert_int_equal(code, 78);
	unlink(path);
	code = -1;
	assert_int_equal(parse(&options, &code, "--config", path, NULL), 1);
	assert_int_equal(code, 78); /* named and not there */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_good_options),
	    cmocka_unit_test(test_bad_options),
	    cmocka_unit_test(test_long_socket),
	    cmocka_unit_test(test_help_and_version),
	    cmocka_unit_test(test_config),
	    cmocka_unit_test(test_config_findings),
	    cmocka_unit_test(test_config_long_line),
	    cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
