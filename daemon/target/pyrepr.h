/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A short text for any object of another process, as repr() would begin, without running its code.
 */
#ifndef PYPROF_DAEMON_TARGET_PYREPR_H
#define PYPROF_DAEMON_TARGET_PYREPR_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/text.h"
#include "daemon/target/pyreader.h"

#define PYREPR_CHARS_MAX 200 /* characters of one str or bytes */
#define PYREPR_ITEMS_MAX 10  /* of one container */
#define PYREPR_DEPTH_MAX 2   /* containers in containers */

/* int, float, bool, None, str, bytes, list, tuple and dict by value; others as
 * "<module.Type at 0x…>". Always appends something. */
void pyrepr_add(const struct pyreader *reader, uint64_t object, struct text *out);
/* "module.Type" of the object, or "?". */
void pyrepr_type(const struct pyreader *reader, uint64_t object, char *out, size_t size);

#endif
