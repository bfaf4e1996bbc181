/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Dicts of both shapes, attributes with and without a dict, and tables that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/target/pydict.h"
#include "tests/unit/fake_python.h"

#define MANAGED (1ull << 4)
#define INLINE (1ull << 2)

/* A table of n entries at `keys`; returns the address of its first. */
static uint64_t keys_fill(struct fake *fake, uint64_t keys, uint64_t n, unsigned *ret_entry)
{
	const struct py_objects *o = fake->reader.objects;

	fake_u64(fake, keys, o->dk_nentries, n);
	if (o->dk_log2_index_bytes == PY_NONE) {
		fake_u64(fake, keys, o->dk_size, 8);
		*ret_entry = 24;
		return keys + o->dk_indices + 8;
	}
	fake_u8(fake, keys, o->dk_log2_index_bytes, 3);
	fake_u8(fake, keys, o->dk_kind, 1);
	*ret_entry = 16;
	return keys + o->dk_indices + 8;
}

/* A table of str keys; NULL ends the names; a value of 0 is a deleted entry. */
static uint64_t fake_keys(struct fake *fake, const char *const *names, const uint64_t *values)
{
	uint64_t keys = fake_new(fake, 1024), entry, n = 0;
	unsigned size;

	while (names[n])
		n++;
	entry = keys_fill(fake, keys, n, &size);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = entry + i * size + (size == 24 ? 8 : 0);

		fake_u64(fake, at, 0, fake_ascii(fake, names[i]));
		fake_u64(fake, at, 8, values ? values[i] : 0);
	}
	return keys;
}

static uint64_t fake_dict(struct fake *fake, uint64_t keys, uint64_t values)
{
	uint64_t dict = fake_new(fake, 128);

	fake_u64(fake, dict, fake->reader.objects->dict_keys, keys);
	fake_u64(fake, dict, fake->reader.objects->dict_values, values);
	return dict;
}

static const char *const abc[] = {"alpha", "beta", "gamma", NULL};
static const uint64_t numbers[] = {11, 0, 33};

static int count(void *data, uint64_t key, uint64_t value)
{
	(void)key;
	(void)value;
	return ++*(unsigned *)data == 100;
}

static void check_dict(struct fake *fake)
{
	uint64_t dict = fake_dict(fake, fake_keys(fake, abc, numbers), 0), value = 7;
	unsigned n = 0;

	assert_int_equal(pydict_get(&fake->reader, dict, 10, "gamma", &value), 0);
	assert_int_equal(value, 33);
	assert_int_equal(pydict_get(&fake->reader, dict, 10, "beta", &value), -ENOENT);
	assert_int_equal(pydict_get(&fake->reader, dict, 10, "delta", &value), -ENOENT);
	assert_int_equal(pydict_get(&fake->reader, dict, 2, "gamma", &value), -ENOENT);
	assert_int_equal(value, 33);
	assert_int_equal(pydict_each(&fake->reader, dict, 10, count, &n), 0);
	assert_int_equal(n, 2);
}

/* The keys are a class's, the values the instance's own. */
static void check_split(struct fake *fake)
{
	uint64_t keys = fake_keys(fake, abc, NULL), values = fake_new(fake, 64), value;
	uint16_t header = fake->reader.objects->dv_values;

	for (unsigned i = 0; i < 3; i++)
		fake_u64(fake, values, (header == PY_NONE ? 0 : header) + 8 * i, 100 + i);
	assert_int_equal(
	    pydict_get(&fake->reader, fake_dict(fake, keys, values), 10, "beta", &value), 0);
	assert_int_equal(value, 101);
}

static void test_every_layout(void **state)
{
	(void)state;
	for (size_t row = 0; row < pylayout_table_size; row++) {
		struct fake fake;

		fake_open(&fake, row);
		check_dict(&fake);
		check_split(&fake);
		fake_close(&fake);
	}
}

static void test_general_table(void **state)
{
	struct fake fake;
	uint64_t keys, value;
	unsigned size;

	(void)state;
	fake_open(&fake, fake_row(11, false));
	keys = fake_new(&fake, 256);
	value = keys_fill(&fake, keys, 1, &size); /* entries of {hash, key, value} */
	fake_u8(&fake, keys, fake.reader.objects->dk_kind, 0);
	fake_u64(&fake, value, 8, fake_ascii(&fake, "k"));
	fake_u64(&fake, value, 16, 5);
	assert_int_equal(pydict_get(&fake.reader, fake_dict(&fake, keys, 0), 10, "k", &value), 0);
	assert_int_equal(value, 5);
	fake_close(&fake);
}

/* An instance of a type with those flags, with room before it. */
static uint64_t fake_instance(struct fake *fake, uint64_t flags, uint64_t dictoffset, uint64_t keys)
{
	uint64_t type = fake_new(fake, 1024), object = fake_new(fake, 256) + 64;
	const struct py_objects *o = fake->reader.objects;

	fake_u64(fake, type, o->tp_flags, flags);
	fake_u64(fake, type, o->tp_dictoffset, dictoffset);
	fake_u64(fake, type, o->ht_cached_keys, keys);
	fake_u64(fake, object, fake->reader.layout->ob_type, type);
	return object;
}

