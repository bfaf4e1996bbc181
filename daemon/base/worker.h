/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Work that may never end: the file system that a file lies on, or that a process has mapped into
 * its memory, may not answer, and no signal ends a read that waits for it. Such work runs in a
 * thread of its own beside the event loop; what hangs holds up its own thread, and nothing else.
 *
 * A job owns its data: run() touches nothing else, done() frees it. At most WORKERS_MAX run at
 * once. While a job of an owner hangs, further ones of that owner are refused: one file system that
 * is gone takes a few of them, not all.
 *
 * Before worker_init() (the CLI, unit tests) worker_call() runs the job itself, to its end.
 */
#ifndef PYPROF_DAEMON_BASE_WORKER_H
#define PYPROF_DAEMON_BASE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#define WORKERS_MAX 16
#define WORKERS_STARTED_MAX 8         /* of them by worker_start(): calls find room beside them */
#define WORKERS_GROUP_MAX 4           /* of one group */
#define WORKER_WAIT_NS 20000000ull    /* that worker_call() waits */
#define WORKER_LATE_NS 3000000000ull  /* a job that takes longer hangs */
#define WORKER_FILES_NS 1000000000ull /* a look at one file that takes longer does */

struct loop;

enum worker_owner { WORKER_FILES = 1, WORKER_PROCESS, WORKER_USER };

struct worker_job {
	void (*run)(void *data); /* in the thread */
	/* In the event loop. called: within worker_call(). */
	void (*done)(void *data, bool called);
	void *data;
	uint64_t owner; /* worker_owner(): who is to blame if it hangs */
	uint64_t group; /* the same, of whom only some may run at once; 0: no matter */
};

/* id: the device of a file system, a pid or a uid. */
uint64_t worker_owner(enum worker_owner kind, uint64_t id);

int worker_init(struct loop *loop);
/* The loop runs: calls wait no longer than WORKER_WAIT_NS, nor often. */
void worker_hurry(void);
/* What still runs is left to itself: its done() is never called. */
void worker_done(void);

/* 0: done() will be called. -EBUSY, -EAGAIN: refused, data is the caller's still. */
int worker_start(const struct worker_job *job);
/* The same, and waits for a moment. 0: done() has been called; -ETIME: it will be. */
int worker_call(const struct worker_job *job);

/*
 * Inside run(), around what may hang for another reason than the job's owner: takes the blame for
 * `owner`. False: that one hangs already, leave it alone. Outside of jobs: true.
 */
bool worker_touch(uint64_t owner);
void worker_touched(void);

#endif
