/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The map and the set against plain arrays that do the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/map.h"
#include "daemon/base/set.h"

enum { KEYS = 5000 };

static void empty(void **state)
{
	struct map *map = map_new(8, 4);
	uint64_t key = 1;
	size_t at = 0;

	(void)state;
	assert_null(map_get(map, &key));
	assert_false(map_remove(map, &key));
	assert_null(map_next(map, &at, NULL));
	assert_int_equal(map_count(map), 0);
	map_free(map);
	map_free(NULL);
}

static void put_get_remove(void **state)
{
	struct map *map = map_new(sizeof(uint64_t), sizeof(uint32_t));
	uint64_t key = 7;
	uint32_t *value;
	bool is_new;

	(void)state;
	value = map_put(map, &key, &is_new);
	assert_true(is_new);
	assert_int_equal(*value, 0);
	*value = 70;
	assert_int_equal(*(uint32_t *)map_put(map, &key, &is_new), 70);
	assert_false(is_new);
	assert_int_equal(*(uint32_t *)map_get(map, &key), 70);
	assert_true(map_remove(map, &key));
	assert_false(map_remove(map, &key));
	assert_null(map_get(map, &key));
	assert_int_equal(*(uint32_t *)map_put(map, &key, NULL), 0);
	map_clear(map);
	assert_int_equal(map_count(map), 0);
	assert_null(map_get(map, &key));
	map_free(map);
}

/* Random puts and removals; the array says what must be in. */
static void as_an_array(void **state)
{
	static uint64_t want[KEYS];
	struct map *map = map_new(sizeof(uint32_t), sizeof(uint64_t));
	size_t count = 0, seen = 0, at = 0;
	unsigned seed = 1;
	const void *found;
	uint64_t *value;

	(void)state;
	for (uint64_t step = 1; step < 200000; step++) {
		uint32_t key = (uint32_t)rand_r(&seed) % KEYS;

		if (rand_r(&seed) % 3) {
			value = map_put(map, &key, NULL);
			assert_int_equal(*value, want[key]);
			*value = want[key] = step;
		} else {
			assert_int_equal(map_remove(map, &key), want[key] != 0);
			want[key] = 0;
		}
	}
	for (uint32_t key = 0; key < KEYS; key++) {
		value = map_get(map, &key);
		assert_int_equal(value ? *value : 0, want[key]);
		count += want[key] != 0;
	}
	assert_int_equal(map_count(map), count);
	for (; (value = map_next(map, &at, &found)); seen++)
		assert_int_equal(*value, want[*(const uint32_t *)found]);
	assert_int_equal(seen, count);
	assert_true(map_bytes(map) < 20 * 2 * KEYS * 2);
	map_free(map);
}

/* Puts and removals forever reuse the dead slots. */
static void no_growth_under_churn(void **state)
{
	struct map *map = map_new(16, 8);
	uint64_t key[2] = {0, 5};
	size_t peak = 0;

	(void)state;
	for (uint64_t i = 0; i < 300000; i++) {
		key[0] = i;
		assert_non_null(map_put(map, key, NULL));
		key[0] = i - 100;
		assert_int_equal(map_remove(map, key), i >= 100);
		if (i == 1000)
			peak = map_bytes(map);
	}
	assert_int_equal(map_bytes(map), peak);
	map_free(map);
}

static void removal_while_iterating(void **state)
{
	struct map *map = map_new(4, 4);
	const void *key;
	size_t seen = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		map_put(map, &i, NULL);
	for (size_t at = 0; map_next(map, &at, &key); seen++) {
		uint32_t copy = *(const uint32_t *)key;

		if (copy % 2)
			assert_true(map_remove(map, &copy));
	}
	assert_int_equal(seen, 100);
	assert_int_equal(map_count(map), 50);
	map_free(map);
}

/* As pids and families of a host that had a busy hour. */
static void shrinks_under_churn(void **state)
{
	struct map *map = map_new(8, 8);
	size_t full, count;

	(void)state;
	for (uint64_t i = 0; i < 8192; i++)
		map_put(map, &i, NULL);
	full = map_bytes(map);
	for (uint64_t i = 100; i < 8192; i++)
		map_remove(map, &i);
	for (uint64_t i = 10000; i < 60000; i++) {
		map_put(map, &i, NULL);
		map_remove(map, &i);
	}
	assert_true(map_bytes(map) < full / 8);
	for (count = 0; count < 100 && map_get(map, &count); count++)
		;
	assert_int_equal(count, 100);
	map_free(map);
}

