/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the writer writes, jansson reads, whatever the strings hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"

static void document(void **state)
{
	_cleanup_(text_done) struct text text = {0};
	struct json json;

	(void)state;
	json_init(&json, &text);
	json_object(&json, NULL);
	json_string(&json, "schema", "pyprof/1");
	json_array(&json, "list");
	json_int(&json, NULL, INT64_MIN);
	json_uint(&json, NULL, UINT64_MAX);
	json_object(&json, NULL);
	json_end(&json);
	json_array(&json, NULL);
	json_end(&json);
	json_end(&json);
	json_real(&json, "real", 2.0 / 3, 3);
	json_real(&json, "nan", NAN, 3);
	json_real(&json, "inf", -INFINITY, 3);
	json_bool(&json, "yes", true);
	json_bool(&json, "no", false);
	json_null(&json, "nothing");
	json_string(&json, "null", NULL);
	json_end(&json);
	assert_string_equal(text.data,
			    "{\"schema\":\"pyprof/1\",\"list\":[-9223372036854775808,"
			    "18446744073709551615,{},[]],\"real\":0.667,\"nan\":null,\"inf\":null,"
			    "\"yes\":true,\"no\":false,\"nothing\":null,\"null\":null}");
}

/* The string as a reader gets it. */
static void check_string(const char *bytes, size_t size, const char *want, size_t want_size)
{
	_cleanup_(text_done) struct text text = {0};
	struct json json;
	json_t *read, *value;

	json_init(&json, &text);
	json_object(&json, NULL);
	json_bytes(&json, "k\n\"", bytes, size);
	json_end(&json);
	read = json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
	assert_non_null(read);
	value = json_object_get(read, "k\n\"");
	assert_int_equal(json_string_length(value), want_size);
	assert_memory_equal(json_string_value(value), want, want_size);
	json_decref(read);
}

#define CHECK(in, want) check_string(in, sizeof(in) - 1, want, sizeof(want) - 1)

static void strings(void **state)
{
	(void)state;
	CHECK("", "");
	CHECK("a\"b\\c/d", "a\"b\\c/d");
	CHECK("\x01\x1f\n\t\x7f", "\x01\x1f\n\t\x7f");
	CHECK("a\0b", "a\0b");
	CHECK("\xe2\x80\xa8\xf0\x9f\x90\x8d", "\xe2\x80\xa8\xf0\x9f\x90\x8d");
	CHECK("x\xff\xc3y\xed\xa0\x80",
	      "x\xef\xbf\xbd\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void random_bytes(void **state)
{
	unsigned seed = 3;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		_cleanup_(text_done) struct text text = {0};
		char bytes[40];
		size_t size = (size_t)rand_r(&seed) % sizeof(bytes);
		struct json json;
		json_t *read;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)rand_r(&seed);
		json_init(&json, &text);
		json_array(&json, NULL);
		json_bytes(&json, NULL, bytes, size);
		json_end(&json);
		read = json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
		assert_non_null(read);
		json_decref(read);
	}
}

static void nested(void **state)
{
	_cleanup_(text_done) struct text text = {0};
	struct json json;

	(void)state;
	json_init(&json, &text);
	for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
		json_array(&json, NULL);
	for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
		json_end(&json);
	assert_int_equal(text.size, 2 * (JSON_DEPTH_MAX - 1));
	json_decref(json_loadb(text.data, text.size, 0, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(document),
	    cmocka_unit_test(strings),
	    cmocka_unit_test(random_bytes),
	    cmocka_unit_test(nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
