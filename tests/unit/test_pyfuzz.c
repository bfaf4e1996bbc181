/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Memory made of noise and of pointers into itself: every reader of Python objects comes to an end
 * and stays within its bounds (the sanitizers watch). PYPROF_FUZZ_ROUNDS: rounds a layout. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/json.h"
#include "daemon/target/dump_thread.h"
#include "daemon/target/pycode.h"
#include "daemon/target/pydict.h"
#include "daemon/target/pygil.h"
#include "daemon/target/pyint.h"
#include "daemon/target/pylocals.h"
#include "daemon/target/pynames.h"
#include "daemon/target/pyrepr.h"
#include "daemon/target/pysettle.h"
#include "daemon/target/pystack.h"
#include "daemon/target/pystring.h"
#include "daemon/target/pythreads.h"
#include "tests/unit/fake_python.h"

#define ARENA 65536u /* small, so that pointers meet objects */

static uint64_t seed;

static uint64_t random_u64(void)
{
	seed ^= seed << 13; /* xorshift64 */
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t random_pointer(const struct fake *fake)
{
	return (uint64_t)(uintptr_t)fake->memory + random_u64() % ARENA / 64 * 64;
}

static uint64_t random_word(const struct fake *fake)
{
	switch (random_u64() % 8) {
	case 0:
		return 0;
	case 1:
		return random_u64();
	case 2:
		return random_u64() % 256;
	case 3: /* state bits of a str, flags of a type, a small length */
		return random_u64() & 0x1fff00000000 & (random_u64() | 0xffff0000ffff);
	default:
		return random_pointer(fake) | (random_u64() % 16 == 0);
	}
}

static const char *const type_names[] = {"int",   "bool", "NoneType", "float", "str", "bytes",
					 "tuple", "list", "dict",     "cell",  "a.B"};
static uint64_t types[sizeof(type_names) / sizeof(type_names[0])];

/* Behind the arena, so that noise does not touch them. */
static void make_types(struct fake *fake)
{
	const struct py_objects *o = fake->reader.objects;

	fake->used = ARENA;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		uint64_t text = fake_new(fake, 16);

		types[i] = fake_new(fake, 1024);
		fake_put(fake, text, 0, type_names[i], strlen(type_names[i]) + 1);
		fake_u64(fake, types[i], o->tp_name, text);
	}
}

/* Many of the objects of known types, with sizes that may be true. */
static void type_objects(struct fake *fake)
{
	for (size_t at = 0; at + 128 <= ARENA; at += 64) {
		size_t type = random_u64() % (sizeof(types) / sizeof(types[0]));
		uint64_t size = random_u64() % 16;

		if (random_u64() % 4 == 0)
			continue;
		memcpy(fake->memory + at + fake->reader.layout->ob_type, &types[type], 8);
		if (random_u64() % 2)
			memcpy(fake->memory + at + fake->reader.objects->tuple_size, &size, 8);
	}
}

static void fill(struct fake *fake)
{
	for (size_t i = 0; i < ARENA; i += 8) {
		uint64_t word = random_word(fake);

		memcpy(fake->memory + i, &word, 8);
	}
	type_objects(fake);
	mem_forget(fake->reader.mem);
}

static int visit(void *data, uint64_t key, uint64_t value)
{
	(void)key;
	(void)value;
	++*(unsigned *)data;
	return 0;
}

static void visit_name(void *data, uint64_t ident, pid_t own_id, const char *name)
{
	(void)ident;
	(void)own_id;
	*(size_t *)data += strlen(name);
}

static void read_objects(struct fake *fake)
{
	struct pystack_frame frame = {random_pointer(fake), random_pointer(fake), 0};
	uint64_t object = random_pointer(fake), value;
	struct text text = {0};
	struct pycode code;
	unsigned visited = 0;
	char name[64], *string;

	pyrepr_add(&fake->reader, object, &text);
	assert_true(text.size > 0 || text.failed);
	pyint_add(&fake->reader, object, &text);
	text_done(&text);
	pyrepr_type(&fake->reader, object, name, sizeof(name));
	if (pystring_read(&fake->reader, object, 1000, &string) >= 0)
		free(string);
	if (pylocals_read(&fake->reader, &frame, &string) == 0)
		free(string);
	pydict_each(&fake->reader, object, 1000, visit, &visited);
	assert_true(visited <= 1000);
	pydict_get(&fake->reader, object, 1000, "x", &value);
	pydict_attribute(&fake->reader, object, "x", &value);
	if (pycode_read(&fake->reader, object, &code) == 0) {
		pycode_line(&fake->reader, &code, (int64_t)random_u64() % 100000);
		pycode_done(&code);
	}
}

static void read_thread(struct fake *fake, const struct pythread *python)
{
	struct dump_reader reader = {.reader = fake->reader, .locals = true, .end_ns = UINT64_MAX};
	struct procthread_call call = {.number = 202, .args = {random_pointer(fake)}};
	struct dump_thread thread = {0};

	dump_thread_read(&reader, python, &thread);
	dump_thread_clear(&thread);
	pystack_done(&reader.stack);
	pygil_look(&fake->reader, python, &call);
	pysettle_check(&fake->reader, python->state);
}

static void read_threads(struct fake *fake)
{
	struct pythread *threads = NULL;
	size_t n = 0, length = 0;

	fake->python.at.interp_head = random_pointer(fake);
	fake->python.at.gil = random_pointer(fake);
	if (pythreads_list(&fake->reader, &threads, &n) == 0) {
		assert_true(n <= PYTHREADS_MAX);
		for (size_t i = 0; i < n && i < 4; i++)
			read_thread(fake, &threads[i]);
		free(threads);
	}
	pynames_each(&fake->reader, visit_name, &length);
}

/* Noise is rarely a list of threads: these are handed out as they are. */
static void read_any_thread(struct fake *fake)
{
	struct pythread python = {.state = random_pointer(fake)};
	const struct py_layout *l = fake->reader.layout;

	fake_u64(fake, python.state, l->ts_thread_id, 5);
	fake_u64(fake, python.state, l->ts_interp, (uint64_t)(uintptr_t)fake->memory);
	fake_u64(fake, python.state, l->ts_frame, random_pointer(fake));
	python.ident = 5;
	python.interp = (uint64_t)(uintptr_t)fake->memory;
	read_thread(fake, &python);
}

static void test_noise(void **state)
{
	const char *given = getenv("PYPROF_FUZZ_ROUNDS");
	int rounds = given ? atoi(given) : 60;

	(void)state;
	for (size_t row = 0; row < pylayout_table_size; row++) {
		struct fake fake;

		fake_open(&fake, row);
		make_types(&fake);
		for (int round = 0; round < rounds; round++) {
			seed = 0x9e3779b97f4a7c15ull * (row * 100003 + (unsigned)round + 1);
			fill(&fake);
			for (int i = 0; i < 20; i++)
				read_objects(&fake);
			read_threads(&fake);
			read_any_thread(&fake);
		}
		fake_close(&fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
