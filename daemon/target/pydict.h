/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Dicts and instance attributes of another process. What another thread changes meanwhile may be
 * missed or stale: good for names, not for proofs. */
#ifndef PYPROF_DAEMON_TARGET_PYDICT_H
#define PYPROF_DAEMON_TARGET_PYDICT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/target/pyreader.h"

/* Non-zero ends the walk. */
typedef int (*pydict_fn)(void *data, uint64_t key, uint64_t value);

/* Calls fn for at most `limit` entries, in insertion order. What fn returned, 0 at the end,
 * -EFAULT, -EBADMSG. */
int pydict_each(const struct pyreader *reader, uint64_t dict, size_t limit, pydict_fn fn,
		void *data);
/* The value of a str key, among the first `limit` entries; -ENOENT. */
int pydict_get(const struct pyreader *reader, uint64_t dict, size_t limit, const char *key,
	       uint64_t *ret_value);
/* An attribute that the instance itself holds (its __dict__, or what stands for it); -ENOENT. */
int pydict_attribute(const struct pyreader *reader, uint64_t object, const char *name,
		     uint64_t *ret_value);

#endif
