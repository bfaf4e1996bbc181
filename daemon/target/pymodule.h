/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The module that a function belongs to, as its globals tell. */
#ifndef PYPROF_DAEMON_TARGET_PYMODULE_H
#define PYPROF_DAEMON_TARGET_PYMODULE_H

#include "daemon/target/pyreader.h"

/* The globals' "__name__": 0, 1 when it was cut (UTF-8, owned by the caller); -ENOENT where it is
 * not cheap to tell: exec() with globals of its own, a module that is being set up; -EFAULT,
 * -EBADMSG, -ENOMEM. */
int pymodule_name(const struct pyreader *reader, uint64_t globals, char **ret_name);

#endif
