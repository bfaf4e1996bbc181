/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One thread of a process as /proc/PID/task/TID tells it. All return 0 or -errno: -ESRCH when the
 * thread is gone, -EBADMSG for text that is not as proc(5) says. */
#ifndef PYPROF_DAEMON_TARGET_PROCTHREAD_H
#define PYPROF_DAEMON_TARGET_PROCTHREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCTHREAD_MAX 32768 /* threads of one process that are looked at */

struct procthread_stat {
	char name[16];
	char letter; /* R S D T t Z X I */
	int cpu;     /* where it runs or ran last */
	int policy;  /* SCHED_* */
};

/* How often the thread was given a CPU. */
struct procthread_runs {
	uint64_t count;
	uint64_t run_ns;   /* as of its last switch or tick */
	bool at_switch_in; /* counted as it gets the CPU (schedstat); else as it leaves (status) */
};

struct procthread_call {
	bool running; /* on a CPU or waiting for one: nothing else is known */
	long number;  /* -1: in no system call (a page fault) */
	uint64_t args[6];
};

/* Ids of the process's threads, ascending; the caller frees. */
int procthread_list(pid_t pid, pid_t **ret_tids, size_t *ret_ntids);
int procthread_stat(pid_t pid, pid_t tid, struct procthread_stat *ret_stat);
int procthread_runs(pid_t pid, pid_t tid, struct procthread_runs *ret_runs);
int procthread_call(pid_t pid, pid_t tid, struct procthread_call *ret_call);
/* What gettid() tells each thread itself, in its own pid namespace; 0 where it is gone. */
int procthread_own_ids(pid_t pid, const pid_t *tids, size_t ntids, pid_t *out);

/* The parsers, for tests. */
int procthread_stat_parse(const char *text, struct procthread_stat *ret_stat);
int procthread_call_parse(const char *text, struct procthread_call *ret_call);

#endif
