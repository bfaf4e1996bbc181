/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Versions and real _Py_DebugOffsets tables → offsets; damaged tables are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include <cmocka.h>

#include "daemon/base/cleanup.h"
#include "daemon/target/pylayout.h"
#include "daemon/target/pylayout_table.h"
#include "tests/unit/debug_offsets.h"

struct result {
	struct py_layout layout;
	struct py_objects objects;
	uint32_t version;
	bool free_threaded;
};

static int read_words(const uint64_t *words, size_t count, struct result *ret)
{
	memset(ret, 0, sizeof(*ret));
	return pylayout_read(words, count * 8, &ret->layout, &ret->objects, &ret->version,
			     &ret->free_threaded);
}

static const struct debug_offsets *table_named(const char *prefix)
{
	for (size_t i = 0; i < ARRAY_SIZE(debug_offsets); i++)
		if (!strncmp(debug_offsets[i].name, prefix, strlen(prefix)))
			return &debug_offsets[i];
	fail_msg("no table %s", prefix);
	return NULL;
}

static void test_rows_have_spans(void **state)
{
	(void)state;
	for (size_t i = 0; i < pylayout_table_size; i++) {
		struct py_layout layout = pylayout_table[i];

		assert_int_equal(pylayout_span(&layout), 0);
		assert_in_range(layout.ts_span, layout.ts_thread_id + 8, 255);
		assert_in_range(layout.f_size, layout.f_instr + 4, 128);
		assert_in_range(layout.co_span, layout.co_linetable + 8, 255);
		assert_non_null(pylayout_objects(&layout));
	}
}

static void test_measured_versions(void **state)
{
	struct py_objects objects;
	struct py_layout layout;

	(void)state;
	for (uint32_t minor = 6; minor <= 12; minor++) {
		uint32_t version = 0x03000cf0 | minor << 16;

		assert_int_equal(pylayout_find(version, &layout, &objects), 0);
		assert_int_equal(layout.version, version);
		assert_int_equal(objects.minor, minor);
		assert_true(layout.ts_span && layout.f_size && layout.co_span);
		assert_int_equal(!(layout.flags & PY_INTERP_FRAMES), minor < 11);
		assert_int_equal(layout.co_qualname == PY_NONE, minor < 11);
	}
}

/* 3.7.4 grew PyGC_Head to the alignment of long double, which moved the GIL and the thread key. */
static void test_3_7_micro_versions(void **state)
{
	struct py_objects objects;
	struct py_layout layout;

	(void)state;
	assert_int_equal(pylayout_find(0x030703f0, &layout, &objects), 0);
	assert_int_equal(layout.rt_tss_key, 1420);
	assert_int_equal(layout.rt_gil, 1176);
	assert_int_equal(pylayout_find(0x030704f0, &layout, &objects), 0);
	assert_int_equal(layout.rt_tss_key, 1508);
	assert_int_equal(layout.rt_gil, 1264);
	assert_int_equal(pylayout_by_runtime_size(1424), 0x03070000);
	assert_int_equal(pylayout_by_runtime_size(1520), 0x03070400);
	assert_int_equal(pylayout_by_runtime_size(656), 0x03090000);
	assert_int_equal(pylayout_by_runtime_size(657), 0);
}

static void test_unsupported_versions(void **state)
{
	static const uint32_t versions[] = {
	    0,          0x020712f0, 0x030502f0, 0x030c00a1, 0x030c00b2,
	    0x030d00f0, 0x030f00f0, 0x031000f0, 0x040000f0, 0xffffffff,
	};
	struct py_layout layout;
	struct py_objects objects;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		assert_int_equal(pylayout_find(versions[i], &layout, &objects), -EPROTONOSUPPORT);
}

/* The rows and the tables were taken by different means, and must agree. */
static void test_tables_agree_with_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(debug_offsets); i++) {
		const struct debug_offsets *d = &debug_offsets[i];
		struct py_layout expected;
		struct py_objects objects;
		struct result got;

		assert_int_equal(read_words(d->word, d->count, &got), 0);
		assert_int_equal(got.version, d->word[1]);
		assert_int_equal(got.free_threaded, d->word[2]);
		expected = *pylayout_row(got.version, got.free_threaded);
		expected.version = got.version;
		assert_int_equal(pylayout_span(&expected), 0);
		assert_memory_equal(&got.layout, &expected, sizeof(expected));
		objects = *pylayout_objects(&expected);
		objects.is_imports_modules = got.objects.is_imports_modules;
		objects.is_sysdict = got.objects.is_sysdict;
		assert_memory_equal(&got.objects, &objects, sizeof(objects));
	}
}

