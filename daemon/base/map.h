/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hash table from fixed-size keys (compared bytewise: zero their padding) to fixed-size values,
 * both stored inline. Get, put and remove are O(1). Any put may move values: a value's address
 * holds only until the next put; store pointers where it must last. No removal while iterating,
 * except of the entry just given. The order is another in each map and at each start of the
 * program. Puts after many removals make it smaller again.
 */
#ifndef PYPROF_DAEMON_BASE_MAP_H
#define PYPROF_DAEMON_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;

/* NULL when out of memory. Keys are at most 64 bytes. */
struct map *map_new(size_t key_size, size_t value_size);
/* Values are not freed for the caller; NULL is fine. */
void map_free(struct map *map);

void *map_get(const struct map *map, const void *key);
/* The value of the key, new ones zeroed; NULL when out of memory. ret_new may be NULL. */
void *map_put(struct map *map, const void *key, bool *ret_new);
bool map_remove(struct map *map, const void *key);
void map_clear(struct map *map);
size_t map_count(const struct map *map);
size_t map_bytes(const struct map *map); /* memory held */

/* for (size_t at = 0; (value = map_next(map, &at, &key));) */
void *map_next(const struct map *map, size_t *at, const void **ret_key);

/* Seeded at the program's start: targets choose addresses and names, and must not choose slots. */
uint64_t map_hash(const void *data, size_t size);

#endif
