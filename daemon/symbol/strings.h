/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The daemon's one table of byte strings (names, line tables): each once, counted by reference, so
 * that equal names are the same pointer and memory is flat while processes come and go. Code
 * objects and frames hold their own references. Single-threaded.
 */
#ifndef PYPROF_DAEMON_SYMBOL_STRINGS_H
#define PYPROF_DAEMON_SYMBOL_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/blob.h"

#define STRINGS_OVERHEAD (BLOB_OVERHEAD + 1) /* bytes that one takes beside its own, at most */

/* The interned, NUL-terminated copy with one more reference; NULL when out of memory. */
const char *strings_intern(const char *bytes, size_t size);
/* The same for a text whose end is missing: not the string that a whole text of these bytes is. */
const char *strings_intern_cut(const char *bytes, size_t size);
/* One more reference of a string that came from strings_intern(). */
const char *strings_ref(const char *string);
size_t strings_size(const char *string); /* the closing NUL left out */
bool strings_is_cut(const char *string);
void strings_unref(const char *string); /* NULL is fine */
size_t strings_count(void);
size_t strings_bytes(void);

#endif
