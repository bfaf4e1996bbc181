/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Python's str in another process → UTF-8 here. */
#ifndef PYPROF_DAEMON_TARGET_PYSTRING_H
#define PYPROF_DAEMON_TARGET_PYSTRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/text.h"
#include "daemon/target/pyreader.h"

/* Appends at most max characters; lone surrogates and NUL become U+FFFD. Returns 1 when it was cut,
 * 0 when whole; -EBADMSG: no string; -EFAULT. */
int pystring_add(const struct pyreader *reader, uint64_t string, size_t max, struct text *out);
/* A new C string, for the caller to free, which ends in "…" when it was cut; -ENOMEM too. */
int pystring_read(const struct pyreader *reader, uint64_t string, size_t max, char **ret_text);
/* Is it this ASCII text? Anything unreadable is not. */
bool pystring_equals(const struct pyreader *reader, uint64_t string, const char *ascii);

#endif
