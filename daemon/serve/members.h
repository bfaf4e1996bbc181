/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which processes belong to a recording, and what the kernel counted for each meanwhile. Settled
 * when a process is first seen, and kept: its parent may be gone later.
 *
 * Counters and records are read at different moments while ticks go on, so they are matched by
 * number: of each process the profile gets exactly as many records as the counters grew by between
 * begin and end, the ones on their way at the begin left out, those on their way at the end waited
 * for. What does not come is "stale". So events = samples + lost, to the event.
 */
#ifndef PYPROF_DAEMON_SERVE_MEMBERS_H
#define PYPROF_DAEMON_SERVE_MEMBERS_H

#include "daemon/serve/recordings.h"

struct member {
	bool in;
	bool closed;               /* `last` is final: the process or the recording ended */
	struct process_ticks base; /* the kernel's counters when it joined, and the last known */
	struct process_ticks last;
	uint64_t skip;  /* records on their way when it joined: base has them */
	uint64_t taken; /* records that are in the profile */
};

/* The processes that live now: their counters start here. Nothing may be read from the rings until
 * the recording runs. */
void members_begin(struct active *active);
/* Their counters end here. The records on their way are waited for. */
void members_close(struct active *active);
/* The process's membership, settled now if need be; NULL when out of memory. */
struct member *members_find(struct active *active, struct process *process);
/* A record of the process came: is it the recording's? */
bool members_take(struct member *member);
/* Before processes_ended(). */
void members_ended(struct active *active, struct process *process);
/* Now and then: of those that ended only the sum is kept. */
void members_sweep(struct active *active);
/* A member process lives. */
bool members_live(const struct active *active);
/* A living process, or one with a late sample; ended ones are known by the profile alone. */
bool members_has(const struct active *active, const struct process *process);
/* What the kernel counted for all since the recording began; `samples` are the whole and named
 * ones, native ones among them, lost[] holds "stale" too; events are the sum of both. */
void members_ticks(struct active *active, struct process_ticks *ret_ticks);
/* The pid counts as an ancestor from now on. */
void members_adopt(struct active *active, pid_t pid);

#endif
