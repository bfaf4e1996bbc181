/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The names that Python's threading module gave to threads. */
#ifndef PYPROF_DAEMON_TARGET_PYNAMES_H
#define PYPROF_DAEMON_TARGET_PYNAMES_H

#include <stdint.h>

#include "daemon/target/pyreader.h"

/* own_id: gettid() of the thread in its own pid namespace, 0 before 3.8 or when it has not started.
 */
typedef void (*pynames_fn)(void *data, uint64_t ident, pid_t own_id, const char *name);

/* Calls fn for each thread that threading knows, in every interpreter. 0 also when the module is
 * not imported; -EFAULT, -EBADMSG when a table changed while it was read. */
int pynames_each(const struct pyreader *reader, pynames_fn fn, void *data);

#endif
