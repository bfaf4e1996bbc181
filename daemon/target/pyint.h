/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Python's int in another process. */
#ifndef PYPROF_DAEMON_TARGET_PYINT_H
#define PYPROF_DAEMON_TARGET_PYINT_H

#include <stdint.h>

#include "daemon/base/text.h"
#include "daemon/target/pyreader.h"

/* -ERANGE when it is negative or needs more than 64 bits; -EFAULT. */
int pyint_u64(const struct pyreader *reader, uint64_t object, uint64_t *ret_value);
/* Appends it in decimal, or how many bits a very large one has. */
int pyint_add(const struct pyreader *reader, uint64_t object, struct text *out);

#endif
