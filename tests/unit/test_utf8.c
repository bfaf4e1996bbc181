/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/utf8.h"

static void every_character_there_and_back(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		char bytes[4];
		size_t n = utf8_encode(c, bytes);
		uint32_t back;

		assert_int_equal(utf8_next(bytes, n, &back), n);
		assert_int_equal(back, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
		if (n > 1) { /* cut, it is bad */
			assert_int_equal(utf8_next(bytes, n - 1, &back), 1);
			assert_int_equal(back, UTF8_INVALID);
		}
	}
}

static void too_large_becomes_replacement(void **state)
{
	char bytes[4];

	(void)state;
	assert_int_equal(utf8_encode(0x110000, bytes), 3);
	assert_memory_equal(bytes, "\xef\xbf\xbd", 3);
	assert_int_equal(utf8_encode(UTF8_INVALID, bytes), 3);
	assert_memory_equal(bytes, "\xef\xbf\xbd", 3);
}

static void bad_sequences(void **state)
{
	static const char *const bad[] = {
	    "\x80",
	    "\xbf",
	    "\xc0\x80",
	    "\xc1\xbf", /* stray, overlong */
	    "\xe0\x80\x80",
	    "\xe0\x9f\xbf",
	    "\xf0\x80\x80\x80",
	    "\xf0\x8f\xbf\xbf", /* overlong */
	    "\xed\xa0\x80",
	    "\xed\xbf\xbf", /* surrogates */
	    "\xf4\x90\x80\x80",
	    "\xf5\x80\x80\x80",
	    "\xff",
	    "\xfe", /* too large */
	    "\xc3(",
	    "\xe2\x82(",
	    "\xf0\x9f\x90(", /* cut short */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint32_t c = 0;

		assert_int_equal(utf8_next(bad[i], strlen(bad[i]), &c), 1);
		assert_int_equal(c, UTF8_INVALID);
	}
}

static void check_print(const char *in, size_t size, const char *want)
{
	_cleanup_(text_done) struct text text = {0};

	utf8_print(&text, in, size);
	assert_string_equal(text.data ? text.data : "", want);
}

#define BAD "\xef\xbf\xbd"

static void for_terminals(void **state)
{
	(void)state;
	check_print("", 0, "");
	check_print("plain caf\xc3\xa9 \xf0\x9f\x90\x8d", 16, "plain caf\xc3\xa9 \xf0\x9f\x90\x8d");
	check_print("\x1b[31m", 5, BAD "[31m");
	check_print("a\nb\tc\r\0d", 8, "a" BAD "b" BAD "c" BAD BAD "d");
	check_print("\x7f\xc2\x9b\xc2\x80", 5, BAD BAD BAD);                 /* DEL, C1's CSI */
	check_print("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8", 9, BAD BAD BAD); /* RLO, LRI, LS */
	check_print("x\xff\xc3", 3, "x" BAD BAD);
	check_print("\xc2\xa0", 2, "\xc2\xa0");
	/* Direction marks LRM, RLM, ALM; zero-width space, joiner, BOM; soft hyphen; a tag. */
	check_print("a\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"
		    "b",
		    10, "ab");
	check_print("a\xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf"
		    "b",
		    11, "ab");
	check_print("a\xc2\xad\xf3\xa0\x80\x81"
		    "b",
		    8, "ab");
	check_print("e\xcc\x81", 3, "e\xcc\x81"); /* an accent */
}

/* The table is searched in its order. */
static void every_character_is_shown_alike(void **state)
{
	unsigned left_out = 0, replaced = 0;

	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		_cleanup_(text_done) struct text text = {0};
		char bytes[4];

		if (c >= 0xd800 && c < 0xe000)
			continue;
		utf8_print(&text, bytes, utf8_encode(c, bytes));
		left_out += text.size == 0;
		replaced += c != 0xfffd && text.size == 3 && !memcmp(text.data, BAD, 3);
		assert_int_equal(utf8_shown(c) == UTF8_LEFT_OUT, text.size == 0);
	}
	assert_int_equal(replaced, 0x20 + 0x21 + 7 + 4);
	assert_int_equal(left_out, 5 + 2 + 5 + 5 + 6 + 6 + 1 + 16 + 1 + 1 + 3 + 4 + 8 + 4096);
	assert_int_equal(utf8_shown(UTF8_INVALID), UTF8_REPLACED);
	assert_int_equal(utf8_shown(0x202e), UTF8_REPLACED);
	assert_int_equal(utf8_shown(0x2066), UTF8_REPLACED);
	assert_int_equal(utf8_shown(0x200e), UTF8_LEFT_OUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_character_there_and_back),
	    cmocka_unit_test(too_large_becomes_replacement),
	    cmocka_unit_test(bad_sequences),
	    cmocka_unit_test(for_terminals),
	    cmocka_unit_test(every_character_is_shown_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
