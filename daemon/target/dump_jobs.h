/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a dump has to do: one job a Linux thread of the process, with the thread state that is its
 * own. */
#ifndef PYPROF_DAEMON_TARGET_DUMP_JOBS_H
#define PYPROF_DAEMON_TARGET_DUMP_JOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/target/dump_thread.h"
#include "daemon/target/procthread.h"
#include "daemon/target/pythreads.h"

struct job {
	struct dump_thread out;
	bool has_python;
	struct pythread python;
	struct procthread_stat stat;
	struct procthread_runs first; /* as the dump began */
	bool done;
};

struct jobs {
	pid_t pid;
	struct dump_reader reader;
	struct job *jobs; /* the first ntids are of tids[] */
	size_t njobs, room;
	pid_t *tids, *own_ids;
	size_t ntids;
};

/* Lists the threads. 0 or -errno: -ESRCH when the process is gone. */
int dump_jobs_list(struct jobs *jobs);
void dump_jobs_done(struct jobs *jobs);
/* The job is over. */
void dump_jobs_finish(struct job *job, const char *error);

#endif
