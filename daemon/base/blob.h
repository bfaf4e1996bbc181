/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Byte strings, each kept once and counted by reference: equal bytes are the same pointer. Single-
 * threaded.
 */
#ifndef PYPROF_DAEMON_BASE_BLOB_H
#define PYPROF_DAEMON_BASE_BLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/set.h"

struct blobs {
	struct set set;
	size_t bytes; /* of all blobs; blobs_bytes() adds the set's */
};

#define BLOB_OVERHEAD 24 /* bytes that a blob takes beside its own and the NUL */

/* The kept copy, aligned to 8 and with a NUL behind it, with one more reference; NULL when out of
 * memory or over 2 GiB. Equal bytes with another mark are another blob. */
const void *blob_take(struct blobs *blobs, const void *bytes, size_t size, bool mark);
const void *blob_ref(const void *blob); /* one more reference */
size_t blob_size(const void *blob);
bool blob_mark(const void *blob);
void blob_drop(struct blobs *blobs, const void *blob); /* NULL is fine */
size_t blobs_bytes(const struct blobs *blobs);

#endif