static void expect_attribute(struct fake *fake, uint64_t object, const char *name, int r,
			     uint64_t expected)
{
	uint64_t value = 0;

	assert_int_equal(pydict_attribute(&fake->reader, object, name, &value), r);
	assert_int_equal(value, expected);
}

static void test_attribute_in_a_dict(void **state)
{
	struct fake fake;
	uint64_t object;

	(void)state;
	fake_open(&fake, fake_row(8, false));
	object = fake_instance(&fake, 0, 40, 0);
	expect_attribute(&fake, object, "alpha", -ENOENT, 0);
	fake_u64(&fake, object, 40, fake_dict(&fake, fake_keys(&fake, abc, numbers), 0));
	expect_attribute(&fake, object, "alpha", 0, 11);
	object = fake_instance(&fake, 0, (uint64_t)-8, 0);
	expect_attribute(&fake, object, "alpha", -ENOENT, 0);
	fake_close(&fake);
}

/* Where values without a dict lie: a pointer before the object in 3.11, a tagged one in 3.12,
 * behind the object in 3.13+. */
static void test_attribute_without_a_dict(void **state)
{
	struct fake fake;
	uint64_t object, keys, values;

	(void)state;
	fake_open(&fake, fake_row(11, false));
	keys = fake_keys(&fake, abc, NULL);
	object = fake_instance(&fake, MANAGED, 0, keys);
	values = fake_new(&fake, 64);
	fake_u64(&fake, values, 8, 22);
	fake_u64(&fake, object, (uint64_t)-32, values);
	expect_attribute(&fake, object, "beta", 0, 22);
	fake_u64(&fake, object, (uint64_t)-32, 0);
	fake_u64(&fake, object, (uint64_t)-24, fake_dict(&fake, fake_keys(&fake, abc, numbers), 0));
	expect_attribute(&fake, object, "gamma", 0, 33);
	fake_close(&fake);

	fake_open(&fake, fake_row(12, false));
	keys = fake_keys(&fake, abc, NULL);
	object = fake_instance(&fake, MANAGED, 0, keys);
	values = fake_new(&fake, 64);
	fake_u64(&fake, values, fake.reader.objects->dv_values + 8, 22);
	fake_u64(&fake, object, (uint64_t)-24, values - 1);
	expect_attribute(&fake, object, "beta", 0, 22);
	fake_close(&fake);

	fake_open(&fake, fake_row(13, false));
	keys = fake_keys(&fake, abc, NULL);
	object = fake_instance(&fake, MANAGED | INLINE, 0, keys);
	values = object + fake.reader.objects->ob_header;
	fake_u8(&fake, values, fake.reader.objects->dv_valid, 1);
	fake_u64(&fake, values, fake.reader.objects->dv_values + 8, 22);
	expect_attribute(&fake, object, "beta", 0, 22);
	fake_u8(&fake, values, fake.reader.objects->dv_valid, 0);
	expect_attribute(&fake, object, "beta", -ENOENT, 0);
	fake_close(&fake);
}

static void test_tables_that_lie(void **state)
{
	struct fake fake;
	uint64_t keys, value = 1;

	(void)state;
	fake_open(&fake, fake_row(11, false));
	keys = fake_keys(&fake, abc, numbers);
	fake_u8(&fake, keys, fake.reader.objects->dk_log2_index_bytes, 255);
	assert_int_equal(pydict_get(&fake.reader, fake_dict(&fake, keys, 0), 10, "x", &value),
			 -EBADMSG);
	fake_u8(&fake, keys, fake.reader.objects->dk_log2_index_bytes, 40);
	assert_int_equal(pydict_get(&fake.reader, fake_dict(&fake, keys, 0), 10, "x", &value),
			 -EFAULT);
	keys = fake_keys(&fake, abc, numbers);
	fake_u64(&fake, keys, fake.reader.objects->dk_nentries, UINT64_MAX);
	assert_int_equal(pydict_get(&fake.reader, fake_dict(&fake, keys, 0), 1000000, "x", &value),
			 -EFAULT);
	assert_int_equal(pydict_get(&fake.reader, fake_dict(&fake, keys, 0), 3, "x", &value),
			 -ENOENT);
	assert_int_equal(pydict_get(&fake.reader, fake_dict(&fake, 8, 0), 3, "x", &value), -EFAULT);
	assert_int_equal(pydict_get(&fake.reader, 0, 3, "x", &value), -EFAULT);
	fake_close(&fake);
	fake_open(&fake, fake_row(9, false));
	keys = fake_keys(&fake, abc, numbers);
	fake_u64(&fake, keys, fake.reader.objects->dk_size, UINT64_MAX);
	assert_int_equal(pydict_get(&fake.reader, fake_dict(&fake, keys, 0), 3, "x", &value),
			 -EBADMSG);
	assert_int_equal(value, 1);
	fake_close(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_layout),
	    cmocka_unit_test(test_general_table),
	    cmocka_unit_test(test_attribute_in_a_dict),
	    cmocka_unit_test(test_attribute_without_a_dict),
	    cmocka_unit_test(test_tables_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
