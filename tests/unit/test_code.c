/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Code objects from records and from memory: this process plays the target with objects it lays out
 * as CPython 3.11 does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "bpf/checksum.h"
#include "daemon/symbol/code.h"
#include "daemon/symbol/fetch.h"
#include "daemon/symbol/strings.h"

#define LIMIT (64u << 20)
#define V311 0x030b07f0u
#define V39 0x030912f0u

static union {
	struct code_record code;
	uint8_t bytes[16384];
} record;

/* A record with Latin-1 file and name, and a table; sets sizes. */
static size_t make_record(const char *file, const char *name, const void *table, size_t table_size)
{
	uint8_t *at = record.code.data;

	memset(&record, 0, sizeof(record));
	record.code.header.kind = RECORD_CODE;
	record.code.family = 7;
	record.code.code = 0x1000;
	record.code.checksum = 0xabcd;
	record.code.first_line = 40;
	record.code.version = V311;
	record.code.file_kind = record.code.name_kind = 1;
	record.code.file_bytes = (uint16_t)strlen(file);
	record.code.name_bytes = (uint16_t)strlen(name);
	record.code.table_bytes = (uint16_t)table_size;
	record.code.table_len = (uint32_t)table_size;
	memcpy(at, file, strlen(file));
	memcpy(at + strlen(file), name, strlen(name));
	memcpy(at + strlen(file) + strlen(name), table, table_size);
	record.code.header.size =
	    (uint32_t)(sizeof(record.code) + strlen(file) + strlen(name) + table_size);
	return record.code.header.size;
}

static const uint8_t table[] = {0xe8 | 1, 0x02, 0x80, 0x11}; /* [0,4) +1, [4,6) same */

static void from_record(void **state)
{
	struct codes *codes = codes_new(LIMIT);
	size_t size = make_record("/app/caf\xe9.py", "Class.f", table, sizeof(table));
	const struct code *code;

	(void)state;
	assert_null(codes_find(codes, 7, 0x1000, 0xabcd));
	assert_int_equal(codes_add(codes, NULL, &record.code, size), 0);
	assert_int_equal(codes_add(codes, NULL, &record.code, size), -EEXIST);
	assert_int_equal(codes_count(codes), 1);
	code = codes_find(codes, 7, 0x1000, 0xabcd);
	assert_non_null(code);
	assert_string_equal(code_file(code), "/app/caf\xc3\xa9.py");
	assert_string_equal(code_function(code), "Class.f");
	assert_int_equal(code_first_line(code), 40);
	assert_int_equal(code_line(code, 0), 41);
	assert_int_equal(code_line(code, 4 | FRAME_ENTRY), 41);
	assert_int_equal(code_line(code, 6), 0);
	assert_int_equal(code_line(code, FRAME_LASTI_NONE), 40);
	assert_int_equal(code_line(code, FRAME_LASTI_NONE | FRAME_ENTRY), 40);
	assert_null(codes_find(codes, 8, 0x1000, 0xabcd));
	assert_null(codes_find(codes, 7, 0x1001, 0xabcd));
	assert_null(codes_find(codes, 7, 0x1000, 0xabce));
	codes_free(codes);
}

static void bad_records(void **state)
{
	struct codes *codes = codes_new(LIMIT);
	size_t size = make_record("f", "n", table, sizeof(table));

	(void)state;
	assert_int_equal(codes_add(codes, NULL, &record.code, size - 1), -EBADMSG);
	record.code.table_bytes++;
	record.code.table_len++;
	assert_int_equal(codes_add(codes, NULL, &record.code, size), -EBADMSG);
	assert_int_equal(codes_count(codes), 0);
	codes_free(codes);
}

/* Name of the given characters → what the table says. */
static void check_name(unsigned kind, const void *characters, size_t bytes, const char *want)
{
	struct codes *codes = codes_new(LIMIT);

	make_record("f", "", "", 0);
	memcpy(record.code.data + 1, characters, bytes);
	record.code.name_kind = (uint8_t)kind;
	record.code.name_bytes = (uint16_t)bytes;
	record.code.header.size += (uint32_t)bytes;
	assert_int_equal(codes_add(codes, NULL, &record.code, record.code.header.size), 0);
	assert_string_equal(code_function(codes_find(codes, 7, 0x1000, 0xabcd)), want);
	codes_free(codes);
}

