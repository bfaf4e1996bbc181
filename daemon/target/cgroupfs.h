/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cgroup2 file system: from the id that kernel events carry to the directory's path. */
#ifndef PYPROF_DAEMON_TARGET_CGROUPFS_H
#define PYPROF_DAEMON_TARGET_CGROUPFS_H

#include <stddef.h>
#include <stdint.h>

/* Path below the mount point, "/system.slice/foo.service". -ENOENT: no such directory any more, or
 * no cgroup2 mount; -EPERM: needs CAP_DAC_READ_SEARCH. */
int cgroupfs_path(uint64_t id, char *path, size_t size);

#endif
