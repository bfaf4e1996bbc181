/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads a kernel hash map of counters from end to end: probe → [harvest] → calls, targets, ioctls.
 */
#ifndef PYPROF_DAEMON_COUNTERS_HARVEST_H
#define PYPROF_DAEMON_COUNTERS_HARVEST_H

#include <stdbool.h>
#include <stddef.h>

/* Returns true when the entry may go: nobody counts there any more. */
typedef bool (*harvest_fn)(void *data, const void *key, const void *value);

/* Calls fn for each entry; sizes are those of the map. 0 or -errno. */
int harvest_each(int map_fd, size_t key_size, size_t value_size, harvest_fn fn, void *data);

#endif