/* 3.14.5 went back to the old collector: fields behind it moved by 24. */
static void test_table_tells_drift(void **state)
{
	const struct debug_offsets *early = table_named("3.14.4,"), *late = table_named("3.14.10");
	struct result got;

	(void)state;
	assert_int_equal(read_words(early->word, early->count, &got), 0);
	assert_int_equal(got.objects.is_imports_modules, 7664);
	assert_int_equal(read_words(late->word, late->count, &got), 0);
	assert_int_equal(got.objects.is_imports_modules, 7688);
}

static void test_short_table(void **state)
{
	struct result got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(debug_offsets); i++)
		for (size_t count = 0; count < debug_offsets[i].count; count++)
			assert_int_equal(read_words(debug_offsets[i].word, count, &got),
					 count < 3 ? -ENODATA : -EBADMSG);
}

static void test_no_table(void **state)
{
	uint64_t words[111] = {0};
	struct result got;

	(void)state;
	assert_int_equal(read_words(words, 111, &got), -ENODATA);
	words[0] = COOKIE;
	assert_int_equal(read_words(words, 111, &got), -EBADMSG);
}

static void test_foreign_versions(void **state)
{
	static const struct {
		uint64_t version, free_threaded;
		int result;
	} cases[] = {
	    {0x030c00f0, 0, -EPROTONOSUPPORT},
	    {0x031000f0, 0, -EPROTONOSUPPORT},
	    {0x030d00a4, 0, -EPROTONOSUPPORT},
	    {0x030d00b4, 0, -EPROTONOSUPPORT},
	    {0x030d00c1, 0, 0},
	    {0x030d00f0, 2, -EBADMSG},
	    {0x1030d00f0, 0, -EBADMSG},
	    {0x020700f0, 0, -EBADMSG},
	};
	const struct debug_offsets *d = table_named("3.13.0");
	uint64_t words[111];
	struct result got;

	(void)state;
	memcpy(words, d->word, sizeof(words));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		words[1] = cases[i].version;
		words[2] = cases[i].free_threaded;
		assert_int_equal(read_words(words, d->count, &got), cases[i].result);
	}
}

/* Each word that is used, set to each of these: refused, or harmless. */
static void check_word(const struct debug_offsets *d, size_t at, uint64_t value, unsigned *refused)
{
	uint64_t words[111];
	struct result got;
	int r;

	memcpy(words, d->word, sizeof(words));
	words[at] = value;
	r = read_words(words, d->count, &got);
	if (r < 0) {
		++*refused;
		return;
	}
	assert_in_range(got.layout.ts_span, 1, 255);
	assert_in_range(got.layout.f_size, 1, 128);
	assert_in_range(got.layout.co_span, 1, 255);
	assert_in_range(got.layout.rt_interpreters_head, 1, 1 << 20);
	assert_in_range(got.layout.is_threads_head, 1, 1 << 20);
}

static void test_hostile_words(void **state)
{
	static const uint64_t values[] = {0,      1,     7,        255,        256,
					  0xffff, 65544, 1u << 31, 0xffffffff, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(debug_offsets); i++)
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			unsigned refused = 0;

			for (size_t at = 3; at < debug_offsets[i].count; at++)
				check_word(&debug_offsets[i], at, values[v], &refused);
			assert_in_range(refused, 1, debug_offsets[i].count);
		}
}

/* Two fields of a struct at one place: a table that is wrong, however plausible each word. */
static void test_overlapping_words(void **state)
{
	const struct debug_offsets *d = table_named("3.13.5");
	uint64_t words[111];
	struct result got;

	(void)state;
	memcpy(words, d->word, sizeof(words));
	words[23] = words[24]; /* current_frame = thread_id */
	assert_int_equal(read_words(words, d->count, &got), -EBADMSG);
	memcpy(words, d->word, sizeof(words));
	words[35] = words[36]; /* filename = name */
	assert_int_equal(read_words(words, d->count, &got), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows_have_spans),
	    cmocka_unit_test(test_measured_versions),
	    cmocka_unit_test(test_3_7_micro_versions),
	    cmocka_unit_test(test_unsupported_versions),
	    cmocka_unit_test(test_tables_agree_with_rows),
	    cmocka_unit_test(test_table_tells_drift),
	    cmocka_unit_test(test_short_table),
	    cmocka_unit_test(test_no_table),
	    cmocka_unit_test(test_foreign_versions),
	    cmocka_unit_test(test_hostile_words),
	    cmocka_unit_test(test_overlapping_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