static unsigned fullest_slot(size_t key_size, unsigned shift)
{
	static uint16_t slots[4096];
	unsigned fullest = 0;

	memset(slots, 0, sizeof(slots));
	for (uint64_t i = 0; i < 4096; i++) {
		uint64_t key[2] = {0x7f0000000000 ^ i << shift, 7};
		uint16_t *slot = &slots[map_hash(key, key_size) % 4096];

		fullest = ++*slot > fullest ? *slot : fullest;
	}
	return fullest;
}

/* Keys that a hostile process may choose: alike in all but a few bits, wherever these are. */
static void keys_spread(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift <= 52; shift++) {
		assert_true(fullest_slot(8, shift) < 32);
		assert_true(fullest_slot(16, shift) < 32);
	}
}

/* What this program says when it is started anew. */
static uint64_t hash_of_another_start(void)
{
	char program[4096] = "", line[64] = "";
	FILE *f;

	assert_true(readlink("/proc/self/exe", program, sizeof(program) - 6) > 0);
	f = popen(strcat(program, " hash"), "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	pclose(f);
	return strtoull(line, NULL, 16);
}

/* What floods the daemon of one start, found by trying, does not flood the next. */
static void seeded_at_each_start(void **state)
{
	(void)state;
	assert_true(hash_of_another_start() != hash_of_another_start());
	assert_true(hash_of_another_start() != map_hash("a name", 6));
}

static void hashes(void **state)
{
	static const char text[] = "abcdefghijklmnop";

	(void)state;
	assert_true(map_hash(text, 16) == map_hash(text, 16));
	assert_true(map_hash(text, 15) != map_hash(text, 16));
	assert_true(map_hash("a\0", 2) != map_hash("a", 1));
	assert_true(map_hash(NULL, 0) == map_hash(text, 0));
}

/* ---- set ---- */

struct item {
	struct set_node node;
	uint32_t key;
	bool in;
};

static bool item_equal(const struct set_node *node, const void *key)
{
	return ((const struct item *)node)->key == *(const uint32_t *)key;
}

/* Few distinct hashes: chains are long. */
static uint64_t item_hash(uint32_t key)
{
	return key / 8;
}

static void set_as_an_array(void **state)
{
	static struct item items[KEYS];
	struct set set = {0};
	size_t count = 0;
	unsigned seed = 2;

	(void)state;
	for (unsigned step = 0; step < 100000; step++) {
		uint32_t key = (uint32_t)rand_r(&seed) % KEYS;
		struct item *item = &items[key];

		assert_ptr_equal(set_find(&set, item_hash(key), item_equal, &key),
				 item->in ? item : NULL);
		item->key = key;
		if (item->in)
			set_remove(&set, &item->node);
		else
			assert_true(set_insert(&set, &item->node, item_hash(key)));
		item->in = !item->in;
	}
	for (size_t i = 0; i < KEYS; i++)
		count += items[i].in;
	assert_int_equal(set.count, count);
	set_done(&set);
}

static void set_shrinks(void **state)
{
	static struct item items[KEYS];
	struct set set = {0};
	size_t full;

	(void)state;
	for (uint32_t i = 0; i < KEYS; i++)
		set_insert(&set, &items[i].node, i);
	full = set_bytes(&set);
	for (uint32_t i = 100; i < KEYS; i++)
		set_remove(&set, &items[i].node);
	assert_true(set_bytes(&set) < full / 8);
	for (struct set_node *node; (node = set_first(&set));)
		set_remove(&set, node);
	assert_int_equal(set.count, 0);
	assert_int_equal(set_bytes(&set), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty),
	    cmocka_unit_test(put_get_remove),
	    cmocka_unit_test(as_an_array),
	    cmocka_unit_test(no_growth_under_churn),
	    cmocka_unit_test(shrinks_under_churn),
	    cmocka_unit_test(removal_while_iterating),
	    cmocka_unit_test(hashes),
	    cmocka_unit_test(keys_spread),
	    cmocka_unit_test(seeded_at_each_start),
	    cmocka_unit_test(set_as_an_array),
	    cmocka_unit_test(set_shrinks),
	};

	if (argc == 2 && strcmp(argv[1], "hash") == 0)
		return printf("%llx\n", (unsigned long long)map_hash("a name", 6)) < 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
