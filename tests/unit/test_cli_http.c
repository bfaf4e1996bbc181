/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Heads of HTTP answers, whole, cut at each byte, and bent. */
#include "cli/http.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *head, struct http_head *ret)
{
	/* A copy without room behind it, so that a sanitizer sees a byte too far. */
	size_t size = strlen(head);
	char *copy = malloc(size + 1);
	int r;

	memcpy(copy, head, size);
	copy = realloc(copy, size ? size : 1);
	assert_int_equal(http_head_size(copy, size), size);
	r = http_head_parse(copy, size, ret);
	free(copy);
	return r;
}

static void test_good(void **state)
{
	struct http_head head;

	(void)state;
	assert_int_equal(parse("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", &head), 0);
	assert_int_equal(head.status, 200);
	assert_int_equal(head.length, 12);
	assert_false(head.chunked || head.close);
	assert_int_equal(parse("HTTP/1.1 404\r\ncontent-length:0\t\r\nX: \r\n\r\n", &head), 0);
	assert_int_equal(head.status, 404);
	assert_int_equal(head.length, 0);
	assert_int_equal(parse("HTTP/1.1 200 \r\nTRANSFER-ENCODING:  Chunked \r\n"
			       "Connection: Close\r\n\r\n",
			       &head),
			 0);
	assert_true(head.chunked && head.close);
	assert_int_equal(head.length, -1);
	assert_int_equal(parse("HTTP/1.0 200 OK\r\n\r\n", &head), 0);
	assert_true(head.close);
}

static void test_bad(void **state)
{
	static const char *const heads[] = {
	    "\r\n\r\n",
	    "HTTP/1.1 2x0 OK\r\n\r\n",
	    "HTTP/1.1 099 OK\r\n\r\n",
	    "HTTP/1.1 600 OK\r\n\r\n",
	    "HTTP/1.1 2000 OK\r\n\r\n",
	    "HTTP/2.0 200 OK\r\n\r\n",
	    "HTTP/1.1-200 OK\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
	    "HTTP/1.1 200 OK\r\n: nameless\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct http_head head = {.status = 77};

		if (parse(heads[i], &head) != -EBADMSG)
			fail_msg("taken: %s", heads[i]);
		assert_int_equal(head.status, 77);
	}
}

static void test_cut(void **state)
{
	static const char whole[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody";

	(void)state;
	for (size_t size = 0; size < sizeof(whole); size++)
		assert_int_equal(http_head_size(whole, size), size < 25 ? 0 : 25);
}

static void test_chunks(void **state)
{
	static const struct {
		const char *line;
		int r;
		uint64_t size;
	} cases[] = {
	    {"0", 0, 0},          {"1a", 0, 26},       {"1A", 0, 26},
	    {"1a;name=x", 0, 26}, {"1a ", 0, 26},      {"", -EBADMSG, 0},
	    {"x", -EBADMSG, 0},   {"-1", -EBADMSG, 0}, {"1g", -EBADMSG, 0},
	    {"0x1", -EBADMSG, 0}, {";", -EBADMSG, 0},  {"1000000000000000", -EBADMSG, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t size = 0;

		assert_int_equal(http_chunk_size(cases[i].line, strlen(cases[i].line), &size),
				 cases[i].r);
		assert_int_equal(size, cases[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
