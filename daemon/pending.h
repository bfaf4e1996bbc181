/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Execs of which it is not known yet whether they become Python: what their records told, kept
 * until the process maps libpython, ends, or ten seconds have gone. Used by discover.
 */
#ifndef PYPROF_DAEMON_PENDING_H
#define PYPROF_DAEMON_PENDING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/record.h"

struct pending {
	uint64_t generation, start_time_ns, cgroup, seen_ns;
	uint32_t uid;
	char comm[COMM_LEN];
	char *argv; /* NUL-separated, argv_bytes */
	size_t argv_bytes;
};

struct pendings;

struct pendings *pendings_new(void);
void pendings_free(struct pendings *pendings);
void pendings_keep(struct pendings *pendings, const struct exec_record *record);
void pendings_drop(struct pendings *pendings, uint32_t pid);
/* Hands it over: the caller frees ret_pending->argv. Its generation; 0: none, ret_pending is
 * untouched. */
uint64_t pendings_take(struct pendings *pendings, pid_t pid, struct pending *ret_pending);
void pendings_expire(struct pendings *pendings, uint64_t now_ns);

#endif
