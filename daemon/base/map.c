/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Open addressing, linear probing, tombstones, at most 3/4 used. A slot is a state byte in `used`
 * and key|value in `slots`, the value 8-byte aligned.
 */
#include "daemon/base/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

enum { SLOT_FREE, SLOT_USED, SLOT_DEAD };
#define MAP_FIRST_SIZE 4 /* each process has one for its threads, mostly of one */

struct map {
	size_t key_size, value_at, slot_size;
	size_t size;  /* slots, a power of two; 0 before the first put */
	size_t count; /* used */
	size_t taken; /* used and dead */
	uint8_t *used;
	uint8_t *slots;
};

static struct {
	uint64_t start, factor;
} seed;

/* Before main(): whatever is hashed is hashed with it. */
static __attribute__((constructor)) void seed_take(void)
{
	/* Never waits, and a sandbox may forbid it: the kernel gave 16 such bytes at the exec. */
	if (getrandom(&seed, sizeof(seed), GRND_INSECURE) != sizeof(seed))
		memcpy(&seed, (const void *)getauxval(AT_RANDOM), sizeof(seed));
	seed.factor |= 1;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * Each word is multiplied by a secret and the product folded, so that every bit of the word reaches
 * the low bits in a way that only the secret tells. A secret that is merely added would not do:
 * words that differ in their high bits alone would meet whatever it is. The last fold is for words
 * at equal distances (addresses), which one multiplication leaves at equal distances.
 */
uint64_t map_hash(const void *data, size_t size)
{
	const uint8_t *at = data;
	uint64_t hash = seed.start ^ size;

	while (size) {
		size_t n = size < 8 ? size : 8;
		uint64_t word = 0;

		memcpy(&word, at, n);
		hash = fold(hash ^ word, seed.factor);
		at += n;
		size -= n;
	}
	return fold(hash, 0x9e3779b97f4a7c15ull);
}

struct map *map_new(size_t key_size, size_t value_size)
{
	struct map *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->key_size = key_size;
	map->value_at = (key_size + 7) & ~(size_t)7;
	map->slot_size = map->value_at + ((value_size + 7) & ~(size_t)7);
	return map;
}

void map_free(struct map *map)
{
	if (!map)
		return;
	free(map->used);
	free(map->slots);
	free(map);
}

static uint8_t *slot_at(const struct map *map, size_t i)
{
	return map->slots + i * map->slot_size;
}

/* The slot of the key, or the slot where it belongs. */
static size_t slot_find(const struct map *map, const void *key)
{
	size_t mask = map->size - 1, i = map_hash(key, map->key_size) & mask, dead = SIZE_MAX;

	for (;; i = (i + 1) & mask) {
		if (map->used[i] == SLOT_FREE)
			return dead != SIZE_MAX ? dead : i;
		if (map->used[i] == SLOT_DEAD) {
			if (dead == SIZE_MAX)
				dead = i;
		} else if (memcmp(slot_at(map, i), key, map->key_size) == 0) {
			return i;
		}
	}
}

void *map_get(const struct map *map, const void *key)
{
	size_t i;

	if (!map->count)
		return NULL;
	i = slot_find(map, key);
	return map->used[i] == SLOT_USED ? slot_at(map, i) + map->value_at : NULL;
}

static bool map_resize(struct map *map, size_t size)
{
	struct map grown = *map;

	grown.size = size;
	grown.taken = map->count;
	grown.used = calloc(size, 1);
	grown.slots = malloc(size * map->slot_size);
	if (!grown.used || !grown.slots) {
		free(grown.used);
		free(grown.slots);
		return false;
	}
	for (size_t i = 0; i < map->size; i++) {
		size_t to;

		if (map->used[i] != SLOT_USED)
			continue;
		to = slot_find(&grown, slot_at(map, i));
		grown.used[to] = SLOT_USED;
		memcpy(slot_at(&grown, to), slot_at(map, i), map->slot_size);
	}
	free(map->used);
	free(map->slots);
	*map = grown;
	return true;
}

/* Double, or the same when many are tombstones, or half when at most one in eight is used. */
static size_t size_fitting(const struct map *map)
{
	if (!map->size)
		return MAP_FIRST_SIZE;
	if ((map->count + 1) * 2 > map->size)
		return map->size * 2;
	return map->count * 8 < map->size && map->size > MAP_FIRST_SIZE ? map->size / 2 : map->size;
}

void *map_put(struct map *map, const void *key, bool *ret_new)
{
	size_t i;
	bool is_new;

	if ((map->taken + 1) * 4 > map->size * 3 && !map_resize(map, size_fitting(map)))
		return NULL;
	i = slot_find(map, key);
	is_new = map->used[i] != SLOT_USED;
	if (is_new) {
		if (map->used[i] == SLOT_FREE)
			map->taken++;
		map->used[i] = SLOT_USED;
		map->count++;
		memset(slot_at(map, i), 0, map->slot_size);
		memcpy(slot_at(map, i), key, map->key_size);
	}
	if (ret_new)
		*ret_new = is_new;
	return slot_at(map, i) + map->value_at;
}

bool map_remove(struct map *map, const void *key)
{
	size_t i;

	if (!map->count)
		return false;
	i = slot_find(map, key);
	if (map->used[i] != SLOT_USED)
		return false;
	map->used[i] = SLOT_DEAD;
	map->count--;
	return true;
}

void map_clear(struct map *map)
{
	free(map->used);
	free(map->slots);
	map->used = map->slots = NULL;
	map->size = map->count = map->taken = 0;
}

size_t map_count(const struct map *map)
{
	return map->count;
}

size_t map_bytes(const struct map *map)
{
	return sizeof(*map) + map->size * (map->slot_size + 1);
}

void *map_next(const struct map *map, size_t *at, const void **ret_key)
{
	while (*at < map->size) {
		size_t i = (*at)++;

		if (map->used[i] != SLOT_USED)
			continue;
		if (ret_key)
			*ret_key = slot_at(map, i);
		return slot_at(map, i) + map->value_at;
	}
	return NULL;
}
