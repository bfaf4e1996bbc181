/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which systemd unit or container a process belongs to, from its control group: cgroup v2, v1 and
 * the hybrid of both. */
#ifndef PYPROF_DAEMON_TARGET_CGROUP_H
#define PYPROF_DAEMON_TARGET_CGROUP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CGROUP_ID_LEN 65 /* container ids are 64 hexadecimal digits */

struct cgroup_names {
	char unit[256]; /* "" = none: longest name that systemd allows */
	char container[CGROUP_ID_LEN];
};

/* -ESRCH when the process is gone. Both names may be "" on success. */
int cgroup_of_pid(pid_t pid, struct cgroup_names *ret_names);
/* By the id of a cgroup2 directory (as kernel events carry it); works after the process's end while
 * the directory exists, and for a while after for ids asked before. -ENOENT: no longer known. */
int cgroup_of_id(uint64_t id, struct cgroup_names *ret_names);

/* Pure. One path: "/system.slice/foo.service". */
void cgroup_parse_path(const char *path, struct cgroup_names *ret_names);
/* Pure. A /proc/PID/cgroup file: the unified hierarchy first, then systemd's, then any. */
void cgroup_parse_file(const char *text, struct cgroup_names *ret_names);

#endif