static void character_widths(void **state)
{
	static const uint16_t two[] = {'a', 0x3b1, 0xd800, 0x20ac, 0};
	static const uint32_t four[] = {0x1f40d, 'x', 0xdfff, 0x110000, 0xffffffff};

	(void)state;
	check_name(1, "a\xff\0z", 4, "a\xc3\xbf\xef\xbf\xbdz");
	check_name(2, two, sizeof(two), "a\xce\xb1\xef\xbf\xbd\xe2\x82\xac\xef\xbf\xbd");
	check_name(4, four, sizeof(four), "\xf0\x9f\x90\x8dx\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void cut_tables_give_no_line(void **state)
{
	static const uint8_t lnotab[] = {4, 1, 4, 1};
	struct codes *codes = codes_new(LIMIT);
	size_t size = make_record("f", "n", lnotab, sizeof(lnotab));
	const struct code *code;

	(void)state;
	record.code.version = V39;
	record.code.table_len = 4000;
	record.code.flags = CODE_TABLE_PARTIAL | CODE_NAME_PARTIAL | CODE_FILE_PARTIAL;
	assert_int_equal(codes_add(codes, NULL, &record.code, size), 0);
	code = codes_find(codes, 7, 0x1000, 0xabcd);
	assert_int_equal(code_line(code, 0), 40);
	assert_int_equal(code_line(code, 6), 41);
	assert_int_equal(code_line(code, 8), 0);
	assert_string_equal(code_function(code), "n\xe2\x80\xa6");
	assert_string_equal(code_file(code), "f\xe2\x80\xa6");
	codes_free(codes);
}

static void limited(void **state)
{
	struct codes *codes = codes_new(4096);
	int r = 0;

	(void)state;
	for (unsigned i = 0; i < 100 && r == 0; i++) {
		size_t size = make_record("/some/file.py", "name", table, sizeof(table));

		record.code.code = i;
		r = codes_add(codes, NULL, &record.code, size);
	}
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(codes_refused(codes), 1);
	assert_true(codes_count(codes) > 5);
	assert_true(codes_bytes(codes) <= 4096);
	codes_free(codes);
}

/* Thousands of processes come and go, ten at a time, each with names of its own. */
static void flat_under_churn(void **state)
{
	struct codes *codes = codes_new(LIMIT);
	size_t base = codes_bytes(codes), peak = 0;

	(void)state;
	for (unsigned family = 0; family < 5000; family++) {
		for (unsigned i = 0; i < 20; i++) {
			char name[64];
			size_t size;

			snprintf(name, sizeof(name), "function_%u_of_%u", i, family);
			size = make_record("/lib/common.py", name, table, sizeof(table));
			record.code.family = family;
			record.code.code = 0x1000 + i;
			assert_int_equal(codes_add(codes, NULL, &record.code, size), 0);
		}
		if (family >= 10)
			codes_drop_family(codes, family - 10, NULL, NULL);
		if (family == 100)
			peak = codes_bytes(codes);
		if (family > 100)
			assert_true(codes_bytes(codes) <= peak + peak / 4);
	}
	assert_int_equal(codes_count(codes), 200);
	for (unsigned family = 4990; family < 5000; family++)
		codes_drop_family(codes, family, NULL, NULL);
	codes_drop_family(codes, 12345678, NULL, NULL);
	assert_int_equal(codes_count(codes), 0);
	assert_int_equal(codes_bytes(codes), base);
	codes_free(codes);
	assert_int_equal(strings_count(), 0);
}

static void dropped_key(void *data, const struct code_key *key)
{
	assert_int_equal(key->family, 7);
	assert_int_equal(key->checksum, 0xabcd);
	*(uint64_t *)data += key->code;
}

static void dropped_keys_are_told(void **state)
{
	struct codes *codes = codes_new(LIMIT);
	uint64_t sum = 0;

	(void)state;
	for (uint64_t address = 1; address <= 8; address *= 2) {
		size_t size = make_record("f", "n", table, sizeof(table));

		record.code.code = address;
		codes_add(codes, NULL, &record.code, size);
	}
	codes_drop_family(codes, 8, dropped_key, &sum);
	assert_int_equal(sum, 0);
	codes_drop_family(codes, 7, dropped_key, &sum);
	assert_int_equal(sum, 15);
	codes_free(codes);
}

static void shared_by_processes(void **state)
{
	struct codes *codes = codes_new(LIMIT);
	size_t size = make_record("/lib/x.py", "f", table, sizeof(table)), names;

	(void)state;
	codes_add(codes, NULL, &record.code, size);
	names = strings_bytes();
	record.code.family = 8;
	codes_add(codes, NULL, &record.code, size);
	assert_int_equal(strings_bytes(), names);
	assert_ptr_equal(code_file(codes_find(codes, 7, 0x1000, 0xabcd)),
			 code_file(codes_find(codes, 8, 0x1000, 0xabcd)));
	codes_free(codes);
}

/* ---- from memory ---- */

static const struct py_layout layout = {
    .version = V311,
    .co_span = 176,
    .co_filename = 112,
    .co_name = 120,
    .co_qualname = 128,
    .co_linetable = 136,
    .co_firstlineno = 72,
    .co_consts = 24,
    .str_length = 16,
    .str_state = 32,
    .str_ascii = 48,
    .str_compact = 72,
    .str_kind_mask = 0x1c,
    .str_compact_bit = 0x20,
    .str_ascii_bit = 0x40,
    .bytes_size = 16,
    .bytes_data = 32,
};

static struct python python;

struct object {
	uint64_t refcount, type, length, hash;
	uint32_t state, pad;
	uint8_t more[8192]; /* from 40 */
};
static struct object file, name, bytes;
static union {
	uint8_t head[176];
	uint64_t words[22];
} code;

static void make_string(struct object *object, unsigned kind, int ascii, const void *data,
			size_t length)
{
	memset(object, 0, sizeof(*object));
	object->length = length;
	object->state = kind << 2 | 0x20 | (ascii ? 0x40 : 0);
	memcpy((uint8_t *)object + (ascii ? 48 : 72), data, length * kind);
}

static void make_objects(void)
{
	static const uint32_t wide[] = {0x1f40d, 'f'};

	make_string(&file, 1, 1, "/x/y.py", 7);
	make_string(&name, 4, 0, wide, 2);
	memset(&bytes, 0, sizeof(bytes));
	bytes.length = sizeof(table);
	memcpy((uint8_t *)&bytes + 32, table, sizeof(table));
	memset(&code, 0, sizeof(code));
	code.words[14] = (uintptr_t)&file;
	code.words[15] = 0xdead; /* co_name: not what 3.11 shows */
	code.words[16] = (uintptr_t)&name;
	code.words[17] = (uintptr_t)&bytes;
	code.words[3] = 0xc0; /* co_consts: never followed */
	code.words[9] = 12;
	python.pid = getpid();
	python.image.layout = layout;
}

static struct code_key make_key(void)
{
	return (struct code_key){
	    .family = 1, .code = (uintptr_t)&code, .checksum = code_checksum(&layout, code.head)};
}

static void checksum_as_the_kernel(void **state)
{
	(void)state;
	make_objects();
	assert_int_equal(
	    code_checksum(&layout, code.head),
	    checksum_code((uintptr_t)&name, (uintptr_t)&file, (uintptr_t)&bytes, 0xc0, 12));
}

static void from_memory(void **state)
{
	struct codes *codes = codes_new(LIMIT);
	const struct code *found;
	struct code_key key;

	(void)state;
	make_objects();
	key = make_key();
	assert_int_equal(codes_fetch(codes, &layout, getpid(), &key), 0);
	found = codes_find(codes, 1, key.code, key.checksum);
	assert_string_equal(code_function(found), "\xf0\x9f\x90\x8d"
						  "f");
	assert_string_equal(code_file(found), "/x/y.py");
	assert_int_equal(code_line(found, 2), 13);
	assert_int_equal(codes_fetch(codes, &layout, getpid(), &key), -EEXIST);
	key.checksum ^= 1;
	assert_int_equal(codes_fetch(codes, &layout, getpid(), &key), -ESTALE);
	key.code = 0x10; /* not mapped */
	assert_int_equal(codes_fetch(codes, &layout, getpid(), &key), -ESTALE);
	key.code = (uintptr_t)&code;
	assert_int_equal(codes_fetch(codes, &layout, 0x3fffffff, &key), -ESRCH);
	assert_int_equal(codes_count(codes), 1);
	codes_free(codes);
}

static void hostile_memory(void **state)
{
	struct codes *codes = codes_new(LIMIT);
	struct py_layout odd = layout;
	const struct code *found;
	struct code_key key;

	(void)state;
	make_objects();
	file.length = UINT64_MAX / 2;
	name.state = 0; /* not compact */
	bytes.length = INT64_MAX;
	key = make_key();
	assert_int_equal(codes_fetch(codes, &layout, getpid(), &key), 0);
	found = codes_find(codes, 1, key.code, key.checksum);
	assert_string_equal(code_function(found), "\xe2\x80\xa6");
	assert_int_equal(strlen(code_file(found)),
			 FETCH_STRING_MAX / 1 + 3 +
			     2 * (FETCH_STRING_MAX - 7)); /* each NUL is a U+FFFD */
	odd.co_span = 300;
	key.family = 2;
	assert_true(codes_fetch(codes, &odd, getpid(), &key) < 0);
	odd = layout;
	odd.co_filename = 0xfff0;
	assert_int_equal(codes_fetch(codes, &odd, getpid(), &key), -ESTALE);
	codes_free(codes);
}

static void partial_records_are_completed(void **state)
{
	struct codes *codes = codes_new(LIMIT);
	size_t size;
	const struct code *found;
	struct code_key key;

	(void)state;
	make_objects();
	key = make_key();
	size = make_record("/x/y.py", "", table, 2);
	record.code.code = key.code;
	record.code.checksum = key.checksum;
	record.code.pid = (uint32_t)getpid();
	record.code.table_len = sizeof(table);
	record.code.flags = CODE_NAME_PARTIAL | CODE_TABLE_PARTIAL;
	assert_int_equal(codes_add(codes, &python, &record.code, size), 0);
	found = codes_find(codes, 7, key.code, key.checksum);
	assert_string_equal(code_function(found), "\xf0\x9f\x90\x8d"
						  "f");
	assert_string_equal(code_file(found), "/x/y.py");
	assert_int_equal(code_line(found, 4), 41); /* first line of the record, tail from memory */
	/* another object lies there by now: what the record held stays */
	record.code.family = 8;
	code.words[9]++;
	assert_int_equal(codes_add(codes, &python, &record.code, size), 0);
	found = codes_find(codes, 8, key.code, key.checksum);
	assert_string_equal(code_function(found), "\xe2\x80\xa6");
	assert_int_equal(code_line(found, 0), 41);
	assert_int_equal(code_line(found, 4), 0);
	codes_free(codes);
	assert_int_equal(strings_count(), 0);
}

static void strings_are_counted(void **state)
{
	size_t base = strings_bytes();
	const char *a = strings_intern("abc", 3), *b = strings_intern("abcd", 3);
	const char *zero = strings_intern("a\0c", 3);

	(void)state;
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, zero);
	assert_int_equal(strings_size(zero), 3);
	assert_int_equal(strings_count(), 2);
	strings_unref(a);
	strings_unref(zero);
	assert_string_equal(strings_ref(b), "abc");
	strings_unref(b);
	strings_unref(b);
	strings_unref(NULL);
	assert_int_equal(strings_bytes(), base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(from_record),
	    cmocka_unit_test(bad_records),
	    cmocka_unit_test(character_widths),
	    cmocka_unit_test(cut_tables_give_no_line),
	    cmocka_unit_test(limited),
	    cmocka_unit_test(flat_under_churn),
	    cmocka_unit_test(dropped_keys_are_told),
	    cmocka_unit_test(shared_by_processes),
	    cmocka_unit_test(checksum_as_the_kernel),
	    cmocka_unit_test(from_memory),
	    cmocka_unit_test(hostile_memory),
	    cmocka_unit_test(partial_records_are_completed),
	    cmocka_unit_test(strings_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
