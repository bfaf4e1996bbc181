/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes belong to a recording, and what the kernel counted for each meanwhile. Settled
 * when a process is first seen, and kept: its parent may be gone later.
 */
#ifndef PYPROF_DAEMON_SERVE_MEMBERS_H
#define PYPROF_DAEMON_SERVE_MEMBERS_H

#include "daemon/serve/recordings.h"

struct member {
	bool in;
	struct process_ticks base,
	    last; /* the kernel's counters at the recording's begin and now */
};

/* The processes that live now: their counters start here. */
void members_begin(struct active *active);
/* The process's membership, settled now if need be; NULL when out of memory. */
struct member *members_find(struct active *active, struct process *process);
/* Reads the counters of all, or of one that ends. */
void members_read(struct active *active);
void members_ended(struct active *active, struct process *process);
/* A member process lives. */
bool members_live(const struct active *active);
/* A living process, or one with a late sample; ended ones are known by the profile alone. */
bool members_has(const struct active *active, const struct process *process);
/* What the kernel counted for all since the recording began; lost[] holds "stale" too. */
void members_ticks(struct active *active, struct process_ticks *ret_ticks);
/* The pid counts as an ancestor from now on. */
void members_adopt(struct active *active, pid_t pid);

#endif
