/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Proof that a thread of another process did not run while something was read, without stopping it.
 *
 *	if (still_begin(&still, pid, tid, cpu)) { read its memory; exact = still_holds(&still); }
 *
 * Why it is a proof: the kernel counts how often a thread is given a CPU. A thread that is off its
 * CPU at one moment after the first count, and has the same count at the end, had no CPU in
 * between. Off its CPU at that moment is known in one of two ways:
 *  - it sleeps: /proc/PID/task/TID/syscall answers only for a thread that is switched out (the
 *    kernel's wait_task_inactive());
 *  - it belongs to the very CPU on which the reader itself is running (still_ride()): what a CPU
 *    runs is one thread. Nothing is asked of the thread; the scheduler gives the reader its turn as
 *    it would any other program.
 * A state letter alone proves nothing: a thread is marked asleep some time before it leaves its
 * CPU.
 */
#ifndef PYPROF_DAEMON_TARGET_STILL_H
#define PYPROF_DAEMON_TARGET_STILL_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/target/procthread.h"

struct still {
	pid_t pid, tid;
	int cpu; /* the reader's, where it rides; else -1 */
	struct procthread_runs runs;
	struct procthread_call call; /* what it sleeps in; .running when it is only preempted */
};

/* cpu: what still_ride() returned, or -1. True: the thread is off its CPU now. */
bool still_begin(struct still *still, pid_t pid, pid_t tid, int cpu);
/* True: it has not run since still_begin(). */
bool still_holds(const struct still *still);

/* The reader's affinity and nice value as they were. */
struct still_seat {
	cpu_set_t *home;
	size_t home_size;
	int nice;
	int cpu; /* -1: not riding */
};

/* Moves the calling thread to a CPU; its number, or -1 where that is not allowed. Changes of CPU
 * are fine; still_leave() puts everything back, and is needed once. Where it is permitted the
 * reader has a high priority meanwhile: on a CPU with many runnable threads its turn would be long
 * in coming. */
int still_ride(struct still_seat *seat, int cpu);
void still_leave(struct still_seat *seat);

#endif
